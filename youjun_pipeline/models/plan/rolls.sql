-- Pupils by school, stage and grade of every school year that class lists were delivered for: the newest list of the year. A
-- school year begins in August. A school of the year's roster without a list is there and did not report: a row without pupils
-- for each of its grades. Pupils of a school that merged later count where they went.
with delivered as (
    select o.district_code, f.dataset, f.content_sha256, f.delivery,
        year(f.delivery) - if(month(f.delivery) < 8, 1, 0) as year
    from planning_outlook o
    join temp.run_evaluation e using (district_code, phase_id)
    join raw.delivered_file f
        on f.district_code = o.district_code and f.delivery <= e.effective_on and f.dataset in ('classes', 'schools')
    qualify f.delivery = max(f.delivery) over (
        partition by o.district_code, f.dataset, year(f.delivery) - if(month(f.delivery) < 8, 1, 0)
    )
), listed as (
    select d.district_code, a.school_code, a.stage, a.grade, d.year, sum(a.students) as students
    from delivered d
    join accepted.classes a using (content_sha256)
    where d.dataset = 'classes'
    group by all
), grade as (
    select distinct district_code, school_code, stage, grade from listed
), rostered as (
    select d.district_code, a.school_code, d.year, unnest([
        {'stage': 'primary', 'students': a.primary_students}, {'stage': 'junior', 'students': a.junior_students}
    ], recursive := true)
    from delivered d
    join accepted.schools a using (content_sha256)
    where d.dataset = 'schools' and exists (
        from listed l where l.district_code = d.district_code and l.year = d.year
    )
)
select district_code, school_code, stage, grade, year, students::double as students from listed
union all
select g.district_code, g.school_code, g.stage, g.grade, r.year, null
from rostered r
join grade g using (district_code, school_code, stage)
where coalesce(r.students, 1) > 0
    and not exists (
        from listed l
        where l.district_code = r.district_code and l.school_code = r.school_code and l.stage = r.stage and l.year = r.year
    )
