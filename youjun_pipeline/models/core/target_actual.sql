-- The last report on each target and period up to the effective day. Reports accumulate over deliveries: the newest report
-- counts, and of two of the same day the one delivered later. is_unread: an unreadable report may be newer.
select f.district_code, f.phase_id, a.target_no, a.period, period_form(a.period) as period_form, a.reported_on, a.actual,
    t.target_no is not null as is_target_known,
    exists (
        select 1 from core.hidden h
        where h.district_code = f.district_code and h.phase_id = f.phase_id and h.dataset = 'target_actuals'
            and h.item = a.target_no
    ) or exists (
        select 1 from core.chosen_file o
        join accepted.target_actuals x using (content_sha256)
        where o.district_code = f.district_code and o.phase_id = f.phase_id and o.dataset = 'target_actuals'
            and x.target_no = a.target_no and period_form(x.period) = period_form(a.period)
            and x.actual is null and x.reported_on between a.reported_on and e.effective_on
    ) as is_unread,
    f.delivery, f.file, a.content_sha256, a.sheet, a.row_number
from core.chosen_file f
join run_evaluation e using (district_code, phase_id)
join accepted.target_actuals a using (content_sha256)
left join core.target t
    on t.district_code = f.district_code and t.phase_id = f.phase_id and t.target_no = a.target_no
    and t.period_form = period_form(a.period)
where f.dataset = 'target_actuals' and a.actual is not null and a.reported_on <= e.effective_on
qualify row_number() over (
    partition by f.district_code, f.phase_id, a.target_no, period_form(a.period)
    order by a.reported_on desc, f.delivery desc, f.file desc, a.sheet desc, a.row_number desc
) = 1
