"""Future pupils from several deliveries, and their effect on projections and verdicts, for a district that is easy to follow."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

from youjun_pipeline.planning.base import open_planning
from youjun_pipeline.planning.enrolment import expected
from youjun_pipeline.planning.outlook import outlook
from youjun_pipeline.planning.plan import plan_rows
from youjun_pipeline.settings import Settings
from youjun_pipeline_tests.integration.plan_story import primary_school, write_story
from youjun_pipeline_tests.steps import places, refresh

# Whole refreshes, several of them.
pytestmark = pytest.mark.long

CODE, TWIN = "120114", "120199"
# Rolls by grade of the school years 2023 and 2024; 丙 never delivers class lists.
ROLLS = {"甲小学": ([40] * 6, [60] + [40] * 5), "乙小学": ([20] * 6, [20] * 6), "丙小学": (None, None)}
CODES = {name: f"212011400{n}" for n, name in enumerate(ROLLS, 1)}
DAYS = ("2023-10-08", "2024-10-08")


def delivery(year: int) -> dict[str, list[dict[str, Any]]]:
    """Rosters, classes of at most 40, and areas that are enough for today's pupils."""
    schools, classes, facilities = [], [], []
    for name, rolls in ROLLS.items():
        code, grades = CODES[name], rolls[year]
        students = sum(grades) if grades else 120
        schools.append(primary_school(code, name, primary_students=students))
        for grade, count in enumerate(grades or [], 1):
            parts = [count] if count <= 40 else [count // 2, count // 2]
            classes += [
                {
                    "school_code": code,
                    "stage": "primary",
                    "grade": grade,
                    "class_no": str(n),
                    "students": part,
                }
                for n, part in enumerate(parts, 1)
            ]
        area = {"甲小学": 260 * 8, "乙小学": 120 * 9, "丙小学": 120 * 8}[name]
        facilities.append(
            {"school_code": code, "teaching_area_m2": students * 5, "indoor_sports_area_m2": 0, "outdoor_sports_area_m2": area,
             "other_sports_area_m2": 0, "rented_sports_area_m2": 0, "equipment_value_wan": 80, "multimedia_rooms": 10}
        )  # fmt: skip
    return {"schools": schools, "classes": classes, "facilities": facilities}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The district, and a second one that keeps its pupils in projections and leaves out 2023 as a shock."""
    folder: Path = tmp_path_factory.mktemp("outlook")
    figures = [{"item": "births", "year": y, "value": 100} for y in range(2016, 2024)] + [
        {"item": "幼儿园离园人数", "year": y, "value": v} for y, v in ((2023, 80), (2024, 100), (2025, 50))
    ]
    measure = {
        "measure_no": "R5-1", "indicator": "R5", "school_names": "甲小学", "measure_type": "改扩建", "quantity": "2000",
        "unit": "㎡", "due": "2025-11-30", "stage": "primary", "source": "附件", "receiving_school": "",
    }  # fmt: skip
    merger = {
        "effective_on": "2025-09-01", "kind": "merge", "from_school": CODES["乙小学"], "to_school": CODES["甲小学"]
    }  # fmt: skip
    write_story(
        folder,
        {day: delivery(year) for year, day in enumerate(DAYS)},
        {
            DAYS[0]: {"measures": [measure]},
            DAYS[1]: {"district_figures": figures, "school_changes": [merger]},
        },
    )
    district = next(folder.iterdir())
    twin = folder / f"{TWIN}-twin"
    shutil.copytree(district, twin)
    paper = twin / "district.toml"
    text = paper.read_text(encoding="utf-8").replace(CODE, TWIN)
    assert "[options]" in text
    paper.write_text(
        text.replace("[options]", '[options]\nprojection_pupils = "constant"\nshock_years = ["2023"]'),
        encoding="utf-8",
    )
    settings = places(folder)
    refresh(settings)
    return settings


@pytest.fixture(scope="module")
def con(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(settings.published / "youjun.duckdb"), read_only=True) as con:
        yield con


def pupils(con: duckdb.DuckDBPyConnection, **where: object) -> float:
    """The one figure of the newest forecast that fits; a None asks for null."""
    asked = {"district_code": CODE, "phase_id": "p4", "stage": "primary", **where}
    clause = " and ".join(f"{column} is not distinct from ?" for column in asked)
    found = con.execute(
        f"select students from plan.enrolment_forecast where {clause}", list(asked.values())
    ).fetchall()
    assert len(found) == 1, (where, found)
    return float(found[0][0])


def test_a_school_that_merges_counts_where_it_goes(con: duckdb.DuckDBPyConnection) -> None:
    there = con.execute(
        "select distinct school_name from plan.enrolment_forecast where district_code = ? and phase_id = 'p4' "
        "and school_code is not null order by 1",
        [CODE],
    ).fetchall()
    assert [name for (name,) in there] == ["丙小学", "甲小学"]
    for year in (2025, 2030):
        whole = pupils(con, school_code=None, grade=None, year=year)
        parts = [pupils(con, school_code=CODES[s], grade=None, year=year) for s in ("甲小学", "丙小学")]
        assert sum(parts) == pytest.approx(whole, rel=1e-9)


def test_grades_that_nobody_reported_are_not_told(con: duckdb.DuckDBPyConnection) -> None:
    grades = con.execute(
        "select distinct school_name from plan.enrolment_forecast where district_code = ? and grade is not null",
        [CODE],
    ).fetchall()
    assert {name for (name,) in grades} <= {"甲小学", "乙小学"}
    assert pupils(con, school_code=CODES["丙小学"], grade=None, year=2025) > 100


def test_leavers_of_kindergartens_say_who_enters(settings: Settings) -> None:
    with open_planning(settings.published, [CODE]) as con:
        said = expected(con, [(CODE, "p4")]).pupils
    entry = said[(said["grade"] == 1) & said["school_code"].notna()].groupby("year")["students"].sum()
    # 80 of 80 and 100 of 100 entered (20 of them at 丙, which says no grade): half as many leave in 2025
    assert entry[2025] / 100 == pytest.approx(0.5 * 0.8, abs=0.05)
    assert entry[2026] > 1.5 * entry[2025]


def test_a_shock_year_is_named_by_the_district(con: duckdb.DuckDBPyConnection) -> None:
    # 甲 took in half of the entry in 2023 and three fifths in 2024: without 2023 it has more of it to come
    where = {"school_code": CODES["甲小学"], "grade": 1, "year": 2025}
    assert pupils(con, district_code=TWIN, **where) > pupils(con, **where) + 1


def projected(con: duckdb.DuckDBPyConnection, district: str, indicator: str) -> dict[str, tuple[int, str]]:
    found = con.execute(
        "select basis, findings_left, message from mart.projection where district_code = ? and phase_id = 'p3' "
        "and coming_phase_id = 'p4' and indicator_code = ? and stage = 'primary'",
        [district, indicator],
    ).fetchall()
    return {basis: (left, message) for basis, left, message in found}


def test_a_projection_counts_the_pupils_to_come(con: duckdb.DuckDBPyConnection) -> None:
    # 甲 with 乙's pupils on its own area; R5 gains 2000 ㎡ by then, R4 nothing
    (left, message) = projected(con, CODE, "R4")["planned"]
    assert left == 1 and message.endswith("学生数按 2025 学年的预测；新增未达标 1 处：甲小学")
    assert "planned" not in projected(con, CODE, "R5")
    # as they are they have room, and the twin keeps them so
    assert "constant" not in projected(con, CODE, "R4") and projected(con, TWIN, "R4") == {}
    assert "学生数不变" in projected(con, CODE, "G3")["constant"][1]
    assert set(projected(con, TWIN, "G3")) == {"planned", "slippage", "verified"}


def test_now_and_plan_stand_side_by_side(con: duckdb.DuckDBPyConnection) -> None:
    found = con.execute(
        "select basis, status from plan.forecast_verdict where district_code = ? and year = 2026 and level = 'school' "
        "and indicator_code = 'R5' and school_code = ?",
        [CODE, CODES["甲小学"]],
    ).fetchall()
    assert found == [("now", "below")]
    levels = con.execute(
        "select basis, count(*) from plan.forecast_verdict where district_code = ? and level = 'stage' group by 1 order by 1",
        [CODE],
    ).fetchall()
    assert [basis for basis, _ in levels] == ["now", "plan"] and levels[0][1] == levels[1][1]


def test_the_probability_of_a_coefficient_is_that_of_its_derivative(settings: Settings) -> None:
    """Compared with finite differences of the coefficient in every school's pupils."""
    with open_planning(settings.published, [CODE]) as con:
        said = expected(con, [(CODE, "p4")])
        wide = said.pupils.assign(high=said.pupils["students"] * 1.3, low=said.pupils["students"] * 0.7)
        seen = outlook(
            con, [(CODE, "p4")], plans=plan_rows(con), said=type(said)(wide, said.mergers), years=(1,)
        ).verdicts.to_pandas()
        row = seen.query(
            "level == 'stage' and indicator_code == 'R5' and stage == 'primary' and basis == 'now'"
        ).iloc[0]
        own = wide[
            (wide["year"] == 2025)
            & wide["school_code"].notna()
            & wide["grade"].isna()
            & (wide["stage"] == "primary")
        ]
        people = own.set_index("school_code")["students"].round()
        deviation = own.set_index("school_code")["students"] * 0.3 / 1.2816
        area = pd.Series({CODES["甲小学"]: 260 * 8.0, CODES["丙小学"]: 120 * 8.0})

    def cv(p: pd.Series) -> float:
        return float(np.sqrt(p.sum() * (area**2 / p).sum() / area.sum() ** 2 - 1))

    assert row["value"] == pytest.approx(cv(people), rel=1e-9)
    step = 1e-4
    slopes = {
        c: (cv(people + step * (people.index == c)) - cv(people - step * (people.index == c))) / (2 * step)
        for c in people.index
    }
    spread = np.sqrt(sum((slopes[c] * deviation[c]) ** 2 for c in people.index))
    likely = 1 / (1 + np.exp(-1.702 * (cv(people) - row["threshold"]) / spread))
    assert row["probability_failing"] == pytest.approx(likely, rel=1e-4)
