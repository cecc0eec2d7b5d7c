-- G5, per section: no class above the limit of its stage. Value: the largest class; numerator: classes over;
-- gap: pupils over, summed over the classes.
with counted as (
    select
        s.district_code,
        s.phase_id,
        s.school_code,
        s.stage,
        s.students,
        l.value as class_limit,
        count(c.class_no) as classes,
        count(*) filter (c.class_no is not null and c.students is null) as unknown,
        max(c.students) as largest,
        count(*) filter (c.students > l.value) as over_classes,
        coalesce(sum(c.students - l.value) filter (c.students > l.value), 0) as over_students
    from core.section s
    join run_evaluation e using (district_code, phase_id)
    join standard.limit l
        on l.standard_id = e.standard_id and l.indicator_code = 'G5' and l.variant = s.stage
    left join core.class_list c using (district_code, phase_id, school_code, stage)
    group by all
), judged_classes as (
    select *,
        case when over_classes > 0 then 'below' when classes = 0 or unknown > 0 then 'no_data' else 'met' end as status
    from counted
)
select
    district_code,
    phase_id,
    school_code,
    stage,
    'G5' as indicator_code,
    if(classes > 0, over_classes, null)::double as numerator,
    students,
    if(status = 'no_data', null, largest)::double as value,
    if(status = 'no_data', null, largest)::double as value_strict,
    class_limit::double as threshold,
    null::double as floor,
    status,
    status as status_strict,
    null::varchar as waiver,
    if(status = 'no_data', null, over_students)::double as gap,
    case status
        when 'no_data' then '班级名册不全，无法判定，不能视为达标'
        when 'met' then '最大班额 ' || largest || ' 人，上限 ' || class_limit::bigint || ' 人：达标'
        else over_classes || ' 个班超过 ' || class_limit::bigint || ' 人，最大班额 ' || largest || ' 人：不达标，共超 '
            || over_students::bigint || ' 人'
    end as reason
from judged_classes
