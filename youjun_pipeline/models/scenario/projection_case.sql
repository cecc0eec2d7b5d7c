-- What is projected: each evaluation of the run, to the end of each phase of its district that has not ended, on each basis.
-- variant names the set of measures that will have acted by then, null for none; cases with the same set share one
-- judgement. Signed-off findings need no effect: nothing is projected there.
with coming as (
    select e.district_code, e.phase_id, p.phase_id as coming_phase_id, p.phase_name as coming_name,
        p.ends as coming_ends, b.basis
    from run_evaluation e
    join raw.phase p on p.district_code = e.district_code and p.ends > e.effective_on
    cross join (values ('planned'), ('slippage'), ('verified')) b (basis)
), acting as (
    select c.district_code, c.phase_id, c.coming_phase_id, c.basis,
        list(distinct f.measure_no order by f.measure_no) as measures
    from coming c
    join rule.plan_effect f using (district_code, phase_id)
    where f.effect is not null
        and case c.basis when 'planned' then f.planned_on when 'slippage' then f.slipped_on end <= c.coming_ends
    group by all
), named as (
    select *, 'set' || dense_rank() over (partition by district_code, phase_id order by measures) as variant
    from acting
)
select c.*, n.measures, n.variant
from coming c
left join named n using (district_code, phase_id, coming_phase_id, basis)
