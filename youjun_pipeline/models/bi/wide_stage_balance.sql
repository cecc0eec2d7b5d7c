-- 宽表：校际均衡，带阶段、区县、指标的名称
select f.*, p.phase_name, p.phase_order, p.is_latest, d.district_name, i.short_name, i.unit
from mart.stage_balance f
join bi.dim_phase p using (evaluation_id)
join bi.dim_district d on d.district_code = f.district_code
join bi.dim_indicator i using (indicator_id)
