-- The bounds are not part of the standard: they were set so that the sample districts show a handful of suspicions, not hundreds
-- (2026-11), and they decide only which figures are asked about.
with bound as (
    select 0.5 as jump_share, 20 as jump_least, 1000 as round_area_m2, 100 as round_equipment_wan,
        5 as equipment_wan_per_student, 8 as same_least, 1000 as same_least_amount,
        0.02 as heap_share, 4 as heap_times
), now as (
    select * from core.reported_figure semi join run_evaluation using (district_code, phase_id) where rank = 1
), before as (
    select * from core.reported_figure semi join run_evaluation using (district_code, phase_id) where rank = 2
), jump as (
    select n.district_code, n.phase_id, n.dataset, n.school_code, 'jump' as rule, n.column_name,
        n.label || coalesce(if(n.stage = 'junior', '（初中）', if(n.stage = 'primary', '（小学）', '')), '')
            || ' 上次（' || b.delivery || '）为 ' || shown2(b.value) || ' ' || n.unit || '，本次为 ' || shown2(n.value) || ' ' || n.unit
            || if(n.value > b.value, '，增加 ', '，减少 ') || shown2(abs(n.value - b.value)) || ' ' || n.unit
            -- a zero has no shares
            || if(b.value > 0, '（' || shown2(round(100 * abs(n.value - b.value) / b.value, 1)) || '%）', '') as message,
        n.value as figure, b.value as compared_with, n.unit, n.delivery, n.file, n.sheet, n.row_number
    from now n
    join before b
        on b.district_code = n.district_code and b.phase_id = n.phase_id and b.dataset = n.dataset
        and b.school_code = n.school_code and b.column_name = n.column_name
        and coalesce(b.stage, '') = coalesce(n.stage, '')
    cross join bound
    where abs(n.value - b.value) > jump_share * greatest(b.value, 1) and abs(n.value - b.value) >= jump_least
), round_number as (
    select district_code, phase_id, dataset, school_code, 'round_number' as rule, column_name,
        label || ' ' || shown2(value) || ' ' || unit || ' 是整数，像是估计值' as message, value as figure,
        null::double as compared_with, unit, delivery, file, sheet, row_number
    from now
    cross join bound
    where value > 0 and (
        (column_name like '%_area_m2' and value % round_area_m2 = 0)
        or (column_name = 'equipment_value_wan' and value % round_equipment_wan = 0)
    )
), facility as (
    select f.district_code, f.phase_id, 'facilities' as dataset, f.delivery, f.file, a.*
    from core.chosen_file f
    semi join run_evaluation using (district_code, phase_id)
    join accepted.facilities a using (content_sha256)
    where f.dataset = 'facilities'
), area_without_building as (
    select district_code, phase_id, dataset, school_code, 'area_without_building' as rule,
        'teaching_area_m2' as column_name, '有运动场地或教室而教学及辅助用房面积为 0' as message,
        delivery, file, sheet, row_number
    from facility
    where teaching_area_m2 = 0 and (coalesce(outdoor_sports_area_m2, 0) > 0 or coalesce(multimedia_rooms, 0) > 0)
), unit_mistaken as (
    select f.district_code, f.phase_id, f.dataset, f.school_code, 'unit_mistaken' as rule,
        'equipment_value_wan' as column_name,
        '教学仪器设备资产值 ' || shown2(f.equipment_value_wan) || ' 万元，生均 '
            || shown2(f.equipment_value_wan / s.compulsory_students) || ' 万元，单位可能误填为元' as message,
        f.equipment_value_wan::double as figure, (b.equipment_wan_per_student * s.compulsory_students)::double as compared_with,
        '万元' as unit,
        f.delivery, f.file, f.sheet, f.row_number
    from facility f
    join core.school s using (district_code, phase_id, school_code)
    cross join bound b
    where s.compulsory_students > 0 and f.equipment_value_wan > equipment_wan_per_student * s.compulsory_students
), implausible as (
    select district_code, phase_id, dataset, school_code, 'implausible_per_student' as rule, column_name,
        title || ' ' || exact(value) || coalesce(' ' || unit, '') || '，学生 ' || students || ' 人，人均 '
            || exact(round(per_student, 4)) || '，一般' || coalesce('不低于 ' || exact(low), '')
            || if(low is not null and high is not null, '、', '') || coalesce('不高于 ' || exact(high), '') || '，可能填错了列或单位' as message,
        value as figure, students * if(per_student > high, high, low) as compared_with, unit, delivery, file, sheet, row_number
    from core.implausible_figure
    semi join run_evaluation using (district_code, phase_id)
), identical_figures as (
    select district_code, phase_id, dataset, school_code, 'identical_figures' as rule, null::varchar as column_name,
        '校舍、场地和设备的数值与 ' || array_to_string(
            list_filter(list(school_code) over alike, lambda x: x <> school_code), '、') || ' 完全相同' as message,
        null::double as figure, null::double as compared_with, null::varchar as unit, delivery, file, sheet, row_number
    from facility
    where teaching_area_m2 > 0 and outdoor_sports_area_m2 > 0 and equipment_value_wan > 0
    window alike as (
        partition by district_code, phase_id, teaching_area_m2, outdoor_sports_area_m2, equipment_value_wan
    )
    qualify count(*) over alike > 1
), degrees_missing as (
    select f.district_code, f.phase_id, f.dataset, t.school_code, 'degrees_missing' as rule, 'full_time' as column_name,
        '初中专任教师 ' || t.full_time || ' 人，而专科及以上学历合计 '
            || (t.doctorate + t.master + t.bachelor + t.associate) || ' 人' as message,
        t.full_time::double as figure, (t.doctorate + t.master + t.bachelor + t.associate)::double as compared_with, '人' as unit,
        f.delivery, f.file, t.sheet, t.row_number
    from core.chosen_file f
    semi join run_evaluation using (district_code, phase_id)
    join accepted.teachers t using (content_sha256)
    where f.dataset = 'teachers' and t.stage = 'junior'
        and t.doctorate + t.master + t.bachelor + t.associate < t.full_time
), roster as (
    select f.district_code, f.phase_id, f.dataset, f.delivery, f.file, s.school_code, s.school_name, s.sheet, s.row_number,
        plain_name(s.school_name) as name
    from core.chosen_file f
    semi join run_evaluation using (district_code, phase_id)
    join accepted.schools s using (content_sha256)
    where f.dataset = 'schools'
), duplicate_name as (
    select district_code, phase_id, dataset, school_code, 'duplicate_name' as rule, 'school_name' as column_name,
        '校名与 ' || array_to_string(
            list_filter(list(school_code) over alike, lambda x: x <> school_code), '、') || ' 相同' as message,
        null::double as figure, null::double as compared_with, null::varchar as unit, delivery, file, sheet, row_number
    from roster
    where name is not null
    window alike as (partition by district_code, phase_id, name)
    qualify count(*) over alike > 1
), silent_school as (
    -- still on the roster, present in the dataset's previous delivery, and missing from the newest
    select b.district_code, b.phase_id, b.dataset, b.school_code, 'silent_school' as rule, null::varchar as column_name,
        '上次（' || max(b.delivery) || '）报送过，最近一次没有' as message,
        null::double as figure, null::double as compared_with, null::varchar as unit, null::date as delivery, null::varchar as file,
        null::varchar as sheet, null::bigint as row_number
    from before b
    semi join roster r
        on r.district_code = b.district_code and r.phase_id = b.phase_id and r.school_code = b.school_code
    anti join now n
        on n.district_code = b.district_code and n.phase_id = b.phase_id and n.dataset = b.dataset
        and n.school_code = b.school_code
    group by b.district_code, b.phase_id, b.dataset, b.school_code
), preschool_unweighted as (
    select s.district_code, s.phase_id, f.dataset, s.school_code, 'preschool_unweighted' as rule,
        'preschool_students' as column_name,
        '附设幼儿班 ' || s.preschool_students || ' 人，区县没有设定分摊权重（preschool_weight），校舍、场地和设备全部算作中小学的' as message,
        s.preschool_students::double as figure, '人' as unit,
        f.delivery, f.file, a.sheet, a.row_number
    from core.school s
    join run_evaluation e using (district_code, phase_id)
    join core.chosen_file f
        on f.district_code = s.district_code and f.phase_id = s.phase_id and f.dataset = 'schools'
    join accepted.schools a on a.content_sha256 = f.content_sha256 and a.school_code = s.school_code
    where s.in_scope and s.preschool_students > 0 and e.settings['preschool_weight'] is null
), measured as (
    -- Values per pupil of things that are measured or paid for. Small whole numbers (rooms, teachers) are often equal by chance
    -- and are left out.
    select r.district_code, r.phase_id, r.school_code, k.school_name, r.stage, r.indicator_code, r.value, r.threshold,
        d.short_name as name, d.unit, split_part(i.input, '.', 1) as dataset
    from rule.resource r
    join run_evaluation e using (district_code, phase_id)
    join core.school k using (district_code, phase_id, school_code)
    join standard.indicator d on d.standard_id = e.standard_id and d.indicator_code = r.indicator_code
    join (select standard_id, indicator_code, min(input) as input from standard.numerator where waiver is null group by all) i
        on i.standard_id = e.standard_id and i.indicator_code = r.indicator_code
    cross join bound b
    where r.value > 0 and (r.amount >= b.same_least_amount or r.amount % 1 <> 0)
), same_ratio as (
    -- Many schools with the same value per pupil were calculated from a norm and not counted. There is one suspicion for all of
    -- them, about no single school: its answer has no school code.
    select district_code, phase_id, min(dataset) as dataset, null::varchar as school_code, 'same_ratio' as rule,
        null::varchar as column_name,
        count(*) || ' 所学校的' || stage_word(stage) || '“' || name || '”（' || indicator_code || '）同为 '
            || shown2(round(value, 4)) || ' ' || unit || '（标准 ' || exact(threshold) || '），不像逐校清点：'
            || array_to_string(list(school_name order by school_code)[:5], '、') || if(count(*) > 5, '等', '') as message,
        round(value, 4)::double as figure, min(threshold)::double as compared_with, unit, null::date as delivery, null::varchar as file,
        null::varchar as sheet, null::bigint as row_number
    from measured
    cross join bound
    group by district_code, phase_id, stage, indicator_code, name, unit, round(value, 4), threshold, same_least
    having count(*) >= same_least
), heap as (
    -- schools by bands of values: band 0 begins at the limit, band -1 ends there; a value that many schools share counts once
    select district_code, phase_id, min(dataset) as dataset, stage, indicator_code, name, threshold,
        count(distinct round(value, 4)) filter (band = 0) as just_above,
        greatest(count(*) filter (band = -1), count(*) filter (band = 1)) as beside,
        list(school_name order by school_code) filter (band = 0) as schools
    from (select *, floor((value / threshold - 1) / heap_share) as band from measured cross join bound where threshold > 0)
    group by all
), heaped as (
    select district_code, phase_id, dataset, null::varchar as school_code, 'heaped' as rule, null::varchar as column_name,
        just_above || ' 所学校的' || stage_word(stage) || '“' || name || '”（' || indicator_code || '）刚过标准 '
            || exact(threshold) || '，高出不到 ' || exact(100 * heap_share) || '%，而略低于标准和再高一些的同样一段里最多 '
            || beside || ' 所：' || array_to_string(schools[:5], '、') || if(len(schools) > 5, '等', '') as message,
        just_above::double as figure, beside::double as compared_with, '所' as unit, null::date as delivery,
        null::varchar as file, null::varchar as sheet, null::bigint as row_number
    from heap
    cross join bound
    where just_above >= same_least and just_above >= heap_times * beside
), suspicion as (
    from jump
    union all by name from round_number
    union all by name from area_without_building
    union all by name from unit_mistaken
    union all by name from implausible
    union all by name from identical_figures
    union all by name from degrees_missing
    union all by name from duplicate_name
    union all by name from silent_school
    union all by name from preschool_unweighted
    union all by name from same_ratio
    union all by name from heaped
), answer as (
    select f.district_code, f.phase_id, a.dataset, a.school_code, a.rule, a.answer, a.answered_on, a.answered_by
    from core.chosen_file f
    semi join run_evaluation using (district_code, phase_id)
    join accepted.suspicion_answers a using (content_sha256)
    where f.dataset = 'suspicion_answers'
    qualify row_number() over (
        partition by f.district_code, f.phase_id, a.dataset, a.school_code, a.rule
        order by a.answered_on desc, f.delivery desc, a.row_number desc
    ) = 1
)
select s.district_code, s.phase_id, s.dataset, s.school_code, k.school_name, s.rule, s.message, s.figure, s.compared_with,
    s.unit, s.delivery, s.file,
    s.sheet, s.row_number as "row", s.column_name, a.answer, a.answered_on, a.answered_by
from suspicion s
left join core.school k
    on k.district_code = s.district_code and k.phase_id = s.phase_id and k.school_code = s.school_code
left join answer a
    on a.district_code = s.district_code and a.phase_id = s.phase_id and a.dataset = s.dataset
    and a.school_code is not distinct from s.school_code and a.rule = s.rule
