-- For every file of the run's districts and every evaluation that stands, also those that this run does not make: the choice of
-- phases in a run must not change the content of the quarantine.
with standing as (
    select p.district_code, p.phase_id, d.issued_on
    from raw.phase p
    join raw.district d using (district_code)
), unknown as (
    -- unknown to every evaluation that uses the file
    select u.district_code, u.dataset, u.delivery, u.file, u.sheet, u.row_number, u.school_code
    from core.unknown_school u
    join (
        select district_code, dataset, delivery, file, count(*) as uses
        from core.chosen_file
        semi join standing using (district_code, phase_id)
        group by all
    ) c using (district_code, dataset, delivery, file)
    semi join standing using (district_code, phase_id)
    group by u.district_code, u.dataset, u.delivery, u.file, u.sheet, u.row_number, u.school_code, c.uses
    having count(*) = c.uses
), unnamed as (
    select district_code, dataset, delivery, file, sheet, row_number, column_name, name,
        any_value(resolution) as resolution, arg_max(candidates, phase_id) as candidates
    from core.named_school
    semi join standing using (district_code, phase_id)
    where column_name <> 'receiving_school'
    group by all
    having bool_and(school_code is null)
), report as (
    select district_code, phase_id, 'progress' as dataset, delivery, file, sheet, row_number, refused_because,
        reported_on as dated_on, measure_no, milestone_no, null as indicator
    from core.progress
    union all
    select district_code, phase_id, 'acceptances', delivery, file, sheet, row_number, refused_because,
        inspected_on, null, null, indicator
    from core.acceptance
), refused as (
    -- counted by no evaluation
    select r.district_code, r.dataset, r.delivery, r.file, r.sheet, r.row_number,
        any_value(r.refused_because) as rule,
        case rule
            when 'unknown_measure' then ['measure_no', any_value(r.measure_no)]
            when 'unknown_milestone' then ['milestone_no', any_value(r.milestone_no)]
            when 'unknown_indicator' then ['indicator', any_value(r.indicator)]
            when 'before_plan' then [if(r.dataset = 'progress', 'reported_on', 'inspected_on'), any_value(r.dated_on)::varchar]
        end as cell,
        any_value(e.issued_on) as issued_on
    from report r
    join standing e using (district_code, phase_id)
    group by r.district_code, r.dataset, r.delivery, r.file, r.sheet, r.row_number
    having bool_and(r.refused_because is not null) and cell is not null
), answered as (
    -- answers and aliases without a match in any evaluation
    select u.district_code, u.dataset, u.delivery, u.file, u.sheet, u.row_number, any_value(u.rule) as rule,
        any_value(u.detail) as detail, any_value(u.school_code) as school_code
    from core.unused_row u
    semi join standing using (district_code, phase_id)
    where u.rule in ('unknown_suspicion', 'alias_of_unknown_school')
    group by u.district_code, u.dataset, u.delivery, u.file, u.sheet, u.row_number
    having count(distinct u.phase_id) = (
        select count(*) from core.chosen_file c
        where c.district_code = u.district_code and c.dataset = u.dataset and c.delivery = u.delivery and c.file = u.file
    )
), astray as (
    -- rows of the plan that stay, but have no effect
    select district_code, 'measures' as dataset, delivery, file, sheet, row_number, 'indicator' as column_name,
        indicator as value, 'unknown_indicator' as rule
    from core.measure
    semi join standing using (district_code, phase_id)
    where indicator_code is null
    union
    select district_code, 'budgets', delivery, file, sheet, row_number, 'indicator', indicator, 'unknown_indicator'
    from core.budget
    semi join standing using (district_code, phase_id)
    where indicator_code is null
    union
    select district_code, 'milestones', delivery, file, sheet, row_number, 'indicator', indicator, 'unknown_indicator'
    from core.milestone
    semi join standing using (district_code, phase_id)
    where indicator_code is null and indicator is not null
    union
    select district_code, 'milestones', delivery, file, sheet, row_number, 'measure_no', any_value(measure_no),
        'unknown_measure'
    from core.milestone
    semi join standing using (district_code, phase_id)
    group by all
    having not bool_or(is_measure_known)
)
select u.district_code, u.delivery, u.dataset, coalesce(t.source_file, u.file) as file,
    coalesce(t.source_sheet, r.sheet) as sheet, coalesce(t.source_row, r.row_number) as "row", r.column_name, r.value, r.rule,
    r.message
from raw.delivered_file u
join raw.rejection r using (content_sha256, dataset)
-- the workbook, sheet and row of a cell of the official statistics
left join raw.statistics_source t using (content_sha256, dataset, sheet, row_number, column_name)
union all
select district_code, delivery, dataset, file, sheet, row_number, 'school_code', school_code, 'unknown_school',
    '学校名册中没有学校标识码“' || school_code || '”：请核对标识码，或在名册中补上这所学校；本行未计入'
from unknown
union all
select district_code, delivery, dataset, file, sheet, row_number, column_name, name,
    if(resolution = 'ambiguous', 'ambiguous_school_name', 'unknown_school_name'),
    if(resolution = 'ambiguous', '“' || name || '”可能指多所学校', '名册中找不到“' || name || '”')
        || coalesce('，最接近的有：' || candidates, '') || '；请改为全称或学校标识码，或在 school_aliases 中登记'
from unnamed
union all
select district_code, delivery, dataset, file, sheet, row_number, cell[1], cell[2], rule,
    case rule
        when 'unknown_measure' then '方案（measures）中没有措施“' || cell[2] || '”：请核对措施编号，或补报这项措施'
        when 'unknown_milestone' then '方案（milestones）中没有节点“' || cell[2] || '”：请核对节点编号，或补报这个节点'
        when 'unknown_indicator' then '标准中没有指标“' || cell[2] || '”：请改为指标编号或名称'
        else '日期早于方案印发日期 ' || issued_on || '：请核对日期'
    end || '；本行未计入'
from refused
union all
select district_code, delivery, dataset, file, sheet, row_number, if(rule = 'unknown_suspicion', 'rule', 'school_code'),
    if(rule = 'unknown_suspicion', detail, school_code), if(rule = 'unknown_suspicion', rule, 'unknown_school'),
    if(rule = 'unknown_suspicion',
        '没有这样的疑点（' || concat_ws(' ', school_code, detail) || '）：请核对数据集、学校标识码和规则，或疑点已随更正消失；本行未计入',
        '名册中没有学校标识码“' || school_code || '”：别名“' || detail || '”对应不到学校，请核对；本行未计入')
from answered
union all
select district_code, delivery, dataset, file, sheet, row_number, column_name, value, rule,
    if(rule = 'unknown_measure', '方案（measures）中没有措施“' || value || '”：请核对措施编号，或补报这项措施',
        '标准中没有指标“' || value || '”：请改为指标编号或名称') || '；本行保留，但不对应任何问题'
from astray
