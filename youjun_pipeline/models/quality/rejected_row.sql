-- 隔离区：未能读入或无法对应的数据，逐条列出位置、原值和原因。
with used as (
    select distinct district_code, dataset, delivery, file, content_sha256 from run_chosen_file
), unknown as (
    -- unknown to every evaluation that uses the file
    select u.district_code, u.dataset, u.delivery, u.file, u.sheet, u.row_number, u.school_code
    from core.unknown_school u
    join (
        select district_code, dataset, delivery, file, count(*) as uses
        from core.chosen_file
        semi join run_evaluation using (district_code, phase_id)
        group by all
    ) c using (district_code, dataset, delivery, file)
    semi join run_evaluation using (district_code, phase_id)
    group by u.district_code, u.dataset, u.delivery, u.file, u.sheet, u.row_number, u.school_code, c.uses
    having count(*) = c.uses
), unnamed as (
    select distinct district_code, dataset, delivery, file, sheet, row_number, column_name, name, resolution,
        arg_max(candidates, phase_id) over (
            partition by district_code, dataset, delivery, file, sheet, row_number, name
        ) as candidates
    from core.named_school
    semi join run_evaluation using (district_code, phase_id)
    where school_code is null and column_name <> 'receiving_school'
)
select u.district_code, u.delivery, u.dataset, u.file, r.sheet, r.row_number as "row", r.column_name, r.value, r.rule,
    r.message
from used u
join raw.rejection r using (content_sha256, dataset)
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
