-- Sections to which a hidden row is known to belong, by dataset; if the row's stage is not known, it may belong to each section
-- of the school. Rows of unknown schools are only in core.hidden.
select s.district_code, s.phase_id, h.dataset, s.school_code, s.stage, sum(h.rows)::bigint as rows
from core.section s
semi join run_evaluation using (district_code, phase_id)
join core.hidden h
    on h.district_code = s.district_code and h.phase_id = s.phase_id and h.school_code = s.school_code
    and coalesce(h.stage, s.stage) = s.stage
group by all
