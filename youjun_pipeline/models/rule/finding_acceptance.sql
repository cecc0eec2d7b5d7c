-- Which inspection is about which finding, and whether it may sign the finding off. It may if it has evidence, if none of its
-- inspectors is responsible for a measure of the finding or reported its progress, and if it is later than the figures on which
-- the finding failed last: a pass before a failure says nothing about the time after it. It must not be later than the delivery
-- that reports it. A person is recognised by name, whatever unit or title is written with it. An inspection of the school that
-- took in the finding's school is about the finding too.
with inspected as (
    select a.*, i.level as judged_by,
        unnest(case
            when i.level <> 'section' then ['']
            when a.stage is null or a.stage = 'compulsory' then ['primary', 'junior']
            else [a.stage]
        end) as stage_key
    from core.acceptance a
    join run_evaluation e using (district_code, phase_id)
    join standard.indicator i on i.standard_id = e.standard_id and i.indicator_code = a.indicator_code
    where a.refused_because is null
), involved as (
    -- everybody who was ever responsible for a measure, also if somebody else is responsible now
    select e.district_code, e.phase_id, m.measure_no, 'responsible' as role, unnest(persons_in(m.responsible_person)) as who
    from run_evaluation e
    join raw.delivered_file f
        on f.district_code = e.district_code and f.delivery <= e.effective_on and f.dataset = 'measures'
    join accepted.measures m using (content_sha256)
    union
    select district_code, phase_id, of_measure_no, 'reporter', unnest(persons_in(reporter))
    from core.progress
    semi join run_evaluation using (district_code, phase_id)
    where refused_because is null
), own as (
    select m.district_code, m.phase_id, m.finding_id,
        coalesce(list(distinct who) filter (role = 'reporter'), []) as reporters,
        coalesce(list(distinct who) filter (role = 'responsible'), []) as responsible
    from rule.finding_measure m
    join involved using (district_code, phase_id, measure_no)
    group by all
), spoken_of as (
    select f.finding_id, i.*
    from inspected i
    left join core.school_origin o using (district_code, phase_id, school_code)
    join rule.finding_state f
        on f.district_code = i.district_code and f.phase_id = i.phase_id and f.indicator_code = i.indicator_code
        and f.stage_key = i.stage_key and f.origin = coalesce(o.origin_code, i.school_code)
    where f.level = 'school'
    union
    select f.finding_id, i.*
    from inspected i
    join rule.finding_state f
        on f.district_code = i.district_code and f.phase_id = i.phase_id and f.indicator_code = i.indicator_code
        and f.stage_key = i.stage_key and f.judged_school_code = i.school_code
    where f.level = 'school'
    union all
    select f.finding_id, i.*
    from inspected i
    join rule.finding_state f using (district_code, phase_id, indicator_code, stage_key)
    where i.school_name is null and f.level <> 'school'
)
select s.district_code, s.phase_id, s.finding_id, s.inspected_on, s.result, s.inspector, s.evidence,
    case
        when s.evidence is null then 'no_evidence'
        when s.inspected_on > s.delivery then 'after_delivery'
        when list_has_any(persons_in(s.inspector), o.reporters) then 'by_reporter'
        when list_has_any(persons_in(s.inspector), o.responsible) then 'by_responsible'
        when s.inspected_on <= f.last_failed_on then 'before_failure'
    end as refused_because,
    f.state, f.status, f.last_settled_on, s.delivery, s.file, s.sheet, s.row_number
from spoken_of s
join rule.finding_state f using (district_code, phase_id, finding_id)
left join own o using (district_code, phase_id, finding_id)
