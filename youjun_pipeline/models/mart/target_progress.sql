-- A report before the period ends is on track if it keeps pace with the days elapsed: for a 当期 target since the period's first
-- day, for a 累计 target since the end of the period before. A 时点 target has no pace: it is due on its day. If the metric is an
-- indicator, the pipeline's own value in the newest phase of the period is the actual value, and the reported value is shown
-- beside it.
with computed as (
    select n.district_code, n.phase_id, n.metric, n.unit, n.indicator_code, n.stage, n.is_balance,
        p.effective_on as computed_on,
        case when n.is_balance then b.cv when n.stage is not null then b.mean else d.value * n.factor end as value
    from core.target_indicator n
    join run_evaluation e using (district_code, phase_id)
    join mart.evaluation p on p.district_code = e.district_code and p.phase_order <= e.phase_order
    semi join raw.phase k on k.district_code = p.district_code and k.phase_id = p.phase_id
    left join mart.stage_balance b
        on b.district_code = p.district_code and b.phase_id = p.phase_id and b.stage = n.stage
        and b.indicator_code = n.indicator_code
    left join mart.district_indicator d
        on d.district_code = p.district_code and d.phase_id = p.phase_id and d.indicator_code = n.indicator_code
), own as (
    select t.district_code, t.phase_id, t.target_no, t.period_form, c.indicator_code, c.stage, c.is_balance,
        arg_max(c.value, c.computed_on) filter (c.computed_on between t.starts and t.due) as computed
    from core.target t
    join computed c
        on c.district_code = t.district_code and c.phase_id = t.phase_id and c.metric = trim(t.metric)
        and c.unit is not distinct from t.unit
    group by all
), measured as (
    select t.*, e.effective_on, coalesce(o.computed, a.actual::double) as actual, a.actual as reported, a.reported_on,
        coalesce(o.computed is null and a.is_unread, false) as is_unread,
        o.indicator_code, o.stage, o.computed, coalesce(o.is_balance, false) as is_balance,
        if(kind = 'cumulative', coalesce(lag(t.planned) over earlier, 0), 0) as base,
        if(kind = 'cumulative', coalesce(lag(t.due) over earlier, p.begins), t.starts) as paced_from
    from core.target t
    join run_evaluation e using (district_code, phase_id)
    left join core.target_actual a using (district_code, phase_id, target_no, period_form)
    left join own o using (district_code, phase_id, target_no, period_form)
    left join (select district_code, min(starts) as begins from raw.phase group by district_code) p using (district_code)
    window earlier as (partition by t.district_code, t.phase_id, t.target_no order by t.due, t.period)
)
select
    district_code, phase_id, target_no, programme, metric, unit, kind, period, starts, due,
    planned::double as planned, baseline_planned::double as baseline_planned, actual::double as actual, reported_on,
    indicator_code, stage, computed, reported::double as reported, reported::double - computed as reported_difference,
    total::double as total,
    -- 当期 values are added over the periods; for other kinds the newest period's value represents all
    case kind when 'period' then sum(actual) over target
        else last_value(actual ignore nulls) over target end::double as actual_to_date,
    case when planned > 0 then actual::double / planned::double end as completion,
    case
        when is_unread then 'no_data'
        -- a coefficient must fall to its planned value
        when if(is_balance, actual <= planned, actual >= planned) then 'achieved'
        when planned is null or due is null then 'no_data'
        when effective_on >= due then if(actual is null, 'no_report', 'missed')
        when actual is null or kind = 'point' or is_balance then 'not_due'
        -- cross-multiplied: the work done, compared with the share of days elapsed
        when (actual - base) * (due - paced_from) >= (planned - base) * (effective_on - paced_from) then 'on_track'
        else 'behind'
    end as state,
    is_missing_now as is_missing
from measured
window target as (
    partition by district_code, phase_id, target_no order by due, period
    rows between unbounded preceding and unbounded following
)
