-- Every inspection up to the effective day, including failed ones. A passed inspection counts if it may sign off at least one of
-- the findings that it is about; a failed one always counts, whoever made it.
with spoken_of as (
    select a.district_code, a.phase_id, a.delivery, a.file, a.sheet, a.row_number,
        list(distinct a.finding_id order by a.finding_id) as findings,
        list(distinct a.finding_id order by a.finding_id) filter (
            f.signed_off and a.result = 'passed' and a.refused_because is null and f.signed_off_on = a.inspected_on
            and f.signed_off_by = a.inspector and f.signed_off_evidence = a.evidence
        ) as signed_off,
        if(count(*) = count(a.refused_because), min(a.refused_because), null) as refused_because
    from rule.finding_acceptance a
    semi join run_evaluation using (district_code, phase_id)
    join mart.finding f using (district_code, phase_id, finding_id)
    group by all
)
select a.district_code, a.phase_id, a.inspected_on, a.indicator_code, a.indicator, a.stage, a.school_code, a.school_name,
    a.result, a.inspector, a.evidence, coalesce(s.findings, []) as findings, coalesce(s.signed_off, []) as signed_off,
    case
        when a.refused_because is not null then a.refused_because
        when s.findings is null then 'no_finding'
        when a.result = 'passed' then s.refused_because
    end as refused_because,
    a.delivery, a.file, a.sheet, a.row_number as "row"
from core.acceptance a
semi join run_evaluation using (district_code, phase_id)
left join spoken_of s
    on s.district_code = a.district_code and s.phase_id = a.phase_id and s.delivery = a.delivery and s.file = a.file
    and s.sheet is not distinct from a.sheet and s.row_number = a.row_number
