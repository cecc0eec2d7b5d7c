-- One line of each scenario at the end of each phase: does the district pass, what is mended, what breaks.
with counted as (
    select district_code, phase_id, scenario_id, at_phase_id,
        count(*) filter (change = 'mended') as mended,
        count(*) filter (change = 'broken' or change = 'opened' and is_failing(status_after)) as broken,
        count(*) filter (is_failing(status_after)) as failing,
        list(school_name || stage_word(stage) || ' ' || indicator_code order by school_name, stage, indicator_code)
            filter (change = 'broken' or change = 'opened' and is_failing(status_after)) as broken_names
    from temp.planning_indicator
    group by all
), balance as (
    select district_code, phase_id, scenario_id, at_phase_id,
        count(*) filter (level = 'stage' and change = 'mended') as mended,
        count(*) filter (level = 'stage' and change = 'broken') as broken,
        list(stage_word(stage) || ' ' || indicator_code order by stage, indicator_code)
            filter (level = 'stage' and is_failing(status_after)) as over,
        list(stage_word(stage) || ' ' || indicator_code || '差异系数' order by stage, indicator_code)
            filter (level = 'stage' and change = 'broken') as broken_names,
        max(value_before) filter (level = 'district')::integer as schools_failing_before,
        max(value_after) filter (level = 'district')::integer as schools_failing_after,
        max(status_before) filter (level = 'district') as status_before,
        max(status_after) filter (level = 'district') as status_after,
        count(*) filter (level = 'district_indicator' and is_failing(status_before)) as indicators_failing_before,
        count(*) filter (level = 'district_indicator' and is_failing(status_after)) as indicators_failing_after,
        list(indicator_code order by indicator_code)
            filter (level = 'district_indicator' and is_failing(status_after)) as indicators_failing
    from temp.planning_verdict
    group by all
)
select a.district_code, a.phase_id, a.scenario_id, a.at_phase_id, a.title, a.source, a.until, a.actions, a.actions_carried_out,
    a.assumed_nothing,
    case b.status_before when 'met' then true when 'below' then false end as passes_before,
    case b.status_after when 'met' then true when 'below' then false end as passes_after,
    b.schools_failing_before, b.schools_failing_after, b.indicators_failing_before, b.indicators_failing_after,
    coalesce(c.mended, 0) + b.mended as mended, coalesce(c.broken, 0) + b.broken as broken,
    coalesce(c.failing, 0) + coalesce(len(b.over), 0) as failing_after,
    list_concat(coalesce(b.broken_names, []), coalesce(c.broken_names, [])) as newly_broken,
    '到“' || a.at_phase_name || '”结束（' || a.until || '），施行 ' || a.actions_carried_out || ' 个动作：'
        || case b.status_after when 'met' then '通过' when 'below' then '未通过' else '数据不足，不能下结论' end
        || '；未达标学校 ' || b.schools_failing_before || '→' || b.schools_failing_after
        || '，解决 ' || (coalesce(c.mended, 0) + b.mended) || ' 处，新增未达标 ' || (coalesce(c.broken, 0) + b.broken) || ' 处'
        || case when len(newly_broken) > 0 then '：' || ten_of(newly_broken) else '' end
        || case when len(b.over) > 0 then '；差异系数仍超限：' || array_to_string(b.over, '、') else '' end
        || case when a.assumed_nothing > 0 then '；' || a.assumed_nothing || ' 项措施没有写明能计入的数量，不作假设' else '' end as summary
from temp.planning_at a
join balance b using (district_code, phase_id, scenario_id, at_phase_id)
left join counted c using (district_code, phase_id, scenario_id, at_phase_id)
