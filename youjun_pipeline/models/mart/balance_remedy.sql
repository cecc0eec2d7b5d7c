-- With a set J of schools at one common value ℓ, CV²+1 = (Q + wℓ²)/(T + wℓ)², where T and Q are the weighted sums of x and x²
-- over the other schools and w is the weight of J. It is least at ℓ = Q/T, where it is 1/(w + T²/Q): this shows whether J is
-- enough at all. The school that helps most has the largest w(λ−x)², λ = Q/T of the whole. λ changes as schools join J, so
-- several λ are tried and the shortest list is used. Then ℓ is the value nearest to the present values that meets the limit.
with cell as (
    select b.district_code, b.phase_id, b.stage, b.indicator_code, b.mean, b.cv, b.students,
        1 + b.cv_limit ** 2 as ratio_limit,
        b.mean as t,
        b.mean ** 2 * (1 + b.cv ** 2) as q
    from mart.stage_balance b
    semi join run_evaluation using (district_code, phase_id)
    where b.status = 'below' and b.mean > 0
), tried as (
    select c.*, w.way, c.q / c.t * f.factor as turning_point
    from cell c
    cross join (values ('addition'), ('removal')) w (way)
    cross join (values (0.6), (0.7), (0.75), (0.8), (0.85), (0.9), (0.95), (1.0), (1.05), (1.1), (1.2)) f (factor)
), ranked as (
    select t.*, r.school_code, r.value, r.students as school_students, r.per, r.threshold,
        r.students / t.students as weight,
        row_number() over by_help as place,
        sum(r.students / t.students) over by_help as weight_of_set,
        t.t - sum(r.students / t.students * r.value) over by_help as t_rest,
        t.q - sum(r.students / t.students * r.value ** 2) over by_help as q_rest,
        case t.way when 'addition' then max(r.value) over by_help else min(r.value) over by_help end as nearest
    from tried t
    join rule.resource r using (district_code, phase_id, stage, indicator_code)
    where r.value is not null and r.students > 0
        and case t.way when 'addition' then r.value < t.turning_point else r.value > t.turning_point end
    window by_help as (
        partition by t.district_code, t.phase_id, t.stage, t.indicator_code, t.way, t.turning_point
        order by r.students / t.students * (t.turning_point - r.value) ** 2 desc, r.school_code
        rows unbounded preceding
    )
), able as (
    -- ℓ solves aℓ² + bℓ + c = 0
    select *,
        weight_of_set * (1 - ratio_limit * weight_of_set) as a,
        -2 * ratio_limit * t_rest * weight_of_set as b,
        q_rest - ratio_limit * t_rest ** 2 as c,
        -- if a list only just reaches the limit, rounding may give a small negative number
        sqrt(greatest(b ** 2 - 4 * a * c, 0)) as root,
        case
            when abs(a) < 1e-12 then -c / b
            when way = 'addition' then (-b - root) / (2 * a)
            when a > 0 then (-b + root) / (2 * a)
        end as level_needed
    from ranked
    where q_rest > 1e-12 and t_rest > 1e-12
        and 1 / (weight_of_set + t_rest ** 2 / q_rest) <= ratio_limit
        and case way when 'addition' then nearest <= q_rest / t_rest else nearest >= q_rest / t_rest end
), level as (
    select *,
        case way
            when 'addition' then greatest(coalesce(level_needed, nearest), nearest)
            else least(coalesce(level_needed, nearest), nearest)
        end as target_value
    from able
), chosen as (
    select * from level
    qualify row_number() over (
        partition by district_code, phase_id, stage, indicator_code, way
        order by place, weight_of_set * abs(target_value) * if(way = 'addition', 1, -1), turning_point
    ) = 1
)
select r.district_code, r.phase_id, r.stage, r.indicator_code, r.way, r.place as priority, r.school_code, s.school_name,
    c.place as schools, r.value, c.target_value,
    abs(c.target_value - r.value) * r.school_students / r.per as amount,
    i.gap_unit as unit,
    sqrt(greatest(
        (c.q_rest + c.weight_of_set * c.target_value ** 2) / (c.t_rest + c.weight_of_set * c.target_value) ** 2 - 1, 0
    )) as cv_after,
    r.way = 'removal' and c.target_value < r.threshold as breaks_threshold
from ranked r
join chosen c using (district_code, phase_id, stage, indicator_code, way, turning_point)
join core.school s
    on s.district_code = r.district_code and s.phase_id = r.phase_id and s.school_code = r.school_code
join run_evaluation e on e.district_code = r.district_code and e.phase_id = r.phase_id
join standard.indicator i on i.standard_id = e.standard_id and i.indicator_code = r.indicator_code
where r.place <= c.place
