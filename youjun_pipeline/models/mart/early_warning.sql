-- The standard does not say what counts as near, and for how long; these numbers are in `near` below.
with near as (
    select 0.05 as of_limit, 365 as days_ahead, 90 as days_before_due
), judged as (
    select e.district_code, e.phase_id, e.effective_on, 'school' as level, i.indicator_code, i.indicator_name, i.stage,
        i.school_code, i.school_name, i.status, i.value, i.threshold, i.unit,
        -- the side of the limit that passes
        i.per is not null or i.indicator_code = 'G3' as is_at_least
    from mart.school_indicator i
    join run_evaluation e using (district_code, phase_id)
    where i.value is not null and i.threshold is not null
    union all
    select e.district_code, e.phase_id, e.effective_on, 'stage', b.indicator_code, b.indicator_name || '校际差异系数', b.stage,
        null, null, b.status, b.cv, b.cv_limit, null, false
    from mart.stage_balance b
    join run_evaluation e using (district_code, phase_id)
    where b.cv is not null
), before as (
    select c.district_code, c.phase_id, p.effective_on as before_on, 'school' as level, i.indicator_code, i.stage,
        i.school_code, i.value as value_before
    from core.previous_phase c
    semi join run_evaluation e using (district_code, phase_id)
    join mart.evaluation p on p.district_code = c.district_code and p.phase_id = c.previous_phase_id
    join mart.school_indicator i on i.district_code = c.district_code and i.phase_id = c.previous_phase_id
    union all
    select c.district_code, c.phase_id, p.effective_on, 'stage', b.indicator_code, b.stage, null, b.cv
    from core.previous_phase c
    semi join run_evaluation e using (district_code, phase_id)
    join mart.evaluation p on p.district_code = c.district_code and p.phase_id = c.previous_phase_id
    join mart.stage_balance b on b.district_code = c.district_code and b.phase_id = c.previous_phase_id
), watched as (
    select j.*, b.value_before, b.before_on,
        if(j.is_at_least, 1, -1) * (j.value - j.threshold) as slack,
        slack / nullif(abs(j.threshold), 0) <= n.of_limit as is_near,
        if(j.is_at_least, 1, -1) * (j.value - b.value_before) as moved,
        j.effective_on - b.before_on as days,
        -- at the pace since the phase before: the day on which it reaches the limit
        case when moved < 0 and days > 0 and slack / -moved * days < 36500
            then j.effective_on + ceil(slack / -moved * days)::integer end as expected_on,
        n.days_ahead
    from judged j
    cross join near n
    left join before b
        on b.district_code = j.district_code and b.phase_id = j.phase_id and b.level = j.level
        and b.indicator_code = j.indicator_code and b.stage = j.stage and b.school_code is not distinct from j.school_code
    -- Rooms are whole: most schools have exactly as many as they need, and one more class would need another room.
    where is_met(j.status) and (j.indicator_code <> 'G3' or exists (
        from mart.verdict_margin m
        where m.district_code = j.district_code and m.phase_id = j.phase_id and m.school_code = j.school_code
            and m.indicator_code = 'G3' and m.lever = 'classes' and m.margin <= 1
    ))
), warned as (
    from watched where is_near or (moved < 0 and expected_on <= effective_on + days_ahead)
), margin as (
    -- words are made for what is warned of alone: there are ten times as many margins
    select district_code, phase_id, level, indicator_code, stage, if(level = 'stage', null, school_code) as school_code,
        string_agg(case move when 'more' then '增加 ' else '减少 ' end || shown2(margin) || ' ' || unit
            || case lever when 'students' then '学生' when 'classes' then '' else '资源' end
            || if(level = 'stage', '（' || school_name || '）', ''), '，或' order by lever, move, school_code) as words
    from mart.verdict_margin v
    semi join warned w
        on w.district_code = v.district_code and w.phase_id = v.phase_id and w.level = v.level
        and w.indicator_code = v.indicator_code and w.stage = v.stage
        and w.school_code is not distinct from if(v.level = 'stage', null, v.school_code)
    where turns_to = 'not_met'
    group by all
), verdict as (
    -- a section with no indicator to spare fails with the next indicator that fails
    select v.district_code, v.phase_id, v.school_code, v.stage,
        v.passes_resource_rule and v.resource_met = m.value as has_none_to_spare
    from mart.school_verdict v
    join core.parameter m
        on m.district_code = v.district_code and m.phase_id = v.phase_id and m.parameter = 'min_met'
    semi join run_evaluation e on e.district_code = v.district_code and e.phase_id = v.phase_id
), flip as (
    select w.district_code, w.phase_id,
        if(w.moved < 0 and w.expected_on <= w.effective_on + w.days_ahead, 'worsening', 'near_limit') as warning_kind,
        case
            when warning_kind = 'worsening' and (w.level = 'stage' or v.has_none_to_spare or w.unit is null) then 'serious'
            when warning_kind = 'worsening' or w.level = 'stage' or v.has_none_to_spare or w.indicator_code like 'G%' then 'warning'
            else 'note'
        end as severity,
        w.indicator_code, w.stage, w.school_code, w.school_name, null::varchar as measure_no, w.value, w.threshold,
        if(warning_kind = 'worsening', w.expected_on, null)::date as expected_on,
        coalesce(w.school_name, '') || stage_word(w.stage) || w.indicator_name || ' ' || if(w.level = 'stage', shown3(w.value), shown2(w.value))
            || if(w.is_at_least, '，标准 ', '，上限 ') || if(w.level = 'stage', shown3(w.threshold), shown2(w.threshold))
            || if(warning_kind = 'worsening', '：按上一阶段以来的变化（' || if(w.level = 'stage', shown3(w.value_before), shown2(w.value_before))
                || '→现值），约 ' || w.expected_on || ' 起未达标', '：接近' || if(w.is_at_least, '标准', '上限'))
            || coalesce('；再' || m.words || '即未达标', '') as message
    from warned w
    left join margin m
        on m.district_code = w.district_code and m.phase_id = w.phase_id and m.level = w.level
        and m.indicator_code = w.indicator_code and m.stage = w.stage and m.school_code is not distinct from w.school_code
    left join verdict v
        on v.district_code = w.district_code and v.phase_id = w.phase_id and v.school_code = w.school_code
        -- an equality, because DuckDB compares all rows with all rows if a condition names only one side
        and v.stage = if(w.indicator_code like 'R%', w.stage, null)
), stalled as (
    select m.district_code, m.phase_id, 'stalled_measure',
        if(m.overdue, 'serious', 'warning'), m.indicator_code, m.stage, null, null, m.measure_no, m.percent,
        null, m.due,
        '措施 ' || m.measure_no || coalesce('（' || m.description || '）', '') || case
            when m.overdue then '逾期未完成，应于 ' || m.due || ' 完成'
            when m.slippage_days > 0 then '比原定推迟 ' || m.slippage_days || ' 天，预计 ' || coalesce(m.expected_on, m.due) || ' 完成'
            else '应于 ' || m.due || ' 完成，尚未启动' end
            || case when m.findings > m.findings_closed
                then '；' || (m.findings - m.findings_closed) || ' 个问题等它解决' else '' end
    from mart.measure_status m
    join run_evaluation e using (district_code, phase_id)
    cross join near n
    where m.state not in ('done', 'cancelled')
        and (m.overdue or m.slippage_days > 0
            or m.state = 'not_started' and m.due <= e.effective_on + n.days_before_due)
), lapsing as (
    select w.district_code, w.phase_id, 'waiver_lapsing', if(w.due_on <= e.effective_on, 'serious', 'warning'),
        w.indicator_code, w.stage, w.school_code, w.school_name, null, w.value, w.threshold, w.due_on,
        coalesce(w.school_name, '') || stage_word(w.stage) || w.indicator_name || if(w.level = 'stage', '校际差异系数', '')
            || '只按过渡政策 ' || w.waiver || ' 达标，须在 ' || w.due_on || ' 前补齐'
            || coalesce('，缺 ' || if(w.level = 'stage', shown3(w.gap), shown2(w.gap)), '')
    from mart.waiver_register w
    join run_evaluation e using (district_code, phase_id)
    cross join near n
    where w.due_on <= e.effective_on + n.days_ahead
)
from flip
union all
from stalled
union all
from lapsing
