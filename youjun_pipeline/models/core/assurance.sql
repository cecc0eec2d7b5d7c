-- What the district reports on government assurance, quality and vetoes: a value, or a conclusion with its evidence.
select f.district_code, f.phase_id, a.item, a.value, a.conclusion, a.evidence,
    f.file, a.content_sha256, a.sheet, a.row_number
from core.chosen_file f
semi join run_evaluation using (district_code, phase_id)
join accepted.assurance a using (content_sha256)
where f.dataset = 'assurance'
