-- Accepted rows of the chosen files that this evaluation does not use, each with the reason (rule). A row of a dataset that is
-- not here is used. quality.unused_row and quality.rejected_row decide which of these rows are reported, and how.
with file as (
    select f.district_code, f.phase_id, f.dataset, f.delivery, f.file, f.content_sha256
    from core.chosen_file f
    semi join run_evaluation using (district_code, phase_id)
), of_stage as (
    select 'classes' as dataset, content_sha256, sheet, row_number, school_code, stage from accepted.classes
    union all
    select 'class_bands', content_sha256, sheet, row_number, school_code, stage from accepted.class_bands
    union all
    select 'teachers', content_sha256, sheet, row_number, school_code, stage from accepted.teachers
), of_school as (
    select 'facilities' as dataset, content_sha256, sheet, row_number, school_code from accepted.facilities
    union all
    select 'special_rooms', content_sha256, sheet, row_number, school_code from accepted.special_rooms
), dated as (
    -- for these datasets the year that counts is chosen where the district is judged
    select 'school_finance' as dataset, content_sha256, sheet, row_number, school_code, year from accepted.school_finance
    union all
    select 'graduation_cohorts', content_sha256, sheet, row_number, school_code, year from accepted.graduation_cohorts
    union all
    select 'recognition', content_sha256, sheet, row_number, null, year from accepted.recognition
), found as (
    select f.*, a.sheet, a.row_number, a.school_code, a.stage as detail,
        if(a.stage = 'senior', 'senior_stage', 'stage_not_taught') as rule
    from file f
    join of_stage a using (dataset, content_sha256)
    join core.school s
        on s.district_code = f.district_code and s.phase_id = f.phase_id and s.school_code = a.school_code
    where a.stage = 'senior' or (a.stage = 'primary' and not s.has_primary) or (a.stage = 'junior' and not s.has_junior)
    union all
    select f.*, a.sheet, a.row_number, a.school_code, s.out_of_scope_reason, 'school_out_of_scope'
    from file f
    join of_school a using (dataset, content_sha256)
    join core.school s
        on s.district_code = f.district_code and s.phase_id = f.phase_id and s.school_code = a.school_code
    where not s.in_scope
    union all
    select f.*, a.sheet, a.row_number, a.school_code, if(not s.in_scope, s.out_of_scope_reason, a.year::varchar),
        if(not s.in_scope, 'school_out_of_scope', 'other_year')
    from file f
    join dated a using (dataset, content_sha256)
    anti join core.district_input i
        on i.district_code = f.district_code and i.phase_id = f.phase_id and i.dataset = f.dataset
        and i.content_sha256 = a.content_sha256 and i.sheet = a.sheet and i.row_number = a.row_number
    left join (
        -- a whole school is judged if one of its campuses is
        select district_code, phase_id, campus_of as school_code, bool_or(in_scope) as in_scope,
            min(out_of_scope_reason) as out_of_scope_reason
        from core.school
        group by all
    ) s
        on s.district_code = f.district_code and s.phase_id = f.phase_id and s.school_code = a.school_code
    -- rows of a school that is not in the roster follow below
    where a.school_code is null or s.school_code is not null
    union all
    select district_code, phase_id, dataset, delivery, file, content_sha256, sheet, row_number, school_code, school_code,
        'unknown_school'
    from core.unknown_school
    semi join run_evaluation using (district_code, phase_id)
    union all
    -- an item belongs to its indicator's form: an item that no indicator asks for is never read
    select f.*, a.sheet, a.row_number, null, a.item, 'unknown_item'
    from file f
    join accepted.assurance a using (content_sha256)
    join run_evaluation e using (district_code, phase_id)
    anti join standard.indicator i
        on i.standard_id = e.standard_id and i.indicator_code = split_part(a.item, '.', 1)
        and (contains(a.item, '.') or i.evidence_based)
    where f.dataset = 'assurance'
    union all
    select f.*, a.sheet, a.row_number, null, a.target_no || ' ' || a.period, 'unknown_target'
    from file f
    join accepted.target_actuals a using (content_sha256)
    anti join core.target t
        on t.district_code = f.district_code and t.phase_id = f.phase_id and t.target_no = a.target_no
        and t.period_form = period_form(a.period)
    where f.dataset = 'target_actuals'
    union all
    select f.*, a.sheet, a.row_number, null, a.reported_on::varchar, 'not_yet'
    from file f
    join accepted.target_actuals a using (content_sha256)
    join run_evaluation e using (district_code, phase_id)
    where f.dataset = 'target_actuals' and a.reported_on > e.effective_on
    union all
    select district_code, phase_id, 'progress', delivery, file, content_sha256, sheet, row_number, null,
        reported_on::varchar, refused_because
    from core.progress
    semi join run_evaluation using (district_code, phase_id)
    where refused_because is not null
    union all
    select district_code, phase_id, 'acceptances', delivery, file, content_sha256, sheet, row_number, school_code,
        inspected_on::varchar, refused_because
    from core.acceptance
    semi join run_evaluation using (district_code, phase_id)
    where refused_because is not null
    union all
    select f.*, a.sheet, a.row_number, a.school_code, a.rule, 'unknown_suspicion'
    from file f
    join accepted.suspicion_answers a using (content_sha256)
    anti join quality.suspicion s
        on s.district_code = f.district_code and s.phase_id = f.phase_id and s.dataset = a.dataset
        and s.school_code is not distinct from a.school_code and s.rule = a.rule
    where f.dataset = 'suspicion_answers'
    union all
    select f.*, a.sheet, a.row_number, a.school_code, a.alias,
        if(k.school_code is null, 'alias_of_unknown_school', 'alias_not_needed')
    from file f
    join accepted.school_aliases a using (content_sha256)
    left join core.known_school k
        on k.district_code = f.district_code and k.phase_id = f.phase_id and k.school_code = a.school_code
    anti join core.named_school n
        on n.district_code = f.district_code and n.phase_id = f.phase_id and n.resolution = 'alias' and n.name = a.alias
    where f.dataset = 'school_aliases'
)
select district_code, phase_id, dataset, delivery, file, content_sha256, sheet, row_number, school_code, rule, detail
from found
