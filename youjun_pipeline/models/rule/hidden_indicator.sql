-- District indicators whose datasets have hidden rows (core.hidden): their inputs may be incomplete. is_either_way: such a row
-- may also turn a failure into a pass, because it belongs to a sum, or to a newer year than the judged one. For other indicators
-- a known failure stays a failure. The schools' own indicators are left open where they are judged.
with asked as (
    select e.district_code, e.phase_id, r.indicator_code, r.dataset, r.judged = 'sum' and r.dataset <> 'assurance' as is_summed,
        y.year, if(r.dataset = 'assurance', split_part(t.input, '.', 2) || '.' || split_part(t.input, '.', 3), null) as item
    from run_evaluation e
    join standard.ratio r using (standard_id)
    join standard.term t using (standard_id, indicator_code, part)
    left join core.reported_year y
        on y.district_code = e.district_code and y.phase_id = e.phase_id and y.indicator_code = r.indicator_code
        and y.part = r.part
    union
    -- a school that is missing from the roster may belong to the sum
    select e.district_code, e.phase_id, r.indicator_code, 'schools', r.judged = 'sum', null, null
    from run_evaluation e
    join standard.ratio r using (standard_id)
    where r.dataset not in ('assurance', 'recognition', 'graduation_cohorts')
    union
    -- the sample is a share of the newest population: whether it is too small or not, a failing answer fails
    select e.district_code, e.phase_id, r.indicator_code, 'district_figures', false, p.year, 'population_wan'
    from run_evaluation e
    join standard.ratio r on r.standard_id = e.standard_id and r.dataset = 'recognition'
    left join (
        select district_code, phase_id, max(year) as year
        from core.figure
        where input = 'district_figures.population_wan'
        group by district_code, phase_id
    ) p on p.district_code = e.district_code and p.phase_id = e.phase_id
    where e.survey_rule = 'national'
    union
    select e.district_code, e.phase_id, 'Q9', 'quality_monitoring', true, null, null
    from run_evaluation e
    union
    -- statements of the district itself: a veto, a conclusion
    select e.district_code, e.phase_id, i.indicator_code, 'assurance', false, null, i.indicator_code
    from run_evaluation e
    join standard.indicator i on i.standard_id = e.standard_id and i.evidence_based
), touched as (
    select a.district_code, a.phase_id, a.indicator_code, h.rows,
        bool_or(a.is_summed or (a.dataset <> 'district_figures' and a.year is not null and coalesce(h.year > a.year, true))) as is_either_way
    from asked a
    join (
        select district_code, phase_id, dataset, school_code, stage, item, year, sum(rows) as rows,
            row_number() over () as n
        from core.hidden
        semi join run_evaluation using (district_code, phase_id)
        group by all
    ) h using (district_code, phase_id, dataset)
    -- a row of a known school that is out of scope
    left join core.school s
        on s.district_code = h.district_code and s.phase_id = h.phase_id and s.school_code = h.school_code
    where coalesce(h.stage, '') <> 'senior'
        and (h.item is null or a.item is null or h.item = a.item)
        -- a row of a year before the judged one decides nothing
        and (h.year is null or a.year is null or h.year >= a.year)
        and (s.school_code is null or s.in_scope or s.is_small_school is distinct from false)
    group by a.district_code, a.phase_id, a.indicator_code, h.n, h.rows
)
select district_code, phase_id, indicator_code, bool_or(is_either_way) as is_either_way, sum(rows)::bigint as rows
from touched
group by district_code, phase_id, indicator_code
