-- What is projected: each evaluation of the run, to the end of each phase of its district that has not ended, on each basis.
select e.district_code, e.phase_id, p.phase_id as coming_phase_id, p.phase_name as coming_name, p.ends as coming_ends,
    b.basis, b.basis || '|' || p.phase_id as variant
from run_evaluation e
join raw.phase p on p.district_code = e.district_code and p.ends > e.effective_on
cross join (values ('planned'), ('slippage'), ('verified')) b (basis)
