-- 桥表：学校判定与未达标指标，一校一学段一项指标一行
select evaluation_id, standard_id, school_id, district_code, phase_id, school_code, stage,
    standard_id || '/' || unnest(failing_indicators) as indicator_id
from mart.school_verdict
