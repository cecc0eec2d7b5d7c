-- Pupils of each school and stage once the measures have acted; is_gone: the school has merged into another.
-- One diversion named under several indicators, or by text and annex, moves its pupils once: the largest number given.
with told as (
    select district_code, phase_id, variant, school_code, stage, to_school_code, sum(quantity) as students
    from projection_effect
    where effect = 'pupils'
    group by district_code, phase_id, variant, school_code, stage, to_school_code, indicator_code, source
), moved as (
    select district_code, phase_id, variant, school_code, stage, to_school_code, max(students) as students
    from told
    group by all
), merged as (
    select distinct district_code, phase_id, variant, school_code, to_school_code
    from projection_effect
    where effect = 'merger'
), change as (
    select district_code, phase_id, variant, school_code, stage, -students as students, true as is_known from moved
    union all
    select district_code, phase_id, variant, to_school_code, stage, students, true from moved
    where to_school_code is not null
    union all
    select m.district_code, m.phase_id, m.variant, m.to_school_code, s.stage, s.students, s.students is not null
    from merged m
    join core.section s
        on s.district_code = m.district_code and s.phase_id = m.phase_id and s.school_code = m.school_code
)
select c.district_code, c.phase_id, c.variant, c.school_code, c.stage,
    case
        when not bool_and(c.is_known) then null
        when any_value(s.school_code) is null then greatest(sum(c.students), 0)
        else greatest(any_value(s.students) + sum(c.students), 0)
    end::bigint as students,
    false as is_gone
from change c
left join core.section s
    on s.district_code = c.district_code and s.phase_id = c.phase_id and s.school_code = c.school_code
    and s.stage = c.stage
group by c.district_code, c.phase_id, c.variant, c.school_code, c.stage
union all
select district_code, phase_id, variant, school_code, null, null, true
from merged
