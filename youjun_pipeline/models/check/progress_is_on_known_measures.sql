-- 进展填报的措施和节点都在方案中
-- dataset: progress
-- severity: warning
select district_code, phase_id,
    delivery || '/' || file || coalesce(' ' || nullif(sheet, ''), '') || ' 第 ' || row_number || ' 行：'
        || if(refused_because = 'unknown_measure', '措施 ' || measure_no, '节点 ' || milestone_no) as offender
from core.progress
semi join run_evaluation using (district_code, phase_id)
where refused_because in ('unknown_measure', 'unknown_milestone')
