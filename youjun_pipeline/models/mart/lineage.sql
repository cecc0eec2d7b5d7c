-- An input that was never delivered is here without place and value: this is why its indicator has no value.
with judgement as (
    select j.district_code, j.phase_id, j.school_code, j.stage, j.indicator_code, d.is_split, d.category
    from mart.school_indicator j
    join run_evaluation e using (district_code, phase_id)
    join standard.indicator d on d.standard_id = e.standard_id and d.indicator_code = j.indicator_code
), resource as (
    select s.district_code, s.phase_id, s.school_code, s.stage, n.indicator_code, n.input, n.waiver,
        i.value::double as value, n.factor::double as factor, if(d.is_split, s.share, null) as share, i.content_sha256,
        i.sheet, i.row_number
    from core.section s
    join run_evaluation e using (district_code, phase_id)
    join standard.numerator n on n.standard_id = e.standard_id and n.stage = s.stage
    join standard.indicator d on d.standard_id = e.standard_id and d.indicator_code = n.indicator_code
    left join core.input i
        on i.district_code = s.district_code and i.phase_id = s.phase_id and i.school_code = s.school_code
        and i.stage = s.stage and i.input = n.input
    left join core.school_waiver w
        on w.district_code = s.district_code and w.phase_id = s.phase_id and w.school_code = s.school_code
        and w.waiver = n.waiver
    -- a figure that counts through a waiver is an input only if the school has the waiver and reports the figure
    where n.waiver is null or (w.waiver is not null and i.value is not null)
), roster as (
    select s.district_code, s.phase_id, s.school_code, a.content_sha256, a.sheet, a.row_number,
        -- split resources depend on the pupils of all the school's stages, other resources on those of their own stage
        list_filter([if(s.has_primary, 'primary_students', null), if(s.has_junior, 'junior_students', null)],
            lambda c: c is not null) as compulsory,
        list_filter([if(s.has_primary, 'primary_students', null), if(s.has_junior, 'junior_students', null),
            if(s.has_senior, 'senior_students', null)], lambda c: c is not null) as taught,
        {'primary_students': a.primary_students::double, 'junior_students': a.junior_students::double,
            'senior_students': a.senior_students::double, 'migrant_students': a.migrant_students::double,
            'built_year': a.built_year::double} as number,
        {'school_type': a.school_type, 'urban_rural': a.urban_rural, 'dense_urban': if(a.dense_urban, '是', '否')} as word
    from core.school s
    join core.chosen_file f
        on f.district_code = s.district_code and f.phase_id = s.phase_id and f.dataset = 'schools'
    join accepted.schools a on a.content_sha256 = f.content_sha256 and a.school_code = s.school_code
    semi join run_evaluation e on e.district_code = s.district_code and e.phase_id = s.phase_id
), rested as (
    -- the figures of the school that its judgement uses in any case
    select j.*, r.* exclude (district_code, phase_id, school_code, taught),
        case
            when j.indicator_code = 'G4'
                then if(j.stage = 'compulsory', r.compulsory, [j.stage || '_students']) || ['school_type']
            when j.is_split then r.taught
            when j.category = 'resource' then [j.stage || '_students']
            else []
        end as columns
    from judgement j
    join roster r using (district_code, phase_id, school_code)
), asked as (
    select * exclude (columns, compulsory), null as waiver, unnest(columns) as column_name
    from rested
    union all
    -- the facts on which a waiver in force was granted
    select distinct r.* exclude (columns, compulsory), w.waiver,
        unnest(list_filter(case c.condition
            when 'min_students' then r.compulsory
            when 'max_students' then r.compulsory
            when 'migrant_share_above' then ['migrant_students'] || r.compulsory
            when 'built_until' then ['built_year']
            when 'or_urban_rural' then ['urban_rural']
            when 'or_school_type' then ['school_type']
            when 'all_through_type' then ['school_type']
            when 'or_all_through_type' then ['school_type']
            when 'max_class_students' then []
            else [c.condition]
        end, lambda column_name: not list_contains(r.columns, column_name)))
    from rested r
    join run_evaluation e using (district_code, phase_id)
    join (from core.school_waiver where is_certain) w using (district_code, phase_id, school_code, indicator_code)
    join standard.waiver_condition c on c.standard_id = e.standard_id and c.waiver = w.waiver
), school_figure as (
    select district_code, phase_id, school_code, stage, indicator_code, waiver, column_name, content_sha256, sheet,
        row_number,
        case column_name
            when 'primary_students' then number.primary_students
            when 'junior_students' then number.junior_students
            when 'senior_students' then number.senior_students
            when 'migrant_students' then number.migrant_students
            when 'built_year' then number.built_year
        end as value,
        case column_name
            when 'school_type' then word.school_type
            when 'urban_rural' then word.urban_rural
            when 'dense_urban' then word.dense_urban
        end as detail
    from asked
), class_count as (
    select district_code, phase_id, school_code, count(*)::double as classes, min(content_sha256) as content_sha256,
        if(min(sheet) = max(sheet), min(sheet), null) as sheet
    from core.class_list
    semi join run_evaluation using (district_code, phase_id)
    group by district_code, phase_id, school_code
), class_band as (
    select district_code, phase_id, school_code, stage, classes::double as classes, content_sha256, sheet, row_number,
        '班额 ' || students_from || coalesce('–' || students_to || ' 人', ' 人及以上') as band
    from core.class_band
    semi join run_evaluation using (district_code, phase_id)
    where coalesce(classes, 1) > 0
), figure as (
    select district_code, phase_id, school_code, stage, indicator_code, input, waiver, value, factor, share,
        null::varchar as detail, split_part(input, '.', 1) as dataset, split_part(input, '.', 2) as column_name,
        content_sha256, sheet, row_number
    from resource
    union all
    select district_code, phase_id, school_code, stage, indicator_code, 'schools.' || column_name, waiver, value, null,
        null, detail, 'schools', column_name, content_sha256, sheet, row_number
    from school_figure
    union all
    select district_code, phase_id, school_code, stage, 'G5', 'classes.students', null, students::double, null, null,
        grade || '年级' || class_no || '班', 'classes', 'students', content_sha256, sheet, row_number
    from core.class_list
    semi join run_evaluation using (district_code, phase_id)
    union all
    select j.district_code, j.phase_id, j.school_code, j.stage, 'G3', 'classes.class_no', null, c.classes, null, null,
        null, 'classes', 'class_no', c.content_sha256, c.sheet, null
    from judgement j
    join class_count c using (district_code, phase_id, school_code)
    where j.indicator_code = 'G3'
    union all
    select j.district_code, j.phase_id, j.school_code, j.stage, j.indicator_code, 'class_bands.classes', null, b.classes,
        null, null, b.band, 'class_bands', 'classes', b.content_sha256, b.sheet, b.row_number
    from judgement j
    join class_band b using (district_code, phase_id, school_code)
    where j.indicator_code = 'G3' or (j.indicator_code = 'G5' and j.stage = b.stage)
    union all
    select j.district_code, j.phase_id, j.school_code, j.stage, 'G3', 'special_rooms.area_m2', null, r.area_m2::double,
        null, null, case r.kind when 'music' then '音乐' when 'art' then '美术' end || ' ' || r.room_no, 'special_rooms',
        'area_m2', r.content_sha256, r.sheet, r.row_number
    from judgement j
    join core.room r using (district_code, phase_id, school_code)
    where j.indicator_code = 'G3'
    union all
    select district_code, phase_id, school_code, stage, indicator_code, input, null, value, null, null, detail, dataset,
        column_name, content_sha256, sheet, row_number
    from core.district_input
    semi join run_evaluation using (district_code, phase_id)
)
select g.district_code, g.phase_id, g.school_code, g.stage, g.indicator_code, g.input, g.value, g.detail, g.factor,
    g.share, g.waiver, f.delivery, coalesce(t.source_file, f.file) as file, coalesce(t.source_sheet, g.sheet) as sheet,
    coalesce(t.source_row, g.row_number) as "row", g.column_name, coalesce(t.source_column, c.source_column) as source_column,
    coalesce(t.header, c.header) as header
from figure g
left join core.chosen_file f
    on f.district_code = g.district_code and f.phase_id = g.phase_id and f.content_sha256 = g.content_sha256
    and f.dataset = g.dataset
left join raw.source_column c
    on c.content_sha256 = g.content_sha256 and c.column_name = g.column_name and c.dataset = g.dataset
    and c.sheet = g.sheet
-- a row of the official statistics is composed from cells of several sheets or workbooks
left join raw.statistics_source t
    on t.content_sha256 = g.content_sha256 and t.dataset = g.dataset and t.sheet = g.sheet
    and t.row_number = g.row_number and t.column_name = g.column_name
