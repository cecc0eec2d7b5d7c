-- 任务的期间都能读出起止日期
-- dataset: targets
-- severity: warning
select district_code, phase_id,
    delivery || '/' || file || coalesce(' ' || nullif(sheet, ''), '') || ' 第 ' || row_number || ' 行：任务 ' || target_no
        || ' 期间“' || period || '”，请写作 2023、2023-12、2023年上半年或阶段名称' as offender
from core.target
semi join run_evaluation using (district_code, phase_id)
where due is null
