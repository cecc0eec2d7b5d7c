-- Findings of the plan audit: deadlines against the phase that needs the result, the acceptance (验收). That is the phase
-- so named, or, where none is, the one before the last; a plan of one phase has none.
with acceptance as (
    select district_code, phase_name, starts, ends
    from raw.phase
    semi join run_evaluation using (district_code)
    qualify row_number() over (
        partition by district_code
        order by contains(phase_name, '验收') desc,
            if(contains(phase_name, '验收'), phase_order, abs(phase_order - (max(phase_order) over district - 1)))
    ) = 1 and count(*) over district > 1
    window district as (partition by district_code)
), measure as (
    select m.district_code, m.phase_id, m.measure_no, m.indicator_code, m.due, a.phase_name, a.starts, a.ends,
        max(m.due) over (partition by m.district_code, m.phase_id, m.indicator_code) as last_due
    from core.measure m
    semi join run_evaluation using (district_code, phase_id)
    join acceptance a using (district_code)
    where m.due is not null and not m.is_missing_now and m.indicator_code is not null
), indicator as (
    select m.district_code, m.phase_id, m.indicator_code, i.short_name, i.sort_order, m.phase_name, m.starts, m.ends,
        m.last_due,
        m.last_due <= m.ends and date_trunc('month', m.last_due) = date_trunc('month', m.ends) as in_last_month,
        m.last_due <= m.ends and m.last_due >= m.starts and not in_last_month as in_phase,
        list(m.measure_no order by m.measure_no) filter (m.due > m.ends) as too_late
    from measure m
    join run_evaluation e using (district_code, phase_id)
    join standard.indicator i on i.standard_id = e.standard_id and i.indicator_code = m.indicator_code
    group by all
)
select district_code, phase_id, 'deadline_in_acceptance_month' as rule, 'warning' as severity, indicator_code,
    null::varchar as stage, null::varchar as school_name, null::varchar as measure_no,
    '“' || short_name || '”（' || indicator_code || '）的完成时间 ' || last_due || ' 就在“' || phase_name || '”结束的当月，没有余地' as message
from indicator
where in_last_month
union all
select district_code, phase_id, 'deadline_in_acceptance_month', 'serious', null, null, null, null,
    count(*) || ' 项指标中有 ' || count(*) filter (in_last_month) || ' 项的完成时间定在“' || any_value(phase_name)
        || '”结束的当月（' || strftime(any_value(ends), '%Y-%m') || '）：'
        || string_agg(indicator_code, '、' order by sort_order) filter (in_last_month) || '。有一项拖期，验收就不能通过'
from indicator
group by district_code, phase_id
having count(*) filter (in_last_month) > 1
union all
select district_code, phase_id, 'deadline_in_acceptance_phase', 'note', indicator_code, null, null, null,
    '“' || short_name || '”（' || indicator_code || '）的完成时间 ' || last_due || ' 在“' || phase_name || '”期间（' || starts
        || ' 至 ' || ends || '）：验收组到校时可能还没有完成'
from indicator
where in_phase
union all
select district_code, phase_id, 'deadline_after_phase', 'serious', indicator_code, null, null,
    if(len(too_late) = 1, too_late[1], null),
    '“' || short_name || '”（' || indicator_code || '）有 ' || len(too_late) || ' 项措施（' || ten_of(too_late) || '）最晚到 '
        || last_due || ' 才完成，“' || phase_name || '”在 ' || ends || ' 就结束了'
from indicator
where len(too_late) > 0
