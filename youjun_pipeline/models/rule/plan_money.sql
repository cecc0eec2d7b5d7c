-- Findings of the plan audit: indicators with measures and without money, one by one and in one sentence; and spending above the
-- budget, or without a budget. Measures that build or buy need money; others may do without.
with indicator as (
    select district_code, phase_id, indicator_code, what, sort_order,
        list(distinct measure_type order by measure_type)
            filter (measure_type in ('新建', '改扩建', '租赁', '功能调整', '设备调配')) as costly
    from rule.plan_measure
    semi join run_evaluation using (district_code, phase_id)
    group by all
), money as (
    select district_code, phase_id, indicator_code, sum(amount_wan) as amount_wan
    from core.budget
    semi join run_evaluation using (district_code, phase_id)
    where amount_wan > 0
    group by all
), funded as (
    select n.*, m.amount_wan
    from indicator n
    left join money m using (district_code, phase_id, indicator_code)
)
select district_code, phase_id, 'no_budget' as rule, if(len(costly) > 0, 'warning', 'note') as severity, indicator_code,
    null::varchar as stage, null::varchar as school_name, null::varchar as measure_no,
    what || '没有安排资金' || if(len(costly) > 0, '，而措施中有' || array_to_string(costly, '、') || '，一般要花钱', '') as message
from funded
where amount_wan is null
union all
select district_code, phase_id, 'no_budget', 'warning', null, null, null, null,
    count(*) || ' 项有措施的指标中，' || if(count(amount_wan) = 0, '没有一项安排了资金',
        '只有 ' || count(amount_wan) || ' 项安排了资金：' || string_agg(
            indicator_code || ' ' || exact(amount_wan) || ' 万元', '、' order by sort_order
        ) filter (amount_wan is not null))
from funded
group by district_code, phase_id
having count(amount_wan) < count(*)
union all
select m.district_code, m.phase_id, 'over_budget', 'serious', m.indicator_code, null, null, null,
    '“' || i.short_name || '”（' || m.indicator_code || '）已支出 ' || exact(m.spent_wan) || ' 万元，超过预算 '
        || exact(m.budget_wan) || ' 万元，超支 ' || exact(m.over_wan) || ' 万元：请说明资金来源，或调整预算'
from mart.indicator_money m
join run_evaluation e using (district_code, phase_id)
join standard.indicator i on i.standard_id = e.standard_id and i.indicator_code = m.indicator_code
where m.is_over_budget
union all
select m.district_code, m.phase_id, 'spent_without_budget', 'warning', m.indicator_code, null, null, null,
    '“' || i.short_name || '”（' || m.indicator_code || '）已支出 ' || exact(m.spent_wan) || ' 万元，预算中没有这一项：请补列预算，或更正填报'
from mart.indicator_money m
join run_evaluation e using (district_code, phase_id)
join standard.indicator i on i.standard_id = e.standard_id and i.indicator_code = m.indicator_code
where m.spent_wan > 0 and m.budget_lines = 0 and m.is_budget_complete
