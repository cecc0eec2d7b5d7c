-- What measures will change in the inputs once they take effect, as far as they give quantities; nothing is assumed. effect:
-- amount (the indicator's own resource, in its unit: teachers, ㎡, 元, rooms), rooms (music and art rooms, where they are
-- missing), pupils (moved away, and to the receiving school if the roster has it), merger (the whole school moves). dataset,
-- column_name, added: the reported figure to which an amount is added, in the figure's unit. One row per measure, and for a
-- merger one per school; unquantified says why a measure has no effect. planned_on: when it takes effect by the plan; slipped_on:
-- when with today's delay. A finished measure has no further effect if the figures are newer than the measure; a cancelled one
-- never has an effect.
with covered as (
    select district_code, phase_id, measure_no,
        count(distinct coalesce(school_code, name)) as schools,
        count(distinct school_code) as known_schools,
        min(school_code) as school_code
    from core.measure_school
    semi join run_evaluation using (district_code, phase_id)
    group by all
), receiver as (
    -- open by now: a school that is not yet in the roster cannot be judged
    select m.district_code, m.phase_id, m.measure_no,
        count(*) as receivers,
        if(count(*) = 1, any_value(s.school_code), null) as to_school_code
    from core.measure m
    semi join run_evaluation using (district_code, phase_id)
    join core.named_school n
        on n.district_code = m.district_code and n.phase_id = m.phase_id and n.dataset = 'measures'
        and n.column_name = 'receiving_school' and n.content_sha256 = m.content_sha256 and n.sheet = m.sheet
        and n.row_number = m.row_number
    left join core.school s
        on s.district_code = n.district_code and s.phase_id = n.phase_id and s.school_code = n.school_code
    group by all
), roster as (
    select s.district_code, s.phase_id, s.school_code,
        case when has_primary and has_junior then null when has_primary then 'primary' when has_junior then 'junior' end
            as only_stage
    from core.school s
    semi join run_evaluation using (district_code, phase_id)
), figure as (
    select district_code, phase_id, max(delivery) as delivery
    from core.chosen_file
    semi join run_evaluation using (district_code, phase_id)
    where dataset in ('schools', 'facilities', 'teachers', 'special_rooms', 'classes')
    group by all
), unit as (
    select * from (values
        ('㎡', '㎡', false), ('m2', '㎡', false), ('m²', '㎡', false), ('平方米', '㎡', false), ('平米', '㎡', false),
        ('万平方米', '㎡', true), ('万㎡', '㎡', true), ('间', '间', false), ('元', '元', false), ('万元', '元', true),
        ('人', '人', false), ('名', '人', false)
    ) u (word, unit, in_wan)
), measure as (
    select m.district_code, m.phase_id, e.standard_id, m.measure_no, m.indicator_code, i.category, i.is_split, i.gap_unit, m.measure_type,
        m.source, m.covers, m.quantity * if(u.in_wan, w.value, 1) as quantity, m.unit as unit_word, u.unit,
        m.receiving_school, r.to_school_code, coalesce(r.receivers, 0) as receivers,
        c.schools, c.known_schools,
        -- a new building is at the receiving school if a receiving school is named
        if(m.measure_type = '新建' and r.receivers > 0, r.to_school_code, c.school_code) as acting_code,
        s.state, s.finished_on, s.due, s.baseline_due, s.slippage_days, m.stage as given_stage, f.delivery,
        case
            when m.measure_type = '并入' then 'merger'
            when u.unit = '人' and m.measure_type in ('分流', '招生政策') then 'pupils'
            when u.unit = '间' and i.gap_unit = '间' and i.category <> 'resource' then 'rooms'
            when u.unit = i.gap_unit and i.category = 'resource' and (i.is_split or u.unit = '人') then 'amount'
        end as kind
    from core.measure m
    join run_evaluation e using (district_code, phase_id)
    join standard.indicator i on i.standard_id = e.standard_id and i.indicator_code = m.indicator_code
    join mart.measure_status s using (district_code, phase_id, measure_no)
    join core.parameter w
        on w.district_code = m.district_code and w.phase_id = m.phase_id and w.parameter = 'wan_in_yuan'
    left join unit u on u.word = lower(trim(m.unit))
    left join covered c using (district_code, phase_id, measure_no)
    left join receiver r using (district_code, phase_id, measure_no)
    left join figure f using (district_code, phase_id)
    where not m.is_missing_now and s.state <> 'cancelled'
), placed as (
    select m.*, k.school_code as here_code,
        coalesce(if(m.given_stage in ('primary', 'junior'), m.given_stage, null), k.only_stage) as stage
    from measure m
    left join roster k
        on k.district_code = m.district_code and k.phase_id = m.phase_id and k.school_code = m.acting_code
    where not coalesce(m.state = 'done' and m.finished_on <= m.delivery, false)
), reasoned as (
    select *,
        case
            when covers is distinct from 'schools' then
                if(quantity is null, '没有数量', '不针对具体学校，数量落不到学校')
            when kind = 'merger' then case
                when known_schools < schools then '有学校对不上名册'
                when to_school_code is null then '接收学校还没有入册'
            end
            when quantity is null then '没有数量'
            when kind is null then '数量单位“' || coalesce(unit_word, '') || '”不能换算成该指标的数据'
            when measure_type = '新建' and receivers > 0 and to_school_code is null then '新建学校还没有入册'
            when schools > 1 and not (measure_type = '新建' and receivers > 0) then '涉及 ' || schools || ' 所学校，数量没有分到校'
            when here_code is null then '学校不在名册中'
            when stage is null and (kind = 'pupils' or not is_split and kind = 'amount') then '没有写明学段'
        end as without
    from placed
), input as (
    -- the first figure that counts in full, among those that no other indicator adds or subtracts: an addition to the indoor
    -- sports area, for example, would raise R5 and lower R4
    select n.standard_id, n.indicator_code, if(i.is_split, null, n.stage) as stage,
        arg_min({'input': n.input, 'factor': n.factor}, concat(if(o.input is null, 0, 1), n.input)) as taken
    from standard.numerator n
    join standard.indicator i using (standard_id, indicator_code)
    left join (select distinct standard_id, indicator_code, input from standard.numerator) o
        on o.standard_id = n.standard_id and o.input = n.input and o.indicator_code <> n.indicator_code
    where n.factor > 0 and n.waiver is null
    group by all
)
select r.district_code, r.phase_id, measure_no, r.indicator_code, source,
    if(without is null, kind, null) as effect,
    r.stage,
    here_code as school_code,
    if(kind = 'pupils', to_school_code, null) as to_school_code,
    if(without is null, quantity, null)::decimal(38, 6) as quantity,
    string_split(n.taken.input, '.')[1] as dataset,
    string_split(n.taken.input, '.')[2] as column_name,
    if(without is null, quantity, null) / n.taken.factor as added,
    without as unquantified,
    if(state = 'done', finished_on, due) as planned_on,
    if(state = 'done', finished_on, coalesce(baseline_due + slippage_days::integer, due)) as slipped_on
from reasoned r
left join input n
    on r.kind = 'amount' and n.standard_id = r.standard_id and n.indicator_code = r.indicator_code
    and n.stage is not distinct from if(r.is_split, null, r.stage)
where kind is distinct from 'merger' or without is not null
union all
select r.district_code, r.phase_id, r.measure_no, r.indicator_code, r.source, 'merger', null, s.school_code,
    r.to_school_code, null, null, null, null, null,
    if(r.state = 'done', r.finished_on, r.due),
    if(r.state = 'done', r.finished_on, coalesce(r.baseline_due + r.slippage_days::integer, r.due))
from reasoned r
join core.measure_school s using (district_code, phase_id, measure_no)
join core.school k
    on k.district_code = r.district_code and k.phase_id = r.phase_id and k.school_code = s.school_code
where r.kind = 'merger' and r.without is null and s.school_code <> r.to_school_code
