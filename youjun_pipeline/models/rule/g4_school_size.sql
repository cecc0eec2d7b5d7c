-- G4, per school: compulsory pupils against the size limit of its type; a vocational school may have none.
with sized as (
    select
        s.district_code,
        s.phase_id,
        s.school_code,
        case when s.has_primary and s.has_junior then 'compulsory' when s.has_primary then 'primary' else 'junior'
        end as stage,
        s.compulsory_students as students,
        -- the reported pupils only: a limit that they exceed, all pupils exceed
        if(s.has_primary, coalesce(s.primary_students, 0), 0) + if(s.has_junior, coalesce(s.junior_students, 0), 0)
            as students_known,
        l.value as limit_strict,
        p.value as limit_waived,
        w.waiver
    from core.school s
    join run_evaluation e using (district_code, phase_id)
    left join core.limit l
        on l.district_code = e.district_code and l.phase_id = e.phase_id and l.indicator_code = 'G4' and l.variant = s.size_variant
    left join core.school_waiver w
        on w.district_code = s.district_code and w.phase_id = s.phase_id and w.school_code = s.school_code
        and w.indicator_code = 'G4'
    left join standard.waiver_parameter p
        on p.standard_id = e.standard_id and p.waiver = w.waiver and p.parameter = 'limit_' || s.size_variant
    -- a vocational school is here only if it has compulsory pupils; private ones are left out like all private schools
    where s.in_scope or (s.size_variant = 'forbidden' and s.compulsory_students > 0
        and (e.include_private or s.sponsor_code is distinct from 10))
), compared as (
    select *,
        coalesce(limit_waived, limit_strict) as applied,
        case when students_known > limit_strict then 'below'
            when students <= limit_strict then 'met' else 'no_data' end as status_strict,
        with_waiver(status_strict, case when students_known > applied then 'below'
            when students <= applied then 'met' else 'no_data' end) as status
    from sized
)
select
    district_code,
    phase_id,
    school_code,
    stage,
    'G4' as indicator_code,
    students::double as numerator,
    students,
    students::double as value,
    students::double as value_strict,
    applied::double as threshold,
    limit_strict::double as threshold_strict,
    null::double as floor,
    status,
    status_strict,
    if(limit_waived is not null, waiver, null) as waiver,
    case when status = 'no_data' then null else greatest(students_known - applied, 0) end::double as gap,
    case
        when status = 'no_data' then '在校生数或办学类型不全，无法判定，不能视为达标'
        when applied = 0 then '职业学校不得附设义务教育班级，现有学生 ' || students_known || ' 人：未达标'
        else if(students is null, '已报的', '') || '义务教育在校生 ' || students_known || ' 人，上限 ' || applied::bigint || ' 人' || case
            when status = 'met_by_waiver' then '：按过渡政策 ' || waiver || ' 达标'
            when status = 'met' then '：达标'
            else '：未达标，超 ' || (students_known - applied)::bigint || ' 人' end
    end as reason
from compared
