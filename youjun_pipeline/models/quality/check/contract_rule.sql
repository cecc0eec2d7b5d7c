-- Rules between the cells of one row that are broken in the files in use.
select f.district_code, f.phase_id, r.rule as check_name, f.dataset, r.severity, false as passed,
    sum(r.failed_rows) as failed_rows, string_agg(f.delivery || '/' || f.file || '：' || r.message, '；' order by f.delivery, f.file) as message
from run_chosen_file f
join raw.rule_result r using (content_sha256, dataset)
group by f.district_code, f.phase_id, r.rule, f.dataset, r.severity
