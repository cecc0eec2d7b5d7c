-- The state of a measure or a milestone, derived from the newest report that counts; nobody types it. Of two reports on one day
-- the one delivered later counts, then the less advanced one: one "done" does not outvote one "not yet". finished_on: the first
-- day of the unbroken reports that it is done; an expected date does not change this. Reports from before it was done, or from
-- before that was withdrawn, no longer count; nor does a percentage from before it was reported as not begun. If a report, or the
-- state in the newest report, cannot be read, it may say anything: then nothing is known (no_data). 100 % of an unfinished
-- measure is a contradiction: then there is no percentage.
with report as (
    select district_code, phase_id,
        if(milestone_no is null, 'measure', 'milestone') as subject,
        coalesce(milestone_no, measure_no) as subject_no,
        reported_on, state, percent, expected_on, evidence, reporter, note, delivery,
        row_number() over (
            partition by district_code, phase_id, subject, subject_no
            order by reported_on desc, delivery desc,
                case state when 'not_started' then 1 when 'in_progress' then 2 when 'cancelled' then 3 else 4 end,
                reporter, percent, expected_on, evidence, note
        ) as newest_first
    from core.progress
    semi join run_evaluation using (district_code, phase_id)
    where refused_because is null
), present as (
    select *,
        first_value(state) over (
            partition by district_code, phase_id, subject, subject_no order by newest_first
        ) as state_now
    from report
), since as (
    select *,
        bool_and((state = 'done') = (state_now = 'done')) over history as is_since_done_or_taken_back,
        bool_and(state = state_now) over history as is_since_state
    from present
    window history as (
        partition by district_code, phase_id, subject, subject_no order by newest_first
        rows between unbounded preceding and current row
    )
), said as (
    select district_code, phase_id, subject, subject_no,
        any_value(state_now) as state,
        arg_min(percent, newest_first) filter (if(state_now = 'not_started', is_since_state, is_since_done_or_taken_back))
            as percent,
        arg_min(expected_on, newest_first) filter (is_since_done_or_taken_back) as expected_on,
        min(reported_on) filter (is_since_done_or_taken_back) as finished_on,
        max(reported_on) as reported_on,
        arg_min_null(reporter, newest_first) as reporter,
        arg_min_null(evidence, newest_first) as evidence,
        arg_min_null(note, newest_first) as note
    from since
    group by all
), unread as (
    select distinct district_code, phase_id, 'measure' as subject, item as subject_no, true as is_unread
    from core.hidden
    semi join run_evaluation using (district_code, phase_id)
    where dataset = 'progress' and item is not null
), known as (
    select district_code, phase_id, subject, subject_no,
        if(s.state is null or u.is_unread, 'no_data', s.state) as state, s.percent, s.expected_on, s.finished_on, s.reported_on,
        s.reporter, s.evidence, s.note
    from said s
    full join unread u using (district_code, phase_id, subject, subject_no)
)
select district_code, phase_id, subject, subject_no, state,
    case when state = 'no_data' then null when state = 'done' then coalesce(percent, 100) when percent < 100 then percent
    end as percent,
    if(state = 'done', null, expected_on) as expected_on,
    if(state = 'done', finished_on, null) as finished_on,
    reported_on, reporter, evidence, note
from known
