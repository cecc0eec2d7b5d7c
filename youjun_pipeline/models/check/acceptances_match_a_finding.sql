-- 每次验收都对应一个问题
-- dataset: acceptances
-- severity: warning
select a.district_code, a.phase_id,
    a.delivery || '/' || a.file || coalesce(' ' || nullif(a.sheet, ''), '') || ' 第 ' || a.row_number || ' 行：'
        || coalesce(a.school_name, '学校名称为空') || ' ' || a.indicator || '，没有这样的问题，或该指标不按此验收' as offender
from core.acceptance a
semi join run_evaluation using (district_code, phase_id)
anti join rule.finding_acceptance m
    on m.district_code = a.district_code and m.phase_id = a.phase_id and m.delivery = a.delivery and m.file = a.file
    and m.sheet = a.sheet and m.row_number = a.row_number
where a.refused_because is null
