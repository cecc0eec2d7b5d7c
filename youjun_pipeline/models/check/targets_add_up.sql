-- 当期任务的各期计划值之和等于总目标
-- dataset: targets
-- severity: warning
select district_code, phase_id,
    target_no || ' ' || metric || '：' || figures || ' ' || unit || if(planned = total, '',
        '，相差 ' || exact(abs(planned - total))) as offender
from rule.target_total
semi join run_evaluation using (district_code, phase_id)
where not adds_up
