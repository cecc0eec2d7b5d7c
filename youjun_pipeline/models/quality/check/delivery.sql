-- Deliveries that no evaluation uses, or that came too late for one: reported at once, with the date.
with late as (
    -- a closed phase keeps the deliveries with which it was closed; a later delivery dated within it changes nothing there
    select f.district_code, p.phase_id, p.phase_name, f.dataset, f.delivery, f.file
    from raw.phase p
    join raw.delivered_file f on f.district_code = p.district_code and f.delivery <= p.ends
        and f.delivery <= getvariable('as_of')
    join raw.dataset d using (dataset)
    semi join ops.phase_closure c
        on c.district_code = p.district_code and c.phase_id = p.phase_id and c.reopened_at is null
    -- the deliveries with which the phase was closed are known as long as the working database exists
    semi join core.chosen_file k on k.district_code = p.district_code and k.phase_id = p.phase_id
    anti join core.chosen_file u
        on u.district_code = p.district_code and u.phase_id = p.phase_id and u.dataset = f.dataset
        and u.content_sha256 = f.content_sha256 and (u.delivery = f.delivery or d.kind <> 'events')
    where d.kind = 'events' or f.delivery >= coalesce((
        select max(n.delivery) from core.chosen_file n
        where n.district_code = p.district_code and n.phase_id = p.phase_id and n.dataset = f.dataset
    ), f.delivery)
), told as (
    select district_code, dataset, delivery, file, 'late_for_' || phase_id as rule,
        '阶段“' || phase_name || '”（' || phase_id || '）已关闭，没有采用：如应计入，需 reopen（youjun reopen ' || district_code || ' '
            || phase_id || ' --reason 原因）' as why
    from late
    union all
    select district_code, dataset, delivery, file, rule, message
    from quality.unused_row
    where rule in ('in_the_future', 'after_the_last_phase', 'not_evaluated')
)
select district_code, null::varchar as phase_id, 'deliveries_are_used' as check_name, dataset, 'warning' as severity,
    false as passed, count(*) as failed_rows,
    string_agg(delivery || '/' || file || '：' || why, '；' order by delivery, file, rule) as message
from told
semi join run_district using (district_code)
group by district_code, dataset
