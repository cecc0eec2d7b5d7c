-- Findings of the plan audit: the parts of a plan (正文, 附件) that contradict each other. For schools that both sources cover
-- under one indicator: how many schools get which kind of measure in each source, and which schools get different kinds.
with kind as (
    select m.district_code, m.phase_id, m.indicator_code, m.source, s.school_code, any_value(s.name) as name,
        list(distinct m.measure_type order by m.measure_type) as kinds,
        array_to_string(kinds, '加') as what
    from core.measure m
    join core.measure_school s using (district_code, phase_id, measure_no)
    semi join run_evaluation using (district_code, phase_id)
    where m.source is not null and m.measure_type is not null and s.school_code is not null
        and m.indicator_code is not null and not m.is_missing_now
    group by m.district_code, m.phase_id, m.indicator_code, m.source, s.school_code
), pair as (
    select a.district_code, a.phase_id, a.indicator_code, a.source, b.source as other, a.school_code, a.name,
        a.what, b.what as other_what, a.kinds <> b.kinds as differs
    from kind a
    join kind b using (district_code, phase_id, indicator_code, school_code)
    where a.source < b.source
), side as (
    select district_code, phase_id, indicator_code, source, other,
        list(name order by name) filter (differs) as differing
    from pair
    group by all
), told as (
    select district_code, phase_id, indicator_code, source, other, true as is_first, what, count(*) as schools
    from pair
    group by all
    union all
    select district_code, phase_id, indicator_code, source, other, false, other_what, count(*)
    from pair
    group by all
), said as (
    select district_code, phase_id, indicator_code, source, other,
        string_agg(what || ' ' || schools || ' 所', '、' order by schools desc, what) filter (is_first) as first_says,
        string_agg(what || ' ' || schools || ' 所', '、' order by schools desc, what) filter (not is_first) as other_says
    from told
    group by all
)
select d.district_code, d.phase_id, 'body_annex_disagree' as rule, 'warning' as severity, d.indicator_code,
    null::varchar as stage, null::varchar as school_name, null::varchar as measure_no,
    '“' || i.short_name || '”（' || d.indicator_code || '）同一批学校，' || d.source || '是' || s.first_says || '，' || d.other || '是'
        || s.other_says || '；说法不同的有 ' || len(d.differing) || ' 所：' || ten_of(d.differing) as message
from side d
join said s using (district_code, phase_id, indicator_code, source, other)
join run_evaluation e using (district_code, phase_id)
join standard.indicator i on i.standard_id = e.standard_id and i.indicator_code = d.indicator_code
where len(d.differing) > 0
