-- Waivers in force in an evaluation: within their national range, or switched on by the district.
select
    e.district_code,
    e.phase_id,
    w.waiver,
    w.indicator_code,
    case when e.effective_on between w.starts and w.ends then 'national' else 'district' end as granted_by
from run_evaluation e
join standard.waiver w using (standard_id)
where e.effective_on between w.starts and w.ends or list_contains(e.waivers, w.waiver)
