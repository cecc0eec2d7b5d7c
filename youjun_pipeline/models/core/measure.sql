-- Measures of the plan as known on the evaluation's effective day: the newest words of each, its dates from the first.
-- The first date a measure was delivered with is its baseline and no later delivery rewrites it; a measure that a later
-- delivery leaves out stays, flagged. covers: schools by name, the stage's balance coefficient, or a district item.
with delivered as (
    select e.district_code, e.phase_id, e.standard_id, f.delivery, f.file, m.*,
        max(f.delivery) over (partition by e.district_code, e.phase_id) as newest_delivery
    from run_evaluation e
    join raw.delivered_file f
        on f.district_code = e.district_code and f.delivery <= e.effective_on and f.dataset = 'measures'
    join accepted.measures m using (content_sha256)
), dated as (
    select *,
        min(delivery) over history as first_delivery,
        first_value(due ignore nulls) over history as baseline_due,
        lag(due) over (partition by district_code, phase_id, measure_no order by delivery, file) as due_before,
        lag(delivery) over (partition by district_code, phase_id, measure_no order by delivery, file) is not null
            and due is distinct from due_before as is_changed
    from delivered
    window history as (
        partition by district_code, phase_id, measure_no order by delivery, file
        rows between unbounded preceding and unbounded following
    )
), newest as (
    select *,
        max(delivery) filter (is_changed) over (partition by district_code, phase_id, measure_no) as changed_on
    from dated
    qualify row_number() over (
        partition by district_code, phase_id, measure_no order by delivery desc, file desc
    ) = 1
)
select n.district_code, n.phase_id, n.measure_no, i.indicator_code, n.indicator, n.stage,
    n.school_names is null and i.indicator_code is not null and d.category = 'resource' as is_balance,
    case when d.level = 'district' then 'district' when n.school_names is not null then 'schools'
        when d.category = 'resource' then 'balance' end as covers,
    n.school_names, n.measure_type, n.receiving_school, n.description, n.quantity, n.unit, n.due, n.baseline_due,
    n.first_delivery, n.changed_on, n.bureau_sections, n.responsible_units, n.responsible_person, n.source,
    n.delivery < n.newest_delivery as is_missing_now,
    n.delivery, n.file, n.content_sha256, n.sheet, n.row_number
from newest n
left join core.indicator_name i on i.standard_id = n.standard_id and i.form = indicator_form(n.indicator)
left join standard.indicator d on d.standard_id = n.standard_id and d.indicator_code = i.indicator_code
