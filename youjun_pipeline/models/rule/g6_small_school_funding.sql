-- G6: every school or teaching point with fewer than a hundred pupils is budgeted as if it had a hundred.
-- An all-through school's norm is weighted by its pupils of each stage. The known part of its pupils decides whether a school is
-- small; without any norm nothing is known.
with limited as (
    select e.district_code, e.phase_id, r.indicator_code, r.part, e.funding_norm_primary_yuan as norm_primary,
        e.funding_norm_junior_yuan as norm_junior, l.value as target, funded.value::decimal(9, 0) as funded_students,
        wan.value::decimal(9, 0) as wan_in_yuan, y.year, y.ahead, y.missing_ahead
    from run_evaluation e
    join standard.ratio r on r.standard_id = e.standard_id and r.judged = 'funding'
    join core.limit l
        on l.district_code = e.district_code and l.phase_id = e.phase_id and l.indicator_code = r.indicator_code
        and l.variant = r.limit_variant
    join core.parameter funded
        on funded.district_code = e.district_code and funded.phase_id = e.phase_id and funded.parameter = 'funded_students'
    join core.parameter wan
        on wan.district_code = e.district_code and wan.phase_id = e.phase_id and wan.parameter = 'wan_in_yuan'
    left join core.reported_year y
        on y.district_code = e.district_code and y.phase_id = e.phase_id and y.indicator_code = r.indicator_code
        and y.part = r.part
), school as (
    select l.*, u.school_code, u.school_name, u.is_member,
        u.numerator * wan_in_yuan as budget_yuan,
        -- compared without a division: pupils × budget against pupils × norm; a stage without pupils needs no norm
        s.pupils,
        if(s.has_primary, s.primary_students * l.norm_primary, 0)
            + if(s.has_junior, s.junior_students * l.norm_junior, 0) as weighted_norm
    from limited l
    join core.ratio_unit u using (district_code, phase_id, indicator_code, part)
    join (
        -- with all its campuses; null as soon as one of them does not report its pupils
        select district_code, phase_id, campus_of as school_code,
            bool_or(has_primary) as has_primary, bool_or(has_junior) as has_junior,
            if(bool_and(compulsory_students is not null), sum(compulsory_students), null)::decimal(9, 0) as pupils,
            if(bool_and(primary_students is not null) filter (has_primary), sum(primary_students) filter (has_primary), null)
                ::decimal(9, 0) as primary_students,
            if(bool_and(junior_students is not null) filter (has_junior), sum(junior_students) filter (has_junior), null)
                ::decimal(9, 0) as junior_students
        from core.school
        group by all
    ) s using (district_code, phase_id, school_code)
), compared as (
    select *,
        case
            when budget_yuan is null or pupils is null or weighted_norm is null then 'no_data'
            when budget_yuan * pupils >= funded_students * weighted_norm then 'met'
            else 'below'
        end as status
    from school
), counted as (
    select l.district_code, l.phase_id, l.indicator_code, l.part, l.target, l.year, l.ahead, l.missing_ahead,
        l.norm_primary is null and l.norm_junior is null as lacks_norm,
        count(c.school_code) as schools,
        count(*) filter (c.status = 'met') as met,
        count(*) filter (c.status = 'below') as below,
        count(*) filter (c.status = 'no_data') as no_data,
        list(c.school_name order by c.school_code) filter (c.status = 'below') as failing,
        list(c.school_name order by c.school_code) filter (c.status = 'no_data') as unknown
    from limited l
    left join compared c using (district_code, phase_id, indicator_code, part)
    group by all
)
select district_code, phase_id, indicator_code, part,
    case when schools > 0 and no_data = 0 then met / schools end as value,
    target::double as target,
    case when below > 0 then 'below' when lacks_norm or no_data > 0 then 'no_data' else 'met' end as status,
    concat_ws('；', case
        when lacks_norm then '没有给出生均公用经费基准定额'
        when schools = 0 then '没有小规模学校'
        when below > 0 then array_to_string(failing, '、') || ' 未足额核定小规模学校公用经费'
        when no_data > 0 then array_to_string(unknown, '、') || ' 的学生数、公用经费预算或基准定额不全'
        else schools || ' 所小规模学校均足额核定公用经费'
    end,
    if(ahead is not null, ahead || ' 年尚未报齐（缺 ' || ten_of(missing_ahead) || '），按 ' || year || ' 年判定', null)) as summary
from counted
