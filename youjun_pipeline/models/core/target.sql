-- Targets of the programmes, one row per period, as known on the effective day, each with its newest wording. The value with
-- which a period was first delivered is its baseline; no later delivery changes it. A target or period that a later delivery
-- leaves out stays, with a flag. starts, due: the first and last day of the period, null if its words name no period (a year,
-- half, quarter, month, school year, span of years, day, or one of the district's phases).
with delivered as (
    select e.district_code, e.phase_id, f.delivery, f.file, t.*,
        max(f.delivery) over (partition by e.district_code, e.phase_id) as newest_delivery
    from run_evaluation e
    join raw.delivered_file f
        on f.district_code = e.district_code and f.delivery <= e.effective_on and f.dataset = 'targets'
    join accepted.targets t using (content_sha256)
), newest as (
    select *, period_form(period) as period_form,
        first_value(planned ignore nulls) over history as baseline_planned,
        min(delivery) over history as first_delivery
    from delivered
    window history as (
        partition by district_code, phase_id, target_no, period_form(period) order by delivery, file
        rows between unbounded preceding and unbounded following
    )
    qualify row_number() over (
        partition by district_code, phase_id, target_no, period_form(period)
        order by delivery desc, file desc, sheet desc, row_number desc
    ) = 1
), period as (
    -- school years run from September to August
    select distinct period_form,
        case
            when regexp_full_match(period_form, '\d{4}') then [y || '-01-01', y || '-12-31']
            when regexp_full_match(period_form, '\d{4}(年?上半|-?H1)') then [y || '-01-01', y || '-06-30']
            when regexp_full_match(period_form, '\d{4}(年?下半|-?H2)') then [y || '-07-01', y || '-12-31']
            when regexp_full_match(period_form, '\d{4}(年?第?[一1]季|-?Q1)') then [y || '-01-01', y || '-03-31']
            when regexp_full_match(period_form, '\d{4}(年?第?[二2]季|-?Q2)') then [y || '-04-01', y || '-06-30']
            when regexp_full_match(period_form, '\d{4}(年?第?[三3]季|-?Q3)') then [y || '-07-01', y || '-09-30']
            when regexp_full_match(period_form, '\d{4}(年?第?[四4]季|-?Q4)') then [y || '-10-01', y || '-12-31']
            when regexp_full_match(period_form, '\d{4}([-—–~至到]+\d{4})?学')
                then [y || '-09-01', (y::integer + 1) || '-08-31']
            when regexp_full_match(period_form, '\d{4}年?[-—–~至到]+\d{4}')
                then [y || '-01-01', right(period_form, 4) || '-12-31']
            when regexp_full_match(period_form, '\d{4}(年|-|/|\.)\d{1,2}月?') then [
                y || '-' || m || '-01', last_day(try_cast(y || '-' || m || '-01' as date))::varchar
            ]
            when regexp_full_match(period_form, '\d{4}-\d{1,2}-\d{1,2}') then [period_form, period_form]
        end as days
    from (
        select period_form, left(period_form, 4) as y, regexp_extract(period_form, '^\d{4}\D(\d{1,2})', 1) as m
        from newest
    )
)
select n.district_code, n.phase_id, n.target_no, n.programme, n.metric, n.unit, n.kind, n.period, n.period_form,
    n.planned, n.total, n.baseline_planned, n.first_delivery, n.delivery < n.newest_delivery as is_missing_now,
    coalesce(try_cast(p.days[1] as date), c.starts) as starts,
    coalesce(try_cast(p.days[2] as date), c.ends) as due,
    n.delivery, n.file, n.content_sha256, n.sheet, n.row_number
from newest n
join period p using (period_form)
left join (
    select district_code, period_form(name) as period_form, min(starts) as starts, max(ends) as ends
    from (select district_code, starts, ends, unnest([phase_id, phase_name]) as name from raw.phase)
    group by district_code, period_form(name)
) c using (district_code, period_form)
