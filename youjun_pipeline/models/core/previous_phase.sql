-- The phase before each evaluation, for what is compared with it.
select e.district_code, e.phase_id, arg_max(p.phase_id, p.phase_order) as previous_phase_id
from run_evaluation e
join mart.evaluation p on p.district_code = e.district_code and p.phase_order < e.phase_order
group by e.district_code, e.phase_id
