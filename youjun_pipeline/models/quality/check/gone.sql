-- Districts and phases that were published and are no longer in the data folder: they leave the publication.
select distinct e.district_code, if(d.district_code is null, null, e.phase_id) as phase_id,
    'folder_is_present' as check_name, '' as dataset, 'warning' as severity, false as passed, 1 as failed_rows,
    if(d.district_code is null,
        '区县 ' || e.district_code || '（' || e.district_name || '）的文件夹已不在数据文件夹中：它的结果不再发布；如非本意，请放回文件夹后重新运行',
        '阶段“' || e.phase_name || '”（' || e.phase_id || '）已不在 district.toml 中：它的结果不再发布；如非本意，请补上后重新运行'
    ) as message
from mart.evaluation e
left join raw.district d using (district_code)
anti join raw.phase p on p.district_code = e.district_code and p.phase_id = e.phase_id
