-- Figures that do not fit the number of pupils: an area where a count belongs, a wrong unit, swapped columns. The contracts say
-- which figures and which bounds (per_student, on any column of a school); the bounds are not part of the standard. Schools with
-- few pupils are left out: a hall for a dozen children has a large area for each of them, and this is no mistake.
with few as (
    select 30 as fewest_students
), compared as (
    -- a figure of a stage is compared with the stage's pupils; a figure of the whole school with all its pupils, if all are
    -- reported
    select g.district_code, g.phase_id, g.dataset, f.delivery, f.file, g.sheet, g.row_number, g.school_code, g.stage,
        g.column_name, g.value::double as value, b.title, b.unit, b.low, b.high,
        case g.stage
            when 'primary' then s.primary_students
            when 'junior' then s.junior_students
            when 'senior' then s.senior_students
            else s.compulsory_students + case when s.has_senior then s.senior_students else 0 end
        end as students
    from core.figure g
    semi join run_evaluation using (district_code, phase_id)
    join raw.plausible_range b on b.dataset = g.dataset and b.column_name = g.column_name
    join core.school s using (district_code, phase_id, school_code)
    join core.chosen_file f
        on f.district_code = g.district_code and f.phase_id = g.phase_id and f.content_sha256 = g.content_sha256
        and f.dataset = g.dataset
)
select compared.*, value / students as per_student
from compared
cross join few
where students >= fewest_students and value > 0 and (value < low * students or value > high * students)
