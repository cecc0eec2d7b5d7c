with owner as (
    select district_code, phase_id, measure_no, 'unit' as kind, unnest(names_in(responsible_units)) as unit
    from core.measure
    semi join run_evaluation using (district_code, phase_id)
    union
    select district_code, phase_id, measure_no, 'section', unnest(names_in(bureau_sections))
    from core.measure
    semi join run_evaluation using (district_code, phase_id)
), answered as (
    select o.district_code, o.phase_id, o.unit, o.kind,
        count(distinct m.finding_id) as findings,
        count(distinct m.finding_id) filter (f.state = 'closed') as findings_closed
    from owner o
    join rule.finding_measure m using (district_code, phase_id, measure_no)
    join rule.finding_state f using (district_code, phase_id, finding_id)
    group by all
), carried as (
    select o.district_code, o.phase_id, o.unit, o.kind,
        count(*) as measures,
        count(*) filter (s.state = 'done') as done,
        count(*) filter (s.overdue) as overdue,
        max(s.slippage_days) as slippage_days
    from owner o
    join mart.measure_status s using (district_code, phase_id, measure_no)
    group by all
)
select c.district_code, c.phase_id, c.unit, c.kind, c.measures, c.done, c.overdue, c.slippage_days,
    coalesce(a.findings, 0) as findings, coalesce(a.findings_closed, 0) as findings_closed
from carried c
left join answered a using (district_code, phase_id, unit, kind)
