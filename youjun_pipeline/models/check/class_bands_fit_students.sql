-- 按班额分档推算的学生数范围包含该学段在校生数
-- dataset: class_bands
-- severity: warning
with bounds as (
    select district_code, phase_id, school_code, stage,
        sum(students_from * classes) as at_least,
        -- there is no upper bound as soon as a class is in the open band
        if(bool_or(students_to is null and classes > 0), null, sum(students_to * classes)) as at_most
    from core.class_band
    semi join run_evaluation using (district_code, phase_id)
    group by district_code, phase_id, school_code, stage
    having count(*) = count(classes)
)
select s.district_code, s.phase_id,
    k.school_name || ' ' || stage_word(s.stage) || '：按班额分档应有 ' || b.at_least || coalesce('–' || b.at_most || ' 人', ' 人以上')
        || '，在校生 ' || s.students as offender
from core.section s
join bounds b using (district_code, phase_id, school_code, stage)
join core.school k using (district_code, phase_id, school_code)
where s.students < b.at_least or s.students > b.at_most
