-- A report before the period ends is on track when it keeps pace with the days gone: of a 当期 target from the period's
-- first day, of a 累计 target from the end of the period before. A 时点 target has no pace: it is due on its day.
with measured as (
    select t.*, e.effective_on, a.actual, a.reported_on,
        if(kind = 'cumulative', coalesce(lag(t.planned) over earlier, 0), 0) as base,
        if(kind = 'cumulative', coalesce(lag(t.due) over earlier, p.begins), t.starts) as paced_from
    from core.target t
    join run_evaluation e using (district_code, phase_id)
    left join core.target_actual a using (district_code, phase_id, target_no, period_form)
    left join (select district_code, min(starts) as begins from raw.phase group by district_code) p using (district_code)
    window earlier as (partition by t.district_code, t.phase_id, t.target_no order by t.due, t.period)
)
select
    district_code, phase_id, target_no, programme, metric, unit, kind, period, starts, due,
    planned::double as planned, baseline_planned::double as baseline_planned, actual::double as actual, reported_on,
    total::double as total,
    -- 当期 values add up over the periods, of the other kinds the newest period's stands for all
    case kind when 'period' then sum(actual) over target
        else last_value(actual ignore nulls) over target end::double as actual_to_date,
    case when planned > 0 then actual::double / planned::double end as completion,
    case
        when actual >= planned then 'achieved'
        when planned is null or due is null then 'no_data'
        when effective_on >= due then if(actual is null, 'no_report', 'missed')
        when actual is null or kind = 'point' then 'not_due'
        -- cross-multiplied: what is done against what the days gone would make it
        when (actual - base) * (due - paced_from) >= (planned - base) * (effective_on - paced_from) then 'on_track'
        else 'behind'
    end as state,
    is_missing_now as is_missing
from measured
window target as (
    partition by district_code, phase_id, target_no order by due, period
    rows between unbounded preceding and unbounded following
)
