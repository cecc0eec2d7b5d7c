-- There are two ways to move a date: deliver the measure again with another date, or report another expected day.
with moved as (
    select district_code, phase_id, measure_no, 'due' as kind, delivery as changed_on, null as changed_by, due_before as date_before,
        due as date_after, delivery, file, content_sha256, sheet, row_number
    from core.measure_due
    where n > 1
    union all
    select p.district_code, p.phase_id, p.of_measure_no, 'expected', p.reported_on, p.reporter,
        coalesce(lag(p.expected_on) over (
            partition by p.district_code, p.phase_id, p.of_measure_no order by p.reported_on, p.delivery, p.row_number
        ), m.baseline_due) as date_before,
        p.expected_on, p.delivery, p.file, p.content_sha256, p.sheet, p.row_number
    from core.progress p
    join core.measure m
        on m.district_code = p.district_code and m.phase_id = p.phase_id and m.measure_no = p.of_measure_no
    where p.refused_because is null and p.milestone_no is null and p.expected_on is not null
        -- a finished or cancelled measure has no expected day: a date left in its row moves nothing
        and p.state not in ('done', 'cancelled')
    qualify p.expected_on is distinct from date_before
)
select c.district_code, c.phase_id, c.measure_no, c.kind, c.changed_on, c.changed_by, c.date_before, c.date_after,
    c.date_after - c.date_before as moved_days,
    c.date_after - m.baseline_due as slippage_days,
    c.delivery, c.file, c.sheet, c.row_number as "row"
from moved c
semi join run_evaluation using (district_code, phase_id)
join core.measure m using (district_code, phase_id, measure_no)
