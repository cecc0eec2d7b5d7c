-- Budgets of each school in its newest year.
select f.district_code, f.phase_id, a.*
from core.chosen_file f
semi join run_evaluation using (district_code, phase_id)
join accepted.school_finance a using (content_sha256)
where f.dataset = 'school_finance'
qualify a.year = max(a.year) over (partition by f.district_code, f.phase_id, a.school_code)
