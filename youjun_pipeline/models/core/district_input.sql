-- Every reported figure or conclusion that a district indicator uses, one per row, with its cell. What the indicator needs and
-- nobody reported is here too, without a place. detail says which one of several figures it is.
with conclusion as (
    select e.district_code, e.phase_id, i.indicator_code, 'assurance.' || i.indicator_code || '.' || c.column_name as input,
        case when c.column_name = 'evidence' then a.evidence
            when a.conclusion = 'met' then '达标' when a.conclusion = 'not_met' then '未达标' end as detail,
        'assurance' as dataset, c.column_name, a.content_sha256, a.sheet, a.row_number
    from run_evaluation e
    join standard.indicator i on i.standard_id = e.standard_id and i.evidence_based
    join (values ('conclusion'), ('evidence')) c (column_name) on i.needs_evidence or c.column_name = 'conclusion'
    left join core.assurance a
        on a.district_code = e.district_code and a.phase_id = e.phase_id and a.item = i.indicator_code
), term as (
    select distinct u.district_code, u.phase_id, u.indicator_code, u.school_code, u.stage, t.input, f.value::double as value,
        nullif(coalesce(u.year || '年', '') || coalesce(u.item, ''), '') as detail, split_part(t.input, '.', 1) as dataset,
        if(starts_with(t.input, 'assurance.'), 'value', split_part(t.input, '.', 2)) as column_name,
        f.content_sha256, f.sheet, f.row_number
    from core.ratio_unit u
    join run_evaluation e using (district_code, phase_id)
    join standard.term t
        on t.standard_id = e.standard_id and t.indicator_code = u.indicator_code and t.part = u.part
    left join core.figure f
        on f.district_code = u.district_code and f.phase_id = u.phase_id and f.input = t.input
        and f.school_code is not distinct from u.school_code and f.stage is not distinct from u.stage
        and f.year is not distinct from u.year and f.item is not distinct from u.item
), pupil as (
    -- the funding of a small school also depends on its pupils
    select u.district_code, u.phase_id, u.indicator_code, s.school_code, f.input, f.value::double as value, f.dataset,
        f.column_name, f.content_sha256, f.sheet, f.row_number
    from core.ratio_unit u
    join run_evaluation e using (district_code, phase_id)
    join standard.ratio r
        on r.standard_id = e.standard_id and r.indicator_code = u.indicator_code and r.part = u.part and r.judged = 'funding'
    join core.school s
        on s.district_code = u.district_code and s.phase_id = u.phase_id and s.campus_of = u.school_code
    join core.figure f
        on f.district_code = s.district_code and f.phase_id = s.phase_id and f.school_code = s.school_code
        and (f.input = 'schools.primary_students' and s.has_primary or f.input = 'schools.junior_students' and s.has_junior)
), subject as (
    select f.district_code, f.phase_id, 'Q9' as indicator_code, f.input, f.value::double as value,
        f.year || '年' || f.item as detail, f.dataset, f.column_name, f.content_sha256, f.sheet, f.row_number
    from core.figure f
    semi join run_evaluation using (district_code, phase_id)
    where f.dataset = 'quality_monitoring'
    qualify f.year = max(f.year) over (partition by f.district_code, f.phase_id, f.item)
)
select district_code, phase_id, indicator_code, school_code, stage, input, value, detail, dataset, column_name, content_sha256,
    sheet, row_number
from (
    from term
    union all by name
    from conclusion
    union all by name
    from pupil
    union all by name
    from subject
)
