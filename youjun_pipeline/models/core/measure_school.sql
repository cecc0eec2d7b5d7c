-- Schools that measures name; school_code is null if no school has the name.
select m.district_code, m.phase_id, m.measure_no, m.indicator_code, m.stage, n.school_code, n.name
from core.measure m
semi join run_evaluation using (district_code, phase_id)
join core.named_school n
    on n.district_code = m.district_code and n.phase_id = m.phase_id and n.dataset = 'measures'
    and n.column_name = 'school_names' and n.content_sha256 = m.content_sha256 and n.sheet = m.sheet
    and n.row_number = m.row_number
