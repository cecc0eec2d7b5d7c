-- 验收通过的问题，数据也已达标
-- dataset: acceptances
-- severity: warning
-- An inspection that some later figures confirmed is not contradicted by figures after those.
select a.district_code, a.phase_id,
    a.delivery || '/' || a.file || coalesce(' ' || nullif(a.sheet, ''), '') || ' 第 ' || a.row_number || ' 行：'
        || coalesce(f.school_name, if(f.level = 'stage', '校际差异系数', '全县')) || ' ' || f.indicator_code || ' 于 '
        || a.inspected_on || ' 验收通过，但' || if(is_failing(f.status), '数据未达标', '没有可判定的数据') || '：' || f.reason as offender
from rule.finding_acceptance a
semi join run_evaluation using (district_code, phase_id)
join rule.finding_state f using (district_code, phase_id, finding_id)
where a.result = 'passed' and f.state <> 'closed' and coalesce(a.inspected_on > f.last_settled_on, true)
