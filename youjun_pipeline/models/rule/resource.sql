-- R1–R7 of every section: its part of the resource, the value per pupil (or per hundred), and the verdict. The comparison is
-- cross-multiplied in decimals: part × per × weight against threshold × pupils (or weighted pupils), so that a value exactly at a
-- limit is never lost to binary rounding.
with part as (
    select s.district_code, s.phase_id, s.school_code, s.stage, n.indicator_code, n.waiver,
        split_part(n.input, '.', 1) as dataset,
        -- a figure that two waivers add counts once
        w.waiver is not null and row_number() over (
            partition by s.district_code, s.phase_id, s.school_code, s.stage, n.indicator_code, n.input
            order by w.waiver nulls last) = 1 as is_granted,
        -- a second, unreadable row of the section contradicts the first
        if(h.dataset is null, i.value::decimal(24, 6) * n.factor, null) as amount
    from core.section s
    join run_evaluation e using (district_code, phase_id)
    join standard.numerator n on n.standard_id = e.standard_id and n.stage = s.stage
    left join core.input i
        on i.district_code = s.district_code and i.phase_id = s.phase_id and i.school_code = s.school_code
        and i.stage = s.stage and i.input = n.input
    left join core.hidden_section h
        on h.district_code = s.district_code and h.phase_id = s.phase_id and h.school_code = s.school_code
        and h.stage = s.stage and h.dataset = split_part(n.input, '.', 1)
    left join core.school_waiver w
        on w.district_code = s.district_code and w.phase_id = s.phase_id and w.school_code = s.school_code
        and w.waiver = n.waiver
), added as (
    select district_code, phase_id, school_code, stage, indicator_code,
        -- any missing part makes the whole unknown; but a waiver adds only what was reported
        (case when bool_and(amount is not null) filter (waiver is null)
            then sum(amount) filter (waiver is null) end)::decimal(38, 6) as plain,
        coalesce(sum(amount) filter (waiver is not null and is_granted), 0)::decimal(38, 6) as extra,
        bool_and(dataset = 'teachers') as is_of_teachers,
        max(waiver) filter (is_granted and amount <> 0) as waiver
    from part
    group by all
), believed as (
    -- A part above its whole is a contradiction: more gymnasium than building, more teachers of a kind than teachers. The whole
    -- of every count of teachers is one column, whatever the standard counts.
    select a.* exclude (plain),
        coalesce(a.plain < 0 or (is_of_teachers and a.plain > whole.value), false) as is_contradictory,
        if(is_contradictory, null, a.plain) as plain
    from added a
    left join core.figure whole
        on whole.district_code = a.district_code and whole.phase_id = a.phase_id and whole.school_code = a.school_code
        and whole.stage = a.stage and whole.input = 'teachers.full_time'
), weighed as (
    select a.*, s.students, i.gap_unit, i.name, i.per, i.display_decimals, l.value as threshold, f.value::decimal(9, 6) as floor_share,
        case when i.is_split then s.split_weight else 1 end * i.per as factor,
        case when i.is_split then s.weighted_students else s.students end as base,
        case when i.is_split then s.share else 1 end as share
    from believed a
    join core.section s using (district_code, phase_id, school_code, stage)
    join run_evaluation e using (district_code, phase_id)
    join standard.indicator i using (standard_id, indicator_code)
    join core.limit l
        on l.district_code = e.district_code and l.phase_id = e.phase_id and l.indicator_code = a.indicator_code and l.variant = a.stage
    join core.parameter f
        on f.district_code = a.district_code and f.phase_id = a.phase_id and f.parameter = 'floor_share'
), compared as (
    select *,
        plain * factor as plain_side,
        (plain + extra) * factor as waived_side,
        threshold * base as required,
        case when base > 0 then plain_side::double / base::double end as value_strict,
        case when base > 0 then waived_side::double / base::double end as value,
        judged(plain_side, required, floor_share) as status_strict,
        with_waiver(status_strict, judged(waived_side, required, floor_share)) as status
    from weighed
)
select
    district_code,
    phase_id,
    school_code,
    stage,
    indicator_code,
    value * students / per as numerator,
    value_strict * students / per as numerator_strict,
    students,
    value,
    value_strict,
    threshold::double as threshold,
    (threshold * floor_share)::double as floor,
    per,
    share,
    plain::double as amount,
    extra::double as extra_amount,
    factor::double as factor,
    base::double as base,
    status,
    status_strict,
    waiver,
    case when is_met(status) then 0 else greatest((required - waived_side)::double / base::double * students / per, 0) end as gap,
    judged(round(value::decimal(28, 10), 2), threshold, floor_share) <> judged(waived_side, required, floor_share)
        as rounding_sensitive,
    name || ' ' || case when is_contradictory then '的分项多于总数，数据自相矛盾，无法计算，不能视为达标'
        when value is null then '缺少数据，无法计算，不能视为达标'
        else shown2(value) || '，标准 ' || shown2(threshold::double) || case
            when status = 'met_by_waiver' then '：按过渡政策 ' || waiver || ' 达标（不计过渡政策为 ' || shown2(value_strict) || '）'
            when is_met(status) then '：达标'
            else '：' || status_word(status) || '，缺 ' || shown2((threshold::double - value) * students / per) || ' ' || gap_unit
        end end as reason
from compared
