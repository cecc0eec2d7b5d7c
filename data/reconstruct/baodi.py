"""Write the deliveries of 宝坻 (data/120115-baodi/deliveries/). Run: python data/reconstruct/baodi.py

Belongs here: which dataset goes out on which day and in which form, and how the roster changes between the
three deliveries. Facts of the plan are in `plan_baodi.py`, schools in `schools_baodi.py`.
"""

from __future__ import annotations

from pathlib import Path

import plan_baodi as plan
import schools_baodi as names
import tables as t
import write
from roster import JUNIOR, PRIMARY, School, by_name, copy_roster, divert, read_roster, relieve

HOME = Path(__file__).resolve().parents[1] / "120115-baodi" / "deliveries"
REPORTER = "填报单位：宝坻区教育局"
NORMS = {PRIMARY: 650, JUNIOR: 850}
DAYS = ("2020-11-30", "2021-12-15", "2022-12-10")
EVENNESS = 0.35

SURVEY = {
    ("学生", "问卷"): 8_000, ("家长", "问卷"): 15_500, ("教师", "问卷"): 2_700, ("校长", "问卷"): 92,
    ("人大代表", "问卷"): 150, ("政协委员", "问卷"): 140, ("其他群众", "问卷"): 1_800, ("其他群众", "走访"): 110,
}  # fmt: skip


def assurance_values(year: int) -> dict[str, int]:
    """District figures with value, a little better every year."""
    step = year - 2020
    return {
        "G7.funds_yuan": 1_122_000 + 34_000 * step, "G7.students": 170,
        "G8.teacher_salary_yuan": 128_600 + 6_200 * step, "G8.civil_servant_salary_yuan": 127_900 + 6_000 * step,
        "G11.eligible": 1_870 + 15 * step, "G11.rotated": 206 + 9 * step, "G11.rotated_backbone": 47 + 4 * step,
        "G14.places": 2_100, "G14.allotted": 1_090 + 30 * step, "G14.allotted_rural": 640 + 25 * step,
        "G15.eligible": 3_260 + 90 * step, "G15.public": 3_010 + 92 * step, "G15.purchased": 140,
        "Q2.eligible": 318, "Q2.enrolled": 306 + 3 * step,
    }  # fmt: skip


def district_figures(year: int) -> list[tuple]:
    """Round, invented figures of the years up to the delivery; the education budget never falls."""
    return [
        row
        for y in range(2019, year)
        for row in (
            ("population_wan", y, 71 + (y - 2019) // 2), ("rural_population_wan", y, 45 - (y - 2019)),
            ("townships", y, 24), ("villages", y, 760), ("gdp_per_capita_yuan", y, 52_000 + 2_500 * (y - 2019)),
            ("education_budget_yuan", y, 1_750_000_000 + 60_000_000 * (y - 2019)),
            ("students", y, 57_200 + 450 * (y - 2019)),
        )
    ]  # fmt: skip


def mend(schools: list[School], marks: dict[str, list[str]]) -> None:
    for mark, where in marks.items():
        for name in where:
            relieve(by_name(schools, name), mark)


def rosters() -> dict[str, list[School]]:
    """The schools on each delivery day: 2021 seven open and pupils move, 2022 what was left is mended."""
    first = read_roster(names.ROSTER, names.CODE_PREFIX, EVENNESS)
    second = copy_roster(first)
    mend(second, names.MENDED_2021)
    for name, stage, students in names.RELIEVED_2021:
        divert(by_name(second, name), stage, students)
    second += read_roster(names.OPENED, names.CODE_PREFIX, EVENNESS, first=len(first) + 1)
    third = copy_roster(second)
    for school in third:
        marks = [mark for mark in school.flags if mark.startswith(("R", "G"))]
        if marks:
            relieve(school, *sorted(marks))
    for roster, growth in ((second, 1.02), (third, 1.05)):
        for school in roster:
            if "R6" not in school.flags:
                school.equipment_wan = round(school.equipment_wan * growth, 4)
    return dict(zip(DAYS, (first, second, third), strict=True))


def deliver(day: str, schools: list[School]) -> None:
    """The whole set of datasets of one day; forms differ from year to year as they do in offices."""
    folder, year = HOME / day, int(day[:4])
    people = f"{REPORTER}    单位：人"
    write.xlsx(
        folder / "schools.xlsx",
        f"宝坻区中小学校名册（{year}年）",
        people,
        t.chinese(t.SCHOOLS),
        t.school_rows(schools),
    )
    classes, facilities = t.class_rows(schools), t.facility_rows(schools)
    if year == 2020:
        write.text(folder / "classes.csv", t.chinese(t.CLASSES), classes, "gb18030")
        write.xlsx(folder / "facilities.xlsx", "宝坻区中小学办学条件", f"{REPORTER}    单位：平方米、万元、间",
                   t.chinese(t.FACILITIES), facilities)  # fmt: skip
    else:
        write.text(folder / "classes.csv", t.english(t.CLASSES), classes, "utf-8-sig")
        write.text(folder / "facilities.csv", t.chinese(t.FACILITIES), facilities, "gb18030")
    write.xlsx(
        folder / "teachers.xlsx",
        "宝坻区义务教育学校专任教师情况",
        people,
        t.chinese(t.TEACHERS),
        t.teacher_rows(schools),
    )
    if year == 2022:
        write.parquet(
            folder / "special_rooms.parquet", t.english(t.SPECIAL_ROOMS), t.room_rows(schools, True)
        )
    else:
        write.text(
            folder / "special_rooms.csv", t.chinese(t.SPECIAL_ROOMS), t.room_rows(schools), "utf-8-sig"
        )
    write.text(
        folder / "school_finance.csv", t.chinese(t.FINANCE), t.finance_rows(schools, year, NORMS), "gb18030"
    )
    open_before = [s for s in schools if s.built_year <= year - 3]
    write.text(folder / "graduation_cohorts.csv", t.chinese(t.COHORTS), t.cohort_rows(open_before, (year,)))
    write.xlsx(folder / "assurance.xlsx", "政府保障和教育质量填报项", REPORTER, t.chinese(t.ASSURANCE),
               t.assurance_rows(assurance_values(year), "宝坻区", year))  # fmt: skip
    write.text(
        folder / "recognition.csv",
        t.chinese(t.RECOGNITION),
        t.recognition_rows(year, SURVEY, schools[0]),
        "utf-8-sig",
    )
    write.text(folder / "district_figures.csv", t.chinese(t.FIGURES), district_figures(year), "utf-8-sig")
    monitoring = [row for known in DAYS if known <= day for row in plan.MONITORING[known]]
    write.text(folder / "quality_monitoring.csv", t.chinese(t.MONITORING), monitoring, "gb18030")
    write.text(folder / "target_actuals.csv", t.chinese(t.ACTUALS), plan.ACTUALS[day], "utf-8-sig")


def deliver_changes() -> None:
    """Schools that open: three in autumn 2020, seven in autumn 2021."""
    new = {"2020-11-30": ("宝平街朝阳小学", "海滨街学苑小学", "朝霞街初级中学"),
           "2021-12-15": tuple(line.split("|")[0] for line in names.OPENED.split())}  # fmt: skip
    for day, opened in new.items():
        rows = [(f"{day[:4]}-09-01", "新建", "", name) for name in opened]
        write.text(HOME / day / "school_changes.csv", t.chinese(t.CHANGES), rows, "utf-8-sig")


def main() -> None:
    for day, schools in rosters().items():
        deliver(day, schools)
    write.xlsx(
        HOME / DAYS[0] / "targets.xlsx",
        "三年行动方案任务目标",
        REPORTER,
        t.chinese(t.TARGETS),
        plan.targets(),
    )
    deliver_changes()


if __name__ == "__main__":
    main()
