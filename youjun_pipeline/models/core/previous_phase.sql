-- The phase before each evaluation, for comparisons.
select e.district_code, e.phase_id, arg_max(p.phase_id, p.phase_order) as previous_phase_id
from run_evaluation e
join mart.evaluation p on p.district_code = e.district_code and p.phase_order < e.phase_order
-- a phase that district.toml no longer names is not a previous phase
semi join raw.phase k on k.district_code = p.district_code and k.phase_id = p.phase_id
group by e.district_code, e.phase_id
