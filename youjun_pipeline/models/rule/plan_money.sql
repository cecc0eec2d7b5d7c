-- Findings of the plan audit: indicators that have measures and no money, each and in one sentence.
-- Measures that build or buy cannot do without; the others may.
with indicator as (
    select m.district_code, m.phase_id, m.indicator_code,
        list(distinct m.measure_type order by m.measure_type)
            filter (m.measure_type in ('新建', '改扩建', '租赁', '功能调整', '设备调配')) as costly
    from core.measure m
    semi join run_evaluation using (district_code, phase_id)
    where m.indicator_code is not null and not m.is_missing_now
    group by all
), money as (
    select district_code, phase_id, indicator_code, sum(amount_wan) as amount_wan
    from core.budget
    semi join run_evaluation using (district_code, phase_id)
    where amount_wan > 0
    group by all
), funded as (
    select n.district_code, n.phase_id, n.indicator_code, n.costly, m.amount_wan, i.short_name, i.sort_order
    from indicator n
    join run_evaluation e using (district_code, phase_id)
    join standard.indicator i on i.standard_id = e.standard_id and i.indicator_code = n.indicator_code
    left join money m using (district_code, phase_id, indicator_code)
)
select district_code, phase_id, 'no_budget' as rule, if(len(costly) > 0, 'warning', 'note') as severity, indicator_code,
    null::varchar as stage, null::varchar as school_name, null::varchar as measure_no,
    '“' || short_name || '”（' || indicator_code || '）没有安排资金' || if(len(costly) > 0,
        '，而措施中有' || array_to_string(costly, '、') || '，须花钱', '') as message
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
