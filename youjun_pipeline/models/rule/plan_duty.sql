-- Findings of the plan audit: what is missing in a measure so that somebody can be made responsible for it. If all measures of a
-- plan lack the same, it is reported once.
with measure as (
    select *, count(*) over plan as measures,
        count(*) filter (coalesce(responsible_person, '') = '') over plan as without_person,
        count(*) filter (due is null) over plan as without_due
    from core.measure
    semi join run_evaluation using (district_code, phase_id)
    where not is_missing_now
    window plan as (partition by district_code, phase_id)
), report as (
    -- the newest report on each measure and milestone
    select p.*
    from core.progress p
    semi join run_evaluation using (district_code, phase_id)
    where p.refused_because is null
    qualify row_number() over (
        partition by p.district_code, p.phase_id, p.measure_no, p.milestone_no
        order by p.reported_on desc, p.delivery desc, p.file desc, p.sheet desc, p.row_number desc
    ) = 1
)
select distinct district_code, phase_id, 'no_responsible_person' as rule, 'serious' as severity,
    null::varchar as indicator_code, null::varchar as stage, null::varchar as school_name, null::varchar as measure_no,
    '方案的 ' || measures || ' 项措施都没有责任人：只写到科室和单位，出了问题找不到人' as message
from measure
where without_person = measures and measures > 1
union all
select district_code, phase_id, 'no_responsible_person', 'warning', indicator_code, stage, null, measure_no,
    '措施 ' || measure_no || ' 没有责任人'
from measure
where coalesce(responsible_person, '') = '' and (without_person < measures or measures = 1)
union all
select district_code, phase_id, 'no_owner',
    if(coalesce(bureau_sections, '') = '' and coalesce(responsible_units, '') = '', 'serious', 'warning'),
    indicator_code, stage, null, measure_no,
    '措施 ' || measure_no || ' 没有' || concat_ws('，也没有',
        if(coalesce(bureau_sections, '') = '', '责任科室', null),
        if(coalesce(responsible_units, '') = '', '责任单位', null))
from measure
where coalesce(bureau_sections, '') = '' or coalesce(responsible_units, '') = ''
union all
select distinct district_code, phase_id, 'no_due', 'serious', null, null, null, null,
    '方案的 ' || measures || ' 项措施都没有完成时间'
from measure
where without_due = measures and measures > 1
union all
select district_code, phase_id, 'no_due', 'serious', indicator_code, stage, null, measure_no,
    '措施 ' || measure_no || ' 没有完成时间'
from measure
where due is null and (without_due < measures or measures = 1)
union all
select district_code, phase_id, 'no_receiving_school', 'warning', indicator_code, stage, null, measure_no,
    '措施 ' || measure_no || ' 要把学生' || if(measure_type = '并入', '并入', '分流到')
        || '别的学校，却没有指明接收学校：无法判断接得下多少人'
from measure
where measure_type in ('分流', '并入') and coalesce(receiving_school, '') = ''
union all
select district_code, phase_id, 'measure_missing_later', 'serious', indicator_code, stage, null, measure_no,
    '措施 ' || measure_no || ' 在后来报送的措施清单中不见了（最近一次出现在 ' || delivery || '）：请说明是完成、取消还是漏报'
from core.measure
semi join run_evaluation using (district_code, phase_id)
where is_missing_now
union all
select district_code, phase_id, 'milestone_missing_later', 'warning', indicator_code, null, null, measure_no,
    '节点 ' || milestone_no || '（' || task || '）在后来报送的节点清单中不见了（最近一次出现在 ' || delivery || '）'
from core.milestone
semi join run_evaluation using (district_code, phase_id)
where is_missing_now
union all
select r.district_code, r.phase_id, 'no_evidence', 'warning', coalesce(m.indicator_code, s.indicator_code), m.stage, null,
    r.measure_no,
    if(r.milestone_no is null, '措施 ' || r.measure_no, '节点 ' || r.milestone_no) || ' 于 ' || r.reported_on
        || ' 填报已完成，没有佐证材料'
from report r
left join core.measure m using (district_code, phase_id, measure_no)
left join core.milestone s
    on s.district_code = r.district_code and s.phase_id = r.phase_id and s.milestone_no = r.milestone_no
where r.state = 'done' and coalesce(trim(r.evidence), '') = ''
