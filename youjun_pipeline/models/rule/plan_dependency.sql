-- Findings of the plan audit: measures that depend on a building, and buildings without a date. Not included are schools that are
-- already open and where nothing is built, and measures that are over. A building has a date if a milestone names it and delivers
-- it, or if a measure's own words have a year beside its name.
with building as (
    select *
    from rule.plan_building
    semi join run_evaluation using (district_code, phase_id)
    where not is_over
    qualify not is_open or bool_or(role = 'builds') over (partition by district_code, phase_id, building)
), spoken as (
    -- the names that a task may use; a new school is not meant if an existing school has the name
    select distinct district_code, phase_id, building, is_new, stem || kind as form
    from building, unnest(['小学', '中学', '中小学', '学校', '新建学校', '新校区']) as t(kind)
    union
    select district_code, phase_id, building, is_new, plain_name(name) from building
), form as (
    select s.*
    from spoken s
    anti join (
        select district_code, phase_id, form, true as is_new
        from core.school_form
        where is_plain
    ) k using (district_code, phase_id, form, is_new)
), spoken_of as (
    -- milestones that name the building
    select f.district_code, f.phase_id, f.building, t.is_partial, t.due, t.task
    from form f
    join rule.plan_step t using (district_code, phase_id)
    where contains(t.plain_task, f.form)
), dated as (
    select district_code, phase_id, building from spoken_of where not is_partial
    union
    select f.district_code, f.phase_id, f.building
    from form f
    join building b using (district_code, phase_id, building)
    where contains(b.plain_description, f.form) and regexp_matches(b.description, '\d{4}\s*年')
), whole as (
    select b.district_code, b.phase_id, b.building, b.is_new,
        any_value(b.school_code) as school_code,
        any_value(b.name) as name,
        list(distinct b.measure_no order by b.measure_no) as measures,
        count(distinct b.indicator_code) as indicators,
        list(distinct b.indicator_code order by b.indicator_code) as codes,
        -- the owner of the building: the first measure of the plan that builds it
        arg_min(b.measure_no, (b.sort_order, b.measure_no)) filter (b.role = 'builds') as owner,
        arg_min(b.indicator_code, (b.sort_order, b.measure_no)) filter (b.role = 'builds') as owner_indicator,
        arg_min(b.short_name, (b.sort_order, b.measure_no)) filter (b.role = 'builds') as owner_name
    from building b
    group by all
), resting as (
    select b.district_code, b.phase_id, b.measure_no, b.indicator_code, b.stage, w.school_code, w.name, w.owner, w.codes, w.owner_name
    from building b
    join whole w using (district_code, phase_id, building)
    where w.indicators > 1 and coalesce(w.owner_indicator <> b.indicator_code, true)
)
select distinct district_code, phase_id, 'measure_rests_on_other_building' as rule, 'warning' as severity, indicator_code, stage,
    school_code, name as school_name, measure_no,
    '措施 ' || measure_no || ' 要靠“' || name || if(owner is not null,
        '”的工程，它列在“' || owner_name || '”的措施 ' || owner || ' 名下：工程一拖，这项也拖',
        '”建成，' || array_to_string(codes, '、') || ' 的措施都等着它，而方案没有一项措施负责建它') as message
from resting
union all
select w.district_code, w.phase_id, 'building_without_date', if(w.is_new, 'serious', 'warning'), null, null, w.school_code, w.name,
    if(len(w.measures) = 1, w.measures[1], null),
    '“' || w.name || if(w.is_new, '”', '”的新建、改扩建工程') || '没有写明建成时间，而措施 ' || ten_of(w.measures) || ' 要靠它'
        || coalesce('；节点只到“' || s.task || '”（' || s.due || '）', '')
from whole w
anti join dated using (district_code, phase_id, building)
left join (
    select district_code, phase_id, building, arg_max(task, due) as task, max(due) as due
    from spoken_of
    group by all
) s using (district_code, phase_id, building)
