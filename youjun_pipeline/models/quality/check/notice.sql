-- What the reader passed over, told and not judged.
select f.district_code, f.phase_id, 'reader_notice' as check_name, f.dataset, 'notice' as severity, true as passed,
    0 as failed_rows, string_agg(f.delivery || '/' || f.file || '：' || n.message, '；') as message
from run_chosen_file f
join raw.notice n using (content_sha256, dataset)
group by f.district_code, f.phase_id, f.dataset
union all
select n.district_code, r.phase_id, 'folder_notice', '', 'notice', true, 0, string_agg(n.message, '；')
from raw.district_notice n
join run_request r using (district_code)
group by n.district_code, r.phase_id
