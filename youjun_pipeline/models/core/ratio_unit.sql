-- Every unit of a ratio with its report: the district, a school, a section, a row of the survey. numerator and denominator are
-- null if a part is missing. A part above its whole, or a negative whole, is a contradiction: neither figure can be believed, so
-- neither counts. The same holds for a figure that contradicts another figure which the ratio does not use (core.contradiction).
with unit as (
    select e.district_code, e.phase_id, r.indicator_code, r.part, r.is_share, null::varchar as school_code,
        null::varchar as school_name, null::varchar as stage, null::integer as year, null::varchar as item, true as is_member
    from run_evaluation e
    join standard.ratio r using (standard_id)
    where r.dataset = 'assurance'
    union all
    select e.district_code, e.phase_id, r.indicator_code, r.part, r.is_share, null, null, null, f.year, f.item, true
    from run_evaluation e
    join standard.ratio r using (standard_id)
    join core.reported_year y
        on y.district_code = e.district_code and y.phase_id = e.phase_id and y.indicator_code = r.indicator_code
        and y.part = r.part
    join core.figure f
        on f.district_code = e.district_code and f.phase_id = e.phase_id and f.dataset = r.dataset and f.year = y.year
    where r.dataset = 'recognition'
    group by all
    union all
    select m.district_code, m.phase_id, m.indicator_code, m.part, r.is_share, m.school_code, m.school_name, m.stage, y.year,
        null, m.is_member
    from core.ratio_member m
    join run_evaluation e using (district_code, phase_id)
    join standard.ratio r
        on r.standard_id = e.standard_id and r.indicator_code = m.indicator_code and r.part = m.part
    left join core.reported_year y
        on y.district_code = m.district_code and y.phase_id = m.phase_id and y.indicator_code = m.indicator_code
        and y.part = m.part
    -- a school that was too new to report that year, and reported nothing, does not count
    where coalesce(m.first_year <= y.year, true) or exists (
        from core.figure f
        where f.district_code = m.district_code and f.phase_id = m.phase_id and f.dataset = m.dataset
            and f.school_code = m.school_code and f.year = y.year
    )
), summed as (
    select u.*,
        case when bool_and(f.value is not null) filter (t.is_numerator)
            then sum(t.sign * f.value) filter (t.is_numerator) end::decimal(24, 6) as reported_part,
        case when bool_and(f.value is not null) filter (not t.is_numerator)
            then sum(t.sign * f.value) filter (not t.is_numerator) end::decimal(24, 6) as reported_whole,
        min(c.text) as contradiction_elsewhere
    from unit u
    join run_evaluation e using (district_code, phase_id)
    join standard.term t
        on t.standard_id = e.standard_id and t.indicator_code = u.indicator_code and t.part = u.part
    left join core.figure f
        on f.district_code = u.district_code and f.phase_id = u.phase_id and f.input = t.input
        and f.school_code is not distinct from u.school_code and f.stage is not distinct from u.stage
        and f.year is not distinct from u.year and f.item is not distinct from u.item
    left join core.contradiction c
        on c.district_code = u.district_code and c.phase_id = u.phase_id and c.input = t.input
        and c.school_code is not distinct from u.school_code and c.stage is not distinct from u.stage
        and c.year is not distinct from u.year and c.item is not distinct from u.item
    group by all
)
select * exclude (contradiction_elsewhere),
    if(is_share and (reported_part > reported_whole or reported_whole < 0),
        exact(reported_part) || ' 多于 ' || exact(reported_whole), contradiction_elsewhere) as contradiction,
    contradiction is not null as is_contradiction,
    if(is_contradiction, null, reported_part) as numerator,
    if(is_contradiction, null, reported_whole) as denominator
from summed
