-- 每个文件读入行数等于接受行数加隔离行数
-- dataset: files
-- severity: blocking
select f.district_code, f.phase_id,
    f.delivery || '/' || f.file || '：读入 ' || c.rows_read || '，接受 ' || c.rows_accepted || '，隔离 ' || c.rows_rejected as offender
from run_chosen_file f
semi join run_evaluation using (district_code, phase_id)
join raw.content c using (content_sha256, dataset)
where c.rows_read <> c.rows_accepted + c.rows_rejected
