-- 验收人不是对应措施的填报人或责任人
-- dataset: acceptances
-- severity: warning
select distinct a.district_code, a.phase_id,
    delivery || '/' || file || coalesce(' ' || nullif(sheet, ''), '') || ' 第 ' || row_number || ' 行：'
        || coalesce(f.school_name || ' ', '') || f.indicator_code || '，验收人 ' || a.inspector
        || if(a.refused_because = 'by_reporter', ' 填报过对应措施的进展', ' 是对应措施的责任人') || '，验收不计入'
        as offender
from rule.finding_acceptance a
semi join run_evaluation using (district_code, phase_id)
join rule.finding_state f using (district_code, phase_id, finding_id)
where a.result = 'passed' and a.refused_because in ('by_reporter', 'by_responsible')
