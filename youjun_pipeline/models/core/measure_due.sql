-- The due dates of a measure, delivery by delivery: first its baseline, then each date that differs from the one before.
with delivered as (
    select e.district_code, e.phase_id, m.measure_no, f.delivery, f.file, m.due,
        lag(m.due) over history as due_before, row_number() over history as n, m.content_sha256, m.sheet, m.row_number
    from run_evaluation e
    join raw.delivered_file f
        on f.district_code = e.district_code and f.delivery <= e.effective_on and f.dataset = 'measures'
    join accepted.measures m using (content_sha256)
    window history as (partition by e.district_code, e.phase_id, m.measure_no order by f.delivery, f.file)
)
select * from delivered where n = 1 or due is distinct from due_before
