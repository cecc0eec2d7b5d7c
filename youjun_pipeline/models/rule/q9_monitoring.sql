-- Q9: every subject and grade of its newest cycle reaches the level, with its between-school rate below the limit.
with counted as (
    select e.district_code, e.phase_id, l.value as level_required,
        count(m.subject) as subjects,
        count(*) filter (m.status = 'below') as below,
        count(*) filter (m.status = 'no_data') as no_data,
        count(*) filter (m.status = 'met') as met,
        list(m.grade || ' 年级' || m.subject order by m.grade, m.subject) filter (m.status = 'below') as failing
    from run_evaluation e
    join standard.limit l on l.standard_id = e.standard_id and l.indicator_code = 'Q9'
    left join mart.monitoring_subject m
        on m.district_code = e.district_code and m.phase_id = e.phase_id and m.is_newest
    group by all
)
select
    district_code,
    phase_id,
    'Q9' as indicator_code,
    1 as part,
    case when subjects > 0 then met / subjects end as value,
    1.0::double as target,
    case when below > 0 then 'below' when subjects = 0 or no_data > 0 then 'no_data' else 'met' end as status,
    case
        when subjects = 0 then '没有质量监测结果'
        when below > 0 then array_to_string(failing, '、') || ' 未达标'
        when no_data > 0 then no_data || ' 项监测结果缺数据'
        else subjects || ' 项监测结果均达标'
    end as summary
from counted
