-- 验收通过的有佐证材料
-- dataset: acceptances
-- severity: warning
select distinct a.district_code, a.phase_id,
    delivery || '/' || file || coalesce(' ' || nullif(sheet, ''), '') || ' 第 ' || row_number || ' 行：'
        || coalesce(f.school_name || ' ', '') || f.indicator_code || '，没有佐证材料，验收不计入' as offender
from rule.finding_acceptance a
semi join run_evaluation using (district_code, phase_id)
join rule.finding_state f using (district_code, phase_id, finding_id)
where a.result = 'passed' and a.refused_because = 'no_evidence'
