-- Figures that do not go with the number of pupils: an area where a count belongs, a unit mistaken, columns swapped.
-- Which figures and between which bounds the contracts say (per_student); the bounds are no part of the standard. Schools
-- with few pupils are left out: a hall for a dozen children is large for each of them, and no mistake.
with reported as (
    select f.district_code, f.phase_id, f.dataset, f.delivery, f.file, a.sheet, a.row_number, a.school_code,
        null::varchar as stage, unnest([
            {'column_name': 'teaching_area_m2', 'value': a.teaching_area_m2::double},
            {'column_name': 'indoor_sports_area_m2', 'value': a.indoor_sports_area_m2::double},
            {'column_name': 'outdoor_sports_area_m2', 'value': a.outdoor_sports_area_m2::double},
            {'column_name': 'other_sports_area_m2', 'value': a.other_sports_area_m2::double},
            {'column_name': 'rented_sports_area_m2', 'value': a.rented_sports_area_m2::double},
            {'column_name': 'equipment_value_wan', 'value': a.equipment_value_wan::double},
            {'column_name': 'multimedia_rooms', 'value': a.multimedia_rooms::double}
        ], recursive := true)
    from core.chosen_file f
    semi join run_evaluation using (district_code, phase_id)
    join accepted.facilities a using (content_sha256)
    where f.dataset = 'facilities'
    union all
    select f.district_code, f.phase_id, f.dataset, f.delivery, f.file, a.sheet, a.row_number, a.school_code, a.stage,
        unnest([
            {'column_name': 'full_time', 'value': a.full_time::double},
            {'column_name': 'staff', 'value': a.staff::double}
        ], recursive := true)
    from core.chosen_file f
    semi join run_evaluation using (district_code, phase_id)
    join accepted.teachers a using (content_sha256)
    where f.dataset = 'teachers'
    union all
    select f.district_code, f.phase_id, f.dataset, f.delivery, f.file, a.sheet, a.row_number, a.school_code, null,
        unnest([
            {'column_name': 'public_funds_budget_wan', 'value': a.public_funds_budget_wan::double},
            {'column_name': 'public_funds_final_wan', 'value': a.public_funds_final_wan::double}
        ], recursive := true)
    from core.chosen_file f
    semi join run_evaluation using (district_code, phase_id)
    join accepted.school_finance a using (content_sha256)
    where f.dataset = 'school_finance'
), few as (
    select 30 as fewest_students
), compared as (
    -- with the pupils of its stage; a figure of the whole school with all its pupils, if all are reported
    select r.*, b.title, b.unit, b.low, b.high,
        case r.stage
            when 'primary' then s.primary_students
            when 'junior' then s.junior_students
            when 'senior' then s.senior_students
            else s.compulsory_students + case when s.has_senior then s.senior_students else 0 end
        end as students
    from reported r
    join core.school s using (district_code, phase_id, school_code)
    join raw.plausible_range b on b.dataset = r.dataset and b.column_name = r.column_name
)
select compared.*, value / students as per_student
from compared
cross join few
where students >= fewest_students and value > 0 and (value < low * students or value > high * students)
