-- CVs compared with the phase before: the CV of each step from the sections of then to those of now, one cause at a time.
-- Steps: 0 as before, 1 schools that disappeared or appeared, 2 data newly reported or missing, 3 pupils, 4 resources, 5 rules.
with step as (
    select district_code, phase_id, previous_phase_id, stage, indicator_code, school_code, unnest([
        {'step': 0, 'students': if(presence = 'appeared', null, students_before), 'x': x0},
        {'step': 1, 'students': if(presence = 'appeared', students_after, students_before),
            'x': case presence when 'appeared' then x3 when 'gone' then null else x0 end},
        {'step': 2, 'students': case presence when 'reported' then students_after when 'appeared' then students_after
                else students_before end,
            'x': case presence when 'appeared' then x3 when 'reported' then x3 when 'gone' then null
                when 'unreported' then null else x0 end},
        {'step': 3, 'students': students_after, 'x': if(presence = 'both', x1, x3)},
        {'step': 4, 'students': students_after, 'x': if(presence = 'both', x2, x3)},
        {'step': 5, 'students': students_after, 'x': x3}
    ], recursive := true)
    from rule.resource_change
    semi join run_evaluation using (district_code, phase_id)
), mean as (
    select district_code, phase_id, previous_phase_id, stage, indicator_code, step,
        sum(students * x order by school_code) / sum(students) as mean
    from step
    where x is not null
    group by all
), spread as (
    select s.district_code, s.phase_id, s.previous_phase_id, s.stage, s.indicator_code, s.step,
        if(any_value(mean) > 0,
            sqrt(sum(students * (x - mean) ** 2 order by school_code) / sum(students)) / any_value(mean), null) as cv
    from step s
    join mean m using (district_code, phase_id, previous_phase_id, stage, indicator_code, step)
    where x is not null
    group by all
)
select district_code, phase_id, previous_phase_id, stage, indicator_code,
    ['was', 'roster', 'correction', 'enrolment', 'resource', 'rule'][step + 1] as cause,
    -- the part of a step without a CV goes to the next step that has one
    cv - lag(cv ignore nulls) over (
        partition by district_code, phase_id, previous_phase_id, stage, indicator_code order by step
    ) as effect,
    step
from spread
