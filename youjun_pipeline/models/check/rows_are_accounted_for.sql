-- 每个文件读入行数等于退回、采用和未采用行数之和
-- dataset: files
-- severity: blocking
select f.district_code, f.phase_id,
    f.delivery || '/' || f.file || '：读入 ' || s.rows_read || '，退回 ' || s.rows_rejected || '，采用 ' || s.rows_used || '，未采用 '
        || s.rows_unused as offender
from run_chosen_file f
semi join run_evaluation using (district_code, phase_id)
join ops.source_file s using (district_code, delivery, dataset, file)
where s.rows_read <> s.rows_rejected + s.rows_used + s.rows_unused or s.rows_used < 0
