-- 各班额档的班数之和等于该学段班数合计
-- dataset: class_bands
-- severity: warning
select b.district_code, b.phase_id,
    k.school_name || ' ' || stage_word(b.stage) || '：各档合计 ' || sum(b.classes) || '，班数合计 ' || max(b.stage_classes) as offender
from core.class_band b
semi join run_evaluation using (district_code, phase_id)
join core.school k using (district_code, phase_id, school_code)
group by b.district_code, b.phase_id, b.school_code, k.school_name, b.stage
having sum(b.classes) <> max(b.stage_classes)
