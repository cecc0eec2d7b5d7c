-- Q9: every subject and grade in its newest cycle reaches the level, with its between-school rate below the limit. If national
-- monitoring examines a subject in a grade of a stage that the district has, and there is no result, the subject is not known.
with expected as (
    select e.district_code, e.phase_id, s.grade, s.subject, s.words
    from run_evaluation e
    join standard.monitored_subject s using (standard_id)
    where exists (
        from core.section c
        where c.district_code = e.district_code and c.phase_id = e.phase_id and c.stage = s.stage
    )
    and not list_has_any(
        string_split(coalesce(e.settings['subjects_not_monitored'], ''), ','), [s.subject, s.grade || '年级' || s.subject])
), missing as (
    select x.district_code, x.phase_id, list(x.grade || ' 年级' || x.subject order by x.grade, x.subject) as subjects
    from expected x
    where not exists (
        from mart.monitoring_subject m
        where m.district_code = x.district_code and m.phase_id = x.phase_id and m.grade = x.grade
            and list_contains(x.words, m.subject)
    )
    group by all
), counted as (
    select e.district_code, e.phase_id,
        count(m.subject) as subjects,
        count(*) filter (m.status = 'below') as below,
        count(*) filter (m.status = 'no_data') as no_data,
        count(*) filter (m.status = 'met') as met,
        list(m.grade || ' 年级' || m.subject order by m.grade, m.subject) filter (m.status = 'below') as failing
    from run_evaluation e
    left join mart.monitoring_subject m
        on m.district_code = e.district_code and m.phase_id = e.phase_id and m.is_newest
    group by all
)
select
    c.district_code,
    c.phase_id,
    'Q9' as indicator_code,
    1 as part,
    case when c.subjects > 0 and c.no_data = 0 and x.subjects is null then c.met / c.subjects end as value,
    1.0::double as target,
    case when c.below > 0 then 'below' when c.subjects = 0 or c.no_data > 0 or x.subjects is not null then 'no_data'
        else 'met' end as status,
    case
        when c.subjects = 0 then '没有质量监测结果'
        else concat_ws('；',
            if(c.below > 0, array_to_string(c.failing, '、') || '未达标', null),
            if(c.no_data > 0, c.no_data || ' 项监测结果缺数据', null),
            if(x.subjects is not null, '没有 ' || array_to_string(x.subjects, '、') || ' 的监测结果', null),
            if(c.below + c.no_data = 0 and x.subjects is null, c.subjects || ' 项监测结果均达标', null))
    end as summary
from counted c
left join missing x on x.district_code = c.district_code and x.phase_id = c.phase_id
