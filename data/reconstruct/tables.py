"""Rows of the delivered datasets, from schools and from the plans' facts.

Belongs here: columns (Chinese header with the unit districts write, English name) and how a dataset's rows
come from schools. Keep out: file formats (`write.py`) and drawing figures of a school (`roster.py`).
"""

from __future__ import annotations

from typing import Any

from roster import GRADES, JUNIOR, PRIMARY, School

Rows = list[tuple[Any, ...]]
# (Chinese header as delivered, English name)
SCHOOLS = [
    ("学校标识码", "school_code"), ("学校名称", "school_name"), ("所属镇街", "township"),
    ("办学类型", "school_type"), ("举办者类型", "sponsor_code"), ("城乡类型", "urban_rural"),
    ("建校年份", "built_year"), ("是否寄宿制", "boarding"), ("是否人口密度过高的\n中心城区学校", "dense_urban"),
    ("小学在校生数（人）", "primary_students"), ("初中在校生数（人）", "junior_students"),
    ("高中在校生数（人）", "senior_students"), ("进城务工人员随迁子女数", "migrant_students"),
    ("小学就近入学人数", "catchment_primary_students"), ("初中就近入学人数", "catchment_junior_students"),
]  # fmt: skip
CLASSES = [("学校标识码", "school_code"), ("学段", "stage"), ("年级", "grade"), ("班号", "class_no"),
           ("学生数", "students")]  # fmt: skip
TEACHERS = [
    ("学校标识码", "school_code"), ("学段", "stage"), ("专任教师数", "full_time"), ("教职工数", "staff"),
    ("博士", "doctorate"), ("硕士", "master"), ("本科", "bachelor"), ("专科", "associate"),
    ("县级以上骨干教师数", "backbone"), ("体育教师", "pe"), ("音乐教师", "music"), ("美术教师", "fine_art"),
    ("艺术教师", "art"), ("交流轮岗兼职走教体育艺术教师数", "visiting_pe_art"), ("持证教师数", "certified"),
    ("完成360学时培训教师数", "trained_360h"),
]  # fmt: skip
FACILITIES = [
    ("学校标识码", "school_code"), ("教学及辅助用房面积（㎡）", "teaching_area_m2"),
    ("室内体育用房面积（㎡）", "indoor_sports_area_m2"), ("运动场地面积（㎡）", "outdoor_sports_area_m2"),
    ("校内其他专用运动场地面积（㎡）", "other_sports_area_m2"), ("校外租赁场馆面积（㎡）", "rented_sports_area_m2"),
    ("教学仪器设备资产值(万元)", "equipment_value_wan"), ("网络多媒体教室间数", "multimedia_rooms"),
]  # fmt: skip
SPECIAL_ROOMS = [
    ("学校标识码", "school_code"),
    ("类别", "kind"),
    ("教室编号", "room_no"),
    ("使用面积", "area_m2"),
]
MONITORING = [("监测年份", "cycle"), ("年级", "grade"), ("学科", "subject"), ("学业水平等级", "level"),
              ("校际差异率", "between_school_rate")]  # fmt: skip
FINANCE = [
    ("学校标识码", "school_code"), ("年度", "year"), ("公用经费预算(万元)", "public_funds_budget_wan"),
    ("公用经费决算(万元)", "public_funds_final_wan"), ("教师培训经费预算(万元)", "training_budget_wan"),
    ("教师培训经费决算(万元)", "training_final_wan"),
]  # fmt: skip
COHORTS = [("学校标识码", "school_code"), ("毕业年份", "year"), ("初一入学人数", "entrants"),
           ("三年转入", "transferred_in"), ("三年转出", "transferred_out"), ("死亡", "deaths"),
           ("毕业人数", "graduates")]  # fmt: skip
ASSURANCE = [("指标项", "item"), ("填报值", "value"), ("结论", "conclusion"), ("佐证材料", "evidence")]
RECOGNITION = [("年度", "year"), ("调查对象", "respondent_group"), ("方式", "method"), ("发放数", "issued"),
               ("有效数", "valid"), ("满意数", "satisfied")]  # fmt: skip
FIGURES = [("项目", "item"), ("年度", "year"), ("数值", "value")]
FINDINGS = [("来源文号", "source"), ("指标", "indicator"), ("学段", "stage"), ("学校名称", "school_name"),
            ("通报数量", "claimed_count")]  # fmt: skip
MEASURES = [
    ("措施编号", "measure_no"), ("指标", "indicator"), ("学段", "stage"), ("涉及学校", "school_names"),
    ("措施类型", "measure_type"), ("接收学校", "receiving_school"), ("措施内容", "description"),
    ("数量", "quantity"), ("单位", "unit"), ("完成时间", "due"), ("责任科室", "bureau_sections"),
    ("责任单位", "responsible_units"), ("责任人", "responsible_person"), ("出处", "source"),
]  # fmt: skip
MILESTONES = [("节点编号", "milestone_no"), ("措施编号", "measure_no"), ("指标", "indicator"),
              ("应完成时间", "due"), ("任务", "task")]  # fmt: skip
BUDGETS = [("预算编号", "budget_no"), ("指标", "indicator"), ("学段", "stage"), ("涉及措施", "measure_nos"),
           ("金额(万元)", "amount_wan"), ("出处", "source")]  # fmt: skip
TARGETS = [("任务编号", "target_no"), ("任务", "programme"), ("指标", "metric"), ("单位", "unit"),
           ("口径", "kind"), ("期间", "period"), ("计划值", "planned"), ("总目标", "total")]  # fmt: skip
ACTUALS = [("填报日期", "reported_on"), ("任务编号", "target_no"), ("期间", "period"), ("完成值", "actual")]
ALIASES = [("别名", "alias"), ("学校标识码", "school_code")]
CHANGES = [("日期", "effective_on"), ("类型", "kind"), ("原学校", "from_school"), ("新学校", "to_school")]
PROGRESS = [
    ("填报日期", "reported_on"), ("措施编号", "measure_no"), ("节点编号", "milestone_no"), ("状态", "state"),
    ("完成比例", "percent"), ("预计完成", "expected_on"), ("已支出(万元)", "spent_wan"), ("佐证材料", "evidence"),
    ("填报人", "reporter"), ("说明", "note"),
]  # fmt: skip
ACCEPTANCES = [("验收日期", "inspected_on"), ("指标", "indicator"), ("学段", "stage"),
               ("学校名称", "school_name"), ("结论", "result"), ("验收人", "inspector"),
               ("佐证材料", "evidence")]  # fmt: skip

TEACHES = {
    "小学": {PRIMARY}, "教学点": {PRIMARY}, "初级中学": {JUNIOR}, "九年一贯制学校": {PRIMARY, JUNIOR},
    "完全中学": {JUNIOR, "高中"}, "十二年一贯制学校": {PRIMARY, JUNIOR, "高中"}, "高级中学": {"高中"},
    "特殊教育学校": {PRIMARY, JUNIOR}, "职业学校": {PRIMARY, JUNIOR, "高中"},
}  # fmt: skip


def chinese(columns: list[tuple[str, str]]) -> list[str]:
    return [header for header, _ in columns]


def english(columns: list[tuple[str, str]]) -> list[str]:
    return [name for _, name in columns]


def yes(flag: bool) -> str:
    return "是" if flag else "否"


def school_rows(schools: list[School]) -> Rows:
    """A stage the school does not teach is blank; a vocational school states that it has no such pupils.

    Every primary pupil of a public school lives in its catchment, and nearly every junior one.
    """
    rows = []
    for s in schools:
        taught = TEACHES[s.school_type]
        counts = [s.students(stage) if stage in taught else None for stage in (PRIMARY, JUNIOR, "高中")]
        outside = s.rng("catchment").uniform(0, 0.02)
        is_public = s.sponsor != 10 and s.school_type not in ("特殊教育学校", "职业学校", "高级中学")
        near_primary = counts[0] if is_public else None
        near_junior = int(counts[1] * (1 - outside)) if is_public and counts[1] is not None else None
        rows.append(
            (s.code, s.name, s.township, s.school_type, str(s.sponsor), s.urban_rural, s.built_year,
             yes(s.boarding), yes(s.dense), *counts, s.migrant_students if s.stages else None,
             near_primary, near_junior)
        )  # fmt: skip
    return rows


def class_rows(schools: list[School]) -> Rows:
    return [
        (s.code, stage, grade, number, size)
        for s in schools
        for stage, grades in GRADES.items()
        for grade in grades
        for number, size in enumerate(s.classes.get(grade, []), 1)
    ]


def teacher_rows(schools: list[School]) -> Rows:
    names = english(TEACHERS)[2:]
    return [(s.code, stage, *(s.teachers[stage][n] for n in names)) for s in schools for stage in s.stages]


def facility_rows(schools: list[School]) -> Rows:
    return [
        (s.code, s.teaching_area, s.indoor_sports, s.outdoor_sports, s.other_sports, s.rented_sports,
         s.equipment_wan, s.multimedia_rooms)
        for s in schools
    ]  # fmt: skip


def room_rows(schools: list[School], english_words: bool = False) -> Rows:
    words = {"音乐": "music", "美术": "art"} if english_words else {"音乐": "音乐", "美术": "美术"}
    return [
        (s.code, words[kind], f"{kind}{number}", area)
        for s in schools
        for kind, areas in s.rooms.items()
        for number, area in enumerate(areas, 1)
    ]


def finance_rows(schools: list[School], year: int, norms: dict[str, int]) -> Rows:
    """Last year with final accounts, this year with the budget; small schools are funded as 100 pupils."""
    rows = []
    for s in schools:
        if not s.stages:
            continue
        compulsory = sum(s.students(stage) for stage in s.stages)
        norm = sum(norms[stage] * s.students(stage) for stage in s.stages) / compulsory
        for y in range(max(year - 1, s.built_year), year + 1):
            rng = s.rng(f"finance {y}")
            budget = round(max(compulsory, 100) * norm * rng.uniform(1.02, 1.16) / 10000 + 0.005, 2)
            training = round(budget * rng.uniform(0.055, 0.085) + 0.005, 3)
            final, spent = (
                round(budget * rng.uniform(0.98, 1.0), 2),
                round(training * rng.uniform(0.98, 1.02), 3),
            )
            is_closed = y < year
            rows.append(
                (s.code, y, budget, final if is_closed else None, training, spent if is_closed else None)
            )
    return rows


def cohort_rows(schools: list[School], years: tuple[int, ...]) -> Rows:
    """Graduating years of every school with junior pupils; few leave for good."""
    rows = []
    for s in schools:
        if not s.students(JUNIOR) or s.school_type == "特殊教育学校":
            continue
        for year in years:
            rng = s.rng(f"cohort {year}")
            entrants = round(s.students(JUNIOR) / 3 * rng.uniform(0.92, 1.02))
            came, left = rng.randint(0, max(1, entrants // 60)), rng.randint(0, max(1, entrants // 50))
            lost = rng.randint(0, max(1, entrants // 120))
            deaths = 1 if rng.random() < 0.03 else 0
            rows.append((s.code, year, entrants, came, left, deaths, entrants - deaths + came - left - lost))
    return rows


def assurance_rows(values: dict[str, int], district: str, year: int) -> Rows:
    """Items with values, then items judged from evidence; every conclusion is 达标."""
    rows: Rows = [(item, value, "", f"{year}年{district}统计台账") for item, value in values.items()]
    evidence = {
        "G1": "学校布局专项规划及批复", "G2": "城乡统一标准文件汇编", "G10": "教职工编制和岗位年度核定表",
        "G14": "优质高中名额分配方案（农村初中单列）", "Q3": "各校章程备案表、信息化平台使用报告",
        "Q5": "信息技术应用能力测评报告", "Q6": "德育与校园文化年度评价结果", "Q7": "课程开设检查表（含劳动课）",
        "Q8": "作业与睡眠抽测报告", "V1": "招生检查报告", "V2": "学籍核查报告", "V3": "分班检查记录",
        "V4": "编制使用与编外教师核查表", "V5": "安全和违纪事项年度说明", "V6": "数据核查报告", "V7": "治理工作年度报告",
    }  # fmt: skip
    return rows + [(item, None, "达标", text) for item, text in evidence.items()]


def recognition_rows(year: int, issued: dict[tuple[str, str], int], seed: School) -> Rows:
    """A survey by group and method, every group well satisfied."""
    rows = []
    for (group, method), count in issued.items():
        rng = seed.rng(f"recognition {year} {group} {method}")
        valid = int(count * rng.uniform(0.93, 0.99))
        rows.append((year, group, method, count, valid, int(valid * rng.uniform(0.89, 0.97))))
    return rows
