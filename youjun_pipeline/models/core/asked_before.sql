-- The first year in which each group of the catalogue was asked for its satisfaction.
select f.district_code, f.phase_id, g.respondent_group, min(a.year) as first_year
from core.chosen_file f
join run_evaluation e using (district_code, phase_id)
join accepted.recognition a using (content_sha256)
join standard.respondent_group g on g.standard_id = e.standard_id and list_contains(g.words, a.respondent_group)
where f.dataset = 'recognition'
group by all
