-- Whom a waiver in force applies to: the conditions of each waiver, with its numbers from the catalogue.
-- A waiver is a favour that has to be shown: what is not reported (year built, city centre, migrant children, size of a
-- class) grants none, and the school is judged by the plain rule. is_certain: false where a class that could not be read
-- may be too large, so that nobody can say whether the waiver holds.
with rule as (
    select
        e.district_code,
        e.phase_id,
        w.waiver,
        w.indicator_code,
        max(p.value) filter (p.parameter = 'min_students') as min_students,
        max(p.value) filter (p.parameter = 'max_students') as max_students,
        max(p.value) filter (p.parameter = 'max_class_students') as max_class_students,
        max(p.value) filter (p.parameter = 'built_until') as built_until,
        max(p.value) filter (p.parameter = 'migrant_share_above') as migrant_share_above,
        -- what an option adds to the text counts only where it is set
        list(p.text) filter (p.parameter = 'urban_rural' or (p.parameter = 'or_urban_rural'
            and e.settings['rural_waiver_places'] = 'rural_and_town')) as places,
        max(p.text) filter (p.parameter = 'or_school_type') as or_school_type,
        list(p.text) filter (p.parameter = 'all_through_type' or (p.parameter = 'or_all_through_type'
            and e.settings['size_waiver_covers_twelve_year']::boolean)) as all_through_types
    from run_evaluation e
    join core.active_waiver w using (district_code, phase_id)
    left join standard.waiver_parameter p on p.standard_id = e.standard_id and p.waiver = w.waiver
    group by e.district_code, e.phase_id, w.waiver, w.indicator_code
), largest_class as (
    -- null when a class size is missing: then nobody can say that the classes are small; of a band the largest size counts
    select district_code, phase_id, school_code,
        case when count(*) = count(students_to + classes) then max(students_to) end as students
    from core.class_group
    where coalesce(classes, 1) > 0
    group by district_code, phase_id, school_code
), hidden_class as (
    select distinct district_code, phase_id, school_code
    from core.hidden_section
    semi join run_evaluation using (district_code, phase_id)
    where dataset in ('classes', 'class_bands')
)
select s.district_code, s.phase_id, s.school_code, r.waiver, r.indicator_code,
    not (r.waiver = 'W-G3r' and h.school_code is not null) as is_certain
from core.school s
join rule r using (district_code, phase_id)
left join largest_class c using (district_code, phase_id, school_code)
left join hidden_class h using (district_code, phase_id, school_code)
where s.in_scope
    and case r.waiver
        when 'W3' then (list_contains(r.places, s.urban_rural) or s.school_type = r.or_school_type)
            and s.compulsory_students between r.min_students and r.max_students
        when 'W5' then s.dense_urban
        when 'W-G3' then s.built_year <= r.built_until
        when 'W-G3r' then list_contains(r.places, s.urban_rural) and s.compulsory_students <= r.max_students
            and c.students <= r.max_class_students
        when 'W-G4' then (s.built_year <= r.built_until
                or s.migrant_students > r.migrant_share_above * s.compulsory_students)
            and (s.size_variant <> 'all_through' or list_contains(r.all_through_types, s.school_type))
    end
