-- Reported and counted figures come first (1–9), then the values that are judged (11–19), then the conclusion (20).
with reported as (
    select e.district_code, e.phase_id, n.indicator_code, n.figure_no, n.item, n.name, a.value::double as value, n.unit,
        a.evidence
    from run_evaluation e
    join standard.figure n on n.standard_id = e.standard_id and n.item is not null
    left join core.assurance a
        on a.district_code = e.district_code and a.phase_id = e.phase_id and a.item = n.item
), summed as (
    select r.district_code, r.phase_id, r.indicator_code, n.figure_no, n.name,
        if(n.is_numerator, r.numerator, r.denominator)::double as value, n.unit
    from rule.district_ratio r
    join run_evaluation e using (district_code, phase_id)
    join standard.figure n
        on n.standard_id = e.standard_id and n.indicator_code = r.indicator_code and n.part = r.part
), norm as (
    select e.district_code, e.phase_id, i.indicator_code,
        row_number() over (partition by e.district_code, e.phase_id, i.indicator_code order by i.position)::integer as figure_no,
        replace(o.name, '（元）', '') as name, e.settings[o.option]::double as value, '元/生' as unit
    from run_evaluation e
    join (
        select standard_id, indicator_code, unnest(needs_options) as option, generate_subscripts(needs_options, 1) as position
        from standard.indicator
    ) i using (standard_id)
    join standard.option o using (standard_id, option)
), school as (
    -- a count is known whatever else is missing; a sum is not
    select district_code, phase_id, indicator_code, unnest([
        {'figure_no': 1, 'name': '参加评估的学校数', 'value': count(*)::double, 'unit': '所'},
        {'figure_no': 2, 'name': '其中：达标的', 'value': (count(*) filter (is_met(status)))::double, 'unit': '所'},
        {'figure_no': 3, 'name': case indicator_code when 'G3' then '尚缺音乐、美术专用教室' else '超出人数合计' end,
            'value': if(count(*) = count(gap), sum(gap), null), 'unit': any_value(gap_unit)}
    ], recursive := true)
    from mart.school_indicator
    semi join run_evaluation using (district_code, phase_id)
    join standard.indicator using (standard_id, indicator_code)
    where indicator_code in ('G3', 'G4')
    group by district_code, phase_id, indicator_code
), class as (
    select i.district_code, i.phase_id, 'G5' as indicator_code, unnest([
        {'figure_no': w.first_no, 'name': t.name || '班级数',
            'value': if(count(*) = count(s.classes), sum(s.classes), null)::double, 'unit': '个'},
        {'figure_no': w.first_no + 1, 'name': '其中：超过规定班额的',
            'value': if(count(*) = count(i.numerator), sum(i.numerator), null), 'unit': '个'},
        {'figure_no': w.first_no + 2, 'name': t.name || '最大班额',
            'value': if(count(*) = count(i.value), max(i.value), null), 'unit': '人'}
    ], recursive := true)
    from mart.school_indicator i
    join run_evaluation e using (district_code, phase_id)
    join standard.stage t on t.standard_id = e.standard_id and t.stage = i.stage
    join (values ('primary', 1), ('junior', 4)) w(stage, first_no) on w.stage = i.stage
    left join mart.section s
        on s.district_code = i.district_code and s.phase_id = i.phase_id and s.school_code = i.school_code
        and s.stage = i.stage
    where i.indicator_code = 'G5'
    group by i.district_code, i.phase_id, w.first_no, t.name
), value as (
    select district_code, phase_id, indicator_code, 10 + part as figure_no, what as name, value, target, status
    from rule.district_ratio
    union all
    select f.district_code, f.phase_id, f.indicator_code, 10 + f.part, r.name, f.value, f.target, f.status
    from rule.g6_small_school_funding f
    join run_evaluation e using (district_code, phase_id)
    join standard.ratio r
        on r.standard_id = e.standard_id and r.indicator_code = f.indicator_code and r.part = f.part
), conclusion as (
    select e.district_code, e.phase_id, i.indicator_code, 20 as figure_no, i.indicator_code as item,
        '填报结论' as name, r.status, a.conclusion, a.evidence
    from run_evaluation e
    join standard.indicator i on i.standard_id = e.standard_id and i.evidence_based
    join rule.district_evidence r
        on r.district_code = e.district_code and r.phase_id = e.phase_id and r.indicator_code = i.indicator_code
    left join core.assurance a
        on a.district_code = e.district_code and a.phase_id = e.phase_id and a.item = i.indicator_code
), figure as (
    from reported
    union all by name
    from summed
    union all by name
    from norm
    union all by name
    from school
    union all by name
    from class
    union all by name
    select v.*, i.unit
    from value v
    join run_evaluation e using (district_code, phase_id)
    join standard.indicator i on i.standard_id = e.standard_id and i.indicator_code = v.indicator_code
    union all by name
    from conclusion
)
select district_code, phase_id, indicator_code, figure_no, item, name, value, unit, target, status, conclusion, evidence
from figure
