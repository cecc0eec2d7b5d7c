-- 班级学生数之和等于该学段在校生数
-- dataset: classes
-- severity: warning
select s.district_code, s.phase_id,
    k.school_name || ' ' || stage_word(s.stage) || '：班级合计 ' || sum(c.students) || '，在校生 ' || s.students as offender
from core.section s
semi join run_evaluation using (district_code, phase_id)
join core.class_list c using (district_code, phase_id, school_code, stage)
join core.school k using (district_code, phase_id, school_code)
where c.students is not null
group by s.district_code, s.phase_id, s.school_code, k.school_name, s.stage, s.students
having sum(c.students) <> s.students
