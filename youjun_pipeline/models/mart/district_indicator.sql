-- An indicator with several parts gets the worst status of them; the value shown is the first part's.
with part as (
    select district_code, phase_id, indicator_code, part, value, target, status, summary from rule.district_ratio
    union all
    select district_code, phase_id, indicator_code, part, value, target, status, summary from rule.district_evidence
    union all
    select district_code, phase_id, indicator_code, part, value, target, status, summary
    from rule.g6_small_school_funding
    union all
    select district_code, phase_id, indicator_code, part, value, target, status, summary from rule.survey
    union all
    select district_code, phase_id, indicator_code, part, value, target, status, summary from rule.q9_monitoring
), opened as (
    select p.* replace (
            if(h.rows is null, p.summary,
                concat_ws('；', p.summary, h.rows || ' 行数据未能读入或不知属于哪所学校，缺数据')) as summary,
            if(h.rows is not null and (p.status <> 'below' or h.is_either_way), 'no_data', p.status) as status
        )
    from part p
    left join rule.hidden_indicator h using (district_code, phase_id, indicator_code)
), combined as (
    select district_code, phase_id, indicator_code,
        arg_min(value, part) as value,
        arg_min(target, part) as target,
        case
            when bool_or(status = 'below') then 'below'
            when bool_or(status = 'no_data') then 'no_data'
            when bool_or(status = 'met') then 'met'
            else 'not_applicable'
        end as status,
        string_agg(summary, '；' order by part) as summary
    from opened
    semi join run_evaluation using (district_code, phase_id)
    group by district_code, phase_id, indicator_code
), judgement as (
    select district_code, phase_id, indicator_code, value, target, status, status as status_strict, summary,
        0 as failing_primary, 0 as failing_junior, 0 as failing_compulsory,
        null as cv_primary_status, null as cv_junior_status
    from combined
    union all by name
    from rule.district_resource
)
select
    e.district_code, e.phase_id, i.indicator_code, i.name as indicator_name, i.category, j.value,
    j.target, l.starts as target_since,
    coalesce(j.status, 'no_data') as status, coalesce(j.status_strict, 'no_data') as status_strict,
    coalesce(j.failing_primary, 0) as failing_primary, coalesce(j.failing_junior, 0) as failing_junior,
    coalesce(j.failing_compulsory, 0) as failing_compulsory, j.cv_primary_status, j.cv_junior_status,
    coalesce(j.summary, '没有数据') as summary, i.clause
from run_evaluation e
join standard.indicator i using (standard_id)
left join core.limit l
    on l.district_code = e.district_code and l.phase_id = e.phase_id and l.indicator_code = i.indicator_code
    and l.variant = 'district'
left join judgement j
    on j.district_code = e.district_code and j.phase_id = e.phase_id and j.indicator_code = i.indicator_code
