-- 报送过的措施和节点在后来的报送中都还在
-- dataset: measures
-- severity: warning
select district_code, phase_id, '措施 ' || measure_no || '：最后见于 ' || delivery || '/' || file || ' 第 ' || row_number
    || ' 行，此后未再报送，仍予保留' as offender
from core.measure
semi join run_evaluation using (district_code, phase_id)
where is_missing_now
union all
select district_code, phase_id, '节点 ' || milestone_no || '：最后见于 ' || delivery || '/' || file || ' 第 ' || row_number
    || ' 行，此后未再报送，仍予保留'
from core.milestone
semi join run_evaluation using (district_code, phase_id)
where is_missing_now
