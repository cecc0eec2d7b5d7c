-- For each dataset in use: whether every cell could be read.
select f.district_code, f.phase_id, 'cells_are_readable' as check_name, f.dataset, 'warning' as severity,
    count(r.rule) = 0 as passed, count(r.rule) as failed_rows,
    if(count(r.rule) = 0, '单元格均可读', count(r.rule) || ' 处未能读入，详见 quality.rejected_row') as message
from run_chosen_file f
left join raw.rejection r using (content_sha256, dataset)
group by f.district_code, f.phase_id, f.dataset
