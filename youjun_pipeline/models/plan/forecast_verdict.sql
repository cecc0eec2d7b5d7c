-- What the pupils of a coming year mean, with everything else unchanged (basis now) and with what the plan will have done by then
-- (plan). Coefficients and the district have a row for every year; schools only for indicators that would not be met, or that
-- fail with a probability of a tenth or more.
-- The 80 % interval of each school's pupils is read as a normal error (1.2816 deviations either way), independent of other
-- schools'. For a school the probability is that the pupils exceed what the resources, or the limit, allow. For a coefficient it
-- is the probability that it exceeds its limit, to first order in every school's pupils (its derivative).
with year as (
    select o.district_code, o.phase_id, e.phase_id as case_phase_id, split_part(e.variant, '-', 1) as basis,
        split_part(e.variant, '-', 2)::integer as year
    from planning_outlook o
    join youjun_scenario.main.evaluation e on e.district_code = o.district_code and e.base_phase_id = o.phase_id
), pupils as (
    select district_code, phase_id, year, school_code, stage, grade, students, (high - students) / 1.2816 as deviation
    from planning_pupils
    where school_code is not null
), grade as (
    -- the pupils of a grade and its present classes
    select p.district_code, p.phase_id, p.year, p.school_code, p.stage, p.grade, c.classes, p.students, p.deviation
    from pupils p
    join (
        select f.district_code, f.phase_id, a.school_code, a.stage, a.grade, count(*) as classes
        from temp.run_chosen_file f
        join accepted.classes a using (content_sha256)
        where f.dataset = 'classes'
        group by all
    ) c using (district_code, phase_id, school_code, stage, grade)
), judged as (
    select y.*, i.indicator_code, i.stage, i.school_code, i.school_name, i.students, i.value, i.threshold, i.status, i.per,
        i.reason, p.deviation, i.students * i.value / i.per as amount,
        case
            when i.per is not null and i.threshold > 0 then i.students * i.value / i.threshold
            when i.indicator_code = 'G4' then i.threshold
        end as most
    from year y
    join youjun_scenario.mart.school_indicator i on i.district_code = y.district_code and i.phase_id = y.case_phase_id
    left join pupils p
        on p.district_code = y.district_code and p.phase_id = y.phase_id and p.year = y.year
        and p.school_code = i.school_code and p.stage = i.stage and p.grade is null
), seat as (
    select s.district_code, s.phase_id, s.school_code, s.stage, s.classes * l.threshold as seats
    from mart.section s
    join planning_outlook using (district_code, phase_id)
    join (
        select district_code, phase_id, stage, max(threshold) as threshold from mart.school_indicator
        where indicator_code = 'G5' group by all
    ) l using (district_code, phase_id, stage)
), crowded as (
    -- no class may be over its limit: no grade may have more pupils than its classes hold
    select j.district_code, j.phase_id, j.case_phase_id, j.school_code, j.stage,
        1 - product(1 - likely(g.students - g.classes * j.threshold - 0.5, g.deviation) order by g.grade) as probability_failing
    from judged j
    join grade g using (district_code, phase_id, year, school_code, stage)
    -- a plan does not say from which grades it moves pupils
    where j.indicator_code = 'G5' and j.basis = 'now' and g.deviation > 0
    group by all
), school as (
    select j.*, coalesce(c.probability_failing, likely(j.students - j.most - 0.5, j.deviation)) as probability_failing
    from judged j
    left join crowded c
        on j.indicator_code = 'G5' and c.district_code = j.district_code and c.case_phase_id = j.case_phase_id
        and c.school_code = j.school_code and c.stage = j.stage
), whole as (
    -- sums over the sections of a coefficient: pupils, resources, and squared resources divided by pupils; in the order of the
    -- schools, so that two runs agree to the last digit
    select case_phase_id, district_code, indicator_code, stage, sum(students) as p,
        sum(amount order by school_code) as r, sum(amount * amount / students order by school_code) as q
    from judged
    where per is not null and students > 0
    group by all
), spread as (
    -- dCV/dP of a school, by CV² + 1 = ΣP·Σ(R²/P) / (ΣR)², times the deviation of its pupils; without a forecast a school does
    -- not change
    select j.district_code, j.case_phase_id, j.indicator_code, j.stage,
        sqrt(sum((w.q - w.p * j.amount * j.amount / (j.students * j.students)) ** 2 * j.deviation ** 2 order by j.school_code))
            / (w.r * w.r) as of_square
    from judged j
    join whole w using (district_code, case_phase_id, indicator_code, stage)
    where j.per is not null and j.students > 0 and w.r > 0
    group by j.district_code, j.case_phase_id, j.indicator_code, j.stage, w.r
)
select j.district_code, j.phase_id, j.basis, j.year, 'school' as level, j.indicator_code, j.stage, j.school_code,
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
select y.district_code, y.phase_id, y.basis, y.year, 'stage', b.indicator_code, b.stage, null, null, b.students, b.cv, b.cv_limit,
    b.status, n.status, if(b.status = 'no_data', null, likely(b.cv - b.cv_limit, s.of_square / (2 * nullif(b.cv, 0)))), null, null, b.reason
from year y
join youjun_scenario.mart.stage_balance b on b.district_code = y.district_code and b.phase_id = y.case_phase_id
left join spread s
    on s.district_code = y.district_code and s.case_phase_id = y.case_phase_id and s.indicator_code = b.indicator_code
    and s.stage = b.stage
left join mart.stage_balance n
    on n.district_code = y.district_code and n.phase_id = y.phase_id and n.stage = b.stage
    and n.indicator_code = b.indicator_code
union all
select y.district_code, y.phase_id, y.basis, y.year, 'district', null, null, null, null, null, d.schools_failing, 0,
    passed(d.passes), passed(n.passes), null, null, null, d.summary
from year y
join youjun_scenario.mart.district_verdict d on d.district_code = y.district_code and d.phase_id = y.case_phase_id
left join mart.district_verdict n on n.district_code = y.district_code and n.phase_id = y.phase_id
