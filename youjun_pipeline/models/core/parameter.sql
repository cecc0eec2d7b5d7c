-- The numbers of an evaluation's standard, by name.
select e.district_code, e.phase_id, p.parameter, p.value
from run_evaluation e
join standard.parameter p using (standard_id)
