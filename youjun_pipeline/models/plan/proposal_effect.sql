-- Every indicator of every section and school, every section's verdict and every coefficient, before a plan and after it.
with step as (
    select district_code, base_phase_id as phase_id, phase_id as case_phase_id
    from youjun_scenario.main.evaluation
    where variant = 'proposal'
), before as (
    select s.district_code, s.phase_id, 'school' as level, i.indicator_code, i.stage, i.school_code, i.school_name,
        i.value, i.threshold, i.status, i.reason, i.students
    from step s
    join mart.school_indicator i using (district_code, phase_id)
    union all
    select s.district_code, s.phase_id, 'section', null, v.stage, v.school_code, v.school_name, v.resource_met, null,
        passed(v.passes_resource_rule), v.reason, v.students
    from step s
    join mart.school_verdict v using (district_code, phase_id)
    union all
    select s.district_code, s.phase_id, 'stage', b.indicator_code, b.stage, null, null, b.cv, b.cv_limit, b.status, b.reason,
        b.students
    from step s
    join mart.stage_balance b using (district_code, phase_id)
), after as (
    select s.district_code, s.phase_id, 'school' as level, i.indicator_code, i.stage, i.school_code, i.school_name,
        i.value, i.threshold, i.status, i.reason, i.students
    from step s
    join youjun_scenario.mart.school_indicator i on i.district_code = s.district_code and i.phase_id = s.case_phase_id
    union all
    select s.district_code, s.phase_id, 'section', null, v.stage, v.school_code, v.school_name, v.resource_met, null,
        passed(v.passes_resource_rule), v.reason, v.students
    from step s
    join youjun_scenario.mart.school_verdict v on v.district_code = s.district_code and v.phase_id = s.case_phase_id
    union all
    select s.district_code, s.phase_id, 'stage', b.indicator_code, b.stage, null, null, b.cv, b.cv_limit, b.status, b.reason,
        b.students
    from step s
    join youjun_scenario.mart.stage_balance b on b.district_code = s.district_code and b.phase_id = s.case_phase_id
)
select coalesce(a.district_code, b.district_code) as district_code, coalesce(a.phase_id, b.phase_id) as phase_id,
    coalesce(a.level, b.level) as level, coalesce(a.school_code, b.school_code) as school_code,
    coalesce(a.school_name, b.school_name) as school_name, coalesce(a.stage, b.stage) as stage,
    coalesce(a.indicator_code, b.indicator_code) as indicator_code,
    b.students as students_before, a.students as students_after, b.value as value_before, a.value as value_after,
    coalesce(a.threshold, b.threshold) as threshold, b.status as status_before, a.status as status_after,
    case a.level
        when 'section' then a.status = 'met'
        -- a section may leave one of the seven unmet; its own verdict says whether it passes
        when 'school' then a.indicator_code in (
            select indicator_code from standard.indicator where category = 'resource'
        ) or is_settled(a.status)
        else is_settled(a.status)
    end is true as holds_after,
    a.reason
from before b
full join after a
    on a.district_code = b.district_code and a.phase_id = b.phase_id and a.level = b.level
    and a.indicator_code is not distinct from b.indicator_code
    and a.stage is not distinct from b.stage and a.school_code is not distinct from b.school_code
