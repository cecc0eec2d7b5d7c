-- R1–R7 of every section compared with the phase before, one cause at a time: x0 as before, x1 with the present pupils, x2 with
-- the present resources too, x3 with the present rules (waivers, weights) as well. presence says which side has a value.
with before as (
    select c.district_code, c.phase_id, c.previous_phase_id, i.school_code, i.stage, i.indicator_code,
        i.students, i.amount, i.extra_amount, i.factor, i.base, i.value, i.status
    from core.previous_phase c
    semi join run_evaluation e using (district_code, phase_id)
    join mart.school_indicator i on i.district_code = c.district_code and i.phase_id = c.previous_phase_id
    where i.per is not null
), after as (
    select c.district_code, c.phase_id, c.previous_phase_id, i.school_code, i.stage, i.indicator_code,
        i.students, i.amount, i.extra_amount, i.factor, i.base, i.value, i.status
    from core.previous_phase c
    semi join run_evaluation e using (district_code, phase_id)
    join mart.school_indicator i using (district_code, phase_id)
    where i.per is not null
)
select
    district_code, phase_id, previous_phase_id, school_code, stage, indicator_code,
    case
        when b.status is null then 'appeared'
        when a.status is null then 'gone'
        when b.value is null and a.value is null then 'unknown'
        when b.value is null then 'reported'
        when a.value is null then 'unreported'
        else 'both'
    end as presence,
    b.students as students_before,
    a.students as students_after,
    b.status as status_before,
    a.status as status_after,
    b.value as x0,
    if(presence = 'both', b.factor * (b.amount + b.extra_amount) / a.base, null) as x1,
    if(presence = 'both', b.factor * (a.amount + b.extra_amount) / a.base, null) as x2,
    a.value as x3
from before b
full join after a using (district_code, phase_id, previous_phase_id, school_code, stage, indicator_code)
