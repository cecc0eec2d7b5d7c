-- 整改进度各行合计等于问题清单
-- dataset: mart.remediation_progress
-- severity: blocking
with listed as (
    select district_code, phase_id, indicator_code, count(*) as findings,
        count(*) filter (state = 'closed') as closed
    from mart.finding
    semi join run_evaluation using (district_code, phase_id)
    group by all
), summed as (
    select district_code, phase_id, indicator_code, sum(findings) as findings, sum(closed) as closed,
        sum(closed + open + reopened) as states
    from mart.remediation_progress
    semi join run_evaluation using (district_code, phase_id)
    where findings > 0
    group by all
)
select district_code, phase_id,
    indicator_code || '：问题清单 ' || coalesce(l.findings, 0) || '，整改进度 ' || coalesce(s.findings, 0) as offender
from listed l
full join summed s using (district_code, phase_id, indicator_code)
where l.findings is distinct from s.findings or l.closed is distinct from s.closed or s.states is distinct from s.findings
