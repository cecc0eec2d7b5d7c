-- Milestones of the plan as known on the effective day, with the date in their first delivery (the baseline). A milestone that a
-- later delivery leaves out stays, with a flag. Its indicator is its own, or that of its measure.
with delivered as (
    select e.district_code, e.phase_id, e.standard_id, f.delivery, f.file, m.*,
        max(f.delivery) over (partition by e.district_code, e.phase_id) as newest_delivery
    from run_evaluation e
    join raw.delivered_file f
        on f.district_code = e.district_code and f.delivery <= e.effective_on and f.dataset = 'milestones'
    join accepted.milestones m using (content_sha256)
), newest as (
    select *, min(delivery) over history as first_delivery, first_value(due ignore nulls) over history as baseline_due
    from delivered
    window history as (
        partition by district_code, phase_id, milestone_no order by delivery, file
        rows between unbounded preceding and unbounded following
    )
    qualify row_number() over (
        partition by district_code, phase_id, milestone_no order by delivery desc, file desc
    ) = 1
)
select n.district_code, n.phase_id, n.milestone_no, n.measure_no,
    coalesce(i.indicator_code, m.indicator_code) as indicator_code, n.indicator, n.due, n.baseline_due, n.task,
    n.measure_no is null or m.measure_no is not null as is_measure_known,
    n.first_delivery, n.delivery < n.newest_delivery as is_missing_now,
    n.delivery, n.file, n.content_sha256, n.sheet, n.row_number
from newest n
left join core.indicator_name i on i.standard_id = n.standard_id and i.form = indicator_form(n.indicator)
left join core.measure m
    on m.district_code = n.district_code and m.phase_id = n.phase_id and m.measure_no = n.measure_no
