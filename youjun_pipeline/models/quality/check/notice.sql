-- What the reader skipped; it is reported and not judged.
select f.district_code, f.phase_id, 'reader_notice' as check_name, f.dataset, 'notice' as severity, true as passed,
    0 as failed_rows, string_agg(f.delivery || '/' || f.file || '：' || n.message, '；' order by f.delivery, f.file, n.message) as message
from run_chosen_file f
join raw.notice n using (content_sha256, dataset)
group by f.district_code, f.phase_id, f.dataset
union all
-- about the folder of a district, or (no district) about files beside the districts' folders
select n.district_code, null, 'folder_notice', '', 'notice', true, 0, string_agg(n.message, '；' order by n.message)
from raw.district_notice n
where n.district_code is null or n.district_code in (from run_district)
group by n.district_code
