select f.district_code, f.phase_id, a.year, a.respondent_group, a.method, a.issued, a.valid, a.satisfied,
    case when a.valid > 0 then a.satisfied / a.valid end as rate
from core.chosen_file f
semi join run_evaluation using (district_code, phase_id)
join accepted.recognition a using (content_sha256)
where f.dataset = 'recognition'
qualify a.year = max(a.year) over (partition by f.district_code, f.phase_id)
