-- Openings, mergers, splits, closures and renames, accumulated over all deliveries up to the effective day, with the schools that
-- they name; several names in one cell are several changes. A school that is not yet, or no longer, in any roster has no code.
-- is_in_force: the day of the change has come.
with reported as (
    select e.district_code, e.phase_id, e.effective_on as evaluated_on, f.delivery, f.file, c.*
    from core.chosen_file f
    join run_evaluation e using (district_code, phase_id)
    join accepted.school_changes c using (content_sha256)
    where f.dataset = 'school_changes'
), named as (
    select district_code, phase_id, delivery, file, content_sha256, sheet, row_number, column_name, name, school_code
    from core.named_school
    semi join run_evaluation using (district_code, phase_id)
    where dataset = 'school_changes'
), coded as (
    select r.*, f.name as from_name, f.school_code as from_code, t.name as to_name, t.school_code as to_code
    from reported r
    left join named f
        on f.district_code = r.district_code and f.phase_id = r.phase_id and f.column_name = 'from_school'
        and f.delivery = r.delivery and f.file = r.file and f.sheet = r.sheet and f.row_number = r.row_number
    left join named t
        on t.district_code = r.district_code and t.phase_id = r.phase_id and t.column_name = 'to_school'
        and t.delivery = r.delivery and t.file = r.file and t.sheet = r.sheet and t.row_number = r.row_number
    qualify row_number() over (
        partition by r.district_code, r.phase_id, r.effective_on, r.kind, coalesce(f.school_code, f.name),
            coalesce(t.school_code, t.name)
        order by r.delivery desc, r.file desc, r.sheet desc, r.row_number desc
    ) = 1
)
select district_code, phase_id, effective_on, kind, from_code, from_name, to_code, to_name,
    effective_on <= evaluated_on as is_in_force,
    delivery, file, content_sha256, sheet, row_number
from coded
