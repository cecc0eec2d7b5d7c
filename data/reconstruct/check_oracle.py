"""The sample data judged by the tests' own second evaluation, as a second opinion on `check.py`.

Run: python data/reconstruct/check_oracle.py, from the root of the repository. Belongs here: typing the rows
`check_read.py` reads, and comparing. Keep out: any rule.
"""

from __future__ import annotations

import datetime as dt
import sys
import tomllib
from fractions import Fraction
from pathlib import Path
from typing import Any

import check
import check_read

sys.path.insert(0, str(check.DATA.parent))
from youjun_pipeline_tests import oracle

WORDS = {"小学": "primary", "初中": "junior", "音乐": "music", "美术": "art", "达标": "met", "不达标": "not_met",
         "是": True, "否": False, "Ⅱ": 2, "Ⅲ": 3, "Ⅳ": 4}  # fmt: skip
TEXT = {"school_code", "school_name", "township", "school_type", "urban_rural", "item", "evidence", "subject",
        "room_no", "class_no", "respondent_group", "method"}  # fmt: skip
INPUTS = ("schools", "classes", "teachers", "facilities", "special_rooms", "quality_monitoring", "school_finance",
          "graduation_cohorts", "assurance", "recognition", "district_figures")  # fmt: skip
WAIVERS_END = dt.date(2022, 9, 30)
ALL_WAIVERS = ["W3", "W5", "W-G3", "W-G3r", "W-G4"]


def typed(column: str, text: str) -> Any:
    if text == "":
        return None
    if column in TEXT:
        return text
    if text in WORDS:
        return WORDS[text]
    if text.endswith("%"):
        return Fraction(text[:-1]) / 100
    try:
        value = Fraction(text.replace(",", ""))
    except ValueError:
        return text
    return int(value) if value.denominator == 1 else value


def tables(folder: Path, day: dt.date) -> dict[str, list[dict[str, Any]]]:
    return {name: [{c: typed(c, v) for c, v in row.items()} for row in check_read.newest(folder, name, day)]
            for name in INPUTS}  # fmt: skip


def main() -> int:
    problems = 0
    for folder in sorted(check.DATA.glob("1201*")):
        with (folder / "district.toml").open("rb") as handle:
            settings = tomllib.load(handle)
        for phase in settings["phase"]:
            options = {**settings["options"], "effective_on": phase["ends"]}
            if phase["ends"] <= WAIVERS_END:
                options["waivers"] = ALL_WAIVERS
            result = oracle.evaluate(tables(folder, phase["ends"]), oracle.Options.from_settings(options))
            stages = {"primary": check.P, "junior": check.J, "compulsory": "义务教育"}
            theirs: dict[tuple[str, str], set[str]] = {}
            for (code, stage, indicator), found in result.school_indicator.items():
                if found.status in ("near", "below"):
                    theirs.setdefault((indicator, stages[stage]), set()).add(code)
            ours = {k: set(v) for k, v in check.District(folder, phase["ends"]).failing().items() if v}
            verdict = result.district_verdict
            same = ours == theirs
            problems += not same
            failing = [k for k, v in result.district_indicator.items() if v.status != "met"]
            print(f"{settings['name']} {phase['id']}：不达标学校 {verdict.schools_failing}，不达标指标 {failing}，"
                  f"通过 {verdict.passes}，不计过渡政策通过 {verdict.passes_strict}，{'一致' if same else '不一致'}")  # fmt: skip
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
