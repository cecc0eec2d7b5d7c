-- Measures for the plan audit: those of the newest delivery with a known indicator, and their words. is_over: reported done or
-- cancelled; then faults of its date, milestones or building no longer matter.
select m.*, i.short_name, i.sort_order, '“' || i.short_name || '”（' || m.indicator_code || '）' as what,
    plain_name(m.description) as plain_description, s.state in ('done', 'cancelled') as is_over
from core.measure m
join run_evaluation e using (district_code, phase_id)
join standard.indicator i on i.standard_id = e.standard_id and i.indicator_code = m.indicator_code
join mart.measure_status s using (district_code, phase_id, measure_no)
where not m.is_missing_now
