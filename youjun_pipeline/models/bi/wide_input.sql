-- 宽表：填报数，带阶段、区县和填报项的名称、单位
select f.*, p.phase_name, p.is_latest, d.district_name, n.input_name, n.unit
from mart.input f
join bi.dim_phase p using (evaluation_id)
join bi.dim_district d on d.district_code = f.district_code
left join meta.input_dictionary n using (input)
