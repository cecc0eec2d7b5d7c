-- The code a renamed school began with: its findings keep the identity they had under it.
select district_code, phase_id, successor_code as school_code, arg_max(school_code, (hops, school_code)) as origin_code
from core.school_successor
semi join run_evaluation using (district_code, phase_id)
where is_rename
group by district_code, phase_id, successor_code
