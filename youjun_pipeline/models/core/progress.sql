-- Progress reports on measures and milestones, accumulated over all deliveries up to the effective day. The same row twice counts
-- once. If reports have the same date, measure, milestone and reporter, the later delivery counts. refused_because says why a
-- report does not count: its measure or milestone is unknown, or it is dated before the plan was issued or after the effective
-- day.
with reported as (
    select e.district_code, e.phase_id, e.issued_on, e.effective_on, f.delivery, f.file, p.*
    from core.chosen_file f
    join run_evaluation e using (district_code, phase_id)
    join accepted.progress p using (content_sha256)
    where f.dataset = 'progress'
    qualify row_number() over (
        partition by f.district_code, f.phase_id, p.reported_on, p.measure_no, p.milestone_no, p.reporter
        order by f.delivery desc, f.file desc, p.sheet desc, p.row_number desc
    ) = 1
)
select r.district_code, r.phase_id, r.reported_on, r.measure_no, r.milestone_no,
    coalesce(r.measure_no, s.measure_no) as of_measure_no,
    r.state, r.percent, r.expected_on, r.spent_wan, r.evidence, r.reporter, r.note,
    case
        when r.measure_no is not null and m.measure_no is null then 'unknown_measure'
        when r.milestone_no is not null and s.milestone_no is null then 'unknown_milestone'
        when r.reported_on < r.issued_on then 'before_plan'
        when r.reported_on > r.effective_on then 'not_yet'
    end as refused_because,
    r.delivery, r.file, r.content_sha256, r.sheet, r.row_number
from reported r
left join core.measure m
    on m.district_code = r.district_code and m.phase_id = r.phase_id and m.measure_no = r.measure_no
left join core.milestone s
    on s.district_code = r.district_code and s.phase_id = r.phase_id and s.milestone_no = r.milestone_no
