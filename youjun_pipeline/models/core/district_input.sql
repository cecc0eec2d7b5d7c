-- Every reported figure or conclusion that a district indicator rests on, one per row, with the cell it stands in.
-- What the indicator asks for and nobody reported stands here too, with no place. Detail says which one of several it is.
with asked as (
    select e.district_code, e.phase_id, unnest([
        {'indicator_code': 'G7', 'item': 'funds_yuan'}, {'indicator_code': 'G7', 'item': 'students'},
        {'indicator_code': 'G8', 'item': 'teacher_salary_yuan'},
        {'indicator_code': 'G8', 'item': 'civil_servant_salary_yuan'},
        {'indicator_code': 'G11', 'item': 'rotated'}, {'indicator_code': 'G11', 'item': 'eligible'},
        {'indicator_code': 'G11', 'item': 'rotated_backbone'},
        {'indicator_code': 'G14', 'item': 'allotted'}, {'indicator_code': 'G14', 'item': 'places'},
        {'indicator_code': 'G15', 'item': 'public'}, {'indicator_code': 'G15', 'item': 'purchased'},
        {'indicator_code': 'G15', 'item': 'eligible'},
        {'indicator_code': 'Q2', 'item': 'enrolled'}, {'indicator_code': 'Q2', 'item': 'eligible'}
    ], recursive := true)
    from run_evaluation e
), assurance as (
    select q.district_code, q.phase_id, q.indicator_code, 'assurance.' || q.indicator_code || '.' || q.item as input,
        a.value::double as value, null::varchar as detail, 'value' as column_name, a.content_sha256, a.sheet,
        a.row_number
    from asked q
    left join core.assurance a
        on a.district_code = q.district_code and a.phase_id = q.phase_id
        and a.item = q.indicator_code || '.' || q.item
    union all
    select e.district_code, e.phase_id, i.indicator_code, 'assurance.' || i.indicator_code || '.' || c.column_name,
        null, case when c.column_name = 'evidence' then a.evidence
            when a.conclusion = 'met' then '达标' when a.conclusion = 'not_met' then '未达标' end,
        c.column_name, a.content_sha256, a.sheet, a.row_number
    from run_evaluation e
    join standard.indicator i on i.standard_id = e.standard_id and i.evidence_based
    join (values ('conclusion'), ('evidence')) c (column_name)
        on i.category <> 'veto' or c.column_name = 'conclusion'
    left join core.assurance a
        on a.district_code = e.district_code and a.phase_id = e.phase_id and a.item = i.indicator_code
), teacher as (
    select i.district_code, i.phase_id, w.indicator_code, i.school_code, i.stage, i.input, i.value::double as value,
        i.column_name, i.content_sha256, i.sheet, i.row_number
    from core.input i
    semi join run_evaluation using (district_code, phase_id)
    join (values ('G9', 'teachers.trained_360h'), ('G9', 'teachers.full_time'), ('G12', 'teachers.certified'),
        ('G12', 'teachers.full_time')) w (indicator_code, input) using (input)
), roster as (
    select s.district_code, s.phase_id, s.school_code, a.content_sha256, a.sheet, a.row_number,
        unnest(if(s.is_town_day_school and s.has_primary, [
            {'indicator_code': 'G13', 'column_name': 'catchment_primary_students', 'value': a.catchment_primary_students},
            {'indicator_code': 'G13', 'column_name': 'primary_students', 'value': a.primary_students}], [])
        || if(s.is_town_day_school and s.has_junior, [
            {'indicator_code': 'G13', 'column_name': 'catchment_junior_students', 'value': a.catchment_junior_students},
            {'indicator_code': 'G13', 'column_name': 'junior_students', 'value': a.junior_students}], [])
        || if(s.is_small_school and s.has_primary, [
            {'indicator_code': 'G6', 'column_name': 'primary_students', 'value': a.primary_students}], [])
        || if(s.is_small_school and s.has_junior, [
            {'indicator_code': 'G6', 'column_name': 'junior_students', 'value': a.junior_students}], []),
        recursive := true)
    from core.school s
    join core.chosen_file f
        on f.district_code = s.district_code and f.phase_id = s.phase_id and f.dataset = 'schools'
    join accepted.schools a on a.content_sha256 = f.content_sha256 and a.school_code = s.school_code
    semi join run_evaluation e on e.district_code = s.district_code and e.phase_id = s.phase_id
), finance as (
    select s.district_code, s.phase_id, s.school_code, f.content_sha256, f.sheet, f.row_number,
        unnest(if(s.in_scope, [
            {'indicator_code': 'Q4', 'column_name': 'training_budget_wan', 'value': f.training_budget_wan},
            {'indicator_code': 'Q4', 'column_name': 'public_funds_budget_wan', 'value': f.public_funds_budget_wan}], [])
        || if(s.is_small_school, [
            {'indicator_code': 'G6', 'column_name': 'public_funds_budget_wan', 'value': f.public_funds_budget_wan}], []),
        recursive := true)
    from core.school s
    semi join run_evaluation using (district_code, phase_id)
    left join core.finance f using (district_code, phase_id, school_code)
), newest as (
    select f.district_code, f.phase_id, 'Q1' as indicator_code, a.school_code, 'graduation_cohorts' as dataset,
        a.year || '年' as detail, a.content_sha256, a.sheet, a.row_number,
        unnest([
            {'column_name': 'graduates', 'value': a.graduates::double},
            {'column_name': 'transferred_in', 'value': a.transferred_in::double},
            {'column_name': 'transferred_out', 'value': a.transferred_out::double},
            {'column_name': 'entrants', 'value': a.entrants::double},
            {'column_name': 'deaths', 'value': a.deaths::double}
        ], recursive := true)
    from core.chosen_file f
    semi join run_evaluation using (district_code, phase_id)
    join accepted.graduation_cohorts a using (content_sha256)
    where f.dataset = 'graduation_cohorts'
    qualify a.year = max(a.year) over (partition by f.district_code, f.phase_id)
    union all
    select f.district_code, f.phase_id, 'S1', null, 'recognition',
        a.year || '年' || a.respondent_group || coalesce(a.method, ''), a.content_sha256, a.sheet, a.row_number,
        unnest([
            {'column_name': 'satisfied', 'value': a.satisfied::double},
            {'column_name': 'valid', 'value': a.valid::double}
        ], recursive := true)
    from core.chosen_file f
    semi join run_evaluation using (district_code, phase_id)
    join accepted.recognition a using (content_sha256)
    where f.dataset = 'recognition'
    qualify a.year = max(a.year) over (partition by f.district_code, f.phase_id)
    union all
    select f.district_code, f.phase_id, 'Q9', null, 'quality_monitoring',
        a.cycle || '年' || a.grade || '年级' || a.subject, a.content_sha256, a.sheet, a.row_number,
        unnest([
            {'column_name': 'level', 'value': a.level::double},
            {'column_name': 'between_school_rate', 'value': a.between_school_rate::double}
        ], recursive := true)
    from core.chosen_file f
    semi join run_evaluation using (district_code, phase_id)
    join accepted.quality_monitoring a using (content_sha256)
    where f.dataset = 'quality_monitoring'
    qualify a.cycle = max(a.cycle) over (partition by f.district_code, f.phase_id, a.grade, a.subject)
)
select district_code, phase_id, indicator_code, null::varchar as school_code, null::varchar as stage, input, value,
    detail, 'assurance' as dataset, column_name, content_sha256, sheet, row_number
from assurance
union all
select district_code, phase_id, indicator_code, school_code, stage, input, value, null, 'teachers', column_name,
    content_sha256, sheet, row_number
from teacher
union all
select district_code, phase_id, indicator_code, school_code, null, 'schools.' || column_name, value::double, null,
    'schools', column_name, content_sha256, sheet, row_number
from roster
union all
select district_code, phase_id, indicator_code, school_code, null, 'school_finance.' || column_name, value::double,
    null, 'school_finance', column_name, content_sha256, sheet, row_number
from finance
union all
select district_code, phase_id, indicator_code, school_code, null, dataset || '.' || column_name, value, detail,
    dataset, column_name, content_sha256, sheet, row_number
from newest
