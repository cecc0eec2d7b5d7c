-- 报送没有比上一次骤减
-- dataset: files
-- severity: warning
-- Compared with the previous delivery: fewer than half of its rows, schools missing that the roster still has, or schools missing
-- from the roster without a change (school_changes) that explains it. The loss is reported before it is believed; the share of a
-- half is not a number of the standard.
with chosen as (
    select f.district_code, f.phase_id, f.dataset, f.delivery, f.file, f.content_sha256
    from core.chosen_file f
    semi join run_evaluation using (district_code, phase_id)
    where f.kind = 'snapshot'
), earlier as (
    select c.district_code, c.phase_id, c.dataset, b.delivery, b.content_sha256
    from chosen c
    join raw.delivered_file b on b.district_code = c.district_code and b.dataset = c.dataset and b.delivery < c.delivery
    join raw.content t on t.content_sha256 = b.content_sha256 and t.dataset = b.dataset and t.failure_rule is null
    qualify b.delivery = max(b.delivery) over (partition by c.district_code, c.phase_id, c.dataset)
), counted as (
    select c.district_code, c.phase_id, c.dataset, c.delivery, c.file, b.delivery as earlier_delivery,
        n.rows_accepted as rows_now, o.rows_accepted as rows_then
    from chosen c
    join earlier b using (district_code, phase_id, dataset)
    join raw.content n on n.content_sha256 = c.content_sha256 and n.dataset = c.dataset
    join raw.content o on o.content_sha256 = b.content_sha256 and o.dataset = b.dataset
), school_row as (
    select 'classes' as dataset, content_sha256, school_code from accepted.classes
    union
    select 'class_bands', content_sha256, school_code from accepted.class_bands
    union
    select 'teachers', content_sha256, school_code from accepted.teachers
    union
    select 'facilities', content_sha256, school_code from accepted.facilities
    union
    select 'special_rooms', content_sha256, school_code from accepted.special_rooms
    union
    select 'school_finance', content_sha256, school_code from accepted.school_finance
    union
    select 'graduation_cohorts', content_sha256, school_code from accepted.graduation_cohorts
), lost as (
    select b.district_code, b.phase_id, b.dataset, count(*) as schools,
        list(k.school_name || '（' || k.school_code || '）' order by k.school_code) as names
    from earlier b
    join school_row w using (dataset, content_sha256)
    join core.school k
        on k.district_code = b.district_code and k.phase_id = b.phase_id and k.school_code = w.school_code
    join chosen c on c.district_code = b.district_code and c.phase_id = b.phase_id and c.dataset = b.dataset
    anti join school_row n
        on n.dataset = c.dataset and n.content_sha256 = c.content_sha256 and n.school_code = w.school_code
    group by b.district_code, b.phase_id, b.dataset
), gone as (
    select b.district_code, b.phase_id, b.dataset, count(*) as schools,
        list(k.school_name || '（' || k.school_code || '）' order by k.school_code) as names
    from earlier b
    join accepted.schools s using (content_sha256)
    join core.known_school k
        on k.district_code = b.district_code and k.phase_id = b.phase_id and k.school_code = s.school_code
    anti join core.school n
        on n.district_code = b.district_code and n.phase_id = b.phase_id and n.school_code = s.school_code
    anti join core.school_change h
        on h.district_code = b.district_code and h.phase_id = b.phase_id and h.is_in_force
        and h.from_code in (k.school_code, k.campus_of)
    where b.dataset = 'schools'
    group by b.district_code, b.phase_id, b.dataset
)
select c.district_code, c.phase_id,
    c.delivery || '/' || c.file || '：“' || d.title || '”' || concat_ws('，',
        if(c.rows_now * 2 < c.rows_then,
            '上次（' || c.earlier_delivery || '）采用 ' || c.rows_then || ' 行，这次只有 ' || c.rows_now || ' 行', null),
        '名册中的 ' || l.schools || ' 所学校上次（' || c.earlier_delivery || '）有、这次没有：' || ten_of(l.names),
        '上次（' || c.earlier_delivery || '）名册中的 ' || g.schools || ' 所学校这次没有，也没有变动记录（school_changes）：'
            || ten_of(g.names))
        || '。每次报送整体替换上一次，缺少的按没有报送处理'
        || if(g.schools > 0, '，缺少的学校不再评估', '') || '；如是漏报请补齐后重新报送' as offender
from counted c
join raw.dataset d using (dataset)
left join lost l using (district_code, phase_id, dataset)
left join gone g using (district_code, phase_id, dataset)
where c.rows_now * 2 < c.rows_then or l.schools > 0 or g.schools > 0
