-- 数据溯源：每项学校指标所用的每个原始数据及其所在的文件、工作表、行、列。
-- An input that was never delivered stands here with no place and no value: that is why its indicator has none.
with resource as (
    select s.district_code, s.phase_id, s.school_code, s.stage, n.indicator_code, n.input, n.waiver,
        i.value, if(d.is_split, s.share, null) as share, i.dataset, i.column_name, i.content_sha256, i.sheet, i.row_number
    from core.section s
    join run_evaluation e using (district_code, phase_id)
    join standard.numerator n on n.standard_id = e.standard_id and n.stage = s.stage
    join standard.indicator d on d.standard_id = e.standard_id and d.indicator_code = n.indicator_code
    left join core.input i
        on i.district_code = s.district_code and i.phase_id = s.phase_id and i.school_code = s.school_code
        and i.stage = s.stage and i.input = n.input
), roster as (
    select f.district_code, f.phase_id, a.school_code, a.content_sha256, a.sheet, a.row_number,
        unnest([
            {'of_stage': 'primary', 'column_name': 'primary_students', 'value': a.primary_students},
            {'of_stage': 'junior', 'column_name': 'junior_students', 'value': a.junior_students},
            {'of_stage': 'senior', 'column_name': 'senior_students', 'value': a.senior_students}
        ], recursive := true)
    from core.chosen_file f
    join run_evaluation e using (district_code, phase_id)
    join accepted.schools a using (content_sha256)
    where f.dataset = 'schools'
), judgement as (
    select district_code, phase_id, school_code, stage, indicator_code from mart.school_indicator
    semi join run_evaluation using (district_code, phase_id)
), students as (
    -- split resources rest on the pupils of all stages, the others on those of their own
    select j.district_code, j.phase_id, j.school_code, j.stage, j.indicator_code,
        'schools.' || r.column_name as input, null as waiver, r.value::decimal(18, 6) as value, null::double as share,
        'schools' as dataset, r.column_name, r.content_sha256, r.sheet, r.row_number
    from judgement j
    join run_evaluation e using (district_code, phase_id)
    join standard.indicator d on d.standard_id = e.standard_id and d.indicator_code = j.indicator_code
    join roster r using (district_code, phase_id, school_code)
    where (d.category = 'resource' or d.indicator_code = 'G4')
        and (r.of_stage = j.stage or (d.is_split and r.value > 0)
            or (j.stage = 'compulsory' and r.of_stage <> 'senior'))
), class_size as (
    select district_code, phase_id, school_code, stage, 'G5' as indicator_code, 'classes.students' as input,
        null as waiver, students::decimal(18, 6) as value, null::double as share, 'classes' as dataset, 'students' as column_name,
        content_sha256, sheet, row_number
    from core.class_list
    semi join run_evaluation using (district_code, phase_id)
), class_count as (
    select j.district_code, j.phase_id, j.school_code, j.stage, j.indicator_code, 'classes.class_no', null,
        count(*)::decimal(18, 6), null::double, 'classes', 'class_no', min(c.content_sha256), null, null
    from judgement j
    join core.class_list c using (district_code, phase_id, school_code)
    where j.indicator_code = 'G3'
    group by all
), room as (
    select j.district_code, j.phase_id, j.school_code, j.stage, j.indicator_code, 'special_rooms.area_m2',
        null, r.area_m2::decimal(18, 6), null::double, 'special_rooms', 'area_m2', r.content_sha256, r.sheet, r.row_number
    from judgement j
    join core.room r using (district_code, phase_id, school_code)
    where j.indicator_code = 'G3'
), figure as (
    select district_code, phase_id, school_code, stage, indicator_code, input, waiver, value, share, dataset,
        column_name, content_sha256, sheet, row_number
    from resource
    union all select * from students
    union all select * from class_size
    union all select * from class_count
    union all select * from room
)
select
    g.district_code, g.phase_id, g.school_code, g.stage, g.indicator_code, g.input, g.value::double as value, g.share,
    g.waiver, f.delivery, f.file, g.sheet, g.row_number as "row", g.column_name, c.source_column, c.header
from figure g
left join core.chosen_file f
    on f.district_code = g.district_code and f.phase_id = g.phase_id and f.dataset = g.dataset
    and f.content_sha256 = g.content_sha256
left join raw.source_column c
    on c.content_sha256 = g.content_sha256 and c.dataset = g.dataset and c.sheet = g.sheet
    and c.column_name = g.column_name
