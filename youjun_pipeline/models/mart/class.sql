-- Classes of the whole roster, also of schools that are not judged. Of a class in a band only the bounds of its size are known.
with limits as (
    select district_code, phase_id, variant as stage, value::integer as size_limit
    from core.limit
    semi join run_evaluation using (district_code, phase_id)
    where indicator_code = 'G5'
), chosen as (
    select district_code, phase_id, dataset, content_sha256
    from core.chosen_file
    semi join run_evaluation using (district_code, phase_id)
), listed as (
    select f.district_code, f.phase_id, a.school_code, a.stage, a.grade, a.class_no, 1 as classes, a.students,
        null::bigint as students_from, null::bigint as students_to
    from chosen f
    join accepted.classes a using (content_sha256)
    where f.dataset = 'classes'
    union all
    select f.district_code, f.phase_id, a.school_code, a.stage, null, null, a.classes, null, a.students_from, a.students_to
    from chosen f
    join accepted.class_bands a using (content_sha256)
    where f.dataset = 'class_bands'
)
select c.district_code, c.phase_id, e.phase_order, c.school_code, s.school_name, s.township, s.in_scope, c.stage,
    c.grade::integer as grade, c.class_no, c.classes::bigint as classes, c.students::bigint as students,
    c.students_from::bigint as students_from, c.students_to::bigint as students_to, l.size_limit,
    greatest(c.students - l.size_limit, if(c.students is null, null, 0))::bigint as over_students,
    case
        when c.students is not null then c.students > l.size_limit
        when c.students_from > l.size_limit then true
        when c.students_to <= l.size_limit then false
    end as is_over
from listed c
join run_evaluation e using (district_code, phase_id)
join core.school s using (district_code, phase_id, school_code)
left join limits l using (district_code, phase_id, stage)
