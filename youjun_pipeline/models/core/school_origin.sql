-- The first code of a renamed school: its findings keep the identity that they had under this code.
select district_code, phase_id, successor_code as school_code, arg_max(school_code, (hops, school_code)) as origin_code
from core.school_successor
semi join run_evaluation using (district_code, phase_id)
where is_rename
group by district_code, phase_id, successor_code
