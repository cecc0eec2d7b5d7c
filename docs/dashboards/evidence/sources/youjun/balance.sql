select w.district_name, w.phase_name, w.phase_order, w.is_latest, z."学段" as stage, w.indicator_code || ' ' || w.short_name as indicator,
    w.cv, w.cv_limit, z."状态" as status
from bi.wide_stage_balance w
join zh."校际均衡" z on z."评估键" = w.evaluation_id and z."指标编号" = w.indicator_code
    and z."学段" = case w.stage when 'primary' then '小学' when 'junior' then '初中' end
order by w.district_name, w.phase_order, w.indicator_code, w.stage
