-- Rows with the code of a school that is not in the roster of their evaluation: they do not count and are listed. Money,
-- graduates and neighbours belong to a whole school, whose own code no campus has.
with coded as (
    select 'classes' as dataset, content_sha256, sheet, row_number, school_code, stage as stage, null::varchar as item, null::integer as year
    from accepted.classes
    union all
    select 'class_bands' as dataset, content_sha256, sheet, row_number, school_code, stage, null, null
    from accepted.class_bands
    union all
    select 'teachers' as dataset, content_sha256, sheet, row_number, school_code, stage, null, null
    from accepted.teachers
    union all
    select 'facilities' as dataset, content_sha256, sheet, row_number, school_code, null, null, null
    from accepted.facilities
    union all
    select 'special_rooms' as dataset, content_sha256, sheet, row_number, school_code, null, kind, null
    from accepted.special_rooms
    union all
    select 'school_finance' as dataset, content_sha256, sheet, row_number, school_code, null, null, year
    from accepted.school_finance
    union all
    select 'graduation_cohorts' as dataset, content_sha256, sheet, row_number, school_code, null, null, year
    from accepted.graduation_cohorts
    union all
    select 'site_capacity' as dataset, content_sha256, sheet, row_number, school_code, null, null, null
    from accepted.site_capacity
    union all
    select 'neighbours' as dataset, content_sha256, sheet, row_number, unnest([school_code, neighbour_code]), null, null, null
    from accepted.neighbours
), known as (
    -- only equal keys are joined: a condition on both sides would compare every row with every school of its district
    select district_code, phase_id, false as of_whole_schools, school_code from core.school
    union
    select district_code, phase_id, true, campus_of from core.school
)
select f.district_code, f.phase_id, f.dataset, f.delivery, f.file, c.content_sha256, c.sheet, c.row_number,
    c.school_code, c.stage, c.item, c.year
from core.chosen_file f
semi join run_evaluation using (district_code, phase_id)
join coded c using (dataset, content_sha256)
anti join known k
    on k.district_code = f.district_code and k.phase_id = f.phase_id
    and k.of_whole_schools = (f.dataset in ('school_finance', 'graduation_cohorts', 'neighbours'))
    and k.school_code = c.school_code
