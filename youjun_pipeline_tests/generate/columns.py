"""Headers and words of the judged datasets, as districts write them.

Belongs here: both names of every column and the spellings of coded values.
Keep out: the contracts of the pipeline; the names here are typed in from the interface, so that the two can disagree.
"""

from collections.abc import Mapping, Sequence
from typing import Any

CODE, TEXT, COUNT, YEAR, AMOUNT, FLAG, WORD, GRADE, LEVEL, RATE = (
    "code",
    "text",
    "count",
    "year",
    "amount",
    "flag",
    "word",
    "grade",
    "level",
    "rate",
)

# dataset -> column -> (Chinese header, kind of cell, required)
COLUMNS: dict[str, dict[str, tuple[str, str, bool]]] = {
    "schools": {
        "school_code": ("学校标识码", CODE, True),
        "campus": ("校区", TEXT, False),
        "school_name": ("学校名称", TEXT, True),
        "township": ("所属镇街", TEXT, False),
        "school_type": ("办学类型", WORD, True),
        "sponsor_code": ("举办者类型", CODE, False),
        "urban_rural": ("城乡类型", TEXT, False),
        "built_year": ("建校年份", YEAR, False),
        "boarding": ("是否寄宿制", FLAG, False),
        "dense_urban": ("是否人口密度过高的中心城区学校", FLAG, False),
        "primary_students": ("小学在校生数", COUNT, False),
        "junior_students": ("初中在校生数", COUNT, False),
        "senior_students": ("高中在校生数", COUNT, False),
        "preschool_students": ("附设幼儿班在园幼儿数", COUNT, False),
        "migrant_students": ("进城务工人员随迁子女数", COUNT, False),
        "catchment_primary_students": ("小学就近入学人数", COUNT, False),
        "catchment_junior_students": ("初中就近入学人数", COUNT, False),
    },
    "classes": {
        "school_code": ("学校标识码", CODE, True),
        "campus": ("校区", TEXT, False),
        "stage": ("学段", WORD, True),
        "grade": ("年级", GRADE, True),
        "class_no": ("班号", TEXT, True),
        "students": ("学生数", COUNT, True),
    },
    "teachers": {
        "school_code": ("学校标识码", CODE, True),
        "campus": ("校区", TEXT, False),
        "stage": ("学段", WORD, True),
        "full_time": ("专任教师数", COUNT, True),
        "staff": ("教职工数", COUNT, False),
        "doctorate": ("博士", COUNT, False),
        "master": ("硕士", COUNT, False),
        "bachelor": ("本科", COUNT, False),
        "associate": ("专科", COUNT, False),
        "backbone": ("县级以上骨干教师数", COUNT, False),
        "pe": ("体育教师", COUNT, False),
        "music": ("音乐教师", COUNT, False),
        "fine_art": ("美术教师", COUNT, False),
        "art": ("艺术教师", COUNT, False),
        "visiting_pe_art": ("交流轮岗兼职走教体育艺术教师数", COUNT, False),
        "certified": ("持证教师数", COUNT, False),
        "trained_360h": ("完成360学时培训教师数", COUNT, False),
    },
    "facilities": {
        "school_code": ("学校标识码", CODE, True),
        "campus": ("校区", TEXT, False),
        "teaching_area_m2": ("教学及辅助用房面积", AMOUNT, False),
        "indoor_sports_area_m2": ("室内体育用房面积", AMOUNT, False),
        "outdoor_sports_area_m2": ("运动场地面积", AMOUNT, False),
        "other_sports_area_m2": ("校内其他专用运动场地面积", AMOUNT, False),
        "rented_sports_area_m2": ("校外租赁场馆面积", AMOUNT, False),
        "equipment_value_wan": ("教学仪器设备资产值(万元)", AMOUNT, False),
        "multimedia_rooms": ("网络多媒体教室间数", COUNT, False),
    },
    "special_rooms": {
        "school_code": ("学校标识码", CODE, True),
        "campus": ("校区", TEXT, False),
        "kind": ("类别", WORD, True),
        "room_no": ("教室编号", TEXT, True),
        "area_m2": ("使用面积", AMOUNT, True),
    },
    "quality_monitoring": {
        "cycle": ("监测年份", YEAR, True),
        "grade": ("年级", GRADE, True),
        "subject": ("学科", TEXT, True),
        "level": ("学业水平等级", LEVEL, True),
        "between_school_rate": ("校际差异率", RATE, False),
    },
    "school_finance": {
        "school_code": ("学校标识码", CODE, True),
        "year": ("年度", YEAR, True),
        "public_funds_budget_wan": ("公用经费预算(万元)", AMOUNT, False),
        "public_funds_final_wan": ("公用经费决算(万元)", AMOUNT, False),
        "training_budget_wan": ("教师培训经费预算(万元)", AMOUNT, False),
        "training_final_wan": ("教师培训经费决算(万元)", AMOUNT, False),
    },
    "graduation_cohorts": {
        "school_code": ("学校标识码", CODE, True),
        "year": ("毕业年份", YEAR, True),
        "entrants": ("初一入学人数", COUNT, False),
        "transferred_in": ("三年转入", COUNT, False),
        "transferred_out": ("三年转出", COUNT, False),
        "deaths": ("死亡", COUNT, False),
        "graduates": ("毕业人数", COUNT, False),
    },
    "assurance": {
        "item": ("指标项", TEXT, True),
        "value": ("填报值", AMOUNT, False),
        "conclusion": ("结论", WORD, False),
        "evidence": ("佐证材料", TEXT, False),
    },
    "recognition": {
        "year": ("年度", YEAR, True),
        "respondent_group": ("调查对象", TEXT, True),
        "method": ("方式", TEXT, False),
        "issued": ("发放数", COUNT, False),
        "valid": ("有效数", COUNT, False),
        "satisfied": ("满意数", COUNT, False),
    },
    "district_figures": {
        "item": ("项目", TEXT, True),
        "year": ("年度", YEAR, True),
        "value": ("数值", AMOUNT, True),
    },
}

# column -> stored value -> (Chinese word, English code)
WORDS: dict[str, dict[str, tuple[str, str]]] = {
    "stage": {"primary": ("小学", "primary"), "junior": ("初中", "junior"), "senior": ("高中", "senior")},
    "kind": {"music": ("音乐", "music"), "art": ("美术", "art")},
    "conclusion": {"met": ("达标", "met"), "not_met": ("未达标", "not_met")},
    "school_type": {
        "小学": ("小学", "primary"),
        "教学点": ("教学点", "teaching_point"),
        "初级中学": ("初级中学", "junior"),
        "九年一贯制学校": ("九年一贯制学校", "nine_year"),
        "完全中学": ("完全中学", "complete_secondary"),
        "十二年一贯制学校": ("十二年一贯制学校", "twelve_year"),
        "高级中学": ("高级中学", "senior"),
        "特殊教育学校": ("特殊教育学校", "special"),
        "职业学校": ("职业学校", "vocational"),
    },
}
FLAGS: dict[bool, Sequence[str]] = {True: ("是", "true", "1", "Y"), False: ("否", "false", "0", "N")}
GRADES: Mapping[int, Sequence[str]] = {
    number: (str(number), f"{word}年级") + ((f"初{'一二三'[number - 7]}",) if number > 6 else ())
    for number, word in enumerate("一二三四五六七八九", start=1)
}
LEVELS: Mapping[int, Sequence[str]] = {1: ("Ⅰ", "I", "1"), 2: ("Ⅱ", "II", "2"), 3: ("Ⅲ", "III", "3")}
LEVELS = {**LEVELS, 4: ("Ⅳ", "IV", "4"), 5: ("Ⅴ", "V", "5")}


def unit_of(dataset: str, column: str) -> str | None:
    """The bracketed unit that some districts write after the header; the contracts must accept it."""
    if column.endswith("_m2"):
        return "㎡"
    if column == "multimedia_rooms":
        return "间"
    return "人" if COLUMNS[dataset][column][1] == COUNT and dataset != "recognition" else None


def columns_of(dataset: str) -> list[str]:
    """The column names of a dataset in their usual order."""
    return list(COLUMNS[dataset])


def blank_row(dataset: str, **filled: Any) -> dict[str, Any]:
    """A row of the dataset with every column, blank where nothing is given."""
    unknown = sorted(set(filled) - set(COLUMNS[dataset]))
    if unknown:
        raise ValueError(f"{dataset} has no columns {unknown}")
    return {**dict.fromkeys(COLUMNS[dataset]), **filled}
