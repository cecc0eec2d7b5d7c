-- Budgets often have no stage, and spending is reported by measure, so the two are compared only by indicator. Spending is the
-- reported sum: the true sum may be higher, never lower, so a sum above the budget is certainly an overspend.
with hidden as (
    -- an unreadable budget line may belong to any indicator
    select distinct district_code, phase_id
    from core.hidden
    where dataset = 'budgets'
), budget as (
    select district_code, phase_id, indicator_code, count(*) as budget_lines,
        if(count(*) = count(amount_wan), sum(amount_wan), null)::double as budget_wan
    from core.budget
    semi join run_evaluation using (district_code, phase_id)
    group by all
), spending as (
    select district_code, phase_id, indicator_code, count(*) as measures, count(spent_wan) as measures_reporting,
        sum(spent_wan)::double as spent_wan
    from mart.measure_status
    semi join run_evaluation using (district_code, phase_id)
    group by all
), beside as (
    select coalesce(b.district_code, s.district_code) as district_code, coalesce(b.phase_id, s.phase_id) as phase_id,
        coalesce(b.indicator_code, s.indicator_code) as indicator_code,
        coalesce(b.budget_lines, 0) as budget_lines, b.budget_wan,
        coalesce(s.measures, 0) as measures, coalesce(s.measures_reporting, 0) as measures_reporting, s.spent_wan
    from budget b
    full join spending s
        on s.district_code = b.district_code and s.phase_id = b.phase_id
        and s.indicator_code is not distinct from b.indicator_code
)
select b.*, h.phase_id is null as is_budget_complete,
    greatest(b.spent_wan - b.budget_wan, if(b.spent_wan is null or b.budget_wan is null, null, 0)) as over_wan,
    case when b.spent_wan <= b.budget_wan then false when b.spent_wan > b.budget_wan and h.phase_id is null then true end
        as is_over_budget
from beside b
left join hidden h using (district_code, phase_id)
