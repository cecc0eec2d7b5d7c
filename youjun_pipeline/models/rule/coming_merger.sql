-- Mergers that the roster does not have yet, decided or already carried out: the school year from which a school's pupils belong
-- to another. A school year counts from its autumn. For a split or an opening nobody knows whose pupils go where: a scenario can
-- say it.
select c.district_code, c.phase_id, c.from_code, min_by(c.to_code, c.effective_on) as to_code,
    min(year(c.effective_on) + if(month(c.effective_on) >= 10, 1, 0))::integer as since
from core.school_change c
join run_evaluation e using (district_code, phase_id)
join core.chosen_file f using (district_code, phase_id)
join core.school a on a.district_code = c.district_code and a.phase_id = c.phase_id and a.school_code = c.from_code
join core.school b on b.district_code = c.district_code and b.phase_id = c.phase_id and b.school_code = c.to_code
where c.kind = 'merge' and c.from_code <> c.to_code and f.dataset = 'schools' and c.effective_on > f.delivery
group by all
