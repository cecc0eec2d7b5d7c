-- The figures from which a section's resources are summed, and all other figures of teachers and facilities, one per row, with
-- the cell. All stages use a school's facilities, so each of these figures is here once for each stage; the split comes later.
select g.input, g.dataset, g.district_code, g.phase_id, g.content_sha256, g.sheet, g.row_number, g.school_code, s.stage,
    g.column_name, g.value::decimal(18, 6) as value
from core.figure g
join run_evaluation e using (district_code, phase_id)
join core.section s
    on s.district_code = g.district_code and s.phase_id = g.phase_id and s.school_code = g.school_code
    and s.stage = coalesce(g.stage, s.stage)
where g.dataset in ('teachers', 'facilities') or g.input in (select n.input from standard.numerator n where n.standard_id = e.standard_id)
