-- Findings of the plan audit: numbers that do not agree with what they count. Claimed numbers of schools and indicators are
-- compared with the names given beside them, in all and per indicator and stage; a number without names cannot be compared. And
-- yearly targets that do not add up to their total.
with claim as (
    select *, coalesce(school_code, plain_name(school_name)) as school
    from core.claim
    semi join run_evaluation using (district_code, phase_id)
), named as (
    select c.district_code, c.phase_id, c.indicator_code, c.stage, count(distinct c.school) as named
    from claim c
    where c.level = 'school'
    group by all
), in_all as (
    select district_code, phase_id,
        count(distinct school) filter (level = 'school') as schools,
        count(distinct school) filter (level = 'school' and stage = 'primary') as primary_schools,
        count(distinct school) filter (level = 'school' and stage = 'junior') as junior_schools,
        count(distinct indicator_code) filter (level in ('school', 'stage', 'district')) as indicators
    from claim
    group by all
)
select c.district_code, c.phase_id, 'claimed_count_disagrees' as rule, 'warning' as severity, c.indicator_code, c.stage,
    null::varchar as school_name, null::varchar as measure_no,
    '“' || i.short_name || '”（' || c.indicator_code || '）' || stage_word(c.stage) || '说有 ' || c.claimed_count || ' 所未达标，点名的是 '
        || n.named || ' 所' as message
from claim c
join run_evaluation e using (district_code, phase_id)
join standard.indicator i on i.standard_id = e.standard_id and i.indicator_code = c.indicator_code
join named n
    on n.district_code = c.district_code and n.phase_id = c.phase_id and n.indicator_code = c.indicator_code
    and n.stage is not distinct from c.stage
where c.level = 'count' and c.claimed_count <> n.named
union all
select c.district_code, c.phase_id, 'claimed_count_disagrees', 'warning', null, null, null, null,
    case
        when c.is_of_indicators then '说有 ' || c.claimed_count || ' 项指标未达标，列出的是 ' || a.indicators || ' 项'
        else '说有 ' || c.claimed_count || ' 所学校未达标，点名的是 ' || a.schools || ' 所（不重复计：小学 ' || a.primary_schools || '、初中 '
            || a.junior_schools || '）'
    end
from claim c
join in_all a using (district_code, phase_id)
where c.level = 'total'
    and c.claimed_count <> if(c.is_of_indicators, a.indicators, a.schools)
    and if(c.is_of_indicators, a.indicators, a.schools) > 0
union all
select district_code, phase_id, 'targets_do_not_add_up', 'warning', null, null, null, null,
    '任务 ' || target_no || '“' || metric || '”各期计划加起来不等于总目标：' || figures || ' ' || unit
from rule.target_total
semi join run_evaluation using (district_code, phase_id)
where not adds_up
