-- Who reports for each ratio: the schools and sections in its scope. is_member is null if a word of the scope is not known for
-- the school (城乡类型, 举办者 or 寄宿制 left blank): then nobody can say whether it counts. Money and graduates are reported by
-- the whole school, which counts as soon as one of its campuses does.
with ratio as (
    select e.district_code, e.phase_id, e.count_private_teachers, y.value::integer as junior_years, r.indicator_code, r.part,
        r.dataset, r.stage, r.scope
    from run_evaluation e
    join standard.ratio r using (standard_id)
    join core.parameter y
        on y.district_code = e.district_code and y.phase_id = e.phase_id and y.parameter = 'junior_years'
    where r.dataset not in ('assurance', 'recognition')
), school as (
    select r.*, s.school_code, s.campus_of, s.school_name,
        (not list_contains(r.scope, 'in_scope') or s.in_scope)
            and (not list_contains(r.scope, 'small') or s.is_small_school)
            and (not list_contains(r.scope, 'town') or s.urban_rural <> '乡村')
            and (not list_contains(r.scope, 'day') or not s.boarding)
            and (not list_contains(r.scope, 'public') or s.sponsor_code <> 10)
            and (not list_contains(r.scope, 'public_if_asked') or r.count_private_teachers or s.sponsor_code <> 10)
            as is_member,
        -- the first year for which the school can report something
        case when list_contains(r.scope, 'established') then s.built_year + r.junior_years else s.built_year end as first_year
    from ratio r
    join core.school s using (district_code, phase_id)
    where case r.stage when 'primary' then s.has_primary when 'junior' then s.has_junior else true end
)
select district_code, phase_id, indicator_code, part, dataset, campus_of as school_code,
    arg_min(school_name, (school_code <> campus_of, school_code)) as school_name, null::varchar as stage,
    bool_or(is_member) as is_member,
    if(bool_and(first_year is not null), min(first_year), null) as first_year
from school
where dataset not in ('teachers', 'schools') and is_member is distinct from false
group by district_code, phase_id, indicator_code, part, dataset, campus_of
union all
select district_code, phase_id, indicator_code, part, dataset, school_code, school_name, null, is_member, first_year
from school
where dataset = 'schools' and is_member is distinct from false
union all
select s.district_code, s.phase_id, s.indicator_code, s.part, s.dataset, s.school_code, s.school_name, c.stage, s.is_member,
    s.first_year
from school s
join core.section c using (district_code, phase_id, school_code)
where s.dataset = 'teachers' and s.is_member is distinct from false
