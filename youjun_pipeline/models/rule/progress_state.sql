-- Where a measure or a milestone stands, from the newest report that counts; nobody types it.
-- Of two on one day the later delivered speaks, then the less advanced: one "done" does not outvote one "not yet".
-- finished_on: the day since which it is reported done without a break, or an earlier one that the report names.
with report as (
    select district_code, phase_id,
        if(milestone_no is null, 'measure', 'milestone') as subject,
        coalesce(milestone_no, measure_no) as subject_no,
        reported_on, state, percent, expected_on, evidence, reporter, note, delivery,
        row_number() over (
            partition by district_code, phase_id, subject, subject_no
            order by reported_on desc, delivery desc,
                case state when 'not_started' then 1 when 'in_progress' then 2 when 'cancelled' then 3 else 4 end,
                reporter
        ) as newest_first
    from core.progress
    semi join run_evaluation using (district_code, phase_id)
    where refused_because is null
), newest as (
    select district_code, phase_id, subject, subject_no,
        min(newest_first) filter (state <> 'done') as last_not_done
    from report
    group by all
)
select r.district_code, r.phase_id, r.subject, r.subject_no,
    arg_min(state, newest_first) as state,
    case when arg_min(state, newest_first) = 'done' then coalesce(arg_min_null(percent, newest_first), 100)
        else arg_min(percent, newest_first) end as percent,
    arg_min(expected_on, newest_first) as expected_on,
    least(
        min(reported_on) filter (newest_first < coalesce(last_not_done, newest_first + 1)),
        min(expected_on) filter (newest_first < coalesce(last_not_done, newest_first + 1))
    ) as finished_on,
    max(reported_on) as reported_on,
    arg_min_null(reporter, newest_first) as reporter,
    arg_min_null(evidence, newest_first) as evidence,
    arg_min_null(note, newest_first) as note
from report r
join newest n using (district_code, phase_id, subject, subject_no)
group by all
