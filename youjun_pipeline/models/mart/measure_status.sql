-- Slippage is counted from the baseline: to the day on which the measure was finished; otherwise to the latest of its expected
-- day, its present due date and, once it is overdue, the effective day. A cancelled measure and a measure without a date have no
-- slippage.
with school as (
    select district_code, phase_id, measure_no,
        count(distinct coalesce(school_code, name))::integer as schools,
        list(distinct name order by name) as school_names
    from core.measure_school
    semi join run_evaluation using (district_code, phase_id)
    group by all
), receiving as (
    select m.district_code, m.phase_id, m.measure_no,
        list(distinct n.school_code order by n.school_code) filter (n.school_code is not null) as receiving_school_codes
    from core.measure m
    semi join run_evaluation using (district_code, phase_id)
    join core.named_school n
        on n.district_code = m.district_code and n.phase_id = m.phase_id and n.dataset = 'measures'
        and n.column_name = 'receiving_school' and n.content_sha256 = m.content_sha256 and n.sheet = m.sheet
        and n.row_number = m.row_number
    group by all
), begun as (
    -- work on a milestone is work on its measure, whatever is reported on the measure
    select m.district_code, m.phase_id, m.measure_no, bool_or(p.state in ('in_progress', 'done')) as is_begun
    from core.milestone m
    join rule.progress_state p
        on p.district_code = m.district_code and p.phase_id = m.phase_id and p.subject = 'milestone'
        and p.subject_no = m.milestone_no
    group by all
), money as (
    -- reports give the total spent so far
    select district_code, phase_id, of_measure_no as measure_no,
        arg_max(spent_wan, (reported_on, delivery, row_number)) as spent_wan
    from core.progress
    semi join run_evaluation using (district_code, phase_id)
    where refused_because is null and of_measure_no is not null
    group by all
), answered as (
    select m.district_code, m.phase_id, m.measure_no,
        count(*) as findings, count(*) filter (f.state = 'closed') as findings_closed
    from rule.finding_measure m
    semi join run_evaluation using (district_code, phase_id)
    join rule.finding_state f using (district_code, phase_id, finding_id)
    group by all
), standing as (
    select m.*, e.effective_on,
        case when coalesce(p.state, 'not_started') <> 'not_started' then p.state
            when b.is_begun then 'in_progress' else 'not_started' end as stands,
        p.percent, p.expected_on, p.finished_on, p.reported_on, p.reporter,
        p.note,
        -- if the state cannot be read, nobody can say that the measure is overdue
        stands not in ('done', 'cancelled', 'no_data') and coalesce(e.effective_on > m.baseline_due, false) as overdue
    from core.measure m
    join run_evaluation e using (district_code, phase_id)
    left join rule.progress_state p
        on p.district_code = m.district_code and p.phase_id = m.phase_id and p.subject = 'measure'
        and p.subject_no = m.measure_no
    left join begun b using (district_code, phase_id, measure_no)
)
select
    m.district_code, m.phase_id, m.measure_no, m.indicator_code, m.stage, m.description, m.source,
    coalesce(s.schools, 0) as schools, coalesce(s.school_names, []) as school_names, m.measure_type,
    m.receiving_school, coalesce(c.receiving_school_codes, []) as receiving_school_codes, m.quantity, m.unit, m.due, m.baseline_due, m.changed_on as due_changed_on, m.expected_on, m.finished_on,
    case m.stands
        when 'done' then m.finished_on
        when 'cancelled' then null
        when 'no_data' then null
        else greatest(coalesce(m.expected_on, m.due, m.baseline_due), if(m.overdue, m.effective_on, null))
    end - m.baseline_due as slippage_days,
    m.stands as state, m.percent, m.overdue, m.is_missing_now as is_missing, m.bureau_sections, m.responsible_units,
    m.responsible_person, m.reported_on, m.reporter, m.note, y.spent_wan,
    coalesce(a.findings, 0) as findings, coalesce(a.findings_closed, 0) as findings_closed
from standing m
left join school s using (district_code, phase_id, measure_no)
left join receiving c using (district_code, phase_id, measure_no)
left join money y using (district_code, phase_id, measure_no)
left join answered a using (district_code, phase_id, measure_no)
