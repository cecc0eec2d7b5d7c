-- G6: every school or teaching point with fewer than a hundred pupils is budgeted as if it had a hundred.
-- An all-through school's norm is weighted by its pupils of each stage.
with limited as (
    select e.district_code, e.phase_id, e.funding_norm_primary_yuan as norm_primary,
        e.funding_norm_junior_yuan as norm_junior, l.value as target, funded.value as funded_students,
        wan.value as wan_in_yuan
    from run_evaluation e
    join standard.limit l on l.standard_id = e.standard_id and l.indicator_code = 'G6'
    join standard.parameter funded on funded.standard_id = e.standard_id and funded.parameter = 'funded_students'
    join standard.parameter wan on wan.standard_id = e.standard_id and wan.parameter = 'wan_in_yuan'
), school as (
    select l.*, s.school_code, s.school_name, s.compulsory_students,
        if(f.may_be_outdated, null, f.public_funds_budget_wan::decimal(24, 6) * wan_in_yuan::decimal(9, 0)) as budget_yuan,
        -- pupils × norm; a stage without pupils needs no norm
        if(s.has_primary, s.primary_students::decimal(9, 0) * l.norm_primary, 0)
            + if(s.has_junior, s.junior_students::decimal(9, 0) * l.norm_junior, 0) as weighted_norm
    from limited l
    join core.school s using (district_code, phase_id)
    left join core.finance f
        on f.district_code = l.district_code and f.phase_id = l.phase_id and f.school_code = s.school_code
    where s.is_small_school
), compared as (
    select *,
        case
            when compulsory_students is null or budget_yuan is null or weighted_norm is null then 'no_data'
            when budget_yuan * compulsory_students::decimal(9, 0) >= funded_students::decimal(9, 0) * weighted_norm
                then 'met'
            else 'below'
        end as status
    from school
), counted as (
    select l.district_code, l.phase_id, l.target,
        count(c.school_code) as schools,
        count(*) filter (c.status = 'met') as met,
        count(*) filter (c.status = 'below') as below,
        count(*) filter (c.status = 'no_data') as no_data,
        list(c.school_name order by c.school_code) filter (c.status = 'below') as failing,
        list(c.school_name order by c.school_code) filter (c.status = 'no_data') as unknown
    from limited l
    left join compared c using (district_code, phase_id)
    group by l.district_code, l.phase_id, l.target
)
select district_code, phase_id, 'G6' as indicator_code, 1 as part,
    case when schools > 0 then met / schools end as value,
    target::double as target,
    case when below > 0 then 'below' when no_data > 0 then 'no_data' else 'met' end as status,
    case
        when schools = 0 then '没有小规模学校'
        when below > 0 then array_to_string(failing, '、') || ' 未足额核定小规模学校公用经费'
        when no_data > 0 then array_to_string(unknown, '、') || ' 的学生数、公用经费预算或基准定额不全'
        else schools || ' 所小规模学校均足额核定公用经费'
    end as summary
from counted
