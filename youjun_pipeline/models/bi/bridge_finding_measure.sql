-- 桥表：问题与措施，一个问题一项措施一行
select evaluation_id, district_code, phase_id, finding_id, unnest(measures) as measure_no
from mart.finding
