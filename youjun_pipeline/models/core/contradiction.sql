-- Figures above the whole of which they are a part, if no ratio compares the two: neither figure can be believed.
select p.district_code, p.phase_id, p.school_code, p.stage, p.year, p.item, unnest([p.input, w.input]) as input,
    exact(p.value) || ' 多于 ' || exact(w.value) as text
from core.figure p
semi join run_evaluation e on e.district_code = p.district_code and e.phase_id = p.phase_id
join (values
    ('teachers.full_time', 'teachers.staff'),
    ('recognition.valid', 'recognition.issued'),
    ('assurance.G11.rotated', 'assurance.G11.eligible'),
    ('assurance.G11.rotated_backbone', 'assurance.G11.rotated'),
    ('assurance.G14.allotted_rural', 'assurance.G14.allotted')
) pair (part, whole) on pair.part = p.input
join core.figure w
    on w.input = pair.whole and w.district_code = p.district_code and w.phase_id = p.phase_id
    and w.school_code is not distinct from p.school_code and w.stage is not distinct from p.stage
    and w.year is not distinct from p.year and w.item is not distinct from p.item
where p.value > w.value
