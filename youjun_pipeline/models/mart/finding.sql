-- 问题清单：不达标的学校指标、学段差异系数和区县事项，跨阶段沿用同一编号。
-- A finding begins with a failure, is closed in a phase where the indicator passes and reopened when it fails again;
-- closed ones stay listed. History is read from the phases before, whichever run made them.
with judgement as (
    select district_code, phase_id, 'school' as level, indicator_code, stage, school_code as item, school_code,
        school_name, value, threshold, gap, status, reason
    from mart.school_indicator
    union all
    select district_code, phase_id, 'stage', indicator_code, stage, 'CV', null, null, cv, cv_limit,
        greatest(cv - cv_limit, 0), status, reason
    from mart.stage_balance
    union all
    select district_code, phase_id, 'district', 'Q9', null, grade || subject, null, null, level, level_required,
        greatest(level_required - level, 0), status,
        grade || ' 年级' || subject || '学业水平 ' || coalesce(level::varchar, '缺') || ' 级，校际差异率 '
            || coalesce(shown3(between_school_rate), '缺')
    from mart.monitoring_subject
    where is_newest
    union all
    select d.district_code, d.phase_id, 'district', d.indicator_code, null, d.indicator_code, null, null, d.value,
        d.target, null, d.status, d.summary
    from mart.district_indicator d
    join mart.evaluation p using (district_code, phase_id)
    join standard.indicator i on i.standard_id = p.standard_id and i.indicator_code = d.indicator_code
    where i.level = 'district' and d.indicator_code <> 'Q9'
), identified as (
    select
        concat_ws('-', district_code, indicator_code, stage, item) as finding_id, *,
        -- only a pass ends a finding: data that stop coming do not
        not is_settled(status) as is_open
    from judgement
), identity as (
    select district_code, finding_id, level, indicator_code, stage, item, school_code,
        arg_max(school_name, p.phase_order) as school_name,
        min(p.phase_order) as first_order,
        arg_min(phase_id, p.phase_order) as first_phase_id
    from identified
    join mart.evaluation p using (district_code, phase_id)
    where is_failing(status)
    group by all
), history as (
    select i.*, p.phase_id, p.phase_order,
        coalesce(f.is_open, true) as is_open,
        bool_or(not coalesce(f.is_open, true)) over (
            partition by i.district_code, i.finding_id order by p.phase_order
        ) as has_been_closed
    from identity i
    join mart.evaluation p on p.district_code = i.district_code and p.phase_order >= i.first_order
    left join identified f
        on f.district_code = i.district_code and f.phase_id = p.phase_id and f.finding_id = i.finding_id
)
select
    h.district_code, h.phase_id, h.finding_id, h.level, h.indicator_code, h.stage, h.item, h.school_code, h.school_name,
    f.value, f.threshold, f.gap, f.status,
    case when not h.is_open then 'closed' when h.has_been_closed then 'reopened' else 'open' end as state,
    h.first_phase_id,
    []::varchar[] as measures,
    false as signed_off,
    f.reason
from history h
semi join run_evaluation e using (district_code, phase_id)
left join identified f using (district_code, phase_id, finding_id)
