-- What the measures of each set change.
select s.district_code, s.phase_id, s.variant, f.measure_no, f.indicator_code, f.source, f.effect, f.school_code,
    f.stage, f.to_school_code, f.quantity, f.dataset, f.column_name, f.added
from (
    select distinct district_code, phase_id, variant, unnest(measures) as measure_no
    from projection_case
    where variant is not null
) s
join rule.plan_effect f using (district_code, phase_id, measure_no)
where f.effect is not null
