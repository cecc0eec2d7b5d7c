-- Findings of the plan audit: what fails and has no measure, and measures for what does not fail. finding_without_measure: one
-- row for each finding; if no measure was ever delivered, one row for all. annex_lacks_measure: the text of the plan (正文) has a
-- measure, but its annex (附件), which gives dates and owners, has none.
with plan as (
    select district_code, phase_id,
        count(*) as measures,
        bool_or(source = '正文') and bool_or(source = '附件') as has_both_sources
    from core.measure
    semi join run_evaluation using (district_code, phase_id)
    group by district_code, phase_id
), source as (
    select f.district_code, f.phase_id, f.finding_id,
        list(m.measure_no order by m.measure_no) filter (m.source = '正文') as in_text,
        count(*) filter (m.source = '附件') as in_annex
    from rule.finding_measure f
    join core.measure m using (district_code, phase_id, measure_no)
    semi join run_evaluation using (district_code, phase_id)
    group by f.district_code, f.phase_id, f.finding_id
), unsolved as (
    select f.*, p.measures is not null as has_plan, coalesce(p.has_both_sources, false) as has_both_sources,
        s.in_text, coalesce(s.in_annex, 0) as in_annex,
        case f.level
            when 'school' then coalesce(f.school_name, f.school_code) || '的“' || i.short_name || '”（' || f.indicator_code || '，'
                || stage_word(f.stage) || '）未达标'
            when 'stage' then stage_word(f.stage) || '“' || i.short_name || '”（' || f.indicator_code || '）校际差异系数超限'
            else '“' || i.short_name || '”（' || f.indicator_code || '）未达标' || coalesce('：' || f.reason, '')
        end as what
    from mart.finding f
    join run_evaluation e using (district_code, phase_id)
    join standard.indicator i on i.standard_id = e.standard_id and i.indicator_code = f.indicator_code
    left join plan p using (district_code, phase_id)
    left join source s using (district_code, phase_id, finding_id)
    where f.state <> 'closed'
), aim as (
    -- the subjects of a measure: each school, the coefficient of its stage, or the district's item (the last two have no place)
    select m.district_code, m.phase_id, m.measure_no, m.indicator_code, m.stage, m.covers, s.name,
        if(m.covers = 'schools', coalesce(o.origin_code, s.school_code), '') as place
    from core.measure m
    semi join run_evaluation using (district_code, phase_id)
    left join core.measure_school s using (district_code, phase_id, measure_no)
    left join core.school_origin o
        on o.district_code = m.district_code and o.phase_id = m.phase_id and o.school_code = s.school_code
    where not m.is_missing_now and m.indicator_code is not null
        and (m.covers <> 'schools' or s.school_code is not null)
), hit as (
    select distinct l.district_code, l.phase_id, l.measure_no, if(f.level = 'school', f.origin, '') as place
    from rule.finding_measure l
    semi join run_evaluation using (district_code, phase_id)
    join rule.finding_state f using (district_code, phase_id, finding_id)
), answered as (
    select a.*, h.measure_no is not null as has_finding
    from aim a
    left join hit h using (district_code, phase_id, measure_no, place)
), aimless as (
    select district_code, phase_id, measure_no, indicator_code, stage, covers,
        count(*) as named,
        list(name order by name) filter (not has_finding) as without_finding
    from answered
    group by all
    having not bool_and(has_finding)
)
select district_code, phase_id, 'finding_without_measure' as rule, 'serious' as severity, indicator_code, stage,
    school_code, school_name, null::varchar as measure_no, what || '，方案没有任何措施' as message
from unsolved
where has_plan and len(measures) = 0
union all
select district_code, phase_id, 'finding_without_measure', 'serious', null, null, null, null, null,
    '没有报送整改措施清单：' || count(*) || ' 个问题都没有措施'
from unsolved
where not has_plan
group by district_code, phase_id
union all
select district_code, phase_id, 'annex_lacks_measure', 'serious', indicator_code, stage, school_code, school_name, null,
    what || '，只有正文的措施（' || ten_of(in_text) || '），附件没有：附件才定时限和责任'
from unsolved
where has_both_sources and len(in_text) > 0 and in_annex = 0
union all
select a.district_code, a.phase_id, 'measure_without_finding', if(len(without_finding) = named, 'warning', 'note'),
    a.indicator_code, a.stage, null, null, a.measure_no,
    '措施 ' || a.measure_no || ' 针对“' || i.short_name || '”' || case
        when covers = 'balance' then '的校际差异，而该差异系数没有超限'
        when covers = 'district' then '，而该项没有未达标'
        else '，而所列 ' || named || ' 所学校中有 ' || len(without_finding) || ' 所没有这个问题：' || ten_of(without_finding)
    end || '。请核对指标、学段和学校'
from aimless a
join run_evaluation e using (district_code, phase_id)
join standard.indicator i on i.standard_id = e.standard_id and i.indicator_code = a.indicator_code
