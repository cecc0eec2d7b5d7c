-- Numerator and denominator of every district indicator that is a ratio, part by part; null when a piece is missing.
with item as (
    select e.district_code, e.phase_id,
        max(a.value) filter (item = 'G7.funds_yuan') as g7_funds,
        max(a.value) filter (item = 'G7.students') as g7_students,
        max(a.value) filter (item = 'G8.teacher_salary_yuan') as g8_teacher,
        max(a.value) filter (item = 'G8.civil_servant_salary_yuan') as g8_civil,
        max(a.value) filter (item = 'G11.eligible') as g11_eligible,
        max(a.value) filter (item = 'G11.rotated') as g11_rotated,
        max(a.value) filter (item = 'G11.rotated_backbone') as g11_backbone,
        max(a.value) filter (item = 'G14.places') as g14_places,
        max(a.value) filter (item = 'G14.allotted') as g14_allotted,
        max(a.value) filter (item = 'G15.eligible') as g15_eligible,
        max(a.value) filter (item = 'G15.public') as g15_public,
        max(a.value) filter (item = 'G15.purchased') as g15_purchased,
        max(a.value) filter (item = 'Q2.eligible') as q2_eligible,
        max(a.value) filter (item = 'Q2.enrolled') as q2_enrolled
    from run_evaluation e
    left join core.assurance a using (district_code, phase_id)
    group by e.district_code, e.phase_id
), teacher as (
    -- every section in scope must have reported: a section without a teachers row leaves the sum unknown
    select s.district_code, s.phase_id,
        if(count(*) = count(trained.value), sum(trained.value), null) as trained,
        if(count(*) = count(certified.value), sum(certified.value), null) as certified,
        if(count(*) = count(full_time.value), sum(full_time.value), null) as full_time
    from core.section s
    semi join run_evaluation using (district_code, phase_id)
    left join core.input trained
        on trained.input = 'teachers.trained_360h' and trained.district_code = s.district_code
        and trained.phase_id = s.phase_id and trained.school_code = s.school_code and trained.stage = s.stage
    left join core.input certified
        on certified.input = 'teachers.certified' and certified.district_code = s.district_code
        and certified.phase_id = s.phase_id and certified.school_code = s.school_code and certified.stage = s.stage
    left join core.input full_time
        on full_time.input = 'teachers.full_time' and full_time.district_code = s.district_code
        and full_time.phase_id = s.phase_id and full_time.school_code = s.school_code and full_time.stage = s.stage
    group by s.district_code, s.phase_id
), enrolment as (
    select district_code, phase_id,
        if(bool_and(catchment_primary_students is not null) filter (has_primary),
            sum(catchment_primary_students) filter (has_primary), null) as primary_catchment,
        if(bool_and(primary_students is not null) filter (has_primary),
            sum(primary_students) filter (has_primary), null) as primary_students,
        if(bool_and(catchment_junior_students is not null) filter (has_junior),
            sum(catchment_junior_students) filter (has_junior), null) as junior_catchment,
        if(bool_and(junior_students is not null) filter (has_junior),
            sum(junior_students) filter (has_junior), null) as junior_students,
        bool_or(has_primary) as any_primary,
        bool_or(has_junior) as any_junior
    from core.school
    semi join run_evaluation using (district_code, phase_id)
    where is_town_day_school
    group by district_code, phase_id
), cohort as (
    select district_code, phase_id,
        if(bool_and(graduates is not null and transferred_in is not null and transferred_out is not null),
            sum(graduates - transferred_in + transferred_out), null) as retained,
        if(bool_and(entrants is not null and deaths is not null), sum(entrants - deaths), null) as entrants
    from (
        select f.district_code, f.phase_id, a.*
        from core.chosen_file f
        semi join run_evaluation using (district_code, phase_id)
        join accepted.graduation_cohorts a using (content_sha256)
        where f.dataset = 'graduation_cohorts'
        qualify a.year = max(a.year) over (partition by f.district_code, f.phase_id)
    )
    group by district_code, phase_id
), survey as (
    select district_code, phase_id,
        if(count(*) = count(satisfied), sum(satisfied), null) as satisfied,
        if(count(*) = count(valid), sum(valid), null) as valid
    from (
        select f.district_code, f.phase_id, a.*
        from core.chosen_file f
        semi join run_evaluation using (district_code, phase_id)
        join accepted.recognition a using (content_sha256)
        where f.dataset = 'recognition'
        qualify a.year = max(a.year) over (partition by f.district_code, f.phase_id)
    )
    group by district_code, phase_id
), part as (
    select i.district_code, i.phase_id, unnest([
        {'indicator_code': 'G7', 'part': 1, 'what': '特殊教育生均公用经费', 'num': g7_funds, 'den': g7_students},
        {'indicator_code': 'G8', 'part': 1, 'what': '教师平均工资与公务员之比', 'num': g8_teacher, 'den': g8_civil},
        {'indicator_code': 'G9', 'part': 1, 'what': '完成 360 学时培训的教师', 'num': trained, 'den': full_time},
        {'indicator_code': 'G11', 'part': 1, 'what': '交流轮岗教师', 'num': g11_rotated, 'den': g11_eligible},
        {'indicator_code': 'G11', 'part': 2, 'what': '交流轮岗中的骨干教师', 'num': g11_backbone, 'den': g11_rotated},
        {'indicator_code': 'G12', 'part': 1, 'what': '持证专任教师', 'num': certified, 'den': full_time},
        {'indicator_code': 'G14', 'part': 1, 'what': '分配到初中的优质高中名额', 'num': g14_allotted, 'den': g14_places},
        {'indicator_code': 'G15', 'part': 1, 'what': '在公办或政府购买学位学校就读的随迁子女',
            'num': g15_public + g15_purchased, 'den': g15_eligible},
        {'indicator_code': 'Q1', 'part': 1, 'what': '初中三年巩固', 'num': retained, 'den': entrants},
        {'indicator_code': 'Q2', 'part': 1, 'what': '残疾儿童少年入学', 'num': q2_enrolled, 'den': q2_eligible},
        {'indicator_code': 'S1', 'part': 1, 'what': '社会认可度', 'num': satisfied, 'den': valid},
        {'indicator_code': 'G13', 'part': 1, 'what': '小学就近划片入学',
            'num': if(any_primary, primary_catchment, 0), 'den': if(any_primary, primary_students, 0)},
        {'indicator_code': 'G13', 'part': 2, 'what': '初中就近划片入学',
            'num': if(any_junior, junior_catchment, 0), 'den': if(any_junior, junior_students, 0)}
    ], recursive := true)
    from item i
    left join teacher using (district_code, phase_id)
    left join enrolment using (district_code, phase_id)
    left join cohort using (district_code, phase_id)
    left join survey using (district_code, phase_id)
)
select district_code, phase_id, indicator_code, part, what,
    num::decimal(24, 6) as numerator, den::decimal(24, 6) as denominator
from part
