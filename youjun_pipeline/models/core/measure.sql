-- Measures of the plan as known on the evaluation's effective day: each with its newest wording, and with its dates since the
-- first delivery. The date with which a measure was first delivered is its baseline; no later delivery changes it. A measure that
-- a later delivery leaves out stays, with a flag. covers: schools by name, the stage's balance coefficient, or a district item.
with delivered as (
    select e.district_code, e.phase_id, e.standard_id, f.delivery, f.file, m.*,
        max(f.delivery) over (partition by e.district_code, e.phase_id) as newest_delivery
    from run_evaluation e
    join raw.delivered_file f
        on f.district_code = e.district_code and f.delivery <= e.effective_on and f.dataset = 'measures'
    join accepted.measures m using (content_sha256)
), newest as (
    select * from delivered
    qualify row_number() over (
        partition by district_code, phase_id, measure_no order by delivery desc, file desc
    ) = 1
), dated as (
    select district_code, phase_id, measure_no,
        min(delivery) as first_delivery,
        arg_min(due, delivery) as baseline_due,
        max(delivery) filter (n > 1) as changed_on
    from core.measure_due
    semi join run_evaluation using (district_code, phase_id)
    group by all
)
select n.district_code, n.phase_id, n.measure_no, i.indicator_code, n.indicator, n.stage,
    n.school_names is null and i.indicator_code is not null and d.category = 'resource' as is_balance,
    case when d.level = 'district' then 'district' when n.school_names is not null then 'schools'
        when d.category = 'resource' then 'balance' end as covers,
    n.school_names, n.measure_type, n.receiving_school, n.description, n.quantity, n.unit, n.due, t.baseline_due,
    t.first_delivery, t.changed_on, n.bureau_sections, n.responsible_units, n.responsible_person, n.source,
    n.delivery < n.newest_delivery as is_missing_now,
    n.delivery, n.file, n.content_sha256, n.sheet, n.row_number
from newest n
join dated t using (district_code, phase_id, measure_no)
left join core.indicator_name i on i.standard_id = n.standard_id and i.form = indicator_form(n.indicator)
left join standard.indicator d on d.standard_id = n.standard_id and d.indicator_code = i.indicator_code
