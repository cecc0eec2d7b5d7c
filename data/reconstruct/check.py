"""Recompute the standard from the delivered files and compare with what the plans publish.

Run: python data/reconstruct/check.py. Plain Python with exact fractions, written from the standard's text and
sharing nothing with the pipeline: the numbers below are a second copy on purpose. Belongs here: enough of the
standard to prove the sample data. Keep out: reading files (`check_read.py`).
"""

from __future__ import annotations

import datetime as dt
import math
import sys
import tomllib
from collections import defaultdict
from fractions import Fraction as F
from pathlib import Path

import check_read
import plan_wuqing as plan

DATA = Path(__file__).resolve().parents[1]
P, J = "小学", "初中"
LIMIT = {
    "R1": {P: F("4.2"), J: F("5.3")}, "R2": {P: F(1), J: F(1)}, "R3": {P: F("0.9"), J: F("0.9")},
    "R4": {P: F("4.5"), J: F("5.8")}, "R5": {P: F("7.5"), J: F("10.2")}, "R6": {P: F(2000), J: F(2500)},
    "R7": {P: F("2.3"), J: F("2.4")},
}  # fmt: skip
CV_LIMIT = {P: F("0.50"), J: F("0.45")}
WEIGHT = {P: F(1), J: F("1.1"), "高中": F("1.32")}
CLASS_LIMIT = {P: 45, J: 50}
TAUGHT = {
    "小学": [P], "教学点": [P], "初级中学": [J], "九年一贯制学校": [P, J], "完全中学": [J, "高中"],
    "十二年一贯制学校": [P, J, "高中"], "高级中学": ["高中"],
}  # fmt: skip


def number(text: str) -> F:
    """A reported number; blank is an error here, because the sample data leave nothing open."""
    return F(text.replace(",", ""))


class District:
    """What one district looks like on one day, judged."""

    def __init__(self, folder: Path, day: dt.date) -> None:
        self.files = check_read.everything(folder, day)
        with (folder / "district.toml").open("rb") as handle:
            self.options = tomllib.load(handle)["options"]
        self.waivers = set(self.options["waivers"])
        self.schools = {row["school_code"]: row for row in self.files["schools"]}
        self.facilities = {row["school_code"]: row for row in self.files["facilities"]}
        self.teachers = {(row["school_code"], row["stage"]): row for row in self.files["teachers"]}
        self.classes: dict[tuple[str, str], list[int]] = defaultdict(list)
        for row in self.files["classes"]:
            self.classes[row["school_code"], row["stage"]].append(int(row["students"]))
        self.in_scope = [code for code, row in self.schools.items() if self.is_in_scope(row)]

    def pupils(self, code: str, stage: str) -> int:
        column = {P: "primary_students", J: "junior_students", "高中": "senior_students"}[stage]
        return int(self.schools[code][column] or 0)

    def is_in_scope(self, row: dict[str, str]) -> bool:
        taught = TAUGHT.get(row["school_type"], [])
        if row["school_type"] == "教学点" and int(row["primary_students"]) < 50:
            return False
        return P in taught or J in taught

    def sections(self, stage: str) -> list[str]:
        return [c for c in self.in_scope if stage in TAUGHT[self.schools[c]["school_type"]]]

    def numerator(self, code: str, stage: str, indicator: str, strict: bool) -> F:
        """What a section has, in the unit the indicator is judged in."""
        if indicator in ("R1", "R2", "R3"):
            t = self.teachers[code, stage]
            degrees = ["doctorate", "master", "bachelor"] + (["associate"] if stage == P else [])
            kinds = {"R1": degrees, "R2": ["backbone"], "R3": ["pe", "music", "fine_art", "art"]}[indicator]
            return sum((number(t[k]) for k in kinds), F(0))
        f, dense = self.facilities[code], self.schools[code]["dense_urban"] == "是"
        indoor = number(f["indoor_sports_area_m2"])
        if indicator == "R4":
            whole = number(f["teaching_area_m2"]) - indoor
        elif indicator == "R5":
            whole = number(f["outdoor_sports_area_m2"]) + indoor
            if "W5" in self.waivers and dense and not strict:
                whole += number(f["other_sports_area_m2"]) + number(f["rented_sports_area_m2"])
        elif indicator == "R6":
            whole = number(f["equipment_value_wan"]) * 10000
        else:
            whole = number(f["multimedia_rooms"])
        weighted = {s: WEIGHT[s] * self.pupils(code, s) for s in TAUGHT[self.schools[code]["school_type"]]}
        return whole * weighted[stage] / sum(weighted.values())

    def value(self, code: str, stage: str, indicator: str, strict: bool = False) -> F:
        per = 100 if indicator in ("R1", "R2", "R3", "R7") else 1
        return self.numerator(code, stage, indicator, strict) * per / self.pupils(code, stage)

    def cv(self, stage: str, indicator: str) -> tuple[float, F, F]:
        """(CV, mean, variance) over the sections, weighted by pupils; mean and variance exact."""
        codes = self.sections(stage)
        total = sum(self.pupils(c, stage) for c in codes)
        values = {c: self.value(c, stage, indicator) for c in codes}
        mean = sum(values[c] * self.pupils(c, stage) for c in codes) / total
        variance = sum((values[c] - mean) ** 2 * self.pupils(c, stage) for c in codes) / total
        return math.sqrt(variance) / float(mean), mean, variance

    def cv_is_over(self, stage: str, indicator: str) -> bool:
        _, mean, variance = self.cv(stage, indicator)
        return variance > (CV_LIMIT[stage] * mean) ** 2

    def resource_failing(self, stage: str, indicator: str) -> list[str]:
        return [c for c in self.sections(stage) if self.value(c, stage, indicator) < LIMIT[indicator][stage]]

    def rooms_failing(self) -> list[str]:
        """G3: as many large enough music and art rooms as started dozens of classes, each kind."""
        large: dict[tuple[str, str], int] = defaultdict(int)
        smallest = {"音乐": F(96), "美术": F(90)}
        words = {"music": "音乐", "art": "美术", "音乐": "音乐", "美术": "美术"}
        for row in self.files["special_rooms"]:
            kind = words[row["kind"]]
            large[row["school_code"], kind] += number(row["area_m2"]) >= smallest[kind]
        failing = []
        for code in self.in_scope:
            needed = -(-(len(self.classes[code, P]) + len(self.classes[code, J])) // 12)
            if min(large[code, "音乐"], large[code, "美术"]) < needed:
                failing.append(code)
        return failing

    def size_failing(self, strict: bool = False) -> list[str]:
        """G4, with the wider limit for schools built until 2010 where that waiver is on."""
        failing = []
        for code in self.in_scope:
            row = self.schools[code]
            is_all_through = row["school_type"] in ("九年一贯制学校", "十二年一贯制学校")
            is_wide = "W-G4" in self.waivers and int(row["built_year"]) <= 2010 and not strict
            limit = (3000 if is_wide else 2500) if is_all_through else (2400 if is_wide else 2000)
            if self.pupils(code, P) + self.pupils(code, J) > limit:
                failing.append(code)
        return failing

    def class_failing(self, stage: str) -> list[str]:
        return [c for c in self.sections(stage) if max(self.classes[c, stage]) > CLASS_LIMIT[stage]]

    def failing(self) -> dict[tuple[str, str], list[str]]:
        """Failing school codes by indicator and stage; G3 and G4 of a school of both stages under 义务教育."""
        out = {(i, s): self.resource_failing(s, i) for i in LIMIT for s in (P, J)}
        for indicator, codes in (("G3", self.rooms_failing()), ("G4", self.size_failing())):
            for code in codes:
                stages = [s for s in (P, J) if s in TAUGHT[self.schools[code]["school_type"]]]
                out.setdefault((indicator, stages[0] if len(stages) == 1 else "义务教育"), []).append(code)
        return out | {("G5", s): self.class_failing(s) for s in (P, J)}

    def name(self, code: str) -> str:
        return self.schools[code]["school_name"]


def monitoring_failing(rows: list[dict[str, str]]) -> list[str]:
    """Subjects under level Ⅲ or at a rate of 0.15 and more, newest cycle per grade and subject."""
    chosen: dict[tuple[str, str], dict[str, str]] = {}
    for row in sorted(rows, key=lambda r: int(r["cycle"])):
        chosen[row["grade"], row["subject"]] = row
    failing = []
    for (grade, subject), row in chosen.items():
        text = row["between_school_rate"]
        rate = F(text.rstrip("%")) / (100 if text.endswith("%") else 1)
        if "ⅠⅡⅢⅣ".index(row["level"]) + 1 < 3 or rate >= F("0.15"):
            failing.append(f"{grade}年级{subject}")
    return failing


def other_failing(d: District) -> list[str]:
    """Indicators outside R, G3–G5 and Q9 that do not hold."""
    items = {row["item"]: row for row in d.files["assurance"]}
    v = {k: number(row["value"]) for k, row in items.items() if row["value"]}
    norms = {P: d.options["funding_norm_primary_yuan"], J: d.options["funding_norm_junior_yuan"]}
    newest: dict[str, dict[str, str]] = {}
    for row in sorted(d.files["school_finance"], key=lambda r: int(float(r["year"]))):
        newest[row["school_code"]] = row
    small_ok = True
    for code, row in d.schools.items():
        counts = {s: d.pupils(code, s) for s in (P, J)}
        if 0 < sum(counts.values()) < 100 and row["school_type"] not in ("特殊教育学校", "职业学校"):
            norm = F(sum(norms[s] * n for s, n in counts.items()), sum(counts.values()))
            small_ok &= number(newest[code]["public_funds_budget_wan"]) * 10000 >= 100 * norm
    day = [c for c in d.in_scope if d.schools[c]["urban_rural"] != "乡村" and d.schools[c]["boarding"] == "否"
           and d.schools[c]["sponsor_code"] != "10"]  # fmt: skip
    near = {s: F(sum(int(d.schools[c][k] or 0) for c in day), sum(d.pupils(c, s) for c in day))
            for s, k in ((P, "catchment_primary_students"), (J, "catchment_junior_students"))}  # fmt: skip
    last = max(int(float(r["year"])) for r in d.files["graduation_cohorts"])
    sums = {k: sum(int(r[k]) for r in d.files["graduation_cohorts"] if int(float(r["year"])) == last)
            for k in ("graduates", "transferred_in", "transferred_out", "entrants", "deaths")}  # fmt: skip
    kept = F(
        sums["graduates"] - sums["transferred_in"] + sums["transferred_out"],
        sums["entrants"] - sums["deaths"],
    )
    survey = [
        r for r in d.files["recognition"] if r["year"] == max(x["year"] for x in d.files["recognition"])
    ]
    groups = {r["respondent_group"] for r in survey}
    evidence = ["G1", "G2", "G10", "Q3", "Q5", "Q6", "Q7", "Q8", *(f"V{i}" for i in range(1, 8))]
    holds = {e: items[e]["conclusion"] == "达标" and bool(items[e]["evidence"]) for e in evidence}
    holds |= {
        "G6": small_ok,
        "G7": v["G7.funds_yuan"] >= d.options["special_education_funding_yuan"] * v["G7.students"],
        "G8": v["G8.teacher_salary_yuan"] >= v["G8.civil_servant_salary_yuan"],
        "G9": all(t["trained_360h"] == t["full_time"] for t in d.teachers.values()),
        "G11": v["G11.rotated"] * 10 >= v["G11.eligible"] and v["G11.rotated_backbone"] * 5 >= v["G11.rotated"],
        "G12": all(t["certified"] == t["full_time"] for t in d.teachers.values()),
        "G13": near[P] >= 1 and near[J] >= F("0.95"),
        "G14": v["G14.allotted"] * 2 >= v["G14.places"] and items["G14"]["conclusion"] == "达标",
        "G15": (v["G15.public"] + v["G15.purchased"]) >= F("0.85") * v["G15.eligible"],
        "Q1": kept >= F("0.95"),
        "Q2": v["Q2.enrolled"] >= F("0.95") * v["Q2.eligible"],
        "Q4": all(number(r["training_budget_wan"]) * 20 >= number(r["public_funds_budget_wan"])
                  for r in newest.values()),
        "S1": all(sum(int(r["satisfied"]) for r in survey if r["respondent_group"] == g)
                  >= F("0.85") * sum(int(r["valid"]) for r in survey if r["respondent_group"] == g) for g in groups),
    }  # fmt: skip
    return [k for k, ok in holds.items() if not ok]


def main() -> int:
    import check_report

    problems = check_report.wuqing(DATA / "120114-wuqing", plan) + check_report.baodi(DATA / "120115-baodi")
    for problem in problems:
        print("不符：", problem)
    print("全部相符" if not problems else f"{len(problems)} 处不符")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
