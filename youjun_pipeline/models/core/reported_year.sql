-- The year on which each ratio of yearly figures is judged: the newest year for which every counted unit has reported. If no year
-- is complete, it is the newest of all, and missing says who has not reported; ahead is a newer year that some have reported.
with reported as (
    select district_code, phase_id, dataset, school_code, year
    from core.figure
    semi join run_evaluation using (district_code, phase_id)
    where dataset in ('school_finance', 'graduation_cohorts')
    group by all
), year as (
    select distinct m.district_code, m.phase_id, m.indicator_code, m.part, r.year
    from core.ratio_member m
    semi join run_evaluation using (district_code, phase_id)
    join reported r using (district_code, phase_id, dataset, school_code)
), school as (
    select y.district_code, y.phase_id, y.indicator_code, y.part, y.year,
        list(m.school_name order by m.school_code) filter (r.year is null) as missing
    from year y
    join core.ratio_member m
        on m.district_code = y.district_code and m.phase_id = y.phase_id and m.indicator_code = y.indicator_code
        and m.part = y.part and coalesce(m.first_year <= y.year, true)
    left join reported r
        on r.district_code = m.district_code and r.phase_id = m.phase_id and r.dataset = m.dataset
        and r.school_code = m.school_code and r.year = y.year
    group by all
), survey as (
    -- a group may have any of its names; if no sample is required, a group that was asked in an earlier year and not now is
    -- missing
    select y.district_code, y.phase_id, y.indicator_code, y.part, y.year,
        list(g.respondent_group order by g.sort_order) filter (
            (y.survey_rule = 'national' or b.first_year is not null) and not list_has_any(g.words, y.words)) as missing
    from (
        select e.district_code, e.phase_id, e.standard_id, e.survey_rule, t.indicator_code, t.part, a.year,
            list(distinct a.respondent_group) as words
        from run_evaluation e
        join standard.ratio t on t.standard_id = e.standard_id and t.dataset = 'recognition'
        join core.chosen_file f
            on f.district_code = e.district_code and f.phase_id = e.phase_id and f.dataset = 'recognition'
        join accepted.recognition a using (content_sha256)
    anti join core.future_row u
        on u.district_code = f.district_code and u.phase_id = f.phase_id and u.content_sha256 = a.content_sha256
        and u.sheet is not distinct from a.sheet and u.row_number = a.row_number
        group by all
    ) y
    join standard.respondent_group g using (standard_id)
    left join core.asked_before b
        on b.district_code = y.district_code and b.phase_id = y.phase_id and b.respondent_group = g.respondent_group
        and b.first_year < y.year
    group by all
)
select district_code, phase_id, indicator_code, part, year, missing, nullif(newest, year) as ahead,
    if(newest = year, null, newest_missing) as missing_ahead
from (
    select *, max(year) over ratio as newest, arg_max(missing, year) over ratio as newest_missing
    from (from school union all by name from survey)
    window ratio as (partition by district_code, phase_id, indicator_code, part)
)
qualify row_number() over (
    partition by district_code, phase_id, indicator_code, part order by missing is null desc, year desc
) = 1
