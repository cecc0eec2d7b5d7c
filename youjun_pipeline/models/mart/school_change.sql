-- Only changes in force by the evaluation's day: a merger announced for a later day has moved nobody yet.
select district_code, phase_id, effective_on, kind, from_code as from_school_code, from_name as from_school,
    to_code as to_school_code, to_name as to_school, delivery, file, sheet, row_number as "row"
from core.school_change
semi join run_evaluation using (district_code, phase_id)
where is_in_force
