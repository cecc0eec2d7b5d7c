-- Music and art rooms of the schools in scope.
select f.district_code, f.phase_id, a.school_code, a.kind, a.room_no, a.area_m2,
    a.content_sha256, a.sheet, a.row_number
from core.chosen_file f
join run_evaluation using (district_code, phase_id)
join accepted.special_rooms a using (content_sha256)
join core.school s
    on s.district_code = f.district_code and s.phase_id = f.phase_id and s.school_code = a.school_code
where f.dataset = 'special_rooms' and s.in_scope
