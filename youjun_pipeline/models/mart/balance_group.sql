-- S² = Σ w_g(X_g − X)² + Σ w_g·S_g²: the part between groups, and the part within each group. All shares of one grouping add up
-- to 1. Sums are ordered by school, as in the coefficient itself.
with section as (
    select r.district_code, r.phase_id, r.stage, r.indicator_code, r.school_code, r.students, r.value, b.mean as whole_mean, b.std as whole_std,
        b.students as all_students,
        -- unreported schools form a group of their own, because nobody knows where they belong
        unnest([
            {'grouping_name': 'urban_rural', 'group_name': coalesce(s.urban_rural, '未填')},
            {'grouping_name': 'township', 'group_name': coalesce(s.township, '未填')},
            {'grouping_name': 'school_type', 'group_name': coalesce(s.school_type, '未填')},
            {'grouping_name': 'sponsor', 'group_name': coalesce(s.sponsor_code::varchar, '未填')}
        ], recursive := true)
    from rule.resource r
    semi join run_evaluation e using (district_code, phase_id)
    join mart.stage_balance b using (district_code, phase_id, stage, indicator_code)
    join core.school s using (district_code, phase_id, school_code)
    where r.value is not null
), group_mean as (
    select district_code, phase_id, stage, indicator_code, grouping_name, group_name,
        sum(students * value order by school_code) / sum(students) as group_mean
    from section
    group by all
), measured as (
    select district_code, phase_id, stage, indicator_code, grouping_name, group_name,
        count(*) as sections,
        sum(students) / any_value(all_students) as weight,
        any_value(group_mean) as mean,
        sum(students * (value - group_mean) ** 2 order by school_code) / sum(students) as variance,
        weight * (any_value(group_mean) - any_value(whole_mean)) ** 2 as between_groups,
        any_value(whole_std) as whole_std
    from section
    join group_mean using (district_code, phase_id, stage, indicator_code, grouping_name, group_name)
    group by all
), whole as (
    -- the two parts are summed here instead of using the variance computed elsewhere: for an almost zero coefficient their last
    -- digits differ
    select *, sum(between_groups + weight * variance) over (
        partition by district_code, phase_id, stage, indicator_code, grouping_name
        -- in a fixed order, so that two runs agree to the last digit
        order by group_name rows between unbounded preceding and unbounded following
    ) as whole_variance
    from measured
)
select district_code, phase_id, stage, indicator_code, grouping_name, group_name, sections, weight, mean,
    sqrt(variance) as std,
    case when mean > 0 then sqrt(variance) / mean end as cv,
    case when whole_std > 0 then between_groups / whole_variance end as between_share,
    case when whole_std > 0 then weight * variance / whole_variance end as within_share
from whole
