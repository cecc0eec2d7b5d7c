-- Each rule is in one of the rule.plan_* models; this model joins them. Only some rules are about a school, which is then
-- identified by its code, because two schools may have the same name.
select district_code, phase_id, rule, severity, indicator_code, stage, school_code, school_name, measure_no, message
from rule.plan_coverage
union all by name
select district_code, phase_id, rule, severity, indicator_code, stage, school_code, school_name, measure_no, message
from rule.plan_dependency
union all by name
select district_code, phase_id, rule, severity, indicator_code, stage, school_name, measure_no, message
from rule.plan_duty
union all by name
select district_code, phase_id, rule, severity, indicator_code, stage, school_name, measure_no, message
from rule.plan_money
union all by name
select district_code, phase_id, rule, severity, indicator_code, stage, school_name, measure_no, message
from rule.plan_deadline
union all by name
select district_code, phase_id, rule, severity, indicator_code, stage, school_name, measure_no, message
from rule.plan_milestone
union all by name
select district_code, phase_id, rule, severity, indicator_code, stage, school_name, measure_no, message
from rule.plan_source
union all by name
select district_code, phase_id, rule, severity, indicator_code, stage, school_name, measure_no, message
from rule.plan_count
