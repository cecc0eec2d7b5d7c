-- The schools to which a waiver in force applies: the conditions of each waiver, with its numbers from the catalogue. A waiver is
-- an advantage that must be proved: an unreported fact (year built, city centre, migrant children, size of a class) grants no
-- waiver, and the school is judged by the plain rule. is_certain is false if an unreadable class may be too large, so that nobody
-- can say whether the waiver holds.
with largest_class as (
    -- null if a class size is missing: then nobody can say that the classes are small; for a band the largest size counts
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
), asked as (
    select s.district_code, s.phase_id, s.school_code, w.waiver, w.indicator_code, c.alternative,
        bool_and(coalesce(case c.condition
            when 'urban_rural' then s.urban_rural = c.text
            -- words that an option adds count only if the option is set
            when 'or_urban_rural'
                then s.urban_rural = c.text and e.settings['rural_waiver_places'] = 'rural_and_town'
            when 'all_through_type' then s.size_variant <> 'all_through' or s.school_type = c.text
            when 'or_all_through_type'
                then s.school_type = c.text and e.settings['size_waiver_covers_twelve_year']::boolean
            when 'or_school_type' then s.school_type = c.text
            when 'dense_urban' then s.dense_urban
            when 'min_students' then s.compulsory_students >= c.value
            when 'max_students' then s.compulsory_students <= c.value
            when 'max_class_students' then l.students <= c.value
            when 'built_until' then s.built_year <= c.value
            -- more migrant children than pupils is a contradiction, which proves nothing
            when 'migrant_share_above' then s.migrant_students > c.value * s.compulsory_students
                and s.migrant_students <= s.compulsory_students
        end, false)) as holds,
        bool_or(c.condition = 'max_class_students' and h.school_code is not null) as is_doubtful
    from core.school s
    join run_evaluation e using (district_code, phase_id)
    join core.active_waiver w using (district_code, phase_id)
    join standard.waiver_condition c on c.standard_id = e.standard_id and c.waiver = w.waiver
    left join largest_class l using (district_code, phase_id, school_code)
    left join hidden_class h using (district_code, phase_id, school_code)
    where s.in_scope
    group by all
)
select district_code, phase_id, school_code, waiver, indicator_code, bool_or(not is_doubtful) as is_certain
from asked
where holds
group by all
