-- Buildings that measures name, each with the measures that depend on it: a receiving school, or the school for which a measure
-- builds. A school that is not yet in the roster is identified by its name without township and kind (滨河小学, 黄庄街滨河小学
-- and 滨河中小学 are one school); a school in the roster by its code. role: builds (the measure itself builds there) or waits (it
-- moves pupils there, or mentions what another measure builds there). is_open: the school already has pupils.
with town as (
    select distinct district_code, phase_id, plain_name(township) as town
    from core.known_school
    semi join run_evaluation using (district_code, phase_id)
    where township <> ''
), receiving as (
    select m.district_code, m.phase_id, m.measure_no, n.name, n.school_code, plain_name(n.name) as plain,
        m.measure_type in ('新建', '改扩建') as builds
    from rule.plan_measure m
    semi join run_evaluation using (district_code, phase_id)
    join core.named_school n
        on n.district_code = m.district_code and n.phase_id = m.phase_id and n.dataset = 'measures'
        and n.column_name = 'receiving_school' and n.content_sha256 = m.content_sha256 and n.sheet = m.sheet
        and n.row_number = m.row_number
), in_town as (
    select r.district_code, r.phase_id, r.plain, max(substr(r.plain, len(t.town) + 1)) as short
    from (select distinct district_code, phase_id, plain from receiving) r
    join town t using (district_code, phase_id)
    where starts_with(r.plain, t.town) and r.plain <> t.town
    group by all
), short as (
    select r.* replace (coalesce(t.short, r.plain) as plain)
    from receiving r
    left join in_town t using (district_code, phase_id, plain)
), on_site as (
    -- a school that the measure is for, if its name is in the text of what it will build
    select m.district_code, m.phase_id, m.measure_no, s.school_code, any_value(k.school_name) as name
    from rule.plan_measure m
    semi join run_evaluation using (district_code, phase_id)
    join core.measure_school s using (district_code, phase_id, measure_no)
    join core.known_school k
        on k.district_code = m.district_code and k.phase_id = m.phase_id and k.school_code = s.school_code
    join core.school_form f
        on f.district_code = m.district_code and f.phase_id = m.phase_id and f.school_code = s.school_code
    where m.measure_type in ('新建', '改扩建') and f.is_plain
        and contains(m.plain_description, f.form)
    group by all
), named as (
    select district_code, phase_id, measure_no, name, school_code, builds,
        coalesce(nullif(regexp_replace(plain, '(新建|新|九年一贯制|初级|中小学|小学|中学|学校|校区|校舍|教学楼)+$', ''), ''), plain)
            as stem
    from short
    union all
    select district_code, phase_id, measure_no, name, school_code, true,
        regexp_replace(plain_name(name), '(初级|中小学|小学|中学|学校)+$', '')
    from on_site
), spoken_of as (
    -- a measure for other schools that mentions a school where a measure of the plan builds
    select distinct m.district_code, m.phase_id, m.measure_no, n.name, n.school_code, false as builds, n.stem
    from named n
    join core.school_form f using (district_code, phase_id, school_code)
    join rule.plan_measure m using (district_code, phase_id)
    anti join named own
        on own.district_code = m.district_code and own.phase_id = m.phase_id and own.measure_no = m.measure_no
        and own.school_code = n.school_code
    where n.builds and f.is_plain and contains(m.plain_description, f.form)
), every as (
    from named
    union all by name
    from spoken_of
)
select n.district_code, n.phase_id, coalesce(n.school_code, n.stem) as building,
    min(n.name) over same as name,
    n.stem, n.school_code, n.measure_no, m.indicator_code, m.stage, m.short_name, m.sort_order,
    m.description, m.plain_description, m.is_over,
    if(n.builds, 'builds', 'waits') as role,
    n.school_code is null as is_new,
    coalesce(k.compulsory_students > 0, false) as is_open
from every n
join rule.plan_measure m using (district_code, phase_id, measure_no)
semi join run_evaluation using (district_code, phase_id)
left join core.school k
    on k.district_code = n.district_code and k.phase_id = n.phase_id and k.school_code = n.school_code
window same as (partition by n.district_code, n.phase_id, coalesce(n.school_code, n.stem))
