-- What kept an evaluation out before anything was computed; without a phase if the district has no phase at all.
select f.district_code, r.phase_id, f.rule as check_name, f.dataset, 'blocking' as severity, false as passed,
    count(*) as failed_rows, string_agg(f.message, '；' order by f.message) as message
from run_failure f
left join run_request r on r.district_code = f.district_code and (f.phase_id is null or f.phase_id = r.phase_id)
group by f.district_code, r.phase_id, f.rule, f.dataset
