-- 单独填报的校区只有一个学段
-- dataset: schools
-- severity: blocking
select district_code, phase_id, school_name || '有几个学段的学生：请与本校合并为一行填报，不填“校区”' as offender
from core.school
semi join run_evaluation using (district_code, phase_id)
-- if a stage's pupils are not reported, it is not known whether the campus has the stage: the roster is not at fault
where campus is not null
    and len(list_filter([primary_students, junior_students, senior_students], lambda n: coalesce(n > 0, false))) > 1
