-- If data are missing, a section fails if the known data are enough for a failure; otherwise its verdict stays open (null).
with counted as (
    select
        district_code, phase_id, school_code, school_name, stage,
        any_value(students) as students,
        count(*) filter (is_met(status)) as resource_met,
        count(*) filter (status = 'near') as resource_near,
        count(*) filter (status = 'below') as resource_below,
        count(*) filter (status = 'no_data') as resource_no_data,
        count(*) filter (status_strict = 'met') as strict_met,
        count(*) filter (status_strict = 'below') as strict_below,
        count(*) filter (status_strict = 'no_data') as strict_no_data,
        list(indicator_code || '（' || status_word(status) || '）' order by indicator_code)
            filter (not is_met(status)) as shortfalls
    from mart.school_indicator
    semi join run_evaluation using (district_code, phase_id)
    where indicator_code in (select indicator_code from standard.indicator where category = 'resource')
    group by district_code, phase_id, school_code, school_name, stage
), failing as (
    -- a school-level failure (stage compulsory) counts for each of the school's sections
    select c.district_code, c.phase_id, c.school_code, c.stage,
        list(distinct i.indicator_code order by i.indicator_code) as failing_indicators
    from counted c
    join mart.school_indicator i using (district_code, phase_id, school_code)
    where i.stage in (c.stage, 'compulsory') and is_failing(i.status)
    group by c.district_code, c.phase_id, c.school_code, c.stage
), judged_sections as (
    select c.*, m.value as min_met,
        case
            when resource_below > 0 or resource_met + resource_no_data < m.value then false
            when resource_no_data = 0 then true
        end as passes_resource_rule,
        case
            when strict_below > 0 or strict_met + strict_no_data < m.value then false
            when strict_no_data = 0 then true
        end as passes_strict
    from counted c
    join core.parameter m
        on m.district_code = c.district_code and m.phase_id = c.phase_id and m.parameter = 'min_met'
)
select
    j.district_code, j.phase_id, j.school_code, j.school_name, s.school_type, j.stage, j.students, j.resource_met, j.resource_near,
    j.resource_below, j.resource_no_data, j.passes_resource_rule, j.passes_strict,
    coalesce(f.failing_indicators, []) as failing_indicators,
    '七项资源配置中 ' || resource_met || ' 项达标' || case
        when len(shortfalls) > 0 then '，' || array_to_string(shortfalls, '、') else '' end || case
        when passes_resource_rule then '：通过（至少 ' || min_met::integer || ' 项达标且其余不低于底线）'
        when not passes_resource_rule then '：不通过（须至少 ' || min_met::integer || ' 项达标且其余不低于底线）'
        else '：缺数据，暂不能下结论' end as reason
from judged_sections j
join core.school s using (district_code, phase_id, school_code)
left join failing f using (district_code, phase_id, school_code, stage)
