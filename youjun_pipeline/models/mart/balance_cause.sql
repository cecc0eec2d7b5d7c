-- The shortfall to the threshold has two parts: level (the shortfall if every school had the mean) and equality (the rest). The
-- change of CV = S/X since the phase before is divided by the logarithmic mean, which adds up exactly: equality through S, level
-- through X.
with short as (
    select district_code, phase_id, stage, indicator_code,
        sum(greatest(threshold - value, 0) * students / per order by school_code) as shortfall,
        greatest(any_value(threshold) - sum(students * value order by school_code) / sum(students), 0)
            * sum(students) / any_value(per) as shortfall_level,
        any_value(threshold) as threshold,
        count(*) filter (value < threshold) as sections_short
    from rule.resource
    semi join run_evaluation using (district_code, phase_id)
    where value is not null
    group by all
), main_grouping as (
    select district_code, phase_id, stage, indicator_code,
        -- if groupings explain equally much, the first by name, so that two runs agree
        arg_max(grouping_name, between_share order by grouping_name) as grouping_name, max(between_share) as between_share
    from (
        -- rounded, because otherwise the last digits of a sum would decide between equal values
        select district_code, phase_id, stage, indicator_code, grouping_name,
            round(sum(between_share order by group_name), 12) as between_share
        from mart.balance_group
        semi join run_evaluation using (district_code, phase_id)
        where between_share is not null
        group by all
    )
    group by all
)
select b.district_code, b.phase_id, b.stage, b.indicator_code, b.mean, s.threshold, b.cv, b.cv_limit,
    s.sections_short, s.shortfall, s.shortfall_level, s.shortfall - s.shortfall_level as shortfall_equality,
    l.grouping_name, l.between_share,
    c.previous_phase_id, o.cv as cv_before, b.cv - o.cv as cv_change,
    case
        when not (b.std > 0 and o.std > 0 and b.mean > 0 and o.mean > 0) then null
        when b.cv = o.cv then b.cv
        else (b.cv - o.cv) / (ln(nullif(b.cv, 0)) - ln(nullif(o.cv, 0)))
    end as cv_scale,
    cv_scale * (ln(nullif(b.std, 0)) - ln(nullif(o.std, 0))) as cv_change_equality,
    -cv_scale * (ln(nullif(b.mean, 0)) - ln(nullif(o.mean, 0))) as cv_change_level
from mart.stage_balance b
semi join run_evaluation e using (district_code, phase_id)
left join short s using (district_code, phase_id, stage, indicator_code)
left join main_grouping l using (district_code, phase_id, stage, indicator_code)
left join core.previous_phase c using (district_code, phase_id)
left join mart.stage_balance o
    on o.district_code = b.district_code and o.phase_id = c.previous_phase_id and o.stage = b.stage
    and o.indicator_code = b.indicator_code
