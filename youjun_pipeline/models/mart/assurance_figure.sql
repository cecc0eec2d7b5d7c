-- Reported and counted figures come first (1–9), then the values that are judged (11–19), then the conclusion (20).
with reported as (
    select e.district_code, e.phase_id, n.indicator_code, n.figure_no, n.item, n.name, a.value::double as value, n.unit,
        a.evidence
    from run_evaluation e
    cross join (values
        ('G7', 1, 'G7.funds_yuan', '特殊教育学校公用经费', '元'),
        ('G7', 2, 'G7.students', '特殊教育学校学生数', '人'),
        ('G8', 1, 'G8.teacher_salary_yuan', '义务教育学校教师年平均工资收入', '元'),
        ('G8', 2, 'G8.civil_servant_salary_yuan', '当地公务员年平均工资收入', '元'),
        ('G11', 1, 'G11.eligible', '符合交流条件的教师数', '人'),
        ('G11', 2, 'G11.rotated', '当年交流轮岗教师数', '人'),
        ('G11', 3, 'G11.rotated_backbone', '其中：骨干教师数', '人'),
        ('G14', 1, 'G14.places', '优质高中招生名额', '人'),
        ('G14', 2, 'G14.allotted', '分配到初中学校的名额', '人'),
        ('G14', 3, 'G14.allotted_rural', '其中：分配到农村初中的名额', '人'),
        ('G15', 1, 'G15.eligible', '符合条件的随迁子女数', '人'),
        ('G15', 2, 'G15.public', '在公办学校就读的随迁子女数', '人'),
        ('G15', 3, 'G15.purchased', '在政府购买学位的民办学校就读的随迁子女数', '人'),
        ('Q2', 1, 'Q2.eligible', '应入学的残疾儿童少年数', '人'),
        ('Q2', 2, 'Q2.enrolled', '已入学的残疾儿童少年数', '人')
    ) n(indicator_code, figure_no, item, name, unit)
    left join core.assurance a
        on a.district_code = e.district_code and a.phase_id = e.phase_id and a.item = n.item
), summed as (
    select r.district_code, r.phase_id, r.indicator_code, n.figure_no, n.name,
        if(n.is_numerator, r.numerator, r.denominator)::double as value, n.unit
    from core.district_ratio r
    join (values
        ('G9', 1, false, 1, '专任教师数', '人'),
        ('G9', 1, true, 2, '其中：完成规定学时培训的', '人'),
        ('G12', 1, false, 1, '专任教师数', '人'),
        ('G12', 1, true, 2, '其中：持有教师资格证的', '人'),
        ('G13', 1, false, 1, '城镇公办非寄宿小学在校学生数', '人'),
        ('G13', 1, true, 2, '其中：小学就近划片入学的', '人'),
        ('G13', 2, false, 3, '城镇公办非寄宿初中在校学生数', '人'),
        ('G13', 2, true, 4, '其中：初中就近划片入学的', '人'),
        ('Q1', 1, false, 1, '初一入学人数－死亡人数', '人'),
        ('Q1', 1, true, 2, '毕业人数－三年转入＋三年转出', '人'),
        ('S1', 1, false, 1, '有效数', '份'),
        ('S1', 1, true, 2, '满意数', '份')
    ) n(indicator_code, part, is_numerator, figure_no, name, unit)
        on n.indicator_code = r.indicator_code and n.part = r.part
    semi join run_evaluation e on e.district_code = r.district_code and e.phase_id = r.phase_id
), norm as (
    select district_code, phase_id, 'G2' as indicator_code, unnest([
        {'figure_no': 1, 'name': '小学生均公用经费基准定额', 'value': funding_norm_primary_yuan::double},
        {'figure_no': 2, 'name': '初中生均公用经费基准定额', 'value': funding_norm_junior_yuan::double}
    ], recursive := true), '元/生' as unit
    from run_evaluation
), school as (
    -- counts are known whatever else is missing; a sum is not
    select district_code, phase_id, indicator_code, unnest([
        {'figure_no': 1, 'name': '参加评估的学校数', 'value': count(*)::double, 'unit': '所'},
        {'figure_no': 2, 'name': '其中：达标的', 'value': (count(*) filter (is_met(status)))::double, 'unit': '所'},
        {'figure_no': 3, 'name': case indicator_code when 'G3' then '尚缺音乐、美术专用教室' else '超出人数合计' end,
            'value': if(count(*) = count(gap), sum(gap), null), 'unit': any_value(gap_unit)}
    ], recursive := true)
    from mart.school_indicator
    join run_evaluation using (district_code, phase_id)
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
    select r.district_code, r.phase_id, r.indicator_code, 10 + r.part as figure_no, c.what as name, r.value, r.target, r.status
    from rule.district_ratio r
    join core.district_ratio c using (district_code, phase_id, indicator_code, part)
    union all
    select district_code, phase_id, indicator_code, 10 + part, '足额核定公用经费的小规模学校', value, target, status
    from rule.g6_small_school_funding
    union all
    select district_code, phase_id, indicator_code, 10 + part, '各校教师培训经费占公用经费的最低比例', value, target, status
    from rule.q4_training_budget
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
