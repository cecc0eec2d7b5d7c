-- A change that leaves the value as it is (another limit, another waiver) is here with effect 0 under its cause. A value that
-- appears, disappears or loses its data has no numeric effect, but one row that says so.
with pair as (
    select c.*, b.standard_id as standard_before, a.standard_id as standard_after,
        b.active_waivers as waivers_before, a.active_waivers as waivers_after,
        b.standard_id is distinct from a.standard_id or b.active_waivers is distinct from a.active_waivers as rules_differ
    from core.previous_phase c
    semi join run_evaluation e using (district_code, phase_id)
    join mart.evaluation b on b.district_code = c.district_code and b.phase_id = c.previous_phase_id
    join mart.evaluation a on a.district_code = c.district_code and a.phase_id = c.phase_id
), moved as (
    -- why a school appeared or disappeared: the announced change, or else the difference of the two rosters
    select p.district_code, p.phase_id, s.school_code,
        case
            when bool_or(c.kind = 'merge' and c.from_code = s.school_code) then 'merged'
            when bool_or(c.kind = 'close' and c.from_code = s.school_code) then 'closed'
            when count(s.school_code) filter (s.phase_id = p.phase_id) = 0 then 'closed'
            when count(s.school_code) filter (s.phase_id = p.previous_phase_id) = 0 then 'opened'
            -- in scope before and after: its pupils of one stage appeared or disappeared
            when bool_and(s.in_scope) then 'enrolment'
            else 'out_of_scope'
        end as cause
    from pair p
    join mart.school s on s.district_code = p.district_code and s.phase_id in (p.phase_id, p.previous_phase_id)
    left join core.school_change c
        on c.district_code = p.district_code and c.phase_id = p.phase_id and c.from_code = s.school_code
        and c.is_in_force
    group by p.district_code, p.phase_id, s.school_code
), resource as (
    select r.district_code, r.phase_id, r.previous_phase_id, r.indicator_code, r.stage, r.school_code,
        r.x0 as value_before, r.x3 as value_after, r.status_before, r.status_after,
        unnest(case
            when presence in ('appeared', 'gone') then [{'cause': m.cause, 'effect': null}]
            when presence <> 'both' then [{'cause': 'correction', 'effect': null}]
            else [
                {'cause': 'enrolment', 'effect': moved_by(x0, x1)},
                {'cause': 'resource', 'effect': moved_by(x1, x2)},
                {'cause': 'rule', 'effect': moved_by(x2, x3)}
            ]
        end, recursive := true)
    from rule.resource_change r
    semi join run_evaluation e using (district_code, phase_id)
    left join moved m using (district_code, phase_id, school_code)
), other_before as (
    select p.district_code, p.phase_id, p.previous_phase_id, p.rules_differ, i.school_code, i.stage, i.indicator_code,
        i.value, i.status, i.threshold
    from pair p
    join mart.school_indicator i on i.district_code = p.district_code and i.phase_id = p.previous_phase_id
    where i.per is null
), other_after as (
    select p.district_code, p.phase_id, p.previous_phase_id, p.rules_differ, i.school_code, i.stage, i.indicator_code,
        i.value, i.status, i.threshold
    from pair p
    join mart.school_indicator i using (district_code, phase_id)
    where i.per is null
), other as (
    -- G3–G5: rooms are resources, pupils and classes enrolment; a threshold that changed with the classes is enrolment too
    select district_code, phase_id, previous_phase_id, indicator_code, stage, school_code,
        b.value as value_before, a.value as value_after, b.status as status_before, a.status as status_after,
        case
            when b.status is null or a.status is null then m.cause
            when b.value is null or a.value is null then 'correction'
            when indicator_code = 'G3' and b.value <> a.value then 'resource'
            when b.value = a.value and rules_differ then 'rule'
            else 'enrolment'
        end as cause,
        a.value - b.value as effect
    from other_before b
    full join other_after a
        using (district_code, phase_id, previous_phase_id, rules_differ, school_code, stage, indicator_code)
    left join moved m using (district_code, phase_id, school_code)
), school as (
    from resource union all by name from other
), school_changed as (
    select * from school
    where effect <> 0
        or status_before is distinct from status_after and (effect is null or cause in ('rule', 'enrolment'))
    window change as (partition by district_code, phase_id, indicator_code, stage, school_code)
    -- a row for each cause that changed the value; if only the verdict changed, the one cause that can have changed it
    qualify effect is null or effect <> 0
        or (count(*) filter (effect <> 0) over change = 0 and cause = max(cause) over change)
), balance as (
    select p.district_code, p.phase_id, p.previous_phase_id, p.rules_differ, o.indicator_code, o.stage,
        o.cv as value_before, n.cv as value_after, o.status as status_before, n.status as status_after
    from pair p
    join mart.stage_balance o on o.district_code = p.district_code and o.phase_id = p.previous_phase_id
    join mart.stage_balance n
        on n.district_code = p.district_code and n.phase_id = p.phase_id
        and n.stage = o.stage and n.indicator_code = o.indicator_code
), sections_changed as (
    select district_code, phase_id, stage, indicator_code,
        case
            when bool_or(presence in ('appeared', 'gone')) then 'roster'
            when bool_or(presence in ('reported', 'unreported')) then 'correction'
            when bool_or(x0 <> x1) then 'enrolment'
            when bool_or(x1 <> x2) then 'resource'
            else 'rule'
        end as cause
    from rule.resource_change
    semi join run_evaluation using (district_code, phase_id)
    group by all
), stage as (
    select b.district_code, b.phase_id, b.previous_phase_id, b.indicator_code, b.stage, null::varchar as school_code,
        b.value_before, b.value_after, b.status_before, b.status_after,
        unnest(case
            when c.parts is not null and b.value_before is not null and b.value_after is not null then c.parts
            else [{'cause': coalesce(s.cause, 'rule'), 'effect': moved_by(b.value_before, b.value_after)}]
        end, recursive := true)
    from balance b
    left join (
        select district_code, phase_id, stage, indicator_code, list({'cause': cause, 'effect': effect}) as parts
        from rule.balance_change
        semi join run_evaluation using (district_code, phase_id)
        where step > 0 and abs(effect) > 1e-12
        group by all
    ) c using (district_code, phase_id, stage, indicator_code)
    left join sections_changed s using (district_code, phase_id, stage, indicator_code)
    where c.parts is not null or b.status_before is distinct from b.status_after
        or (b.value_before is null) <> (b.value_after is null)
), flipped as (
    -- the cause that changed a school most, among the indicators whose verdict changed
    select district_code, phase_id, school_code,
        arg_max(cause, coalesce(abs(effect / nullif(value_before, 0)), 1e9)) as cause
    from school_changed
    where is_failing(status_before) is distinct from is_failing(status_after)
    group by district_code, phase_id, school_code
), failing as (
    select p.district_code, p.phase_id, p.previous_phase_id, i.school_code,
        bool_or(is_failing(i.status)) filter (i.phase_id = p.previous_phase_id) as failed_before,
        bool_or(is_failing(i.status)) filter (i.phase_id = p.phase_id) as fails_after
    from pair p
    join mart.school_indicator i
        on i.district_code = p.district_code and i.phase_id in (p.phase_id, p.previous_phase_id)
    group by p.district_code, p.phase_id, p.previous_phase_id, i.school_code
), district as (
    select f.district_code, f.phase_id, f.previous_phase_id, null::varchar as indicator_code, null::varchar as stage,
        null::varchar as school_code, v.schools_failing as value_before, w.schools_failing as value_after,
        passed(v.passes) as status_before, passed(w.passes) as status_after,
        case
            when failed_before is null or fails_after is null then 'roster'
            when k.cause in ('opened', 'merged', 'closed', 'out_of_scope') then 'roster'
            else coalesce(k.cause, 'resource')
        end as cause,
        sum(coalesce(fails_after, false)::integer - coalesce(failed_before, false)::integer) as effect
    from failing f
    left join flipped k using (district_code, phase_id, school_code)
    join mart.district_verdict v on v.district_code = f.district_code and v.phase_id = f.previous_phase_id
    join mart.district_verdict w on w.district_code = f.district_code and w.phase_id = f.phase_id
    where coalesce(fails_after, false) <> coalesce(failed_before, false)
    group by all
), open_verdict as (
    -- the district's verdict changed although the same number of schools fails
    select p.district_code, p.phase_id, p.previous_phase_id, null::varchar as indicator_code, null::varchar as stage,
        null::varchar as school_code, v.schools_failing as value_before, w.schools_failing as value_after,
        passed(v.passes) as status_before, passed(w.passes) as status_after,
        case when v.passes is null or w.passes is null then 'correction' when p.rules_differ then 'rule' else 'resource' end
            as cause,
        0 as effect
    from pair p
    join mart.district_verdict v on v.district_code = p.district_code and v.phase_id = p.previous_phase_id
    join mart.district_verdict w on w.district_code = p.district_code and w.phase_id = p.phase_id
    anti join district d on d.district_code = p.district_code and d.phase_id = p.phase_id
    where v.passes is distinct from w.passes
), indicator as (
    select p.district_code, p.phase_id, p.previous_phase_id, a.indicator_code, null::varchar as stage,
        null::varchar as school_code, b.value as value_before, a.value as value_after,
        b.status as status_before, a.status as status_after,
        case
            when b.status is null then 'rule'
            when b.value is null and a.value is null and p.rules_differ then 'rule'
            when b.target is distinct from a.target then 'rule'
            when 'no_data' in (b.status, a.status) then 'correction'
            else 'resource'
        end as cause,
        a.value - b.value as effect
    from pair p
    join mart.district_indicator a on a.district_code = p.district_code and a.phase_id = p.phase_id
    left join mart.district_indicator b
        on b.district_code = p.district_code and b.phase_id = p.previous_phase_id and b.indicator_code = a.indicator_code
    where b.status is distinct from a.status or b.value is distinct from a.value
    union all
    -- an indicator that the earlier standard has and the present one does not
    select p.district_code, p.phase_id, p.previous_phase_id, b.indicator_code, null, null, b.value, null, b.status, null,
        'rule', null
    from pair p
    join mart.district_indicator b on b.district_code = p.district_code and b.phase_id = p.previous_phase_id
    anti join mart.district_indicator a
        on a.district_code = p.district_code and a.phase_id = p.phase_id and a.indicator_code = b.indicator_code
), verdict_before as (
    select p.district_code, p.phase_id, p.previous_phase_id, v.school_code, v.stage, passed(v.passes_resource_rule) as status
    from pair p
    join mart.school_verdict v on v.district_code = p.district_code and v.phase_id = p.previous_phase_id
), verdict_after as (
    select p.district_code, p.phase_id, p.previous_phase_id, v.school_code, v.stage, passed(v.passes_resource_rule) as status
    from pair p
    join mart.school_verdict v using (district_code, phase_id)
), verdict as (
    select district_code, phase_id, previous_phase_id, null::varchar as indicator_code, stage, school_code,
        null::double as value_before, null::double as value_after,
        b.status as status_before, a.status as status_after,
        coalesce(if(b.status is null or a.status is null, m.cause, k.cause), 'resource') as cause,
        null::double as effect
    from verdict_before b
    full join verdict_after a using (district_code, phase_id, previous_phase_id, school_code, stage)
    left join flipped k using (district_code, phase_id, school_code)
    left join moved m using (district_code, phase_id, school_code)
    where b.status is distinct from a.status
), change as (
    select 'school' as level, * from school_changed
    union all by name select 'stage' as level, * from stage
    union all by name select 'district' as level, * from district
    union all by name select 'district' as level, * from open_verdict
    union all by name select 'indicator' as level, * from indicator
    union all by name select 'verdict' as level, * from verdict
)
select district_code, phase_id, previous_phase_id, level, indicator_code, stage, school_code, value_before, value_after,
    status_before, status_after, cause, effect
from change
