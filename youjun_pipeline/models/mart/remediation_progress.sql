-- The rows of an indicator add up to its findings; money that the plan gives without a stage has a row of its own.
with late as (
    select distinct m.district_code, m.phase_id, m.finding_id
    from rule.finding_measure m
    join mart.measure_status s using (district_code, phase_id, measure_no)
    semi join run_evaluation using (district_code, phase_id)
    where s.overdue
), found as (
    select f.district_code, f.phase_id, f.indicator_code, f.stage,
        count(*) as findings,
        count(*) filter (state = 'closed') as closed,
        count(*) filter (state = 'open') as open,
        count(*) filter (state = 'reopened') as reopened,
        count(*) filter (signed_off) as signed_off,
        count(*) filter (len(measures) = 0) as without_measure,
        count(*) filter (state <> 'closed' and l.finding_id is not null) as overdue
    from mart.finding f
    semi join run_evaluation using (district_code, phase_id)
    left join late l using (district_code, phase_id, finding_id)
    group by all
), money as (
    select district_code, phase_id, indicator_code, stage, amount_wan as budget_wan, null as spent_wan
    from core.budget
    union all
    select district_code, phase_id, indicator_code, stage, null, spent_wan
    from mart.measure_status
    where spent_wan is not null
), paid as (
    select district_code, phase_id, indicator_code, stage,
        sum(budget_wan)::double as budget_wan, sum(spent_wan)::double as spent_wan
    from money
    semi join run_evaluation using (district_code, phase_id)
    where indicator_code is not null
    group by all
)
select
    coalesce(f.district_code, p.district_code) as district_code,
    coalesce(f.phase_id, p.phase_id) as phase_id,
    coalesce(f.indicator_code, p.indicator_code) as indicator_code,
    coalesce(f.stage, p.stage) as stage,
    coalesce(f.findings, 0) as findings, coalesce(f.closed, 0) as closed, coalesce(f.open, 0) as open,
    coalesce(f.reopened, 0) as reopened, coalesce(f.signed_off, 0) as signed_off,
    coalesce(f.without_measure, 0) as without_measure, coalesce(f.overdue, 0) as overdue,
    p.budget_wan, p.spent_wan,
    f.closed / f.findings as completion
from found f
full join paid p
    on p.district_code = f.district_code and p.phase_id = f.phase_id and p.indicator_code = f.indicator_code
    and coalesce(p.stage, '') = coalesce(f.stage, '')
