-- A subject under another name (体育与健康 for 体育) is the same subject: its newest cycle counts, whatever it was called.
with result as (
    select f.district_code, f.phase_id, m.cycle, m.grade, m.subject, m.level, m.between_school_rate,
        l.value as level_required, p.value as rate_limit,
        m.cycle = max(m.cycle) over (
            partition by f.district_code, f.phase_id, m.grade, coalesce(s.subject, m.subject)) as is_newest
    from core.chosen_file f
    join run_evaluation e using (district_code, phase_id)
    join accepted.quality_monitoring m using (content_sha256)
    anti join core.future_row u
        on u.district_code = f.district_code and u.phase_id = f.phase_id and u.content_sha256 = m.content_sha256
        and u.sheet is not distinct from m.sheet and u.row_number = m.row_number
    join core.limit l on l.district_code = e.district_code and l.phase_id = e.phase_id and l.indicator_code = 'Q9'
    join core.parameter p
        on p.district_code = f.district_code and p.phase_id = f.phase_id
        and p.parameter = 'between_school_rate_below'
    left join standard.monitored_subject s
        on s.standard_id = e.standard_id and s.grade = m.grade and list_contains(s.words, m.subject)
    where f.dataset = 'quality_monitoring'
)
select
    district_code, phase_id, cycle, grade, subject, level, between_school_rate::double as between_school_rate,
    level_required::integer as level_required, rate_limit::double as rate_limit, is_newest,
    case
        when level < level_required or between_school_rate >= rate_limit then 'below'
        when level is null or between_school_rate is null then 'no_data'
        else 'met'
    end as status
from result
