-- Findings of the plan audit: deadlines compared with the phase that needs the result. This is the acceptance (验收) until it has
-- ended, then the last phase (the recognition). If no phase is named 验收, the phase before the last is the acceptance.
with phase as (
    select district_code, phase_id, phase_name, phase_order, starts, ends,
        phase_order = max(phase_order) over district as is_last,
        count(*) over district > 1 as has_others
    from raw.phase
    semi join run_evaluation using (district_code)
    window district as (partition by district_code)
), acceptance as (
    select * from phase
    where not is_last
    qualify row_number() over (
        partition by district_code
        order by contains(phase_name, '验收') desc, if(contains(phase_name, '验收'), phase_order, -phase_order)
    ) = 1
), needed as (
    select e.district_code, e.phase_id, p.phase_name, p.starts, p.ends, p.has_others
    from run_evaluation e
    join (from acceptance union all from phase where is_last) p
        on p.district_code = e.district_code and p.ends >= e.effective_on
    qualify row_number() over (partition by e.district_code, e.phase_id order by p.phase_order) = 1
), indicator as (
    select m.district_code, m.phase_id, m.indicator_code, m.what, m.sort_order, n.phase_name, n.starts, n.ends,
        max(m.due) filter (not m.is_over) as last_due,
        n.has_others and last_due <= n.ends and date_trunc('month', last_due) = date_trunc('month', n.ends)
            as in_last_month,
        last_due between n.starts and n.ends and not in_last_month as in_phase,
        list(m.measure_no order by m.measure_no) filter (m.due > n.ends and not m.is_over) as too_late
    from rule.plan_measure m
    semi join run_evaluation using (district_code, phase_id)
    join needed n using (district_code, phase_id)
    group by m.district_code, m.phase_id, m.indicator_code, m.what, m.sort_order, n.phase_name, n.starts, n.ends,
        n.has_others
)
select district_code, phase_id, 'deadline_in_acceptance_month' as rule, 'warning' as severity, indicator_code,
    null::varchar as stage, null::varchar as school_name, null::varchar as measure_no,
    what || '的完成时间 ' || last_due || ' 就在“' || phase_name || '”结束的当月，没有余地' as message
from indicator
where in_last_month
union all
select district_code, phase_id, 'deadline_in_acceptance_month', 'serious', null, null, null, null,
    count(*) || ' 项指标中有 ' || count(*) filter (in_last_month) || ' 项的完成时间定在“' || any_value(phase_name)
        || '”结束的当月（' || strftime(any_value(ends), '%Y-%m') || '）：'
        || string_agg(indicator_code, '、' order by sort_order) filter (in_last_month) || '。有一项拖期，就赶不上了'
from indicator
group by district_code, phase_id
having count(*) filter (in_last_month) > 1
union all
select district_code, phase_id, 'deadline_in_acceptance_phase', 'note', indicator_code, null, null, null,
    what || '的完成时间 ' || last_due || ' 在“' || phase_name || '”期间（' || starts || ' 至 ' || ends || '）：评估组到校时可能还没有完成'
from indicator
where in_phase
union all
select district_code, phase_id, 'deadline_after_phase', 'serious', indicator_code, null, null,
    if(len(too_late) = 1, too_late[1], null),
    what || '有 ' || len(too_late) || ' 项措施（' || ten_of(too_late) || '）最晚到 ' || last_due || ' 才完成，“' || phase_name || '”在 '
        || ends || ' 就结束了'
from indicator
where len(too_late) > 0
