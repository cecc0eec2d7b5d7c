-- 规则影响：同样的数据换用其他规则时会改变的判定。
-- Base verdicts are in mart, those under other rules in youjun_scenario.mart; a row in only one of them is outside the evaluation
-- of the other.
with pair as (
    select e.district_code, e.base_phase_id as phase_id, e.phase_id as variant_phase_id, e.variant, c.title
    from youjun_scenario.main.evaluation e
    join run_comparison c on c.comparison = e.variant
), indicator_before as (
    select p.variant, i.district_code, i.phase_id, i.indicator_code, i.stage, i.school_code, i.school_name, i.status
    from mart.school_indicator i
    join pair p using (district_code, phase_id)
), indicator_after as (
    select p.variant, i.district_code, p.phase_id, i.indicator_code, i.stage, i.school_code, i.school_name, i.status,
        i.reason
    from youjun_scenario.mart.school_indicator i
    join pair p on p.district_code = i.district_code and p.variant_phase_id = i.phase_id
), section_before as (
    select p.variant, v.district_code, v.phase_id, v.stage, v.school_code, v.school_name, passed(passes_resource_rule) as status
    from mart.school_verdict v
    join pair p using (district_code, phase_id)
), section_after as (
    select p.variant, v.district_code, p.phase_id, v.stage, v.school_code, v.school_name,
        passed(passes_resource_rule) as status, v.reason
    from youjun_scenario.mart.school_verdict v
    join pair p on p.district_code = v.district_code and p.variant_phase_id = v.phase_id
), district_before as (
    select p.variant, d.district_code, d.phase_id, d.indicator_code, d.status
    from mart.district_indicator d
    join pair p using (district_code, phase_id)
), district_after as (
    select p.variant, d.district_code, p.phase_id, d.indicator_code, d.status, d.summary
    from youjun_scenario.mart.district_indicator d
    join pair p on p.district_code = d.district_code and p.variant_phase_id = d.phase_id
), changed as (
    select variant, district_code, phase_id, 'school' as level, indicator_code, stage, school_code,
        coalesce(a.school_name, b.school_name) as school_name, b.status as status_before, a.status as status_after, a.reason
    from indicator_before b
    full join indicator_after a using (variant, district_code, phase_id, indicator_code, stage, school_code)
    where b.status is distinct from a.status
    union all
    select variant, district_code, phase_id, 'section', null, stage, school_code,
        coalesce(a.school_name, b.school_name), b.status, a.status, a.reason
    from section_before b
    full join section_after a using (variant, district_code, phase_id, stage, school_code)
    where b.status is distinct from a.status
    union all
    select p.variant, b.district_code, b.phase_id, 'stage', b.indicator_code, b.stage, null, null, b.status, a.status, a.reason
    from pair p
    join mart.stage_balance b using (district_code, phase_id)
    join youjun_scenario.mart.stage_balance a
        on a.district_code = p.district_code and a.phase_id = p.variant_phase_id and a.stage = b.stage
        and a.indicator_code = b.indicator_code
    where b.status is distinct from a.status
    union all
    select variant, district_code, phase_id, 'district_indicator', indicator_code, null, null, null, b.status, a.status,
        a.summary
    from district_before b
    full join district_after a using (variant, district_code, phase_id, indicator_code)
    where b.status is distinct from a.status
    union all
    select p.variant, b.district_code, b.phase_id, 'district', null, null, null, null, passed(b.passes), passed(a.passes),
        a.summary
    from pair p
    join mart.district_verdict b using (district_code, phase_id)
    join youjun_scenario.mart.district_verdict a
        on a.district_code = p.district_code and a.phase_id = p.variant_phase_id
    where b.passes is distinct from a.passes
)
select c.district_code, c.phase_id, c.variant as compared_with, p.title as compared_title, c.level, c.indicator_code,
    c.stage, c.school_code, c.school_name, coalesce(c.status_before, 'not_applicable') as status_before,
    coalesce(c.status_after, 'not_applicable') as status_after,
    p.title || '：' || case
        when c.status_before is null then '改为纳入评估，' || c.reason
        when c.status_after is null then '不再纳入评估'
        else c.reason
    end as reason
from changed c
join pair p using (variant, district_code, phase_id)
