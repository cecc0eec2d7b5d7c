-- The ways to write a school, best first: code (1), exact name (2), alias (3), former name (4), normalised name (5), normalised
-- former name (6). Former names are those of earlier rosters and those in reported renames. The code or name of a whole school
-- (7) means all its campuses.
-- A normalised name has 街 for 街道, omits 中心, and keeps or omits the text in brackets; it may contain the school's own
-- township or none, never another.
with present as (
    select district_code, phase_id, school_code, school_name, township from core.known_school
    semi join run_evaluation using (district_code, phase_id)
), earlier as (
    select distinct k.district_code, k.phase_id, k.school_code, s.school_name, k.township
    from core.known_school k
    join run_evaluation e using (district_code, phase_id)
    join raw.delivered_file f
        on f.district_code = e.district_code and f.delivery <= e.effective_on and f.dataset = 'schools'
    join accepted.schools s on s.content_sha256 = f.content_sha256 and s.school_code = k.school_code
    where s.school_name <> k.school_name
), renamed as (
    select p.district_code, p.phase_id, p.school_code, trim(c.from_school) as school_name, p.township
    from core.chosen_file f
    join accepted.school_changes c using (content_sha256)
    join (
        select *, plain_name(school_name) as written from present
        union
        select *, school_code from present
    ) p
        on p.district_code = f.district_code and p.phase_id = f.phase_id and p.written = plain_name(c.to_school)
    where f.dataset = 'school_changes' and c.kind = 'rename' and c.from_school is not null
), known as (
    select *, false as is_former from present
    union all
    select *, true from earlier
    union all
    select *, true from renamed
), plain as (
    select *, plain_name(school_name) as name, plain_name(coalesce(township, '')) as town
    from known
), short as (
    select *,
        case when town <> '' and starts_with(name, town) and name <> town
            then substr(name, length(town) + 1) else name end as short_name
    from plain
)
select district_code, phase_id, school_code, 1 as rank, false as is_plain, school_code as form
from present
union all
select district_code, phase_id, school_code, 7, false, unnest([campus_of, whole_name])
from core.known_school
where campus_of <> school_code
union all
select district_code, phase_id, school_code, if(is_former, 4, 2), false, school_name
from short
union all
select f.district_code, f.phase_id, a.school_code, 3, false, a.alias
from core.chosen_file f
semi join run_evaluation using (district_code, phase_id)
join accepted.school_aliases a using (content_sha256)
where f.dataset = 'school_aliases'
union
select district_code, phase_id, school_code, if(is_former, 6, 5), true, unnest([name, short_name, town || short_name,
    translate(name, '()', ''), translate(short_name, '()', '')])
from short
