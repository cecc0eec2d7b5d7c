-- Indicators judged from a conclusion. They are met only with an explicit 达标, with evidence if the catalogue asks for it, and
-- with the options that it asks for (G2: the funding norm of each stage).
with asked as (
    select e.district_code, e.phase_id, i.indicator_code, i.category, i.direction, a.conclusion,
        i.needs_evidence and coalesce(trim(a.evidence), '') = '' as lacks_evidence,
        (
            select list(s.name order by s.option)
            from standard.option s
            where s.standard_id = e.standard_id and list_contains(i.needs_options, s.option) and not exists (
                from run_option o
                where o.district_code = e.district_code and o.phase_id = e.phase_id and o.option = s.option
            )
        ) as lacks_options
    from run_evaluation e
    join standard.indicator i on i.standard_id = e.standard_id and i.evidence_based
    left join core.assurance a
        on a.district_code = e.district_code and a.phase_id = e.phase_id and a.item = i.indicator_code
)
select
    district_code,
    phase_id,
    indicator_code,
    -- part 0 comes first if the indicator has no figure; part 9 follows the figure if it has one
    if(direction in ('evidence', 'not_occur'), 0, 9) as part,
    null::double as value,
    null::double as target,
    case
        when conclusion = 'not_met' then 'below'
        when conclusion is null or lacks_evidence or len(lacks_options) > 0 then 'no_data'
        else 'met'
    end as status,
    case
        when conclusion = 'not_met' then if(category = 'veto', '发生一票否决情形', '结论为未达标')
        when conclusion is null then '没有结论'
        when lacks_evidence then '结论没有佐证材料，不能视为达标'
        when len(lacks_options) > 0 then '没有给出' || array_to_string(lacks_options, '、')
        when category = 'veto' then '未发生'
        else '结论为达标，有佐证材料'
    end as summary
from asked
