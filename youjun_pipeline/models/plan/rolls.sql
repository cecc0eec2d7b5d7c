-- Pupils by school, stage and grade of every school year with delivered rosters, for each evaluation that looks back on them: the
-- newest class list and roster of the year. A school year begins in August. A school in the year's roster without a class list
-- exists and did not report: it has a row without pupils for each of its grades. If a school never delivers class lists, as with
-- the official statistics, its stage's pupils are spread evenly over the grades (is_spread): then the stage's sum is known, but
-- its grades are not. Pupils of a school that was merged or renamed count at its successor.
with delivered as (
    select o.district_code, o.phase_id, f.dataset, f.content_sha256, f.delivery, school_year(f.delivery) as year
    from planning_outlook o
    join temp.run_evaluation e using (district_code, phase_id)
    join raw.delivered_file f
        on f.district_code = o.district_code and f.delivery <= e.effective_on and f.dataset in ('classes', 'schools')
    qualify f.delivery = max(f.delivery) over (partition by o.district_code, o.phase_id, f.dataset, school_year(f.delivery))
), listed as (
    select d.district_code, d.phase_id, a.school_code, a.stage, a.grade, d.year, sum(a.students) as students
    from delivered d
    join accepted.classes a using (content_sha256)
    where d.dataset = 'classes'
    group by all
), grade as (
    select distinct district_code, phase_id, school_code, stage, grade from listed
), rostered as (
    select d.district_code, d.phase_id, a.school_code, d.year, unnest([
        {'stage': 'primary', 'students': a.primary_students}, {'stage': 'junior', 'students': a.junior_students}
    ], recursive := true)
    from delivered d
    join accepted.schools a using (content_sha256)
    where d.dataset = 'schools'
), taught as (
    -- the grades of a stage without a class list
    select o.district_code, o.phase_id, g.stage, unnest(g.grades) as grade, len(g.grades) as grades
    from planning_outlook o
    join core.parameter y
        on y.district_code = o.district_code and y.phase_id = o.phase_id and y.parameter = 'junior_years'
    cross join lateral (
        select unnest([
            {'stage': 'primary', 'grades': range(1, 10 - y.value::integer)},
            {'stage': 'junior', 'grades': range(10 - y.value::integer, 10)}
        ], recursive := true)
    ) g
), roll as (
    select *, false as is_spread from listed
    union all
    select g.district_code, g.phase_id, g.school_code, g.stage, g.grade, r.year, null, false
    from rostered r
    join grade g using (district_code, phase_id, school_code, stage)
    where coalesce(r.students, 1) > 0
        -- a year without any class list does not show who failed to report one
        and exists (
            from listed l where l.district_code = r.district_code and l.phase_id = r.phase_id and l.year = r.year
        )
        and not exists (
            from listed l
            where l.district_code = r.district_code and l.phase_id = r.phase_id and l.school_code = r.school_code
                and l.stage = r.stage and l.year = r.year
        )
    union all
    select r.district_code, r.phase_id, r.school_code, r.stage, t.grade, r.year, r.students / t.grades, true
    from rostered r
    join taught t using (district_code, phase_id, stage)
    anti join grade g using (district_code, phase_id, school_code, stage)
    where r.students > 0
), heir as (
    -- a split has several successors, and nobody knows which pupils went where
    select s.district_code, s.phase_id, s.school_code, any_value(s.successor_code) as successor_code
    from core.school_successor s
    semi join planning_outlook using (district_code, phase_id)
    semi join core.school k
        on k.district_code = s.district_code and k.phase_id = s.phase_id and k.school_code = s.successor_code
    anti join core.school k
        on k.district_code = s.district_code and k.phase_id = s.phase_id and k.school_code = s.school_code
    group by all
    having count(distinct s.successor_code) = 1
)
select r.district_code, r.phase_id, coalesce(h.successor_code, r.school_code) as school_code, r.stage, r.grade, r.year,
    if(bool_and(r.students is not null), sum(r.students), null)::double as students, bool_or(r.is_spread) as is_spread
from roll r
left join heir h using (district_code, phase_id, school_code)
group by all
