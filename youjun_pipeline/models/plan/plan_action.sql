-- The district's own plan as actions: what rule.plan_effect derives from its measures, each action once. One row per measure, and
-- for a merger one per school; without says why a measure changes nothing here. Text and annex may both name the same work, and
-- one diversion may be named under several indicators: as in the projection, the source (and indicator) with the largest promise
-- counts.
with effect as (
    select p.*, e.standard_id, coalesce(p.planned_on, getvariable('as_of')) as effective_on, i.is_split
    from rule.plan_effect p
    join run_evaluation e using (district_code, phase_id)
    join standard.indicator i on i.standard_id = e.standard_id and i.indicator_code = p.indicator_code
), amount as (
    select e.*,
        sum(e.quantity) over (
            partition by e.district_code, e.phase_id, e.school_code, if(e.is_split, null, e.stage), e.indicator_code, e.source
        ) as of_source
    from effect e
    where e.effect = 'amount'
), moved as (
    select e.*,
        sum(e.quantity) over (
            partition by e.district_code, e.phase_id, e.school_code, e.stage, e.to_school_code, e.indicator_code, e.source
        ) as of_source
    from effect e
    where e.effect = 'pupils'
), told as (
    select district_code, phase_id, measure_no, effective_on, school_code, null::varchar as to_school_code,
        if(is_split, null, stage) as stage, dataset, column_name, null::varchar as kind, added::double as quantity,
        of_source < max(of_source) over work
            or source is distinct from min(source) filter (of_source = most) over work as is_told_twice
    from (
        select *, max(of_source) over (
            partition by district_code, phase_id, school_code, if(is_split, null, stage), indicator_code
        ) as most
        from amount
    )
    window work as (partition by district_code, phase_id, school_code, if(is_split, null, stage), indicator_code)
    union all
    select district_code, phase_id, measure_no, effective_on, school_code, to_school_code, stage, null, null, 'divert_pupils',
        quantity::double,
        of_source < most or concat(indicator_code, '|', source)
            is distinct from min(concat(indicator_code, '|', source)) filter (of_source = most) over diversion
    from (
        select *, max(of_source) over (
            partition by district_code, phase_id, school_code, stage, to_school_code
        ) as most
        from moved
    )
    window diversion as (partition by district_code, phase_id, school_code, stage, to_school_code)
    union all
    select distinct district_code, phase_id, measure_no, effective_on, school_code, to_school_code, null, null, null,
        'merge_school', null::double, false
    from effect
    where effect = 'merger'
    union all
    select district_code, phase_id, measure_no, effective_on, school_code, null, stage, null, null, 'add_rooms', quantity::double,
        false
    from effect
    where effect = 'rooms'
)
select t.district_code, t.phase_id, t.measure_no, t.effective_on, t.school_code, t.to_school_code, t.stage,
    coalesce(t.kind, case
        when t.dataset = 'teachers' then 'add_teachers'
        when t.column_name = 'equipment_value_wan' then 'buy_equipment'
        when t.column_name = 'multimedia_rooms' then 'add_rooms'
        else 'extend'
    end) as kind,
    t.column_name as item, t.quantity,
    if(t.is_told_twice, '同一工作在正文、附件或其他指标下已计入', null) as without
from told t
union all
select district_code, phase_id, measure_no, coalesce(planned_on, getvariable('as_of')), school_code, null, stage, null, null,
    quantity::double, unquantified
from rule.plan_effect
semi join run_evaluation using (district_code, phase_id)
where unquantified is not null
union all
-- programmes with yearly targets give quantities for the district, and never for a school
select distinct district_code, phase_id, target_no, getvariable('as_of'), null, null, null, null, metric, max(planned)::double,
    '任务“' || programme || '”（' || metric || '）的数量没有落实到学校'
from core.target
semi join run_evaluation using (district_code, phase_id)
group by all
