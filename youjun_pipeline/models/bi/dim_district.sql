-- 区县维：每个区县一行，含所属省、市代码和最新评估阶段
select
    e.district_code,
    arg_max(e.district_name, e.phase_order) as district_name,
    substr(e.district_code, 1, 2) || '0000' as province_code,
    substr(e.district_code, 1, 4) || '00' as city_code,
    arg_max(e.phase_id, e.phase_order) as latest_phase_id,
    arg_max(e.phase_name, e.phase_order) as latest_phase_name,
    arg_max(e.data_origin, e.phase_order) as data_origin
from mart.evaluation e
group by e.district_code
