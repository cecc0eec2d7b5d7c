-- 每个学部都有全部资源指标的判定
-- dataset: mart.school_indicator
-- severity: blocking
select s.district_code, s.phase_id, s.school_code || ' ' || s.stage || '：' || count(i.indicator_code) || ' 项' as offender
from core.section s
join run_evaluation e using (district_code, phase_id)
left join mart.school_indicator i
    on i.district_code = s.district_code and i.phase_id = s.phase_id and i.school_code = s.school_code
    and i.stage = s.stage
    and i.indicator_code in (select indicator_code from standard.indicator where category = 'resource')
group by s.district_code, s.phase_id, s.school_code, s.stage, e.standard_id
having count(i.indicator_code) <> (
    select count(*) from standard.indicator r where r.standard_id = e.standard_id and r.category = 'resource'
)
