-- Every number of every chosen file, one per row, with its cell; a blank cell is here without a value. item distinguishes rows of
-- one school, or of no school: the survey's group and method, the subject and grade. Left out are lists of classes and rooms,
-- because they are counted and not summed (core.class_list, core.room), plans and events, and rows of a future year.
with file as (
    select district_code, phase_id, dataset, content_sha256 from core.chosen_file
    semi join run_evaluation using (district_code, phase_id)
), school as (
    select f.district_code, f.phase_id, f.content_sha256, a.sheet, a.row_number, a.school_code,
        try_cast(columns(a.* exclude (content_sha256, sheet, row_number, school_code, school_name, township, school_type,
            sponsor_code, urban_rural, boarding, dense_urban)) as decimal(24, 9))
    from file f
    join accepted.schools a using (content_sha256)
    where f.dataset = 'schools'
), teacher as (
    select f.district_code, f.phase_id, f.content_sha256, a.sheet, a.row_number, a.school_code, a.stage,
        try_cast(columns(a.* exclude (content_sha256, sheet, row_number, school_code, stage)) as decimal(24, 9))
    from file f
    join accepted.teachers a using (content_sha256)
    where f.dataset = 'teachers'
), facility as (
    select f.district_code, f.phase_id, f.content_sha256, a.sheet, a.row_number, a.school_code,
        try_cast(columns(a.* exclude (content_sha256, sheet, row_number, school_code)) as decimal(24, 9))
    from file f
    join accepted.facilities a using (content_sha256)
    where f.dataset = 'facilities'
), finance as (
    select f.district_code, f.phase_id, f.content_sha256, a.sheet, a.row_number, a.school_code, a.year,
        try_cast(columns(a.* exclude (content_sha256, sheet, row_number, school_code, year)) as decimal(24, 9))
    from file f
    join accepted.school_finance a using (content_sha256)
    anti join core.future_row u
        on u.district_code = f.district_code and u.phase_id = f.phase_id and u.content_sha256 = a.content_sha256
        and u.sheet is not distinct from a.sheet and u.row_number = a.row_number
    where f.dataset = 'school_finance'
), cohort as (
    select f.district_code, f.phase_id, f.content_sha256, a.sheet, a.row_number, a.school_code, a.year,
        try_cast(columns(a.* exclude (content_sha256, sheet, row_number, school_code, year)) as decimal(24, 9))
    from file f
    join accepted.graduation_cohorts a using (content_sha256)
    anti join core.future_row u
        on u.district_code = f.district_code and u.phase_id = f.phase_id and u.content_sha256 = a.content_sha256
        and u.sheet is not distinct from a.sheet and u.row_number = a.row_number
    where f.dataset = 'graduation_cohorts'
), survey as (
    select f.district_code, f.phase_id, f.content_sha256, a.sheet, a.row_number, a.year,
        a.respondent_group || coalesce(a.method, '') as item,
        try_cast(columns(a.* exclude (content_sha256, sheet, row_number, year, respondent_group, method)) as decimal(24, 9))
    from file f
    join accepted.recognition a using (content_sha256)
    anti join core.future_row u
        on u.district_code = f.district_code and u.phase_id = f.phase_id and u.content_sha256 = a.content_sha256
        and u.sheet is not distinct from a.sheet and u.row_number = a.row_number
    where f.dataset = 'recognition'
), subject as (
    select f.district_code, f.phase_id, f.content_sha256, a.sheet, a.row_number, a.cycle as year,
        a.grade || '年级' || a.subject as item,
        try_cast(columns(a.* exclude (content_sha256, sheet, row_number, cycle, grade, subject)) as decimal(24, 9))
    from file f
    join accepted.quality_monitoring a using (content_sha256)
    anti join core.future_row u
        on u.district_code = f.district_code and u.phase_id = f.phase_id and u.content_sha256 = a.content_sha256
        and u.sheet is not distinct from a.sheet and u.row_number = a.row_number
    where f.dataset = 'quality_monitoring'
), number as (
    select 'schools' as dataset, * from school unpivot include nulls (
        value for column_name in (* exclude (district_code, phase_id, content_sha256, sheet, row_number, school_code)))
    union all by name
    select 'teachers' as dataset, * from teacher unpivot include nulls (
        value for column_name in (* exclude (district_code, phase_id, content_sha256, sheet, row_number, school_code, stage)))
    union all by name
    select 'facilities' as dataset, * from facility unpivot include nulls (
        value for column_name in (* exclude (district_code, phase_id, content_sha256, sheet, row_number, school_code)))
    union all by name
    select 'school_finance' as dataset, * from finance unpivot include nulls (
        value for column_name in (* exclude (district_code, phase_id, content_sha256, sheet, row_number, school_code, year)))
    union all by name
    select 'graduation_cohorts' as dataset, * from cohort unpivot include nulls (
        value for column_name in (* exclude (district_code, phase_id, content_sha256, sheet, row_number, school_code, year)))
    union all by name
    select 'recognition' as dataset, * from survey unpivot include nulls (
        value for column_name in (* exclude (district_code, phase_id, content_sha256, sheet, row_number, year, item)))
    union all by name
    select 'quality_monitoring' as dataset, * from subject unpivot include nulls (
        value for column_name in (* exclude (district_code, phase_id, content_sha256, sheet, row_number, year, item)))
)
select district_code, phase_id, dataset, column_name, dataset || '.' || column_name as input, school_code, stage, year, item,
    value, content_sha256, sheet, row_number
from number
union all
select district_code, phase_id, 'assurance', 'value', 'assurance.' || item, null, null, null, null,
    value::decimal(24, 9), content_sha256, sheet, row_number
from core.assurance
semi join run_evaluation using (district_code, phase_id)
union all
select f.district_code, f.phase_id, f.dataset, 'value', f.dataset || '.' || a.item, null, null, a.year, null,
    a.value::decimal(24, 9), a.content_sha256, a.sheet, a.row_number
from file f
join accepted.district_figures a using (content_sha256)
where f.dataset = 'district_figures'
