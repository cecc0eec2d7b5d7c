-- Verdicts under a scenario, beside the base: sections, coefficients, district indicators, the district.
with step as (
    select a.district_code, a.phase_id, a.scenario_id, a.at_phase_id, e.phase_id as case_phase_id, 'after' as side
    from temp.planning_at a
    join youjun_scenario.main.evaluation e
        on e.district_code = a.district_code and e.base_phase_id = a.phase_id and e.variant = a.variant
    union all
    select a.district_code, a.phase_id, a.scenario_id, a.at_phase_id, e.phase_id, 'before'
    from temp.planning_at a
    join youjun_scenario.main.evaluation e
        on e.district_code = a.district_code and e.base_phase_id = a.phase_id and e.variant = 'base'
), verdict as (
    select s.*, 'section' as level, null::varchar as indicator_code, v.stage, v.school_code, v.school_name,
        null::double as value, null::double as threshold, passed(v.passes_resource_rule) as status, v.reason
    from step s
    join youjun_scenario.mart.school_verdict v on v.district_code = s.district_code and v.phase_id = s.case_phase_id
    union all
    select s.*, 'stage', b.indicator_code, b.stage, null, null, b.cv, b.cv_limit, b.status, b.reason
    from step s
    join youjun_scenario.mart.stage_balance b on b.district_code = s.district_code and b.phase_id = s.case_phase_id
    union all
    select s.*, 'district_indicator', d.indicator_code, null, null, null, d.value, d.target, d.status, d.summary
    from step s
    join youjun_scenario.mart.district_indicator d on d.district_code = s.district_code and d.phase_id = s.case_phase_id
    union all
    select s.*, 'district', null, null, null, null, d.schools_failing, 0, passed(d.passes), d.summary
    from step s
    join youjun_scenario.mart.district_verdict d on d.district_code = s.district_code and d.phase_id = s.case_phase_id
), after as (
    select * exclude (case_phase_id, side) from verdict where side = 'after'
), before as (
    select * exclude (case_phase_id, side) from verdict where side = 'before'
)
select coalesce(a.district_code, b.district_code) as district_code, coalesce(a.phase_id, b.phase_id) as phase_id,
    coalesce(a.scenario_id, b.scenario_id) as scenario_id, coalesce(a.at_phase_id, b.at_phase_id) as at_phase_id,
    coalesce(a.level, b.level) as level, coalesce(a.indicator_code, b.indicator_code) as indicator_code,
    coalesce(a.stage, b.stage) as stage, coalesce(a.school_code, b.school_code) as school_code,
    coalesce(a.school_name, b.school_name) as school_name,
    b.value as value_before, a.value as value_after, coalesce(a.threshold, b.threshold) as threshold,
    b.status as status_before, a.status as status_after,
    case
        when b.status is null then 'opened'
        when a.status is null then 'gone'
        when is_failing(b.status) and is_met(a.status) then 'mended'
        when is_met(b.status) and is_failing(a.status) then 'broken'
        when b.status is distinct from a.status then 'other'
        when b.value is distinct from a.value then 'moved'
        else 'same'
    end as change,
    coalesce(a.reason, b.reason) as reason
from before b
full join after a
    on a.district_code = b.district_code and a.phase_id = b.phase_id and a.scenario_id = b.scenario_id
    and a.at_phase_id = b.at_phase_id and a.level = b.level and a.indicator_code is not distinct from b.indicator_code
    and a.stage is not distinct from b.stage and a.school_code is not distinct from b.school_code
