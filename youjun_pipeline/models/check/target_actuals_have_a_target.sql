-- 填报的完成值都对应方案中的任务和期间
-- dataset: target_actuals
-- severity: warning
select district_code, phase_id,
    delivery || '/' || file || coalesce(' ' || nullif(sheet, ''), '') || ' 第 ' || row_number || ' 行：任务 ' || target_no
        || ' 期间 ' || period as offender
from core.target_actual
semi join run_evaluation using (district_code, phase_id)
where not is_target_known
