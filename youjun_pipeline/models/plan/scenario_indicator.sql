-- Every indicator of every section and school under a scenario, beside the base, at the end of each phase.
with step as (
    select a.district_code, a.phase_id, a.scenario_id, a.at_phase_id, a.at_order, e.phase_id as case_phase_id
    from temp.planning_at a
    join youjun_scenario.main.evaluation e
        on e.district_code = a.district_code and e.base_phase_id = a.phase_id and e.variant = a.variant
), after as (
    select s.district_code, s.phase_id, s.scenario_id, s.at_phase_id, i.school_code, i.school_name, i.stage, i.indicator_code,
        i.students, i.value, i.threshold, i.status, i.gap, i.reason
    from step s
    join youjun_scenario.mart.school_indicator i on i.district_code = s.district_code and i.phase_id = s.case_phase_id
), before as (
    select s.district_code, s.phase_id, s.scenario_id, s.at_phase_id, i.school_code, i.school_name, i.stage, i.indicator_code,
        i.students, i.value, i.threshold, i.status, i.gap
    from step s
    join youjun_scenario.main.evaluation e
        on e.district_code = s.district_code and e.base_phase_id = s.phase_id and e.variant = 'base'
    join youjun_scenario.mart.school_indicator i on i.district_code = e.district_code and i.phase_id = e.phase_id
)
select district_code, phase_id, scenario_id, at_phase_id, school_code, coalesce(a.school_name, b.school_name) as school_name,
    stage, indicator_code, b.students as students_before, a.students as students_after,
    b.value as value_before, a.value as value_after, coalesce(a.threshold, b.threshold) as threshold,
    b.status as status_before, a.status as status_after, a.gap as gap_after,
    case
        when b.status is null then 'opened'
        when a.status is null then 'gone'
        when is_failing(b.status) and is_met(a.status) then 'mended'
        when is_met(b.status) and is_failing(a.status) then 'broken'
        when b.status is distinct from a.status then 'other'
        when b.value is distinct from a.value or b.students is distinct from a.students then 'moved'
        else 'same'
    end as change,
    a.reason
from before b
full join after a using (district_code, phase_id, scenario_id, at_phase_id, school_code, stage, indicator_code)
