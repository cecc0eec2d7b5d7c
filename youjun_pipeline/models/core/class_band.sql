-- Classes of the sections in scope by size band, as in the official statistics.
select f.district_code, f.phase_id, a.school_code, a.stage, a.students_from, a.students_to, a.classes, a.stage_classes,
    a.content_sha256, a.sheet, a.row_number
from core.chosen_file f
join run_evaluation using (district_code, phase_id)
join accepted.class_bands a using (content_sha256)
join core.section s
    on s.district_code = f.district_code and s.phase_id = f.phase_id
    and s.school_code = a.school_code and s.stage = a.stage
where f.dataset = 'class_bands'
