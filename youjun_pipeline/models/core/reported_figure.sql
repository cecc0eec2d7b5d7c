-- Figures that schools report again and again; suspicions are about these. rank 1 is the delivery that the evaluation uses; rank
-- 2 is the last delivery before it with another value: sending the same value again answers nothing. A blank figure is here
-- without a value.
with delivery as (
    select e.district_code, e.phase_id, f.dataset, f.delivery, f.file, f.content_sha256,
        dense_rank() over (partition by e.district_code, e.phase_id, f.dataset order by f.delivery desc) as rank
    from run_evaluation e
    join raw.delivered_file f
        on f.district_code = e.district_code and f.delivery <= e.effective_on
        and f.dataset in ('schools', 'teachers', 'facilities')
    join raw.content c on c.content_sha256 = f.content_sha256 and c.dataset = f.dataset and c.failure_rule is null
), figure as (
    select d.*, s.school_code, null::varchar as stage, s.sheet, s.row_number, unnest([
        {'column_name': 'primary_students', 'label': '小学在校生数', 'unit': '人', 'value': s.primary_students::double},
        {'column_name': 'junior_students', 'label': '初中在校生数', 'unit': '人', 'value': s.junior_students::double}
    ], recursive := true)
    from delivery d
    join accepted.schools s using (content_sha256)
    where d.dataset = 'schools'
    union all
    select d.*, t.school_code, t.stage, t.sheet, t.row_number, unnest([
        {'column_name': 'full_time', 'label': '专任教师数', 'unit': '人', 'value': t.full_time::double},
        {'column_name': 'backbone', 'label': '县级以上骨干教师数', 'unit': '人', 'value': t.backbone::double}
    ], recursive := true)
    from delivery d
    join accepted.teachers t using (content_sha256)
    where d.dataset = 'teachers'
    union all
    select d.*, a.school_code, null, a.sheet, a.row_number, unnest([
        {'column_name': 'teaching_area_m2', 'label': '教学及辅助用房面积', 'unit': '㎡', 'value': a.teaching_area_m2::double},
        {'column_name': 'outdoor_sports_area_m2', 'label': '运动场地面积', 'unit': '㎡', 'value': a.outdoor_sports_area_m2::double},
        {'column_name': 'equipment_value_wan', 'label': '教学仪器设备资产值', 'unit': '万元', 'value': a.equipment_value_wan::double},
        {'column_name': 'multimedia_rooms', 'label': '网络多媒体教室间数', 'unit': '间', 'value': a.multimedia_rooms::double}
    ], recursive := true)
    from delivery d
    join accepted.facilities a using (content_sha256)
    where d.dataset = 'facilities'
), newest as (
    select * from figure where rank = 1
)
select * from newest
union all
select f.* replace (2 as rank)
from figure f
-- if a school reports nothing now, its last report is used for the comparison
left join newest n
    on n.district_code = f.district_code and n.phase_id = f.phase_id and n.dataset = f.dataset
    and n.school_code = f.school_code and n.stage is not distinct from f.stage and n.column_name = f.column_name
where f.rank > 1 and f.value is distinct from n.value
qualify f.rank = min(f.rank) over (
    partition by f.district_code, f.phase_id, f.dataset, f.school_code, f.stage, f.column_name
)
