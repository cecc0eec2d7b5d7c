-- District indicators whose datasets have hidden rows (core.hidden): what they rest on may be incomplete.
-- is_either_way: such a row may turn a failure into a pass as well: it joins a sum, or replaces what was the newest result.
-- Elsewhere what fails is known to fail. Schools' own indicators are opened where they are judged.
with rests_on (indicator_code, dataset, is_either_way) as (
    values ('G6', 'schools', false), ('G6', 'school_finance', false), ('Q4', 'schools', false),
        ('Q4', 'school_finance', false), ('G9', 'schools', true), ('G9', 'teachers', true), ('G12', 'schools', true),
        ('G12', 'teachers', true), ('G13', 'schools', true), ('Q1', 'graduation_cohorts', true),
        ('Q9', 'quality_monitoring', true), ('S1', 'recognition', true)
), newest as (
    -- a row of an older year than the newest reported one decides nothing
    select f.district_code, f.phase_id, f.dataset, max(a.year) as year
    from core.chosen_file f
    semi join run_evaluation using (district_code, phase_id)
    join (
        select 'graduation_cohorts' as dataset, content_sha256, year from accepted.graduation_cohorts
        union all
        select 'recognition', content_sha256, year from accepted.recognition
    ) a using (dataset, content_sha256)
    group by f.district_code, f.phase_id, f.dataset
), asked as (
    select e.district_code, e.phase_id, r.*, null::varchar as item
    from run_evaluation e
    cross join rests_on r
    union all
    -- what a district states itself: a veto, a conclusion, a figure
    select e.district_code, e.phase_id, i.indicator_code, 'assurance', false, i.indicator_code
    from run_evaluation e
    join standard.indicator i using (standard_id)
    where i.level = 'district'
        and (i.evidence_based or i.indicator_code not in (select indicator_code from rests_on))
)
select a.district_code, a.phase_id, a.indicator_code, bool_or(a.is_either_way) as is_either_way,
    sum(h.rows)::bigint as rows
from asked a
join core.hidden h using (district_code, phase_id, dataset)
left join newest n using (district_code, phase_id, dataset)
-- a row of a school that is known and out of scope
left join core.school s
    on s.district_code = h.district_code and s.phase_id = h.phase_id and s.school_code = h.school_code
where coalesce(h.stage, '') <> 'senior'
    and (h.item is null or a.item is null or split_part(h.item, '.', 1) = a.item)
    and (h.year is null or n.year is null or h.year >= n.year)
    and (s.school_code is null or s.in_scope or s.is_small_school)
group by a.district_code, a.phase_id, a.indicator_code
