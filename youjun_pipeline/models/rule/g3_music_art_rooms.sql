-- G3, per school: music and art rooms that are large enough, compared with one of each (or one in all) per twelve classes. An
-- unreadable class or room of the school leaves the verdict open, unless the school fails even if all such rooms count.
with section_class as (
    select s.district_code, s.phase_id, s.school_code, s.stage, e.music_art_rule, e.standard_id,
        -- a stage without any class has not reported
        case when count(c.stage) = count(c.classes) and sum(c.classes) > 0 then sum(c.classes) end as classes,
        coalesce(sum(c.classes), 0) as classes_known
    from core.section s
    join run_evaluation e using (district_code, phase_id)
    left join core.class_group c using (district_code, phase_id, school_code, stage)
    group by s.district_code, s.phase_id, s.school_code, s.stage, e.music_art_rule, e.standard_id
), school_class as (
    select district_code, phase_id, school_code, music_art_rule, standard_id,
        if(count(*) > 1, 'compulsory', min(stage)) as stage,
        if(count(*) = count(classes), sum(classes), null)::bigint as classes,
        -- the same rooms serve both stages, so the larger stage decides
        max(classes) as largest_stage,
        sum(classes_known)::bigint as classes_known,
        max(classes_known) as largest_stage_known,
        bool_or(is_hidden) as has_hidden_class
    from section_class
    left join (
        select distinct district_code, phase_id, school_code, stage, true as is_hidden
        from core.hidden_section
        where dataset in ('classes', 'class_bands')
    ) using (district_code, phase_id, school_code, stage)
    group by district_code, phase_id, school_code, music_art_rule, standard_id
), area as (
    select c.*,
        exists (
            from core.chosen_file f
            where f.district_code = c.district_code and f.phase_id = c.phase_id and f.dataset = 'special_rooms'
        ) as rooms_delivered,
        max(p.value) filter (p.parameter = 'classes_per_room') as classes_per_room,
        max(p.value) filter (p.parameter = 'music_room_area_m2') as required_music,
        max(p.value) filter (p.parameter = 'art_room_area_m2') as required_art
    from school_class c
    join core.parameter p using (district_code, phase_id)
    group by all
), lenient as (
    -- the smallest area that a waiver of the school allows, and that waiver
    select w.district_code, w.phase_id, w.school_code,
        min(p.value) filter (w.is_certain and p.parameter <> 'art_room_area_m2') as music,
        min(p.value) filter (w.is_certain and p.parameter <> 'music_room_area_m2') as art,
        min(p.value) filter (p.parameter <> 'art_room_area_m2') as music_at_best,
        min(p.value) filter (p.parameter <> 'music_room_area_m2') as art_at_best,
        arg_min(w.waiver, p.value) filter (w.is_certain) as waiver
    from core.school_waiver w
    join area a using (district_code, phase_id, school_code)
    join standard.waiver_parameter p on p.standard_id = a.standard_id and p.waiver = w.waiver
    where w.indicator_code = 'G3'
        and p.parameter in ('music_room_area_m2', 'art_room_area_m2', 'area_' || a.stage || '_m2')
    group by w.district_code, w.phase_id, w.school_code
), hidden_room as (
    -- unreadable rooms: of an unknown kind they may be either, and of an unknown school they may be any school's
    select a.district_code, a.phase_id, a.school_code,
        sum(h.rows) filter (coalesce(h.item, 'music') = 'music') as music,
        sum(h.rows) filter (coalesce(h.item, 'art') = 'art') as art,
        bool_or(h.school_code is not null) as is_here
    from area a
    join core.hidden h
        on h.district_code = a.district_code and h.phase_id = a.phase_id and h.dataset = 'special_rooms'
        and coalesce(h.school_code, a.school_code) = a.school_code
    group by a.district_code, a.phase_id, a.school_code
), room_count as (
    select a.*, l.waiver,
        count(*) filter (r.kind = 'music' and r.area_m2 >= a.required_music) as music_strict,
        count(*) filter (r.kind = 'art' and r.area_m2 >= a.required_art) as art_strict,
        count(*) filter (r.kind = 'music' and r.area_m2 >= least(l.music, a.required_music)) as music,
        count(*) filter (r.kind = 'art' and r.area_m2 >= least(l.art, a.required_art)) as art,
        count(*) filter (r.kind = 'music' and r.area_m2 >= least(l.music_at_best, a.required_music)) as music_at_best,
        count(*) filter (r.kind = 'art' and r.area_m2 >= least(l.art_at_best, a.required_art)) as art_at_best,
        count(*) filter (r.kind = 'music' and r.area_m2 is null) as music_without_area,
        count(*) filter (r.kind = 'art' and r.area_m2 is null) as art_without_area
    from area a
    left join lenient l using (district_code, phase_id, school_code)
    left join core.room r using (district_code, phase_id, school_code)
    group by all
), counted as (
    select c.*,
        case when classes is not null
            then ceil(if(music_art_rule = 'per_stage', largest_stage, classes) / classes_per_room) end::bigint as needed,
        -- the known classes need this many, whatever the other classes are
        ceil(if(music_art_rule = 'per_stage', largest_stage_known, classes_known) / classes_per_room)::bigint as needed_at_least,
        -- a room without an area may be large enough, and so may an unreadable room
        music_without_area + coalesce(h.music, 0) as music_unknown,
        art_without_area + coalesce(h.art, 0) as art_unknown,
        music_at_best + music_unknown as music_at_most,
        art_at_best + art_unknown as art_at_most,
        coalesce(has_hidden_class, false) or coalesce(h.is_here, false) or music_without_area + art_without_area > 0
            as is_open
    from room_count c
    left join hidden_room h using (district_code, phase_id, school_code)
), valued as (
    select *,
        music_art_rule = 'combined' as is_combined,
        if(is_combined, music + art, least(music, art)) as enough,
        if(is_combined, music_strict + art_strict, least(music_strict, art_strict)) as enough_strict,
        if(is_combined, music_at_most + art_at_most, least(music_at_most, art_at_most)) as enough_at_most,
        if(is_combined, music_strict + art_strict + music_unknown + art_unknown,
            least(music_strict + music_unknown, art_strict + art_unknown)) as strict_at_most
    from counted
), judged_rooms as (
    select *,
        case
            when not rooms_delivered then 'no_data'
            when strict_at_most < needed_at_least then 'below'
            when needed is null then 'no_data'
            -- it falls short only without a room that may or may not be this school's
            when is_open or enough_strict < needed then 'no_data'
            else 'met'
        end as status_strict,
        with_waiver(status_strict, case
            when not rooms_delivered then 'no_data'
            when enough_at_most < needed_at_least then 'below'
            when needed is null then 'no_data'
            when is_open or enough < needed then 'no_data'
            else 'met'
        end) as status,
        if(status = 'no_data', null, enough) as value,
        if(status_strict = 'no_data', null, enough_strict) as value_strict,
        if(is_combined, greatest(needed_at_least - enough, 0),
            greatest(needed_at_least - music, 0) + greatest(needed_at_least - art, 0)) as missing,
        if(is_combined, greatest(needed_at_least - enough_strict, 0),
            greatest(needed_at_least - music_strict, 0) + greatest(needed_at_least - art_strict, 0)) as missing_strict
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
    j.classes,
    j.music,
    j.art,
    case j.status
        when 'no_data' then '音乐、美术专用教室或班级缺数据，无法判定，不能视为达标'
        else if(j.needed is null, '已报的 ', '') || j.classes_known || ' 个班需音乐、美术专用教室' || if(is_combined, '合计 ', '各 ') || j.needed_at_least || ' 间'
            || if(j.music_art_rule = 'per_stage' and j.stage = 'compulsory', '（按班数多的学段）', '') || '，合格的有音乐 '
            || j.music || ' 间、美术 ' || j.art || ' 间' || case
                when j.status = 'met_by_waiver' then '：按过渡政策 ' || j.waiver || ' 达标'
                when j.status = 'met' then '：达标'
                when is_combined then '：未达标，缺 ' || j.missing || ' 间音乐或美术教室'
                else '：未达标，缺 ' || concat_ws('、',
                    if(j.needed_at_least > j.music, (j.needed_at_least - j.music) || ' 间音乐教室', null),
                    if(j.needed_at_least > j.art, (j.needed_at_least - j.art) || ' 间美术教室', null))
            end
    end as reason
from judged_rooms j
join core.school s using (district_code, phase_id, school_code)
