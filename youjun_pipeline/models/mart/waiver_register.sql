-- The need is counted without any waiver. It is due some years after the recognition, which is at the end of the last phase.
with deadline as (
    select p.district_code,
        (arg_max(p.ends, p.phase_order) + to_years(max(y.value)::integer))::date as due_on
    from raw.phase p
    join raw.district d using (district_code)
    join standard.parameter y
        on y.standard_id = d.standard_id and y.parameter = 'waiver_years' and not y.unverified
        and p.ends between coalesce(y.starts, p.ends) and coalesce(y.ends, p.ends)
    group by p.district_code
), strict as (
    -- rooms and resources must reach the same threshold; a raised size limit falls back to its own
    select district_code, phase_id, school_code, stage, indicator_code, threshold as threshold_strict,
        greatest((threshold - value_strict) * students / per, 0) as gap
    from rule.resource
    union all
    select district_code, phase_id, school_code, stage, indicator_code, threshold, missing_strict
    from rule.g3_music_art_rooms
    union all
    select district_code, phase_id, school_code, stage, indicator_code, threshold_strict,
        greatest(value - threshold_strict, 0)
    from rule.g4_school_size
), school as (
    select 'school' as level, i.district_code, i.phase_id, i.school_code, i.school_name, i.stage, i.indicator_code,
        i.indicator_name, [i.waiver] as waivers, i.value, i.threshold, i.value_strict, s.threshold_strict, s.gap
    from mart.school_indicator i
    semi join run_evaluation e on e.district_code = i.district_code and e.phase_id = i.phase_id
    join strict s using (district_code, phase_id, school_code, stage, indicator_code)
    where i.status = 'met_by_waiver'
), stage as (
    select 'stage' as level, b.district_code, b.phase_id, null as school_code, null as school_name, b.stage,
        b.indicator_code, b.indicator_name, list(distinct r.waiver order by r.waiver) as waivers, b.cv as value,
        b.cv_limit as threshold, b.cv_strict as value_strict, b.cv_limit as threshold_strict,
        b.cv_strict - b.cv_limit as gap
    from mart.stage_balance b
    semi join run_evaluation e on e.district_code = b.district_code and e.phase_id = b.phase_id
    join rule.resource r using (district_code, phase_id, stage, indicator_code)
    where b.status = 'met_by_waiver' and r.waiver is not null
    group by all
), entry as (
    from school
    union all
    from stage
), granted as (
    select district_code, phase_id, list(waiver) filter (granted_by = 'district') as beyond
    from core.active_waiver
    semi join run_evaluation using (district_code, phase_id)
    group by district_code, phase_id
)
select n.district_code, n.phase_id, n.level, n.school_code, n.school_name, n.stage, n.indicator_code, n.indicator_name,
    array_to_string(n.waivers, '、') as waiver, coalesce(list_has_any(n.waivers, g.beyond), false) as is_beyond_range,
    n.value, n.threshold, n.value_strict, n.threshold_strict, n.gap, d.due_on
from entry n
left join granted g using (district_code, phase_id)
join deadline d using (district_code)
