-- Indicators judged from a conclusion: met only with an explicit 达标 and, but for vetoes, with evidence behind it.
-- G2 also asks that the district has given its funding norm of each stage.
select
    e.district_code,
    e.phase_id,
    i.indicator_code,
    -- part 0 leads where the indicator has no figure, part 9 follows the figure where it has one
    if(i.direction in ('evidence', 'not_occur'), 0, 9) as part,
    null::double as value,
    null::double as target,
    case
        when a.conclusion = 'not_met' then 'below'
        when a.conclusion is null then 'no_data'
        when i.category <> 'veto' and coalesce(trim(a.evidence), '') = '' then 'no_data'
        when i.indicator_code = 'G2' and (e.funding_norm_primary_yuan is null or e.funding_norm_junior_yuan is null)
            then 'no_data'
        else 'met'
    end as status,
    case
        when a.conclusion = 'not_met' then if(i.category = 'veto', '发生一票否决情形', '结论为未达标')
        when a.conclusion is null then '没有结论'
        when i.category <> 'veto' and coalesce(trim(a.evidence), '') = '' then '结论没有佐证材料，不能视为达标'
        when i.indicator_code = 'G2' and (e.funding_norm_primary_yuan is null or e.funding_norm_junior_yuan is null)
            then '没有给出各学段生均公用经费基准定额'
        when i.category = 'veto' then '未发生'
        else '结论为达标，有佐证材料'
    end as summary
from run_evaluation e
join standard.indicator i on i.standard_id = e.standard_id and i.evidence_based
left join core.assurance a
    on a.district_code = e.district_code and a.phase_id = e.phase_id and a.item = i.indicator_code
