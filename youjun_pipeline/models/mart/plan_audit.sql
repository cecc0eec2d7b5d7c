-- 方案审查：对照问题、节点、资金和学校名册，找出方案本身的薄弱之处。
-- Each rule stands in one of the rule.plan_* models; here they come together.
select district_code, phase_id, rule, severity, indicator_code, stage, school_name, measure_no, message
from rule.plan_coverage
union all
select district_code, phase_id, rule, severity, indicator_code, stage, school_name, measure_no, message
from rule.plan_duty
union all
select district_code, phase_id, rule, severity, indicator_code, stage, school_name, measure_no, message
from rule.plan_money
union all
select district_code, phase_id, rule, severity, indicator_code, stage, school_name, measure_no, message
from rule.plan_deadline
union all
select district_code, phase_id, rule, severity, indicator_code, stage, school_name, measure_no, message
from rule.plan_milestone
union all
select district_code, phase_id, rule, severity, indicator_code, stage, school_name, measure_no, message
from rule.plan_dependency
union all
select district_code, phase_id, rule, severity, indicator_code, stage, school_name, measure_no, message
from rule.plan_source
union all
select district_code, phase_id, rule, severity, indicator_code, stage, school_name, measure_no, message
from rule.plan_count
