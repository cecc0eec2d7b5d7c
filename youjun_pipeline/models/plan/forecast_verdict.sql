-- What the pupils of a coming year mean with all else as it is: coefficients and the district of every year; of schools what would
-- not be met, or fails with a probability of a tenth or more. The probability takes the 80 % interval for one of a normal error
-- (1.2816 deviations either way) and asks how likely the pupils are to be more than the resources, or the limit, allow.
with year as (
    select o.district_code, o.phase_id, e.phase_id as case_phase_id, substr(e.variant, 6)::integer as year
    from planning_outlook o
    join youjun_scenario.main.evaluation e on e.district_code = o.district_code and e.base_phase_id = o.phase_id
), pupils as (
    select district_code, year, school_code, stage, students, (high - low) / 2 / 1.2816 as deviation
    from planning_said
    where school_code is not null and grade is null
), judged as (
    select y.*, i.indicator_code, i.stage, i.school_code, i.school_name, i.students, i.value, i.threshold, i.status, p.deviation,
        case
            when i.per is not null and i.threshold > 0 then i.students * i.value / i.threshold
            when i.indicator_code = 'G4' then i.threshold
        end as most,
        i.reason
    from year y
    join youjun_scenario.mart.school_indicator i on i.district_code = y.district_code and i.phase_id = y.case_phase_id
    left join pupils p
        on p.district_code = y.district_code and p.year = y.year and p.school_code = i.school_code and p.stage = i.stage
), seat as (
    select s.district_code, s.phase_id, s.school_code, s.stage, s.classes * l.threshold as seats
    from mart.section s
    join planning_outlook using (district_code, phase_id)
    join (
        select district_code, phase_id, stage, max(threshold) as threshold from mart.school_indicator
        where indicator_code = 'G5' group by all
    ) l using (district_code, phase_id, stage)
), school as (
    select j.*,
        -- logistic for the normal: off by less than a hundredth
        case when deviation > 0 and most is not null
            then 1 / (1 + exp(least(greatest(1.702 * (most + 0.5 - j.students) / deviation, -500), 500))) end as probability_failing
    from judged j
)
select j.district_code, j.phase_id, 'now' as basis, j.year, 'school' as level, j.indicator_code, j.stage, j.school_code,
    j.school_name, j.students, j.value, j.threshold, j.status, n.status as status_now, j.probability_failing,
    greatest(t.seats - j.students, 0) as seats_spare, greatest(j.students - t.seats, 0) as seats_short, j.reason as message
from school j
left join mart.school_indicator n
    on n.district_code = j.district_code and n.phase_id = j.phase_id and n.school_code = j.school_code
    and n.stage = j.stage and n.indicator_code = j.indicator_code
left join seat t
    on t.district_code = j.district_code and t.phase_id = j.phase_id and t.school_code = j.school_code and t.stage = j.stage
where is_failing(j.status) or j.probability_failing >= 0.1
union all
select y.district_code, y.phase_id, 'now', y.year, 'stage', b.indicator_code, b.stage, null, null, b.students, b.cv, b.cv_limit,
    b.status, n.status, null, null, null, b.reason
from year y
join youjun_scenario.mart.stage_balance b on b.district_code = y.district_code and b.phase_id = y.case_phase_id
left join mart.stage_balance n
    on n.district_code = y.district_code and n.phase_id = y.phase_id and n.stage = b.stage
    and n.indicator_code = b.indicator_code
union all
select y.district_code, y.phase_id, 'now', y.year, 'district', null, null, null, null, null, d.schools_failing, 0,
    passed(d.passes), passed(n.passes), null, null, null,
    if(n.passes and not d.passes, '预警：现在通过，按预测的学生数到 ' || y.year || ' 学年将不再通过：', '') || d.summary
from year y
join youjun_scenario.mart.district_verdict d on d.district_code = y.district_code and d.phase_id = y.case_phase_id
left join mart.district_verdict n on n.district_code = y.district_code and n.phase_id = y.phase_id
