-- Classes by size: one row per class of a roster (its size is known), or one row per size band, with its smallest and largest
-- size.
select district_code, phase_id, school_code, stage, students as students_from, students as students_to, 1 as classes
from core.class_list
union all
select district_code, phase_id, school_code, stage, students_from, students_to, classes
from core.class_band
