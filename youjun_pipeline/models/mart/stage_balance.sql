-- Sums are ordered by school, so that two runs give the same last digit, whatever the order of the threads.
with cell as (
    select e.district_code, e.phase_id, e.standard_id, t.stage, t.cv_limit, i.indicator_code, i.short_name, i.unit,
        tolerance.value as tolerance
    from run_evaluation e
    join standard.stage t on t.standard_id = e.standard_id and t.is_evaluated
    join standard.indicator i on i.standard_id = e.standard_id and i.category = 'resource'
    join core.parameter tolerance
        on tolerance.district_code = e.district_code and tolerance.phase_id = e.phase_id
        and tolerance.parameter = 'cv_tolerance'
), section as (
    select district_code, phase_id, stage, indicator_code, school_code, students, value, value_strict
    from rule.resource
    semi join run_evaluation using (district_code, phase_id)
), hidden as (
    -- a row that may belong to an unknown school: with it the mean and the spread may be anything
    select distinct n.standard_id, n.stage, n.indicator_code, h.district_code, h.phase_id
    from core.hidden h
    join run_evaluation e using (district_code, phase_id)
    join standard.numerator n
        on n.standard_id = e.standard_id and coalesce(h.stage, n.stage) = n.stage
        and h.dataset in ('schools', split_part(n.input, '.', 1))
    where h.school_code is null
), mean as (
    select district_code, phase_id, stage, indicator_code,
        count(value) as schools,
        count(*) - count(value) as schools_no_data,
        sum(students) filter (value is not null) as students,
        sum(students * value order by school_code) / sum(students) filter (value is not null) as mean,
        sum(students * value_strict order by school_code) / sum(students) filter (value_strict is not null)
            as mean_strict,
        max(value) - min(value) as spread,
        max(value_strict) - min(value_strict) as spread_strict
    from section
    group by district_code, phase_id, stage, indicator_code
), spread as (
    select district_code, phase_id, stage, indicator_code,
        sqrt(sum(s.students * (value - mean) ** 2 order by school_code) / any_value(m.students)) as deviation,
        sqrt(sum(s.students * (value_strict - mean_strict) ** 2 order by school_code)
            / sum(s.students) filter (value_strict is not null)) as deviation_strict
    from section s
    join mean m using (district_code, phase_id, stage, indicator_code)
    group by district_code, phase_id, stage, indicator_code
), measured as (
    select c.*, coalesce(m.schools, 0) as schools, coalesce(m.schools_no_data, 0) as schools_no_data, m.students,
        m.mean,
        -- equal values have no variance: a remainder is binary rounding
        if(m.spread <= tolerance * m.mean, 0, s.deviation) as std,
        if(m.spread_strict <= tolerance * m.mean_strict, 0, s.deviation_strict) as std_strict,
        case when m.mean > 0 then std / m.mean end as cv,
        case when m.mean_strict > 0 then std_strict / m.mean_strict end as cv_strict,
        case
            when coalesce(m.schools, 0) + coalesce(m.schools_no_data, 0) = 0
                then if(h.stage is null, 'not_applicable', 'no_data')
            when m.schools_no_data > 0 or h.stage is not null then 'no_data'
            when m.mean = 0 then 'not_applicable'
            when cv <= cv_limit * (1 + tolerance) then 'met'
            else 'below'
        end as waived,
        case
            when waived in ('not_applicable', 'no_data') then waived
            -- there is no resource except what a waiver adds: without the waiver there is no coefficient
            when m.mean_strict = 0 then 'not_applicable'
            when cv_strict <= cv_limit * (1 + tolerance) then 'met'
            else 'below'
        end as status_strict,
        with_waiver(status_strict, waived) as status,
        h.stage is not null as is_hidden
    from cell c
    left join mean m using (district_code, phase_id, stage, indicator_code)
    left join spread s using (district_code, phase_id, stage, indicator_code)
    left join hidden h using (standard_id, district_code, phase_id, stage, indicator_code)
)
select
    district_code, phase_id, stage, indicator_code, short_name as indicator_name, schools, schools_no_data, students,
    mean, std, cv, cv_strict, cv_limit::double as cv_limit,
    -- The mean of the seven coefficients is only reported and decides nothing; it is null while one of the seven is missing. It
    -- is summed in decimals, because the threads add the seven in any order.
    case when bool_and(cv is not null) over (partition by district_code, phase_id, stage)
        then avg(cv::decimal(38, 18)) over (partition by district_code, phase_id, stage) end as cv_composite, status, status_strict,
    waived in ('met', 'below') and (round(cv::decimal(28, 10), 3) <= cv_limit) <> (waived = 'met')
        as rounding_sensitive,
    case
        when status = 'not_applicable' then short_name || '没有可比较的学校或全部为零，不计算差异系数'
        when status = 'no_data' then concat_ws('，',
                if(schools_no_data > 0, schools_no_data || ' 所学校' || short_name || '缺数据', null),
                if(is_hidden, '有数据行未能读入或不知属于哪所学校', null)) || '，差异系数'
            || coalesce(' ' || shown3(cv), '') || ' 仅供参考，不能视为达标'
        else short_name || '校际差异系数 ' || shown3(cv) || '，上限 ' || shown3(cv_limit) || '：' || case
            when is_met(status) then status_word(status) else '未达标' end || if(rounding_sensitive, '（按全精度判定）', '')
    end as reason
from measured
