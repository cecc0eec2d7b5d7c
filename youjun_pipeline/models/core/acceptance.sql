-- Inspections, accumulated over all deliveries up to the effective day. If two have the same date, indicator, stage, school and
-- inspector, the later delivery counts. refused_because says why an inspection does not count: its school or indicator is
-- unknown, or it is dated before the plan was issued or after the effective day.
with inspected as (
    select e.district_code, e.phase_id, e.issued_on, e.effective_on, f.delivery, f.file, i.indicator_code, n.school_code,
        a.*
    from core.chosen_file f
    join run_evaluation e using (district_code, phase_id)
    join accepted.acceptances a using (content_sha256)
    left join core.indicator_name i on i.standard_id = e.standard_id and i.form = indicator_form(a.indicator)
    left join core.named_school n
        on n.district_code = f.district_code and n.phase_id = f.phase_id and n.dataset = 'acceptances'
        and n.delivery = f.delivery and n.file = f.file and n.content_sha256 = a.content_sha256 and n.sheet = a.sheet
        and n.row_number = a.row_number
    where f.dataset = 'acceptances'
    qualify row_number() over (
        partition by f.district_code, f.phase_id, a.inspected_on, coalesce(i.indicator_code, a.indicator), a.stage,
            coalesce(n.school_code, a.school_name), a.inspector
        order by f.delivery desc, f.file desc, a.sheet desc, a.row_number desc
    ) = 1
)
select district_code, phase_id, inspected_on, indicator_code, indicator, stage, school_code, school_name, result,
    inspector, evidence,
    case
        when indicator_code is null then 'unknown_indicator'
        when school_name is not null and school_code is null then 'unknown_school_name'
        when inspected_on < issued_on then 'before_plan'
        when inspected_on > effective_on then 'not_yet'
    end as refused_because,
    delivery, file, content_sha256, sheet, row_number
from inspected
