-- variance_share = w(x−X)²/S²; marginal_effect = dCV/dx = (w/X)·((x−X)/S − CV).
-- level_break_even = X(1+CV²) divides the schools in their present state: above it more resource makes the coefficient worse. But
-- raising a school also raises X, so its own turning point is break_even = Σ_{j≠i}wx² / Σ_{j≠i}wx.
select
    r.district_code, r.phase_id, r.stage, r.indicator_code, r.school_code, s.school_name, r.value,
    r.students / b.students as weight,
    case when b.std > 0 then weight * (r.value - b.mean) ** 2 / b.std ** 2 end as variance_share,
    case when b.std > 0 and b.mean > 0 then weight / b.mean * ((r.value - b.mean) / b.std - b.cv) end
        as marginal_effect,
    -- summed over the other schools instead of subtracted from the whole: a difference may consist of rounding only
    sum(r.students * r.value ** 2) over others / nullif(sum(r.students * r.value) over others, 0) as break_even,
    case when b.mean > 0 then b.mean * (1 + b.cv ** 2) end as level_break_even,
    -- with the school's present resource: dCV/dP, and the number of pupils from which more pupils no longer widen the differences
    case when b.cv > 0 and b.mean > 0
        then (b.mean ** 2 * (1 + b.cv ** 2) - r.value ** 2) / (2 * b.cv * b.students * b.mean ** 2) end as students_effect,
    case when b.mean > 0 then b.mean * sqrt(1 + b.cv ** 2) end as students_break_even
from rule.resource r
semi join run_evaluation e using (district_code, phase_id)
join mart.stage_balance b using (district_code, phase_id, stage, indicator_code)
join core.school s using (district_code, phase_id, school_code)
where r.value is not null
window others as (
    partition by r.district_code, r.phase_id, r.stage, r.indicator_code order by r.school_code
    rows between unbounded preceding and unbounded following exclude current row
)
