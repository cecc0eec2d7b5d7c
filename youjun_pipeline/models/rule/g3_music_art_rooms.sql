-- G3, per school: music and art rooms that are large enough against one of each (or one in all) per twelve classes.
with class_count as (
    select s.district_code, s.phase_id, s.school_code,
        min(s.stage) as one_stage,
        count(distinct s.stage) as stages,
        -- a stage without a single class has not reported
        case when count(distinct s.stage) = count(distinct c.stage) filter (c.classes > 0) and count(c.stage) = count(c.classes)
            then sum(c.classes) end::bigint as classes
    from core.section s
    semi join run_evaluation e using (district_code, phase_id)
    left join core.class_group c using (district_code, phase_id, school_code, stage)
    group by s.district_code, s.phase_id, s.school_code
), area as (
    select c.*,
        e.music_art_rule,
        e.standard_id,
        exists (
            from core.chosen_file f
            where f.district_code = c.district_code and f.phase_id = c.phase_id and f.dataset = 'special_rooms'
        ) as rooms_delivered,
        if(c.stages > 1, 'compulsory', c.one_stage) as stage,
        (
            select struct_pack(
                classes_per_room := max(value) filter (parameter = 'classes_per_room'),
                music := max(value) filter (parameter = 'music_room_area_m2'),
                art := max(value) filter (parameter = 'art_room_area_m2')
            )
            from core.parameter p
            where p.district_code = c.district_code and p.phase_id = c.phase_id
        ) as required,
    from class_count c
    join run_evaluation e using (district_code, phase_id)
), lenient as (
    -- the smallest area that a waiver of the school allows, and the waiver that allows it
    select w.district_code, w.phase_id, w.school_code,
        min(p.value) filter (p.parameter in ('music_room_area_m2', 'area_' || a.stage || '_m2')) as music,
        min(p.value) filter (p.parameter in ('art_room_area_m2', 'area_' || a.stage || '_m2')) as art,
        arg_min(w.waiver, p.value) as waiver
    from core.school_waiver w
    join area a using (district_code, phase_id, school_code)
    join standard.waiver_parameter p on p.standard_id = a.standard_id and p.waiver = w.waiver
    where w.indicator_code = 'G3'
        and p.parameter in ('music_room_area_m2', 'art_room_area_m2', 'area_' || a.stage || '_m2')
    group by w.district_code, w.phase_id, w.school_code
), counted as (
    select a.*,
        l.waiver,
        ceil(a.classes / a.required.classes_per_room)::bigint as needed,
        count(*) filter (r.kind = 'music' and r.area_m2 >= a.required.music) as music_strict,
        count(*) filter (r.kind = 'art' and r.area_m2 >= a.required.art) as art_strict,
        count(*) filter (r.kind = 'music' and r.area_m2 >= least(l.music, a.required.music)) as music,
        count(*) filter (r.kind = 'art' and r.area_m2 >= least(l.art, a.required.art)) as art,
        count(*) filter (r.kind = 'music' and r.area_m2 is null) as music_unknown,
        count(*) filter (r.kind = 'art' and r.area_m2 is null) as art_unknown
    from area a
    left join lenient l using (district_code, phase_id, school_code)
    left join core.room r using (district_code, phase_id, school_code)
    group by all
), valued as (
    select *,
        music_art_rule = 'combined' as is_combined,
        if(is_combined, music + art, least(music, art)) as enough,
        if(is_combined, music_strict + art_strict, least(music_strict, art_strict)) as enough_strict,
        if(is_combined, music + art + music_unknown + art_unknown,
            least(music + music_unknown, art + art_unknown)) as enough_at_most,
        if(is_combined, music_strict + art_strict + music_unknown + art_unknown,
            least(music_strict + music_unknown, art_strict + art_unknown)) as strict_at_most,
        music_unknown + art_unknown > 0 as has_unknown
    from counted
), judged_rooms as (
    select *,
        case
            when needed is null or not rooms_delivered then 'no_data'
            when strict_at_most < needed then 'below'
            when has_unknown then 'no_data'
            else 'met'
        end as status_strict,
        with_waiver(status_strict, case
            when needed is null or not rooms_delivered then 'no_data'
            when enough_at_most < needed then 'below'
            when has_unknown then 'no_data'
            else 'met'
        end) as status,
        if(rooms_delivered and not has_unknown, enough, null) as value,
        if(rooms_delivered and not has_unknown, enough_strict, null) as value_strict,
        if(is_combined, greatest(needed - enough, 0),
            greatest(needed - music, 0) + greatest(needed - art, 0)) as missing,
        if(is_combined, greatest(needed - enough_strict, 0),
            greatest(needed - music_strict, 0) + greatest(needed - art_strict, 0)) as missing_strict
    from valued
)
select
    j.district_code,
    j.phase_id,
    j.school_code,
    j.stage,
    'G3' as indicator_code,
    j.value::double as numerator,
    s.compulsory_students as students,
    j.value::double as value,
    j.value_strict::double as value_strict,
    j.needed::double as threshold,
    null::double as floor,
    j.status,
    j.status_strict,
    if(enough <> enough_strict, j.waiver, null) as waiver,
    case when is_met(j.status) then 0 when j.status = 'below' then j.missing end::double as gap,
    j.missing_strict,
    case j.status
        when 'no_data' then '音乐、美术专用教室或班级数据不全，无法判定，不能视为达标'
        else j.classes || ' 个班需音乐、美术专用教室' || if(is_combined, '合计 ', '各 ') || j.needed || ' 间，合格的有音乐 '
            || j.music || ' 间、美术 ' || j.art || ' 间' || case
                when j.status = 'met_by_waiver' then '：按特例 ' || j.waiver || ' 达标'
                when j.status = 'met' then '：达标'
                when is_combined then '：不达标，缺 ' || j.missing || ' 间音乐或美术教室'
                else '：不达标，缺 ' || concat_ws('、',
                    if(j.needed > j.music, (j.needed - j.music) || ' 间音乐教室', null),
                    if(j.needed > j.art, (j.needed - j.art) || ' 间美术教室', null))
            end
    end as reason
from judged_rooms j
join core.school s using (district_code, phase_id, school_code)
