-- District indicators that are ratios against a limit, part by part: numerator against limit × denominator, in decimals.
-- A sum is known if every counted unit has reported. If nobody can say whether a school counts, a verdict is given only if it is
-- the same with and without the school. If each unit is judged by itself, one known failure decides.
with part as (
    select e.district_code, e.phase_id, r.indicator_code, r.part, r.name as what, r.dataset, r.judged, r.if_nobody, r.if_no_school,
        i.unit, l.value::decimal(14, 6) as target, y.year, y.missing, y.ahead, y.missing_ahead
    from run_evaluation e
    join standard.ratio r using (standard_id)
    join standard.indicator i using (standard_id, indicator_code)
    join core.limit l
        on l.district_code = e.district_code and l.phase_id = e.phase_id and l.indicator_code = r.indicator_code
        and l.variant = r.limit_variant
    left join core.reported_year y
        on y.district_code = e.district_code and y.phase_id = e.phase_id and y.indicator_code = r.indicator_code
        and y.part = r.part
    where r.judged <> 'funding'
), unit as (
    select u.*, p.target, numerator is null or denominator is null as is_missing,
        numerator - p.target * denominator as margin,
        case when is_missing or denominator <= 0 then 'no_data' when margin >= 0 then 'met' else 'below' end as status
    from core.ratio_unit u
    join part p using (district_code, phase_id, indicator_code, part)
), summed as (
    select district_code, phase_id, indicator_code, part,
        count(*) as units,
        count(*) filter (is_member is null) as uncertain,
        count(*) filter (is_missing) as missing_units,
        if(bool_and(not is_missing) filter (is_member), sum(numerator) filter (is_member), null)::decimal(24, 6) as numerator,
        if(bool_and(not is_missing) filter (is_member), sum(denominator) filter (is_member), null)::decimal(24, 6) as denominator,
        sum(if(is_member, margin, least(margin, 0))) as lowest_margin,
        sum(if(is_member, margin, greatest(margin, 0))) as highest_margin,
        min(numerator::double / nullif(denominator, 0)::double) filter (is_member) as lowest_value,
        count(*) filter (is_member and status = 'below') as below,
        count(*) filter (status = 'no_data' or (is_member is null and status = 'below')) as undecided,
        list(school_name order by school_code) filter (is_member and status = 'below') as failing,
        list(distinct coalesce(school_name, item, '') order by coalesce(school_name, item, '')) filter (
            is_missing and not is_contradiction) as blank_at,
        list(concat_ws(' ', coalesce(school_name, item), contradiction)
            order by school_code, item) filter (is_contradiction) as contradiction_at,
        list(school_name order by school_code) filter (is_member and not is_missing and denominator = 0) as zero_at,
        list(school_name order by school_code) filter (is_member is null) as uncertain_at
    from unit
    group by district_code, phase_id, indicator_code, part
), compared as (
    select p.*, s.* exclude (district_code, phase_id, indicator_code, part),
        case
            when p.judged = 'each' then case when s.below > 0 then 'below'
                when coalesce(s.units, 0) = 0 or s.undecided > 0 then 'no_data' else 'met' end
            when p.missing is not null then 'no_data'
            when coalesce(s.units, 0) = 0 then p.if_no_school
            when s.missing_units > 0 then 'no_data'
            when s.uncertain > 0 then
                case when lowest_margin >= 0 then 'met' when highest_margin < 0 then 'below' else 'no_data' end
            -- nobody to count: no migrant children, no special school. But a survey of nobody or a salary of nobody proves
            -- nothing.
            when denominator = 0 and numerator = 0 then p.if_nobody
            when denominator <= 0 then 'no_data'
            when numerator >= target * denominator then 'met'
            else 'below'
        end as status,
        case when p.judged = 'each' then lowest_value
            when s.uncertain = 0 and status in ('met', 'below') then numerator::double / nullif(denominator, 0)::double end as value
    from part p
    left join summed s using (district_code, phase_id, indicator_code, part)
)
select district_code, phase_id, indicator_code, part, what, numerator, denominator, value, target::double as target, status,
    -- the first of these reasons that applies, then the year that was skipped in favour of another
    concat_ws('；', case
        when judged = 'each' and status = 'below' then below || ' 所学校' || what || '比例不足 ' || percent1(target::double)
            || '：' || array_to_string(failing[1:10], '、') || if(below > 10, '等', '')
        when judged = 'each' and status = 'met' then '各校' || what || '最低 ' || percent1(value) || '，标准 '
            || percent1(target::double) || '：达标'
        when status = 'no_data' then what || '：缺数据' || coalesce('（' || nullif(concat_ws('；',
            if(coalesce(units, 0) = 0, '没有报送', null),
            if(missing is not null, year || ' 年缺 ' || ten_of(missing), null),
            if(len(contradiction_at) > 0, '部分多于整体：' || ten_of(contradiction_at), null),
            if(len(blank_at) > 0 and blank_at <> [''] and missing is null, '未填报：' || ten_of(blank_at), null),
            if(uncertain > 0, '不知是否计入：' || ten_of(uncertain_at), null),
            -- nothing is missing: the denominator is reported, and it is zero
            if(judged = 'each' and len(zero_at) > 0, '分母为 0，算不出比例：' || ten_of(zero_at), null),
            if(judged <> 'each' and denominator = 0, '分母为 0，算不出比例', null)), '') || '）', '')
        when status = 'not_applicable' then what || '：没有对象，不适用'
        when value is null then what || '：' || ten_of(uncertain_at) || ' 不知是否计入，计入与否均' || status_word(status)
        when unit = '比例' then what || ' ' || percent1(value) || '，标准 ' || percent1(target::double) || '：' || status_word(status)
        else what || ' ' || shown2(value) || '，标准 ' || shown2(target::double) || '：' || status_word(status)
    end,
    if(ahead is not null, ahead || ' 年尚未报齐（缺 ' || ten_of(missing_ahead) || '），按 ' || year || ' 年判定', null)) as summary
from compared
