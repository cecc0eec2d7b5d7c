-- Closed findings stay listed. closed depends only on the data; signed_off also needs a valid inspection, and a failed inspection
-- on the same day or later cancels it. An unreadable inspection may be such a failed one.
with covered as (
    select district_code, phase_id, finding_id, list(measure_no order by measure_no) as measures
    from rule.finding_measure
    semi join run_evaluation using (district_code, phase_id)
    group by all
), inspected as (
    select district_code, phase_id, finding_id,
        max(inspected_on) filter (result = 'passed' and refused_because is null) as passed_on,
        arg_max(inspector, (inspected_on, inspector, evidence)) filter (result = 'passed' and refused_because is null)
            as passed_by,
        arg_max(evidence, (inspected_on, inspector, evidence)) filter (result = 'passed' and refused_because is null)
            as passed_on_evidence,
        max(inspected_on) filter (result = 'failed') as failed_on
    from rule.finding_acceptance
    semi join run_evaluation using (district_code, phase_id)
    group by all
), unread as (
    -- words that match no indicator may have meant any indicator
    select h.district_code, h.phase_id, i.indicator_code, nullif(h.stage, 'compulsory') as stage, null::varchar as school_code
    from core.hidden h
    join run_evaluation e using (district_code, phase_id)
    left join core.indicator_name i on i.standard_id = e.standard_id and i.form = indicator_form(h.item)
    where h.dataset = 'acceptances'
    union all
    -- an unreadable result; a failure on an unknown indicator or school, or one dated before the plan
    select district_code, phase_id, indicator_code, nullif(stage, 'compulsory'), school_code
    from core.acceptance
    semi join run_evaluation using (district_code, phase_id)
    where result is null or result = 'failed' and refused_because in ('unknown_indicator', 'unknown_school_name', 'before_plan')
), signed as (
    select f.*, c.measures, i.passed_by, i.passed_on, i.passed_on_evidence, i.failed_on,
        f.state = 'closed' and i.passed_on is not null and coalesce(i.passed_on > i.failed_on, true)
            and not exists (
                from unread u
                where u.district_code = f.district_code and u.phase_id = f.phase_id
                    and coalesce(u.indicator_code, f.indicator_code) = f.indicator_code
                    and (u.stage is null or f.stage is null or f.stage in (u.stage, 'compulsory'))
                    and coalesce(u.school_code in (f.school_code, f.judged_school_code), true)
            ) as signed_off
    from rule.finding_state f
    semi join run_evaluation using (district_code, phase_id)
    left join covered c using (district_code, phase_id, finding_id)
    left join inspected i using (district_code, phase_id, finding_id)
)
select
    district_code, phase_id, finding_id, level, indicator_code, stage, item, school_code, school_name,
    judged_school_code, value, threshold, gap, status, state, first_phase_id,
    coalesce(measures, []) as measures,
    signed_off,
    if(signed_off, passed_on, null) as signed_off_on,
    if(signed_off, passed_by, null) as signed_off_by,
    if(signed_off, passed_on_evidence, null) as signed_off_evidence,
    failed_on as inspection_failed_on,
    opened_on, closed_on, days_open,
    reason
from signed
