with judged as (
    from rule.resource
    union all by name
    from rule.g3_music_art_rooms
    union all by name
    from rule.g4_school_size
    union all by name
    from rule.g5_class_size
), judgement as (
    -- whether the district judges the school at all depends on an unknown sponsor: it neither passes nor fails
    select j.* from judged j
    anti join (from core.school where may_be_left_out) m using (district_code, phase_id, school_code)
    union all by name
    select j.* replace (null as numerator, null as value, null as value_strict, null as gap, 'no_data' as status,
        'no_data' as status_strict, false as rounding_sensitive, '没有报送举办者类型，不知是否纳入评估，不能视为达标' as reason)
    from judged j
    semi join (from core.school where may_be_left_out) m using (district_code, phase_id, school_code)
)
select
    j.district_code, j.phase_id, j.school_code, s.school_name, j.stage, j.indicator_code, i.short_name as indicator_name,
    j.numerator, j.students, j.share, j.per,
    j.amount, j.extra_amount, j.factor, j.base, j.value, j.value_strict, j.threshold, j.floor, i.unit, j.status, j.status_strict,
    -- only waivers that the pass needs: a waiver that changes nothing is not listed
    if(j.status = 'met_by_waiver', j.waiver, null) as waiver,
    j.gap, coalesce(j.rounding_sensitive, false) as rounding_sensitive, j.reason, i.clause
from judgement j
join run_evaluation e using (district_code, phase_id)
join core.school s using (district_code, phase_id, school_code)
join standard.indicator i on i.standard_id = e.standard_id and i.indicator_code = j.indicator_code
