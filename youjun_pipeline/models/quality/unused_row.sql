-- Every accepted row is used by an evaluation or is listed here. A row that counts as rejected (an unknown school, a report on
-- something that the plan does not have) is in quality.rejected_row and not here as well.
with standing as (
    select p.district_code, p.phase_id from raw.phase p
), uses as (
    select district_code, dataset, delivery, file, count(*) as evaluations
    from core.chosen_file
    semi join standing using (district_code, phase_id)
    group by all
), row_unused as (
    select u.district_code, u.dataset, u.delivery, u.file, u.content_sha256, u.sheet, u.row_number,
        any_value(u.school_code) as school_code, arg_max(u.rule, u.phase_id) as rule, arg_max(u.detail, u.phase_id) as detail,
        list(distinct u.rule) as rules
    from core.unused_row u
    semi join standing using (district_code, phase_id)
    join uses c using (district_code, dataset, delivery, file)
    group by u.district_code, u.dataset, u.delivery, u.file, u.content_sha256, u.sheet, u.row_number, c.evaluations
    having count(distinct u.phase_id) = c.evaluations
)
select r.district_code, r.delivery, r.dataset, r.file, r.sheet, r.row_number as "row", r.school_code, 1 as rows, r.rule,
    case r.rule
        when 'senior_stage' then '高中学段不评估，本行未采用'
        when 'stage_not_taught' then '学校没有' || stage_word(r.detail) || '学段的学生，本行未采用：请核对学段，或在名册中补报学生数'
        when 'school_out_of_scope' then '学校不在评估范围（' || r.detail || '），本行未采用'
        when 'other_year' then r.detail || ' 年不是判定所用的年度，本行未采用'
        when 'unknown_school' then '学校已不在名册中，本行未采用'
        when 'unknown_item' then '没有指标用到填报项“' || r.detail || '”，本行未采用：请核对代码'
        when 'unknown_target' then '方案中没有任务和期间“' || r.detail || '”，本行未采用：请核对编号和期间'
        when 'not_yet' then '日期 ' || r.detail || ' 晚于采用数据截至日期，本行尚未采用'
        when 'alias_not_needed' then '没有数据用到别名“' || r.detail || '”，本行未采用'
        else '没有对应的内容，本行未采用'
    end as message
from row_unused r
-- these are listed as rejected, unless some evaluation has them for another reason
where not list_has_all(
    ['unknown_school', 'unknown_measure', 'unknown_milestone', 'unknown_indicator', 'before_plan', 'unknown_suspicion',
        'alias_of_unknown_school', 'unknown_school_name'], r.rules)
union all
select district_code, delivery, dataset, file, null, null, null, rows_accepted, rule,
    case rule
        when 'in_the_future' then '报送日期 ' || delivery || ' 晚于统计截止日期，尚未采用'
        when 'after_the_last_phase' then '报送日期 ' || delivery || ' 晚于最后一个阶段的结束日期，没有阶段采用：请核对报送文件夹的日期，或在 district.toml 中登记新的阶段'
        when 'phase_not_begun' then '阶段“' || of_phase_name || '”尚未开始，暂未采用'
        when 'phase_closed' then '阶段“' || of_phase_name || '”已关闭，没有采用：如应计入，需 reopen（youjun reopen ' || district_code || ' ' || of_phase_id || '）'
        when 'superseded' then '同一数据集有更新的报送，本文件未采用'
        when 'other_form_in_use' then '班级数据另有一种形式在用，本文件未采用'
        else '没有评估采用本文件：请看该阶段的检查结果'
    end
from core.unread_file
where rows_accepted > 0
