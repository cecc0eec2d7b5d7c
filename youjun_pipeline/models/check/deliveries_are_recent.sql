-- 近期有交付
-- dataset: deliveries
-- severity: warning
-- Days are counted to the phase's end or the as-of date, whichever is earlier: a finished phase does not become stale with age.
select e.district_code, e.phase_id,
    coalesce('最近一次交付是 ' || max(f.delivery) || '，至 ' || any_value(e.effective_on) || ' 已 '
        || (any_value(e.effective_on) - max(f.delivery)) || ' 天', '至 ' || any_value(e.effective_on) || ' 还没有任何交付')
        || '，超过 ' || getvariable('stale_days') || ' 天' as offender
from run_evaluation e
left join raw.delivered_file f on f.district_code = e.district_code and f.delivery <= e.effective_on
group by e.district_code, e.phase_id
having coalesce(any_value(e.effective_on) - max(f.delivery) > getvariable('stale_days')::integer, true)
