-- Q4: every school in scope plans at least the required share of its public funds for teacher training.
with school as (
    select s.district_code, s.phase_id, s.school_code, s.school_name, l.value as target,
        f.training_budget_wan, f.public_funds_budget_wan,
        case
            when f.may_be_outdated or f.training_budget_wan is null or f.public_funds_budget_wan is null then 'no_data'
            when f.public_funds_budget_wan <= 0 then 'no_data'
            when f.training_budget_wan >= l.value::decimal(18, 6) * f.public_funds_budget_wan::decimal(20, 6) then 'met'
            else 'below'
        end as status
    from core.school s
    join run_evaluation e using (district_code, phase_id)
    join standard.limit l on l.standard_id = e.standard_id and l.indicator_code = 'Q4'
    left join core.finance f
        on f.district_code = s.district_code and f.phase_id = s.phase_id and f.school_code = s.school_code
    where s.in_scope
), counted as (
    select e.district_code, e.phase_id, l.value as target,
        count(c.school_code) as schools,
        -- the lowest share decides; unknown as long as a school has not reported
        min(training_budget_wan::double / nullif(public_funds_budget_wan, 0)::double) as lowest,
        count(*) filter (c.status = 'below') as below,
        count(*) filter (c.status = 'no_data') as no_data,
        list(c.school_name order by c.school_code) filter (c.status = 'below') as failing
    from run_evaluation e
    join standard.limit l on l.standard_id = e.standard_id and l.indicator_code = 'Q4'
    left join school c using (district_code, phase_id)
    group by e.district_code, e.phase_id, l.value
)
select district_code, phase_id, 'Q4' as indicator_code, 1 as part, lowest as value, target::double as target,
    case when below > 0 then 'below' when schools = 0 or no_data > 0 then 'no_data' else 'met' end as status,
    case
        when below > 0 then below || ' 所学校教师培训经费占公用经费不足 ' || percent1(target::double) || '：'
            || array_to_string(failing[1:10], '、') || if(below > 10, '等', '')
        when schools = 0 or no_data > 0 then no_data || ' 所学校教师培训经费或公用经费预算未报'
        else '各校教师培训经费占公用经费最低 ' || percent1(lowest) || '，标准 ' || percent1(target::double) || '：达标'
    end as summary
from counted
