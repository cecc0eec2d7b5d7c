-- 进展填报写明填报人
-- dataset: progress
-- severity: warning
-- Without a reporter nobody can tell whether the inspector was another person.
select district_code, phase_id,
    delivery || '/' || file || coalesce(' ' || nullif(sheet, ''), '') || ' 第 ' || row_number || ' 行：'
        || coalesce(measure_no, milestone_no) as offender
from core.progress
semi join run_evaluation using (district_code, phase_id)
where reporter is null and refused_because is null
