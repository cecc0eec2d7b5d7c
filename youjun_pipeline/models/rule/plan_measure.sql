-- Measures as the plan audit looks at them: those of the newest delivery whose indicator is known, with its words.
-- is_over: reported done or cancelled; what its date, milestones or building lack matters no more.
select m.*, i.short_name, i.sort_order, '“' || i.short_name || '”（' || m.indicator_code || '）' as what,
    plain_name(m.description) as plain_description, s.state in ('done', 'cancelled') as is_over
from core.measure m
join run_evaluation e using (district_code, phase_id)
join standard.indicator i on i.standard_id = e.standard_id and i.indicator_code = m.indicator_code
join mart.measure_status s using (district_code, phase_id, measure_no)
where not m.is_missing_now
