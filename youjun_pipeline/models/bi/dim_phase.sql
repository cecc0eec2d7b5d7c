-- 阶段维：每个区县每个阶段一行，标明是否最新
select evaluation_id, district_code, phase_id, phase_name, phase_order, starts, ends, as_of, is_closed, is_stale, standard_id,
    phase_order = max(phase_order) over (partition by district_code) as is_latest
from mart.evaluation
