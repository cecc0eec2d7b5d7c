-- 宽表：学校指标，带阶段、学校、指标的名称，供不做连接的工具使用
select f.*, p.phase_name, p.phase_order, p.is_latest, d.district_name, s.township, s.school_type, s.urban_rural,
    i.short_name, i.category
from mart.school_indicator f
join bi.dim_phase p using (evaluation_id)
join bi.dim_district d on d.district_code = f.district_code
join mart.school s
    on s.district_code = f.district_code and s.phase_id = f.phase_id and s.school_code = f.school_code
join bi.dim_indicator i using (indicator_id)
