-- Overdue is counted from the date in the milestone's first delivery.
select
    m.district_code, m.phase_id, m.milestone_no, m.measure_no, m.indicator_code, m.task, m.due, m.baseline_due,
    coalesce(p.state, 'not_started') as state,
    p.percent, p.expected_on, p.finished_on, p.reported_on, p.reporter,
    coalesce(p.state, '') not in ('done', 'cancelled', 'no_data') and coalesce(e.effective_on > m.baseline_due, false) as overdue,
    case p.state
        when 'done' then p.finished_on
        when 'cancelled' then null
        when 'no_data' then null
        else greatest(coalesce(p.expected_on, m.due), if(overdue, e.effective_on, null))
    end - m.baseline_due as slippage_days,
    m.is_missing_now as is_missing
from core.milestone m
join run_evaluation e using (district_code, phase_id)
left join rule.progress_state p
    on p.district_code = m.district_code and p.phase_id = m.phase_id and p.subject = 'milestone'
    and p.subject_no = m.milestone_no
