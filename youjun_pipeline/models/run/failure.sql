-- What keeps evaluations out: a fault of the district's folder or of a file in use keeps out the whole district (phase_id null);
-- if there was no roster by then, one evaluation is kept out.
select district_code, null::varchar as phase_id, dataset, rule, message
from raw.district_failure
-- this does not use run_request: an unreadable district.toml names no phases
where getvariable('districts') is null or list_contains(getvariable('districts'), district_code)
union all
select distinct f.district_code, null, f.dataset, c.failure_rule,
    f.delivery || '/' || f.file || '：' || c.failure_message
from run_chosen_file f
join raw.content c using (content_sha256, dataset)
where c.failure_rule is not null
union all
select r.district_code, r.phase_id, 'schools', 'schools_missing',
    '阶段“' || r.phase_name || '”截至 ' || r.effective_on || ' 没有学校名册（schools）：请补交'
from run_request r
where not exists (
    from run_chosen_file f
    where f.district_code = r.district_code and f.phase_id = r.phase_id and f.dataset = 'schools'
)
