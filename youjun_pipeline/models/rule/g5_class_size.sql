-- G5, per section: no class above the limit of its stage. Value: the largest class; numerator: classes over the limit; gap:
-- pupils over the limit, summed over the classes. With size bands the status and the number of classes over are known as long as
-- no band straddles the limit; the largest class and the pupils over are not known.
with hidden as (
    -- only the file in use (roster or bands) can hide rows; an unreadable class may be over the limit
    select district_code, phase_id, school_code, stage, sum(rows) as rows
    from core.hidden_section
    semi join run_evaluation using (district_code, phase_id)
    where dataset in ('classes', 'class_bands')
    group by all
), counted as (
    select
        s.district_code,
        s.phase_id,
        s.school_code,
        s.stage,
        s.students,
        l.value as class_limit,
        coalesce(h.rows, 0) as hidden_rows,
        coalesce(sum(c.classes), 0)::bigint as classes,
        -- neither completely within the limit nor completely over it, or not reported
        count(*) filter (c.stage is not null and coalesce(c.classes, 1) > 0
            and not coalesce((c.students_to <= l.value or c.students_from > l.value) and c.classes > 0, false)) as unknown,
        bool_and(c.students_from is not distinct from c.students_to) as sizes_are_known,
        if(sizes_are_known, max(c.students_to), null) as largest,
        coalesce(sum(c.classes) filter (c.students_from > l.value), 0)::bigint as over_classes,
        case when sizes_are_known or over_classes = 0
            then coalesce(sum(c.students_to - l.value) filter (c.students_to > l.value), 0) end as over_students
    from core.section s
    join run_evaluation e using (district_code, phase_id)
    join core.limit l
        on l.district_code = e.district_code and l.phase_id = e.phase_id and l.indicator_code = 'G5' and l.variant = s.stage
    left join hidden h using (district_code, phase_id, school_code, stage)
    left join core.class_group c using (district_code, phase_id, school_code, stage)
    group by all
), judged_classes as (
    select *,
        case when over_classes > 0 then 'below' when classes = 0 or unknown > 0 or hidden_rows > 0 then 'no_data' else 'met' end as status
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
        when 'no_data' then '班级名册不全' || if(hidden_rows > 0, '（' || hidden_rows || ' 行未能读入）', '')
            || '，无法判定，不能视为达标'
        when 'met' then if(sizes_are_known, '最大班额 ' || largest || ' 人，上限 ' || class_limit::bigint || ' 人：达标',
            '按班额分档，' || classes || ' 个班均不超过 ' || class_limit::bigint || ' 人：达标')
        else over_classes || ' 个班超过 ' || class_limit::bigint || ' 人' || if(sizes_are_known,
            '，最大班额 ' || largest || ' 人：未达标，共超 ' || over_students::bigint || ' 人',
            '：未达标（按班额分档，最大班额和超出人数未知）')
    end as reason
from judged_classes
