-- 社会认可度调查：最新年度各类调查对象、各种方式的结果；S1 为各类合计。
select f.district_code, f.phase_id, a.year, a.respondent_group, a.method, a.issued, a.valid, a.satisfied,
    case when a.valid > 0 then a.satisfied / a.valid end as rate
from core.chosen_file f
semi join run_evaluation using (district_code, phase_id)
join accepted.recognition a using (content_sha256)
where f.dataset = 'recognition'
qualify a.year = max(a.year) over (partition by f.district_code, f.phase_id)
