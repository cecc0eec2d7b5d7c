-- Budgets of each school in its newest year.
-- may_be_outdated: a row that could not be read may be the school's, and of a newer year.
select f.district_code, f.phase_id, a.*,
    exists (
        from core.hidden h
        where h.district_code = f.district_code and h.phase_id = f.phase_id and h.dataset = f.dataset
            and coalesce(h.school_code, a.school_code) = a.school_code and coalesce(h.year > a.year, true)
    ) as may_be_outdated
from core.chosen_file f
semi join run_evaluation using (district_code, phase_id)
join accepted.school_finance a using (content_sha256)
where f.dataset = 'school_finance'
qualify a.year = max(a.year) over (partition by f.district_code, f.phase_id, a.school_code)
