-- 每个文件接受的行数等于采用和未采用行数之和
-- dataset: files
-- severity: blocking
select f.district_code, f.phase_id,
    f.delivery || '/' || f.file || '：接受 ' || s.rows_accepted || '，采用 ' || s.rows_used || '，未采用 '
        || s.rows_unused as offender
from run_chosen_file f
semi join run_evaluation using (district_code, phase_id)
join ops.source_file s using (district_code, delivery, dataset, file)
where s.rows_accepted <> s.rows_used + s.rows_unused or s.rows_used < 0
