-- 按名称提到的学校都能唯一对应
-- dataset: measures
-- severity: warning
select district_code, phase_id,
    delivery || '/' || file || coalesce(' ' || nullif(sheet, ''), '') || ' 第 ' || row_number || ' 行：' || name as offender
from core.named_school
semi join run_evaluation using (district_code, phase_id)
where school_code is null and column_name <> 'receiving_school'
