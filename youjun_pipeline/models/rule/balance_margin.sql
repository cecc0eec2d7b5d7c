-- How far every coefficient is from another verdict, at the one school where the smallest change is enough: in units of the
-- resource, or in pupils. With the other schools unchanged, CV² + 1 = W·ΣR²/P / (ΣR)² is a quadratic in the one school's resource
-- and another in its pupils. The limit includes the tolerance of the verdict. Units are whole: one unit less leaves the verdict
-- as it is.
with cell as (
    select b.district_code, b.phase_id, b.stage, b.indicator_code, b.status, b.cv, b.cv_limit,
        1 + (b.cv_limit * (1 + p.value)) ** 2 as ratio_limit,
        sum(r.students order by r.school_code) as w,
        sum(r.students * r.value order by r.school_code) as t,
        sum(r.students * r.value ** 2 order by r.school_code) as q
    from mart.stage_balance b
    join run_evaluation e using (district_code, phase_id)
    join standard.parameter p on p.standard_id = e.standard_id and p.parameter = 'cv_tolerance'
    join rule.resource r using (district_code, phase_id, stage, indicator_code)
    where b.status <> 'no_data' and b.cv is not null and r.value is not null
    group by all
), rest as (
    -- the sums over the other schools, not the whole minus its own: a difference may consist of rounding only
    select c.*, r.school_code, r.share, r.students as p, r.students * r.value as own, r.per,
        sum(r.students) over others as w_rest,
        sum(r.students * r.value) over others as t_rest,
        sum(r.students * r.value ** 2) over others as q_rest
    from cell c
    join rule.resource r using (district_code, phase_id, stage, indicator_code)
    where r.value is not null
    window others as (
        partition by r.district_code, r.phase_id, r.stage, r.indicator_code order by r.school_code
        rows between unbounded preceding and unbounded following exclude current row
    )
    -- an all-through school's resource and pupils change two sections at once
    qualify r.share = 1
), quadratic as (
    -- in the amount y: w(q_rest + y²/p) = k(t_rest + y)²; in the pupils m: (w_rest + m)(q_rest + y²/m) = k·t²
    select *, 'resource' as lever, own as now,
        w / p - ratio_limit as a, -2 * ratio_limit * t_rest as b, w * q_rest - ratio_limit * t_rest ** 2 as c
    from rest
    where w_rest > 0
    union all
    select *, 'students', p, q_rest, w_rest * q_rest + own ** 2 - ratio_limit * t ** 2, w_rest * own ** 2
    from rest
    where w_rest > 0
), root as (
    select * exclude (root), unnest(root) as root
    from (
        select *, if(b ** 2 - 4 * a * c < 0, [], if(abs(a) < 1e-12, [-c / nullif(b, 0)], [
            (-b - sqrt(b ** 2 - 4 * a * c)) / (2 * a), (-b + sqrt(b ** 2 - 4 * a * c)) / (2 * a)
        ])) as root
        from quadratic
    )
), turn as (
    -- in the resource's own unit: per hundred pupils, a value of 1 is a hundredth of a teacher for each pupil
    select *, (root - now) / if(lever = 'resource', per, 1) as change
    from root
    where root >= if(lever = 'resource', 0, 1) and root <> now
), whole as (
    select *, if(change > 0, 'more', 'less') as move,
        -- a coefficient exactly on its limit changes with the next unit
        greatest(if(is_met(status), floor(abs(change)) + 1, ceil(abs(change) - 1e-9)), 1) as margin
    from turn
    where change > 0 or now / if(lever = 'resource', per, 1) >= abs(change)
)
select w.district_code, w.phase_id, 'stage' as level, w.indicator_code, w.stage, w.school_code, s.school_name, w.lever,
    w.move, if(w.lever = 'students', '人', i.gap_unit) as unit, w.margin, w.status, w.cv as value,
    w.cv_limit as threshold
from whole w
join run_evaluation e using (district_code, phase_id)
join standard.indicator i on i.standard_id = e.standard_id and i.indicator_code = w.indicator_code
join core.school s
    on s.district_code = w.district_code and s.phase_id = w.phase_id and s.school_code = w.school_code
where w.move = 'more' or w.margin < w.now / if(w.lever = 'resource', w.per, 1)
qualify row_number() over (
    partition by w.district_code, w.phase_id, w.stage, w.indicator_code, w.lever, w.move
    order by w.margin, abs(w.change), w.school_code
) = 1
