-- The ways a school may be written, best first: code (1), exact name (2), alias (3), normalised name (4).
-- A normalised name says 街 for 街道 and leaves out 中心; it may carry the school's own township or none, never another.
with plain as (
    select *, plain_name(school_name) as name, plain_name(coalesce(township, '')) as town
    from core.known_school
    semi join run_evaluation using (district_code, phase_id)
), short as (
    select *,
        case when town <> '' and starts_with(name, town) and name <> town
            then substr(name, length(town) + 1) else name end as short_name
    from plain
)
select district_code, phase_id, school_code, 1 as rank, school_code as form from short
union all
select district_code, phase_id, school_code, 2, school_name from short
union all
select f.district_code, f.phase_id, a.school_code, 3, a.alias
from core.chosen_file f
semi join run_evaluation using (district_code, phase_id)
join accepted.school_aliases a using (content_sha256)
where f.dataset = 'school_aliases'
union
select district_code, phase_id, school_code, 4, unnest([name, short_name, town || short_name]) from short
