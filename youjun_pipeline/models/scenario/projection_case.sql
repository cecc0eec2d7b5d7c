-- What is projected: each evaluation of the run, to the end of each unfinished phase of its district, on each basis. Pupils are
-- those forecast for the school year in which the phase ends (year), if there is a forecast and option projection_pupils does not
-- keep them unchanged; basis constant then shows what the forecast changes. variant names the year and the set of measures that
-- will have taken effect by then, null if there is neither; cases with the same variant share one judgement. Signed-off findings
-- need no effect: nothing is projected there.
with coming as (
    select e.district_code, e.phase_id, p.phase_id as coming_phase_id, p.phase_name as coming_name,
        p.ends as coming_ends, b.basis, f.year
    from run_evaluation e
    join raw.phase p on p.district_code = e.district_code and p.ends > e.effective_on
    cross join (values ('planned'), ('slippage'), ('verified'), ('constant')) b (basis)
    left join (
        select distinct district_code, phase_id, year from plan.enrolment_forecast where school_code is not null
    ) f
        on f.district_code = e.district_code and f.phase_id = e.phase_id and f.year = school_year(p.ends)
        and e.settings['projection_pupils'] is distinct from 'constant'
    where b.basis <> 'constant' or f.year is not null
), acting as (
    select c.district_code, c.phase_id, c.coming_phase_id, c.basis,
        list(distinct f.measure_no order by f.measure_no) as measures
    from coming c
    join rule.plan_effect f using (district_code, phase_id)
    where f.effect is not null and c.basis <> 'verified'
        and case c.basis when 'slippage' then f.slipped_on else f.planned_on end <= c.coming_ends
    group by all
), counted as (
    select c.* replace (if(c.basis in ('planned', 'slippage'), c.year, null) as year), a.measures
    from coming c
    left join acting a using (district_code, phase_id, coming_phase_id, basis)
)
select *,
    if(measures is null and year is null, null,
        'set' || dense_rank() over (partition by district_code, phase_id order by measures, year)) as variant
from counted
