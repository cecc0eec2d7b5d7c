"""Write the deliveries of 武清 (data/120114-wuqing/deliveries/). Run: python data/reconstruct/wuqing.py

Belongs here: which dataset goes out on which day and in which form. Facts of the plan are in
`plan_wuqing.py`, schools in `schools_wuqing.py`, what changes later in `progress_wuqing.py`.
"""

from __future__ import annotations

from pathlib import Path

import plan_wuqing as plan
import progress_wuqing as course
import tables as t
import write
from roster import JUNIOR, PRIMARY, School, by_name, read_roster
from schools_wuqing import CODE_PREFIX, ROSTER

HOME = Path(__file__).resolve().parents[1] / "120114-wuqing" / "deliveries"
REPORTER = "填报单位：武清区教育局"
NORMS = {PRIMARY: 720, JUNIOR: 940}

ASSURANCE_VALUES = {
    "G7.funds_yuan": 1_646_400, "G7.students": 196,
    "G8.teacher_salary_yuan": 168_300, "G8.civil_servant_salary_yuan": 165_900,
    "G11.eligible": 2_960, "G11.rotated": 352, "G11.rotated_backbone": 88,
    "G14.places": 3_200, "G14.allotted": 1_720, "G14.allotted_rural": 905,
    "G15.eligible": 9_480, "G15.public": 8_630, "G15.purchased": 410,
    "Q2.eligible": 412, "Q2.enrolled": 405,
}  # fmt: skip
SURVEY = {
    ("学生", "问卷"): 12_000, ("家长", "问卷"): 22_000, ("教师", "问卷"): 3_600, ("校长", "问卷"): 126,
    ("人大代表", "问卷"): 180, ("人大代表", "走访"): 24, ("政协委员", "问卷"): 160, ("政协委员", "走访"): 22,
    ("其他群众", "问卷"): 2_400, ("其他群众", "走访"): 130,
}  # fmt: skip


def district_figures(year: int) -> list[tuple]:
    """Round, invented figures of the years before the delivery."""
    return [
        row
        for y in range(2022, year)
        for row in (
            ("population_wan", y, 115 + (y - 2022)), ("rural_population_wan", y, 52 - (y - 2022)), ("townships", y, 30),
            ("villages", y, 620), ("gdp_per_capita_yuan", y, 78_000 + 3_000 * (y - 2022)),
            ("education_budget_yuan", y, 2_900_000_000 + 120_000_000 * (y - 2022)),
            ("students", y, 108_100 + 170 * (y - 2022)),
        )
    ]  # fmt: skip


def base_schools() -> list[School]:
    """The schools of the first delivery, before 滨河小学 takes in the three village schools."""
    schools = read_roster(ROSTER, CODE_PREFIX)
    by_name(schools, "下朱庄街广贤路小学").other_sports = 420.0
    return schools


def deliver_schools(folder: Path, schools: list[School]) -> None:
    """The roster and what hangs on it: schools, classes, teachers, facilities, special_rooms."""
    people = f"{REPORTER}    单位：人"
    write.xlsx(
        folder / "schools.xlsx", "武清区中小学校名册", people, t.chinese(t.SCHOOLS), t.school_rows(schools)
    )
    write.text(folder / "classes.csv", t.chinese(t.CLASSES), t.class_rows(schools), "gb18030")
    write.xlsx(folder / "teachers.xlsx", "武清区义务教育学校专任教师情况", people,
               t.chinese(t.TEACHERS), t.teacher_rows(schools))  # fmt: skip
    areas = [
        (row[0], *(f"{x:,.1f}" for x in row[1:6]), f"{row[6]:,.4f}", row[7])
        for row in t.facility_rows(schools)
    ]
    write.text(folder / "facilities.csv", t.chinese(t.FACILITIES), areas, "gb18030")
    write.parquet(folder / "special_rooms.parquet", t.english(t.SPECIAL_ROOMS), t.room_rows(schools, True))


def deliver_figures(folder: Path, schools: list[School], year: int) -> None:
    """What the district reports once a year beside the roster."""
    write.xlsx(folder / "school_finance.xlsx", "武清区义务教育学校公用经费和培训经费", f"{REPORTER}    单位：万元",
               t.chinese(t.FINANCE), t.finance_rows(schools, year, NORMS))  # fmt: skip
    cohorts = t.cohort_rows([s for s in schools if s.built_year <= year - 4], (year - 1, year))
    write.text(folder / "graduation_cohorts.csv", t.english(t.COHORTS), cohorts)
    write.xlsx(folder / "assurance.xlsx", "政府保障和教育质量填报项", REPORTER, t.chinese(t.ASSURANCE),
               t.assurance_rows(ASSURANCE_VALUES, "武清区", year))  # fmt: skip
    write.text(folder / "recognition.csv", t.chinese(t.RECOGNITION),
               t.recognition_rows(year, SURVEY, schools[0]), "utf-8-sig")  # fmt: skip
    write.xlsx(
        folder / "district_figures.xlsx",
        "武清区基本情况",
        REPORTER,
        t.chinese(t.FIGURES),
        district_figures(year),
    )


def deliver_plan(folder: Path, schools: list[School]) -> None:
    """The plan and what the city wrote: findings, measures, milestones, budgets, aliases."""
    letter = f"{REPORTER}    依据：{plan.LETTER}"
    write.xlsx(folder / "superior_findings.xlsx", "上级通报不达标指标和学校", letter,
               t.chinese(t.FINDINGS), plan.superior_findings())  # fmt: skip
    write.xlsx(folder / "measures.xlsx", "整改措施台账", REPORTER, t.chinese(t.MEASURES), plan.measures())
    milestones = [(*row[:3], row[3].isoformat(), row[4]) for row in plan.MILESTONES]
    write.text(folder / "milestones.csv", t.chinese(t.MILESTONES), milestones, "gb18030")
    write.text(folder / "budgets.csv", t.chinese(t.BUDGETS), plan.BUDGETS, "utf-8-sig")
    aliases = [(alias, by_name(schools, name).code) for alias, name in plan.ALIASES]
    write.text(folder / "school_aliases.csv", t.english(t.ALIASES), aliases)


def first_delivery() -> None:
    folder, schools = HOME / "2023-08-31", base_schools()
    deliver_schools(folder, schools)
    deliver_figures(folder, schools, 2023)
    deliver_plan(folder, schools)
    write.text(folder / "quality_monitoring.csv", t.chinese(t.MONITORING), plan.MONITORING, "utf-8-sig")


def later_deliveries() -> None:
    """Rosters, finance and events every time; surveys, monitoring and district figures at the end of a year."""
    before = base_schools()
    monitoring = list(plan.MONITORING)
    aliases = list(plan.ALIASES)
    for day, schools in course.rosters(before).items():
        folder, year = HOME / day, int(day[:4])
        deliver_schools(folder, schools)
        write.xlsx(folder / "school_finance.xlsx", "武清区义务教育学校公用经费和培训经费", f"{REPORTER}    单位：万元",
                   t.chinese(t.FINANCE), t.finance_rows(schools, year, NORMS))  # fmt: skip
        write.text(folder / "school_changes.csv", t.chinese(t.CHANGES), course.changes(day), "utf-8-sig")
        write.text(folder / "progress.csv", t.chinese(t.PROGRESS), course.progress(day), "gb18030")
        write.xlsx(folder / "acceptances.xlsx", "验收销号记录", REPORTER, t.chinese(t.ACCEPTANCES),
                   course.acceptances(day, before, schools))  # fmt: skip
        known = {s.name for s in schools}
        aliases += [pair for pair in course.ALIASES if pair[1] in known and pair not in aliases]
        rows = [(alias, by_name(schools, name).code) for alias, name in aliases]
        write.text(folder / "school_aliases.csv", t.english(t.ALIASES), rows)
        if day in course.MONITORING:
            monitoring += course.MONITORING[day]
            deliver_figures(folder, schools, year)
            write.text(folder / "quality_monitoring.csv", t.chinese(t.MONITORING), monitoring, "utf-8-sig")
        if day in course.REBASELINED:
            due = t.english(t.MEASURES).index("due")
            measures = [(*r[:due], course.REBASELINED[day], *r[due + 1 :]) if r[0] in course.LATE else r
                        for r in plan.measures()]  # fmt: skip
            write.xlsx(
                folder / "measures.xlsx", "整改措施台账（调整后）", REPORTER, t.chinese(t.MEASURES), measures
            )
        before = schools


def main() -> None:
    first_delivery()
    later_deliveries()


if __name__ == "__main__":
    main()
