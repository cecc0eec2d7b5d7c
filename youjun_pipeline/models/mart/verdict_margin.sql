-- margin is the smallest whole number of units that changes the verdict: one unit less does not. move says in which direction the
-- lever moves, turns_to the verdict after that. Everything else stays as it is. A lever that alone cannot change the verdict
-- (pupils cannot fall below zero) has no row. R: amount × factor is compared with threshold × base, in decimals as in the
-- verdict; a quotient is rounded to six places, because a division leaves the decimals. base is wider than 18 digits, because
-- DuckDB keeps the product of two decimals of up to 18 digits within 18.
with resource as (
    select district_code, phase_id, school_code, school_name, stage, indicator_code, status, value, threshold, floor, students,
        (amount + extra_amount)::decimal(24, 6) as amount, factor::decimal(18, 6) as factor, base::decimal(20, 3) as base,
        (factor / per)::decimal(9, 6) as pupil_weight,
        threshold::decimal(18, 6) as required
    from mart.school_indicator
    semi join run_evaluation using (district_code, phase_id)
    where per is not null and value is not null
), resource_margin as (
    select r.*, 'resource' as lever, if(is_met(status), 'less', 'more') as move, i.gap_unit as unit,
        if(is_met(status),
            floor(round((amount * factor - required * base) / factor, 6)) + 1,
            ceil(round((required * base - amount * factor) / factor, 6))) as margin
    from resource r
    join run_evaluation e using (district_code, phase_id)
    join standard.indicator i on i.standard_id = e.standard_id and i.indicator_code = r.indicator_code
    where not is_met(status) or floor(round((amount * factor - required * base) / factor, 6)) + 1 <= amount
    union all
    select r.*, 'students', if(is_met(status), 'more', 'less'), '人',
        if(is_met(status),
            floor(round((amount * factor / required - base) / pupil_weight, 6)) + 1,
            ceil(round((base - amount * factor / required) / pupil_weight, 6)))
    from resource r
    where required > 0
        -- without the last pupil there is no section left to judge
        and (is_met(status) or ceil(round((base - amount * factor / required) / pupil_weight, 6)) < students)
), class_count as (
    select district_code, phase_id, school_code, sum(classes) as classes
    from core.class_group
    semi join run_evaluation using (district_code, phase_id)
    group by all
    having count(*) = count(classes)
), school as (
    select * from mart.school_indicator
    semi join run_evaluation using (district_code, phase_id)
    where per is null and status <> 'no_data'
), rooms as (
    select s.district_code, s.phase_id, s.school_code, s.school_name, s.stage, s.indicator_code, s.status, s.value, s.threshold,
        'resource' as lever, if(is_met(s.status), 'less', 'more') as move, '间' as unit,
        if(is_met(s.status), s.value - s.threshold + 1, s.gap) as margin
    from school s
    where s.indicator_code = 'G3' and s.value is not null and (not is_met(s.status) or s.threshold > 0)
    union all
    select s.district_code, s.phase_id, s.school_code, s.school_name, s.stage, s.indicator_code, s.status, s.value, s.threshold,
        'classes', if(is_met(s.status), 'more', 'less'), '班',
        if(is_met(s.status), p.value * s.value + 1 - c.classes, c.classes - p.value * s.value)
    from school s
    join run_evaluation e using (district_code, phase_id)
    join core.parameter p
        on p.district_code = s.district_code and p.phase_id = s.phase_id and p.parameter = 'classes_per_room'
    join class_count c
        on c.district_code = s.district_code and c.phase_id = s.phase_id and c.school_code = s.school_code
    -- by stage, the need of each stage rises on its own: the sum of classes says nothing
    where s.indicator_code = 'G3' and s.value is not null and e.music_art_rule in ('each', 'combined')
        and (is_met(s.status) or s.value > 0)
), size as (
    select district_code, phase_id, school_code, school_name, stage, indicator_code, status, value, threshold,
        'students' as lever, if(is_met(status), 'more', 'less') as move, '人' as unit,
        if(is_met(status), threshold - value + 1, value - threshold) as margin
    from school
    where indicator_code = 'G4' and value is not null
), class_size as (
    -- the largest class is nearest to the limit; every pupil over the limit must leave
    select district_code, phase_id, school_code, school_name, stage, indicator_code, status, value, threshold,
        'students' as lever, if(is_met(status), 'more', 'less') as move, '人' as unit,
        if(is_met(status), threshold - value + 1, gap) as margin
    from school
    where indicator_code = 'G5' and value is not null
    union all
    -- classes to open, grade by grade, so that its pupils fit
    select s.district_code, s.phase_id, s.school_code, s.school_name, s.stage, s.indicator_code, s.status, s.value, s.threshold,
        'classes', 'more', '班', sum(greatest(ceil(g.students / s.threshold) - g.classes, 0))
    from school s
    join (
        select district_code, phase_id, school_code, stage, grade, sum(students) as students, count(*) as classes
        from core.class_list
        semi join run_evaluation using (district_code, phase_id)
        group by all
    ) g using (district_code, phase_id, school_code, stage)
    where s.indicator_code = 'G5' and s.status = 'below' and s.value is not null
    group by all
    having sum(greatest(ceil(g.students / s.threshold) - g.classes, 0)) > 0
), pupils_of_section as (
    -- the number of pupils that takes each indicator below its threshold, and below its floor; negative if it is already there
    select r.*, v.passes_resource_rule as passes, v.resource_met, m.value as min_met,
        floor(round((amount * factor / required - base) / pupil_weight, 6)) + 1 as to_threshold,
        floor(round((amount * factor / floor::decimal(18, 6) - base) / pupil_weight, 6)) + 1 as to_floor
    from resource r
    join mart.school_verdict v using (district_code, phase_id, school_code, stage)
    join core.parameter m
        on m.district_code = r.district_code and m.phase_id = r.phase_id and m.parameter = 'min_met'
    where required > 0 and floor > 0 and v.resource_no_data = 0 and v.passes_resource_rule is not null
), section as (
    -- with n more pupils (fewer if negative) it fails as soon as one floor or one threshold too many is crossed
    select district_code, phase_id, school_code, any_value(school_name) as school_name, stage,
        any_value(passes) as passes, any_value(students) as students,
        least(min(to_floor), list_sort(list(to_threshold))[any_value(count_of) - any_value(min_met)::integer + 1]) as fails_at
    from (
        select *, count(*) over (partition by district_code, phase_id, school_code, stage) as count_of
        from pupils_of_section
    )
    group by district_code, phase_id, school_code, stage
), section_margin as (
    select district_code, phase_id, school_code, school_name, stage, null::varchar as indicator_code,
        if(passes, 'met', 'below') as status, null::double as value, null::double as threshold, 'students' as lever,
        if(passes, 'more', 'less') as move, '人' as unit,
        if(passes, fails_at, 1 - fails_at) as margin
    from section
    where passes or 1 - fails_at < students
), every_school as (
    select 'school' as level, district_code, phase_id, school_code, school_name, stage, indicator_code, status, value, threshold,
        lever, move, unit, margin
    from resource_margin
    union all by name select 'school' as level, * from rooms
    union all by name select 'school' as level, * from size
    union all by name select 'school' as level, * from class_size
    union all by name select 'section' as level, * from section_margin
), stage_margin as (
    from rule.balance_margin
    semi join run_evaluation using (district_code, phase_id)
)
select m.district_code, m.phase_id, m.level, m.indicator_code, m.stage, m.school_code, m.school_name, m.lever, m.move,
    m.unit, m.margin::double as margin, m.status, if(is_met(m.status), 'not_met', 'met') as turns_to,
    m.value, m.threshold
from (from every_school union all by name from stage_margin) m
