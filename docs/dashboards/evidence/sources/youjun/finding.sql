select p.district_name, p.phase_name, p.phase_order, z."整改状态" as state, count(*) as findings
from zh."问题" z
join (select distinct district_code, district_name, phase_id, phase_name, phase_order from bi.wide_stage_balance) p
    on p.district_code = z."区划代码" and p.phase_id = z."阶段编号"
group by all
order by p.district_name, p.phase_order, state
