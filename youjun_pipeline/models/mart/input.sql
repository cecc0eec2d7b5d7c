-- Each number of the chosen files once: a number for a whole school has no stage, so sums over schools and stages are right.
-- Classes and rooms are counted here; an unknown class size makes its grade's pupils unknown.
with roster as (
    select s.district_code, s.phase_id, e.phase_order, s.school_code, s.school_name, s.township, s.in_scope
    from core.school s
    join run_evaluation e using (district_code, phase_id)
), reported as (
    select district_code, phase_id, school_code, dataset, input,
        coalesce(stage, case column_name
            when 'primary_students' then 'primary' when 'catchment_primary_students' then 'primary'
            when 'junior_students' then 'junior' when 'catchment_junior_students' then 'junior'
            when 'senior_students' then 'senior'
        end) as stage,
        null::integer as grade, year, null::varchar as item, sum(value)::double as value
    from core.figure
    semi join run_evaluation using (district_code, phase_id)
    -- the year a school was built is not an amount
    where school_code is not null and value is not null and column_name <> 'built_year'
    group by all
), chosen as (
    select district_code, phase_id, dataset, content_sha256
    from core.chosen_file
    semi join run_evaluation using (district_code, phase_id)
), class as (
    select f.district_code, f.phase_id, a.school_code, a.stage, a.grade, count(*) as classes,
        if(count(*) = count(a.students), sum(a.students), null) as students
    from chosen f
    join accepted.classes a using (content_sha256)
    where f.dataset = 'classes'
    group by all
), room as (
    select f.district_code, f.phase_id, a.school_code, a.kind, count(*) as rooms,
        if(count(*) = count(a.area_m2), sum(a.area_m2), null) as area_m2
    from chosen f
    join accepted.special_rooms a using (content_sha256)
    where f.dataset = 'special_rooms'
    group by all
), counted as (
    select district_code, phase_id, school_code, 'classes' as dataset, 'classes.classes' as input, stage, grade,
        null::varchar as item, classes::double as value
    from class
    union all
    select district_code, phase_id, school_code, 'classes', 'classes.students', stage, grade, null, students::double
    from class
    union all
    select district_code, phase_id, school_code, 'special_rooms', 'special_rooms.rooms', null, null, kind, rooms::double
    from room
    union all
    select district_code, phase_id, school_code, 'special_rooms', 'special_rooms.area_m2', null, null, kind, area_m2::double
    from room
    union all
    select f.district_code, f.phase_id, a.school_code, 'class_bands', 'class_bands.classes', a.stage, null,
        a.students_from || coalesce('–' || a.students_to || ' 人', ' 人及以上'), a.classes::double
    from chosen f
    join accepted.class_bands a using (content_sha256)
    where f.dataset = 'class_bands'
), figure as (
    select * from reported
    union all by name
    select *, null::integer as year from counted where value is not null
)
select f.district_code, f.phase_id, r.phase_order, f.school_code, r.school_name, r.township, r.in_scope, f.dataset, f.input,
    f.stage, f.grade::integer as grade, f.year::integer as year,
    f.year is null or f.year = max(f.year) over (
        partition by f.district_code, f.phase_id, f.school_code, f.input
    ) as is_newest_year,
    f.item, f.value
from figure f
join roster r using (district_code, phase_id, school_code)
