-- Sections that a hidden row is known to belong to, per dataset; a row whose stage is not known may be of each of the
-- school's sections. Rows of schools that are not known stand in core.hidden alone.
select s.district_code, s.phase_id, h.dataset, s.school_code, s.stage, sum(h.rows)::bigint as rows
from core.section s
semi join run_evaluation using (district_code, phase_id)
join core.hidden h
    on h.district_code = s.district_code and h.phase_id = s.phase_id and h.school_code = s.school_code
    and coalesce(h.stage, s.stage) = s.stage
group by all
