-- 各数据集中的学校都在学校名册中
-- dataset: schools
-- severity: warning
select district_code, phase_id,
    delivery || '/' || file || coalesce(' ' || nullif(sheet, ''), '') || ' 第 ' || row_number || ' 行：' || school_code as offender
from core.unknown_school
semi join run_evaluation using (district_code, phase_id)
