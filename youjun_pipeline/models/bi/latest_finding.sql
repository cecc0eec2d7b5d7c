-- 最新阶段：mart.finding 中每个区县最近一个阶段的行
select t.*
from mart.finding t
semi join (
    select district_code, arg_max(phase_id, phase_order) as phase_id from mart.evaluation group by district_code
) e on e.district_code = t.district_code and e.phase_id = t.phase_id
