-- 指标维：各标准目录的指标
select indicator_id, standard_id, indicator_code, name as indicator_name, short_name, category, level, unit, direction, clause, sort_order
from mart.indicator
