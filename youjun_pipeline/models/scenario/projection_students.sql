-- Pupils of each school and stage once the measures have taken effect, from the forecast if the set has a year; is_gone: the
-- school has merged into another. A diversion named under several indicators, or by text and annex, moves its pupils once: the
-- largest number counts.
with case_set as (
    select distinct district_code, phase_id, variant, year from projection_case where variant is not null
), base as (
    -- a forecast closes no school: at least one pupil stays
    select s.district_code, s.phase_id, v.variant, s.school_code, s.stage,
        if(f.school_code is null, s.students, greatest(round(f.students), 1)) as students, f.school_code is not null as is_forecast
    from core.section s
    join case_set v using (district_code, phase_id)
    left join plan.enrolment_forecast f
        on f.district_code = v.district_code and f.phase_id = v.phase_id and f.year = v.year
        and f.school_code = s.school_code and f.stage = s.stage and f.grade is null
), told as (
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
    select m.district_code, m.phase_id, m.variant, m.to_school_code, b.stage, b.students, b.students is not null
    from merged m
    join base b using (district_code, phase_id, variant, school_code)
    -- the forecast has moved these pupils already
    anti join projection_merger d using (district_code, phase_id, variant, school_code)
), total as (
    select district_code, phase_id, variant, school_code, stage, sum(students) as moved, bool_and(is_known) as is_known
    from change
    group by all
)
select district_code, phase_id, variant, school_code, stage,
    -- no measure moves the pupils of a school without a row in total
    if(coalesce(t.is_known, true), greatest(if(b.school_code is null, 0, b.students) + coalesce(t.moved, 0), 0), null)::bigint as students,
    false as is_gone
from base b
full join total t using (district_code, phase_id, variant, school_code, stage)
where b.is_forecast or t.is_known is not null
union all
select district_code, phase_id, variant, school_code, null, null, true
from (select * from merged union select * from projection_merger)
