-- 填报和验收的日期不早于方案印发，不晚于报送
-- dataset: progress
-- severity: warning
with report as (
    select district_code, phase_id, reported_on as dated_on, delivery, file, sheet, row_number from core.progress
    union all
    select district_code, phase_id, inspected_on, delivery, file, sheet, row_number from core.acceptance
)
select district_code, phase_id,
    r.delivery || '/' || r.file || coalesce(' ' || nullif(r.sheet, ''), '') || ' 第 ' || r.row_number || ' 行：' || r.dated_on
        || if(r.dated_on > r.delivery, '，晚于报送日期 ' || r.delivery, '，早于方案印发日期 ' || e.issued_on || '，不计入') as offender
from report r
join run_evaluation e using (district_code, phase_id)
where r.dated_on > r.delivery or r.dated_on < e.issued_on
