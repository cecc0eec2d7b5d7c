-- Findings of the plan audit: indicators that have measures and no money, each and in one sentence.
-- Measures that build or buy cannot do without; the others may.
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
