select f.district_code, f.phase_id, a.item, a.year, a.value::double as value,
    a.year = max(a.year) over (partition by f.district_code, f.phase_id, a.item) as is_newest
from core.chosen_file f
semi join run_evaluation using (district_code, phase_id)
join accepted.district_figures a using (content_sha256)
where f.dataset = 'district_figures'
