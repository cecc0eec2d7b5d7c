select w.district_name, w.phase_name, w.phase_order, w.is_latest, w.township, w.school_name, z."学段" as stage,
    w.indicator_code || ' ' || w.short_name as indicator, w.value, w.threshold, w.gap, i.gap_unit, z."状态" as status
from bi.wide_school_indicator w
join zh."学校指标" z on z."评估键" = w.evaluation_id and z."学校键" = w.school_id and z."指标键" = w.indicator_id
    and z."学段" = case w.stage when 'primary' then '小学' when 'junior' then '初中' else '小学和初中' end
join (select indicator_id, gap_unit from mart.indicator) i on i.indicator_id = w.indicator_id
where w.status in ('near', 'below')
order by w.district_name, w.phase_order, w.indicator_code, w.school_name
