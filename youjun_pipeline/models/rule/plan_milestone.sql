-- Findings of the plan audit: measures whose milestones do not lead to a delivered result. A measure's milestones are its own and
-- those for its whole indicator.
with measure as (
    select district_code, phase_id, measure_no, indicator_code, stage, due, what
    from rule.plan_measure
    semi join run_evaluation using (district_code, phase_id)
    where not is_over
), step as (
    select m.*, t.milestone_no, t.due as step_due, t.task, t.is_partial
    from measure m
    left join (
        select district_code, phase_id, measure_no, null as indicator_code, milestone_no, due, task, is_partial
        from rule.plan_step
        semi join run_evaluation using (district_code, phase_id)
        where measure_no is not null
        union all
        select t.district_code, t.phase_id, m.measure_no, t.indicator_code, t.milestone_no, t.due, t.task, t.is_partial
        from rule.plan_step t
        semi join run_evaluation using (district_code, phase_id)
        join measure m using (district_code, phase_id, indicator_code)
        where t.measure_no is null
    ) t using (district_code, phase_id, measure_no)
), last_step as (
    -- if several are on the last day, each of them counts; one that delivers is enough
    select district_code, phase_id, measure_no, indicator_code, stage, due, what, step_due,
        list(task order by milestone_no) as tasks,
        bool_and(is_partial) as is_partial
    from step
    where milestone_no is not null
    group by district_code, phase_id, measure_no, indicator_code, stage, due, what, step_due
    qualify step_due = max(step_due) over (partition by district_code, phase_id, measure_no)
), stopped as (
    select district_code, phase_id, indicator_code, what, step_due, due, tasks,
        list(measure_no order by measure_no) as measures,
        if(count(distinct stage) = 1 and count(stage) = count(*), any_value(stage), null) as stage
    from last_step
    where is_partial
    group by district_code, phase_id, indicator_code, what, step_due, due, tasks
)
select district_code, phase_id, 'last_milestone_not_delivering' as rule,
    if(step_due >= due, 'serious', 'warning') as severity, indicator_code, stage, null::varchar as school_name,
    if(len(measures) = 1, measures[1], null) as measure_no,
    what || '的措施 ' || ten_of(measures) || case
        when step_due >= due then '：完成时限 ' || due || ' 这一天的最后节点只要求“' || array_to_string(tasks, '；')
            || '”，到期也不能达标'
        else '：最后一个节点（' || step_due || '）只是“' || array_to_string(tasks, '；') || '”，此后'
            || coalesce('到完成时限 ' || due || ' ', '') || '没有交付成果的节点'
    end as message
from stopped
union all
select district_code, phase_id, 'no_milestone', 'note', indicator_code, stage, null, measure_no,
    what || '的措施 ' || measure_no || ' 没有时间节点，中途是否拖期看不出来'
from step
where milestone_no is null
