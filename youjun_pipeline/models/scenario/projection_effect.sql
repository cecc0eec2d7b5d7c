-- Measures that will have acted by then, with what they change. Signed-off findings need no effect: nothing is projected there.
select c.district_code, c.phase_id, c.variant, f.measure_no, f.indicator_code, f.source, f.effect, f.school_code,
    f.stage, f.to_school_code, f.quantity
from projection_case c
join rule.plan_effect f using (district_code, phase_id)
where f.effect is not null
    and case c.basis when 'planned' then f.planned_on when 'slippage' then f.slipped_on end <= c.coming_ends
