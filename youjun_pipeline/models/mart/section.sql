-- Schools out of scope are here too: the basic figures of a district count them. A section without a row in a dataset has not
-- reported, so its figures are null.
with taught as (
    select district_code, phase_id, school_code, school_name, school_type, in_scope, unnest([
        {'stage': 'primary', 'is_taught': has_primary, 'students': primary_students},
        {'stage': 'junior', 'is_taught': has_junior, 'students': junior_students}
    ], recursive := true)
    from core.school
    semi join run_evaluation using (district_code, phase_id)
), class as (
    select f.district_code, f.phase_id, a.school_code, a.stage,
        count(distinct a.grade) as grades,
        count(*) as classes,
        if(count(*) = count(a.students), max(a.students), null) as largest_class_students
    from core.chosen_file f
    semi join run_evaluation using (district_code, phase_id)
    join accepted.classes a using (content_sha256)
    where f.dataset = 'classes'
    group by f.district_code, f.phase_id, a.school_code, a.stage
), band as (
    select f.district_code, f.phase_id, a.school_code, a.stage,
        if(count(*) = count(a.classes), sum(a.classes), null)::bigint as classes
    from core.chosen_file f
    semi join run_evaluation using (district_code, phase_id)
    join accepted.class_bands a using (content_sha256)
    where f.dataset = 'class_bands'
    group by f.district_code, f.phase_id, a.school_code, a.stage
), teacher as (
    select f.district_code, f.phase_id, a.*
    from core.chosen_file f
    semi join run_evaluation using (district_code, phase_id)
    join accepted.teachers a using (content_sha256)
    where f.dataset = 'teachers'
)
select
    s.district_code, s.phase_id, s.school_code, s.school_name, s.school_type, s.stage, s.in_scope, s.students,
    c.grades, coalesce(c.classes, b.classes) as classes, c.largest_class_students, t.full_time as full_time_teachers, t.staff,
    t.backbone as backbone_teachers, t.certified as certified_teachers, t.trained_360h as trained_teachers
from taught s
left join class c using (district_code, phase_id, school_code, stage)
left join band b using (district_code, phase_id, school_code, stage)
left join teacher t using (district_code, phase_id, school_code, stage)
where s.is_taught
