-- R1–R7, G3, G4 and G5 for the district: from the verdicts of schools and, for R1–R7, the two balance coefficients.
with by_status as (
    select district_code, phase_id, indicator_code,
        count(*) filter (status = 'below') as below,
        count(*) filter (status = 'near') as near,
        count(*) filter (status = 'no_data') as no_data,
        count(*) filter (status_strict = 'below') as strict_below,
        count(*) filter (status_strict = 'near') as strict_near,
        count(*) as judged,
        count(distinct school_code) filter (is_failing(status) and stage = 'primary') as failing_primary,
        count(distinct school_code) filter (is_failing(status) and stage = 'junior') as failing_junior,
        count(distinct school_code) filter (is_failing(status) and stage = 'compulsory') as failing_compulsory
    from mart.school_indicator
    semi join run_evaluation using (district_code, phase_id)
    group by district_code, phase_id, indicator_code
), balance as (
    select district_code, phase_id, indicator_code,
        any_value(b.status) filter (b.stage = 'primary') as cv_primary_status,
        any_value(b.status) filter (b.stage = 'junior') as cv_junior_status,
        count(*) filter (b.status = 'below') as cv_over,
        count(*) filter (b.status_strict = 'below') as cv_over_strict,
        count(*) filter (b.status = 'no_data') as cv_no_data,
        list(t.name || '差异系数 ' || shown3(b.cv) || ' 超过 ' || shown3(b.cv_limit) order by t.split_weight)
            filter (b.status = 'below') as over
    from mart.stage_balance b
    join run_evaluation e using (district_code, phase_id)
    join standard.stage t on t.standard_id = e.standard_id and t.stage = b.stage
    group by district_code, phase_id, indicator_code
), hidden as (
    -- Rows of an unknown school: a class over the limit or a school without rooms may be among them. For R1–R7 the coefficients
    -- say the same. A known failure stays a failure: G3 itself asks whether a room would correct it.
    select e.district_code, e.phase_id, w.indicator_code, sum(h.rows) as rows
    from run_evaluation e
    join core.hidden h using (district_code, phase_id)
    join (values ('G3', 'schools'), ('G3', 'classes'), ('G3', 'class_bands'), ('G3', 'special_rooms'), ('G4', 'schools'),
        ('G5', 'schools'), ('G5', 'classes'), ('G5', 'class_bands')) w (indicator_code, dataset) using (dataset)
    where h.school_code is null and coalesce(h.stage, '') <> 'senior'
    group by e.district_code, e.phase_id, w.indicator_code
), joined as (
    select e.district_code, e.phase_id, i.indicator_code, i.category, s.* exclude (district_code, phase_id, indicator_code),
        b.* exclude (district_code, phase_id, indicator_code), h.rows as hidden_rows
    from run_evaluation e
    join standard.indicator i on i.standard_id = e.standard_id and i.level in ('section', 'school')
    left join by_status s
        on s.district_code = e.district_code and s.phase_id = e.phase_id and s.indicator_code = i.indicator_code
    left join balance b
        on b.district_code = e.district_code and b.phase_id = e.phase_id and b.indicator_code = i.indicator_code
    left join hidden h
        on h.district_code = e.district_code and h.phase_id = e.phase_id and h.indicator_code = i.indicator_code
)
select
    district_code,
    phase_id,
    indicator_code,
    null::double as value,
    null::double as target,
    case
        when below > 0 or cv_over > 0 then 'below'
        when near > 0 then 'near'
        when coalesce(judged, 0) = 0 or no_data > 0 or cv_no_data > 0 or hidden_rows > 0 then 'no_data'
        else 'met'
    end as status,
    case
        when strict_below > 0 or cv_over_strict > 0 then 'below'
        when strict_near > 0 then 'near'
        when coalesce(judged, 0) = 0 or no_data > 0 or cv_no_data > 0 or hidden_rows > 0 then 'no_data'
        else 'met'
    end as status_strict,
    coalesce(failing_primary, 0) as failing_primary,
    coalesce(failing_junior, 0) as failing_junior,
    coalesce(failing_compulsory, 0) as failing_compulsory,
    cv_primary_status,
    cv_junior_status,
    case
        when coalesce(judged, 0) = 0 then '没有可评估的学校'
        when status = 'met' then '各校均达标' || if(category = 'resource', '，差异系数均未超限', '')
            || if(status_strict <> 'met', '（部分按过渡政策达标）', '')
        else concat_ws('，',
            if(failing_primary > 0, failing_primary || ' 所小学未达标', null),
            if(failing_junior > 0, failing_junior || ' 所初中未达标', null),
            if(failing_compulsory > 0, failing_compulsory || ' 所跨学段学校未达标', null),
            array_to_string(over, '，'),
            if(no_data > 0, no_data || ' 处缺数据', null),
            if(cv_no_data > 0 and no_data = 0, '差异系数的缺数据', null),
            if(hidden_rows > 0, hidden_rows || ' 行数据未能读入或不知属于哪所学校', null))
    end as summary
from joined
