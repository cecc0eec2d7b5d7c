-- The numbers of an evaluation's standard on its effective day, by name.
select e.district_code, e.phase_id, p.parameter, p.value, p.starts
from run_evaluation e
join standard.parameter p using (standard_id)
where e.effective_on between coalesce(p.starts, e.effective_on) and coalesce(p.ends, e.effective_on)
    and (not p.unverified or e.apply_unverified)
qualify row_number() over (
    partition by e.district_code, e.phase_id, p.parameter order by p.starts desc nulls last
) = 1
