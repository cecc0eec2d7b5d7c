-- Schools of the roster: what they teach, how many compulsory pupils they have, and whether they are judged. A school has a stage
-- if the stage has pupils, or if the school's type teaches the stage and its pupils are not reported. A school with an unreadable
-- type may teach every stage: it has each stage whose pupils it does not report, and nothing is known of these pupils. A campus
-- in its own row is a school with one stage; campus_of is the code of the whole school, for other schools their own code. An
-- unreadable cell of pupils shows that there are pupils: the school has the stage, whatever its type teaches.
with unreadable as (
    select content_sha256, sheet, row_number, list(column_name) as columns
    from raw.rejection
    where dataset = 'schools' and not rejects_row
    group by all
), roster as (
    select
        e.district_code,
        e.phase_id,
        e.include_private,
        e.fund_schools_out_of_scope,
        small.value as small_school_students,
        s.* exclude (content_sha256, sheet, row_number),
        t.* exclude (standard_id, school_type, size_variant),
        t.size_variant as type_size_variant,
        if(s.campus is null, s.school_code, left(s.school_code, -len(s.campus) - 1)) as campus_of,
        -- a campus has one stage: if the pupils of one stage are reported, the school teaches its other stages elsewhere
        s.campus is not null and coalesce(greatest(s.primary_students, s.junior_students, s.senior_students) > 0, false)
            as has_told_stage,
        coalesce(s.primary_students > 0, list_contains(x.columns, 'primary_students') or t.teaches_primary and not has_told_stage,
            t.teaches_primary and not has_told_stage, not has_told_stage) as has_primary,
        coalesce(s.junior_students > 0, list_contains(x.columns, 'junior_students') or t.teaches_junior and not has_told_stage,
            t.teaches_junior and not has_told_stage, not has_told_stage) as has_junior,
        coalesce(s.senior_students > 0, list_contains(x.columns, 'senior_students') or t.teaches_senior and not has_told_stage,
            t.teaches_senior and not has_told_stage, not has_told_stage) as has_senior
    from run_evaluation e
    join core.chosen_file f using (district_code, phase_id)
    join accepted.schools s using (content_sha256)
    left join unreadable x
        on x.content_sha256 = s.content_sha256 and x.sheet is not distinct from s.sheet and x.row_number = s.row_number
    left join standard.school_type t on t.standard_id = e.standard_id and t.school_type = s.school_type
    left join core.parameter small
        on small.district_code = e.district_code and small.phase_id = e.phase_id
        and small.parameter = 'small_school_students'
    where f.dataset = 'schools'
), counted as (
    select
        *,
        has_primary and has_junior as teaches_both,
        -- null as soon as the pupils of one taught stage are missing: missing is not zero
        case when has_primary then primary_students else 0 end
            + case when has_junior then junior_students else 0 end as compulsory_students,
        -- the known part of the pupils: a school with 960 primary pupils has at least 100, whatever the number of junior pupils
        if(has_primary, coalesce(primary_students, 0), 0) + if(has_junior, coalesce(junior_students, 0), 0)
            as compulsory_students_known,
        -- an all-through school that has one stage counts as a school of that stage
        if(type_size_variant = 'all_through' and not (has_primary and has_junior), 'single', type_size_variant)
            as size_variant
    from roster
), whole as (
    select *,
        sum(compulsory_students_known) over school as whole_students_known,
        if(bool_and(compulsory_students is not null) over school, sum(compulsory_students) over school, null)
            as whole_students
    from counted
    window school as (partition by district_code, phase_id, campus_of)
)
select
    * exclude (include_private, fund_schools_out_of_scope, small_school_students, in_scope, min_students, type_size_variant,
        compulsory_students_known, whole_students_known, whole_students, has_told_stage),
    case
        -- an unreadable type does not exclude a school, because it may be a type that is judged
        when not coalesce(in_scope, true) then '不属于评估范围的学校类型'
        -- Only a private sponsor excludes a school: to exclude schools without a named sponsor would lose public schools. The
        -- verdicts on a school without a sponsor are left open (core.hidden).
        when not include_private and sponsor_code = 10 then '民办学校未纳入'
        when compulsory_students < min_students then '教学点学生不足 ' || min_students || ' 人'
        when not (has_primary or has_junior) then '没有义务教育学段'
    end as out_of_scope_reason,
    out_of_scope_reason is null as in_scope,
    -- whether the district judges the school depends on an unknown sponsor
    out_of_scope_reason is null and not include_private and sponsor_code is null as may_be_left_out,
    -- small teaching points are not judged, but G6 asks for their funding; a point that does not report its pupils is judged
    coalesce(compulsory_students < min_students, false) as out_of_scope_by_size,
    -- the schools that G6 is about, each with all its campuses; null if the reported pupils leave it open
    case
        when not (has_primary or has_junior) or (not include_private and sponsor_code = 10) then false
        when not (out_of_scope_reason is null or (fund_schools_out_of_scope and out_of_scope_by_size)) then false
        when whole_students_known >= small_school_students then false
        when whole_students is not null then whole_students > 0
    end as is_small_school
from whole
