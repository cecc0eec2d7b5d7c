-- 桥表：措施与涉及学校，一项措施一所学校一行（按报送的校名）
select evaluation_id, district_code, phase_id, measure_no, unnest(school_names) as school_name
from mart.measure_status
