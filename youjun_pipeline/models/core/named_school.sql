-- Schools to which delivered rows refer by name; each name is found or not found, never guessed.
-- resolution: code, name, alias, former, normalised, campuses, ambiguous, unknown; candidates help the person who corrects the
-- name.
with reference as (
    select district_code, phase_id, 'measures' as dataset, delivery, file, content_sha256, sheet, row_number,
        'school_names' as column_name, trim(unnest(regexp_split_to_array(school_names, '[、，,；;\n]'))) as name
    from core.measure
    semi join run_evaluation using (district_code, phase_id)
    union all
    select district_code, phase_id, 'measures', delivery, file, content_sha256, sheet, row_number,
        'receiving_school', trim(unnest(regexp_split_to_array(receiving_school, '[、，,；;\n]')))
    from core.measure
    semi join run_evaluation using (district_code, phase_id)
    union all
    select f.district_code, f.phase_id, f.dataset, f.delivery, f.file, a.content_sha256, a.sheet, a.row_number,
        'from_school', trim(unnest(regexp_split_to_array(a.from_school, '[、，,；;\n]')))
    from core.chosen_file f
    semi join run_evaluation using (district_code, phase_id)
    join accepted.school_changes a using (content_sha256)
    where f.dataset = 'school_changes'
    union all
    select f.district_code, f.phase_id, f.dataset, f.delivery, f.file, a.content_sha256, a.sheet, a.row_number,
        'to_school', trim(unnest(regexp_split_to_array(a.to_school, '[、，,；;\n]')))
    from core.chosen_file f
    semi join run_evaluation using (district_code, phase_id)
    join accepted.school_changes a using (content_sha256)
    where f.dataset = 'school_changes'
    union all
    select f.district_code, f.phase_id, f.dataset, f.delivery, f.file, a.content_sha256, a.sheet, a.row_number,
        'school_name', trim(a.school_name)
    from core.chosen_file f
    semi join run_evaluation using (district_code, phase_id)
    join accepted.superior_findings a using (content_sha256)
    where f.dataset = 'superior_findings'
    union all
    select f.district_code, f.phase_id, f.dataset, f.delivery, f.file, a.content_sha256, a.sheet, a.row_number,
        'school_name', trim(a.school_name)
    from core.chosen_file f
    semi join run_evaluation using (district_code, phase_id)
    join accepted.acceptances a using (content_sha256)
    where f.dataset = 'acceptances'
), named as (
    select distinct district_code, phase_id, name from reference where name <> ''
), written as (
    select district_code, phase_id, name, unnest([
        {'is_plain': false, 'form': name}, {'is_plain': true, 'form': plain_name(name)}
    ], recursive := true)
    from named
), matched as (
    -- if several schools have the name, the school in the district's aliases is meant
    select n.district_code, n.phase_id, n.name, f.school_code, f.rank
    from written n
    join core.school_form f using (district_code, phase_id, is_plain, form)
    window same as (partition by n.district_code, n.phase_id, n.name)
    qualify f.rank = if(count(*) filter (f.rank = 2) over same > 1 and count(*) filter (f.rank = 3) over same > 0,
        3, min(f.rank) over same)
), resolved as (
    select n.district_code, n.phase_id, n.name,
        min(m.rank) as rank,
        min(m.rank) = 7 and count(distinct k.campus_of) = 1 as is_whole,
        count(distinct m.school_code) as schools,
        list(distinct m.school_code order by m.school_code) filter (m.school_code is not null) as matches
    from named n
    left join matched m using (district_code, phase_id, name)
    left join core.known_school k using (district_code, phase_id, school_code)
    group by n.district_code, n.phase_id, n.name
), candidate as (
    -- for an unknown name, the three most similar names; for an ambiguous name, all schools that have it
    select r.district_code, r.phase_id, r.name,
        array_to_string(list(k.school_name || '（' || k.school_code || '）'
            order by jaro_winkler_similarity(k.school_name, r.name) desc, k.school_code)[1:3], '、') as candidates
    from resolved r
    join core.known_school k using (district_code, phase_id)
    where (r.schools = 0 and jaro_winkler_similarity(k.school_name, r.name) > 0)
        or (r.schools > 1 and not r.is_whole and list_contains(r.matches, k.school_code))
    group by r.district_code, r.phase_id, r.name
)
select f.*,
    -- a name of a whole school means each of its campuses: one row for each
    unnest(if(r.schools = 1 or r.is_whole, r.matches, [null])) as school_code,
    case when r.schools = 0 then 'unknown' when r.is_whole then 'campuses' when r.schools > 1 then 'ambiguous'
        else ['code', 'name', 'alias', 'former', 'normalised', 'former'][r.rank] end as resolution,
    if(r.schools = 1 or r.is_whole, null, c.candidates) as candidates
from reference f
join resolved r using (district_code, phase_id, name)
left join candidate c using (district_code, phase_id, name)
