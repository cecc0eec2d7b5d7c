-- Every reported figure of a section that indicators are computed from, one per row, with the cell it stands in.
-- A school's facilities serve all its stages, so they stand here once for each; the split comes later.
with teacher as (
    select f.district_code, f.phase_id, f.content_sha256, a.sheet, a.row_number, a.school_code, a.stage,
        columns(a.* exclude (content_sha256, sheet, row_number, school_code, stage))::decimal(18, 6)
    from core.chosen_file f
    join run_evaluation using (district_code, phase_id)
    join accepted.teachers a using (content_sha256)
    semi join core.section s
        on s.district_code = f.district_code and s.phase_id = f.phase_id
        and s.school_code = a.school_code and s.stage = a.stage
    where f.dataset = 'teachers'
), facility as (
    select f.district_code, f.phase_id, f.content_sha256, a.sheet, a.row_number, a.school_code, s.stage,
        columns(a.* exclude (content_sha256, sheet, row_number, school_code))::decimal(18, 6)
    from core.chosen_file f
    join run_evaluation using (district_code, phase_id)
    join accepted.facilities a using (content_sha256)
    join core.section s
        on s.district_code = f.district_code and s.phase_id = f.phase_id and s.school_code = a.school_code
    where f.dataset = 'facilities'
), figure as (
    select 'teachers' as dataset, district_code, phase_id, content_sha256, sheet, row_number, school_code, stage,
        column_name, value
    from teacher unpivot include nulls (
        value for column_name in (
            * exclude (district_code, phase_id, content_sha256, sheet, row_number, school_code, stage)
        )
    )
    union all
    select 'facilities', district_code, phase_id, content_sha256, sheet, row_number, school_code, stage,
        column_name, value
    from facility unpivot include nulls (
        value for column_name in (
            * exclude (district_code, phase_id, content_sha256, sheet, row_number, school_code, stage)
        )
    )
)
select g.dataset || '.' || g.column_name as input, g.*
from figure g
