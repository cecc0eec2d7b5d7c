-- Sections: one school in scope in one compulsory stage, with its weight in the split of shared resources. weighted_students is
-- the school's sum over all stages and attached kindergarten classes; it is null if the pupils of a taught stage are missing.
with stage_students as (
    select district_code, phase_id, school_code, unnest([
        {'stage': 'primary', 'is_taught': has_primary, 'students': primary_students},
        {'stage': 'junior', 'is_taught': has_junior, 'students': junior_students},
        {'stage': 'senior', 'is_taught': has_senior, 'students': senior_students}
    ], recursive := true),
        -- no type of school teaches attached classes as a stage, so a blank means none; without a weight they get no share, and
        -- quality.suspicion asks about it
        coalesce(preschool_students * e.settings['preschool_weight']::decimal(9, 3), 0)::decimal(18, 3) as preschool_weighted
    from core.school
    join run_evaluation e using (district_code, phase_id)
    where in_scope
), weighted as (
    select
        t.*,
        w.split_weight,
        w.is_evaluated,
        case when bool_and(t.students is not null) over school
            then sum(t.students * w.split_weight) over school + t.preschool_weighted end as weighted_students
    from stage_students t
    join run_evaluation e using (district_code, phase_id)
    join standard.stage w on w.standard_id = e.standard_id and w.stage = t.stage
    where t.is_taught
    window school as (partition by t.district_code, t.phase_id, t.school_code)
)
select
    district_code,
    phase_id,
    school_code,
    stage,
    students,
    split_weight,
    weighted_students::decimal(18, 3) as weighted_students,
    (split_weight * students / weighted_students)::double as share
from weighted
where is_evaluated
