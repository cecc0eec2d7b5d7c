-- What each action of a scenario changed, one action after the other in order of their dates: the effects of the actions add up
-- to the change. If a value is unknown on one side, there is no effect, only the status.
with step as (
    select p.district_code, p.phase_id, p.scenario_id, p.step, p.action_no, e.phase_id as case_phase_id
    from temp.planning_step p
    join youjun_scenario.main.evaluation e
        on e.district_code = p.district_code and e.base_phase_id = p.phase_id and e.variant = p.variant
), judged as (
    select s.*, 'school' as level, i.indicator_code, i.stage, i.school_code, i.school_name, i.value, i.status
    from step s
    join youjun_scenario.mart.school_indicator i on i.district_code = s.district_code and i.phase_id = s.case_phase_id
    union all
    select s.*, 'stage', b.indicator_code, b.stage, null, null, b.cv, b.status
    from step s
    join youjun_scenario.mart.stage_balance b on b.district_code = s.district_code and b.phase_id = s.case_phase_id
    union all
    select s.*, 'district', null, null, null, null, d.schools_failing::double, passed(d.passes)
    from step s
    join youjun_scenario.mart.district_verdict d on d.district_code = s.district_code and d.phase_id = s.case_phase_id
), keyed as (
    select *, concat_ws('|', level, indicator_code, stage, school_code) as thing from judged
), thing as (
    select district_code, phase_id, scenario_id, thing, any_value(level) as level, any_value(indicator_code) as indicator_code,
        any_value(stage) as stage, any_value(school_code) as school_code, any_value(school_name) as school_name
    from keyed
    group by all
)
select t.district_code, t.phase_id, t.scenario_id, s.action_no, s.step, t.level, t.indicator_code, t.stage, t.school_code,
    t.school_name, b.value as value_before, a.value as value_after, b.status as status_before, a.status as status_after,
    a.value - b.value as effect
from thing t
join step s on s.district_code = t.district_code and s.phase_id = t.phase_id and s.scenario_id = t.scenario_id and s.step > 0
left join keyed a
    on a.district_code = t.district_code and a.phase_id = t.phase_id and a.scenario_id = t.scenario_id and a.step = s.step
    and a.thing = t.thing
left join keyed b
    on b.district_code = t.district_code and b.phase_id = t.phase_id and b.scenario_id = t.scenario_id
    and b.step = s.step - 1 and b.thing = t.thing
where a.value is distinct from b.value or a.status is distinct from b.status
