-- Targets whose metric is an indicator, of a stage or of the district, or the coefficient of an indicator in a stage:
-- 小学生均教学仪器值, 初中体育场馆校际差异系数. The unit must be the indicator's own.
with written as (
    select distinct t.district_code, t.phase_id, t.metric, t.unit, t.standard_id,
        regexp_matches(t.metric, '差异系数') as is_balance,
        regexp_replace(t.metric, '[（(]?(校际|均衡)?差异系数[)）]?$', '') as words
    from (
        select k.district_code, k.phase_id, e.standard_id, trim(k.metric) as metric, k.unit
        from core.target k
        join run_evaluation e using (district_code, phase_id)
    ) t
), staged as (
    select w.*, s.stage,
        indicator_form(if(s.stage is null, w.words, regexp_replace(w.words, '^' || s.name || '|[（(]?' || s.name || '[)）]?$', ''))) as form
    from written w
    left join standard.stage s
        on s.standard_id = w.standard_id and s.is_evaluated
        and (starts_with(w.words, s.name) or regexp_matches(w.words, s.name || '[)）]?$'))
), named as (
    select s.*, n.indicator_code
    from staged s
    join core.indicator_name n using (standard_id, form)
    union
    -- 小学 + 生均… was written as 小学生均…
    select s.*, n.indicator_code
    from staged s
    join core.indicator_name n on n.standard_id = s.standard_id and n.form = '生' || s.form
)
select distinct n.district_code, n.phase_id, n.metric, n.unit, n.indicator_code, n.stage, n.is_balance,
    case when i.unit = '比例' and n.unit in ('%', '百分比') then 100 else 1 end as factor
from named n
join standard.indicator i using (standard_id, indicator_code)
where (n.is_balance and i.category = 'resource' and n.stage is not null)
    or (not n.is_balance and i.category = 'resource' and n.stage is not null
        and coalesce(n.unit, '') in ('', i.unit, i.gap_unit))
    or (not n.is_balance and i.level = 'district' and n.stage is null
        and (coalesce(n.unit, '') in ('', i.unit) or (i.unit = '比例' and n.unit in ('%', '百分比'))))
