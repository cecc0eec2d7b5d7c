-- District indicators that are a ratio against a limit: numerator against limit × denominator, in decimals.
with limited as (
    select r.*, i.unit,
        case
            -- a place may ask for more than its standard, never for less
            when r.indicator_code = 'G7' then greatest(e.special_education_funding_yuan, l.value)
            when r.indicator_code = 'G11' and r.part = 2 then p.value
            else l.value
        end as target
    from core.district_ratio r
    join run_evaluation e using (district_code, phase_id)
    join standard.indicator i on i.standard_id = e.standard_id and i.indicator_code = r.indicator_code
    left join standard.limit l
        on l.standard_id = e.standard_id and l.indicator_code = r.indicator_code
        and l.variant = case when r.indicator_code <> 'G13' then 'district'
            when r.part = 1 then 'primary' else 'junior' end
    left join standard.parameter p
        on p.standard_id = e.standard_id and p.parameter = 'rotated_backbone_share'
), compared as (
    select *,
        case when denominator > 0 then numerator::double / denominator::double end as value,
        case
            when numerator is null or denominator is null then 'no_data'
            -- nobody to count: no migrant children, no special school; a survey or a salary of nobody shows nothing
            when denominator = 0 and numerator = 0 and indicator_code not in ('G8', 'S1') then 'not_applicable'
            when denominator <= 0 then 'no_data'
            when numerator >= target::decimal(14, 6) * denominator then 'met'
            else 'below'
        end as status
    from limited
)
select district_code, phase_id, indicator_code, part, value, target::double as target, status,
    case when status = 'no_data' then what || '：缺数据'
        when status = 'not_applicable' then what || '：没有对象，不适用'
        when unit = '比例' then what || ' ' || percent1(value) || '，标准 ' || percent1(target::double) || '：' || status_word(status)
        else what || ' ' || shown2(value) || '，标准 ' || shown2(target::double) || '：' || status_word(status)
    end as summary
from compared
