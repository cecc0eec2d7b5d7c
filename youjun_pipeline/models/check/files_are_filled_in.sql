-- 报送的文件都填写了内容
-- dataset: files
-- severity: warning
-- A file with only a header, or with only codes, is not a delivery of its dataset; the check fails until a later delivery has a
-- filled-in one.
select e.district_code, e.phase_id,
    b.delivery || '/' || b.file || '：'
        || no_delivery(b.reason, b.rows_seen, d.kind, d.title, d.empty_means, max(f.delivery)) as offender
from run_evaluation e
join raw.bare_file b on b.district_code = e.district_code and b.delivery <= e.effective_on
join raw.dataset d using (dataset)
left join raw.delivered_file f
    on f.district_code = b.district_code and f.dataset = b.dataset and f.delivery <= e.effective_on
group by e.district_code, e.phase_id, b.delivery, b.file, b.reason, b.rows_seen, d.kind, d.title, d.empty_means
having d.kind = 'events' or coalesce(max(f.delivery) < b.delivery, true)
