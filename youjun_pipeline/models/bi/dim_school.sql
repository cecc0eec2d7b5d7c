-- 学校维：每所学校取最近一个阶段的名册
select school_id, district_code, school_code, school_name, township, school_type, sponsor_code, urban_rural, built_year, in_scope, phase_id
from mart.school
join mart.evaluation using (district_code, phase_id)
qualify row_number() over (partition by district_code, school_code order by phase_order desc) = 1
