-- The answers of the recognition survey in the year in which it is judged, each row with its group by the catalogue.
select f.district_code, f.phase_id, a.year, coalesce(g.respondent_group, a.respondent_group) as stratum, a.respondent_group,
    a.method, a.issued, a.valid, a.satisfied,
    -- more satisfied answers than answers, or more answers than people asked: neither figure can be believed
    a.satisfied > a.valid or a.valid > a.issued as is_contradiction
from core.chosen_file f
join run_evaluation e using (district_code, phase_id)
join accepted.recognition a using (content_sha256)
left join standard.respondent_group g
    on g.standard_id = e.standard_id and list_contains(g.words, a.respondent_group)
where f.dataset = 'recognition' and exists (
    from core.reported_year y
    join standard.ratio r
        on r.standard_id = e.standard_id and r.indicator_code = y.indicator_code and r.part = y.part
        and r.dataset = 'recognition'
    where y.district_code = f.district_code and y.phase_id = f.phase_id and y.year = a.year
)
