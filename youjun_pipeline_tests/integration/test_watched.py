"""Watched items and targets that are indicators: promises of plans besides the standard, which are reported and decide
nothing.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb
import pytest

from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline_tests.generate import PLAIN, generate_district, write_district
from youjun_pipeline_tests.steps import places, refresh

# Whole refreshes, several of them.
pytestmark = pytest.mark.long

CODE, DAY = "130001", "2023-08-31"
FIGURES = [
    ("education_budget_yuan", 2020, 100),
    ("education_budget_yuan", 2021, 120),
    ("education_budget_yuan", 2022, 119),
    ("students", 2020, 10),
    ("students", 2021, 12),
    ("students", 2022, 11),
    ("funding_norm_primary_yuan", 2020, 650),
    ("funding_norm_primary_yuan", 2022, 720),
    ("实验开出率", 2022, 98),
]
# number, metric, unit, planned, reported
TARGETS = [
    ("T1", "小学生均教学仪器值", "元", "2000", "2000"),
    ("T2", "初中体育场馆校际差异系数", "", "0.45", ""),
    ("T3", "残疾儿童少年入学率", "%", "95", "100"),
    ("T4", "小学生均教学仪器值", "万元", "0.2", "0.3"),
    ("T5", "初中每百名学生拥有区级以上骨干教师", "人", "900", ""),
]


def table(path: Path, header: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    folder = tmp_path_factory.mktemp("watched")
    made = generate_district(1, n_schools=16, profile="passing", leading_zero=False)
    tables = dict(made.tables)
    tables["district_figures"] = None
    place = (
        write_district(folder, tables, made.settings, style=PLAIN, code=CODE, slug="x", name="甲区")
        / "deliveries"
        / DAY
    )
    population = list(made.tables["district_figures"] or [])
    figures = [(row["item"], row["year"], row["value"]) for row in population] + FIGURES
    table(place / "district_figures.csv", ("item", "year", "value"), figures)
    header = ("target_no", "programme", "metric", "unit", "kind", "period", "planned", "total")
    table(
        place / "targets.csv", header, [(n, "任务", m, u, "时点", "2023", p, "") for n, m, u, p, _ in TARGETS]
    )
    reports = [(DAY, n, "2023", r) for n, *_, r in TARGETS if r]
    table(place / "target_actuals.csv", ("reported_on", "target_no", "period", "actual"), reports)
    with connect(refresh(places(folder)).path, read_only=True) as con:
        yield con


def test_the_education_budget_may_not_fall_in_all_or_per_pupil(con: duckdb.DuckDBPyConnection) -> None:
    rows = con.execute(
        "select watched, year, value, value_before, fell_in, holds, summary from mart.watched_item order by sort_order"
    ).fetchall()
    assert [row[:6] for row in rows] == [
        ("education_budget", 2022, 119.0, 120.0, [2022], False),
        ("education_budget_per_student", 2022, pytest.approx(119 / 11), 10.0, [], True),
        # 2021 is missing: nobody can say what happened in between
        ("funding_norm_primary", 2022, 720.0, None, [], None),
        ("funding_norm_junior", None, None, None, None, None),
        ("experiments", 2022, 98.0, None, [], None),
        ("fitness", None, None, None, None, None),
    ]
    assert rows[0][6] == "2022 年比上一年减少"
    assert rows[4][6] == "2022 年 98 %"


def test_watched_items_decide_nothing(con: duckdb.DuckDBPyConnection) -> None:
    assert con.execute("select passes, blocking from mart.district_verdict").fetchall() == [(True, [])]


def test_a_target_that_is_an_indicator_takes_its_own_value(con: duckdb.DuckDBPyConnection) -> None:
    found = {
        row[0]: row[1:]
        for row in con.execute(
            "select target_no, indicator_code, stage, computed, actual, reported, reported_difference, state "
            "from mart.target_progress"
        ).fetchall()
    }
    mean, cv = con.execute(
        "select max(mean) filter (indicator_code = 'R6' and stage = 'primary'), "
        "max(cv) filter (indicator_code = 'R5' and stage = 'junior') from mart.stage_balance"
    ).fetchall()[0]
    disabled = con.execute(
        "select value from mart.district_indicator where indicator_code = 'Q2'"
    ).fetchall()[0][0]
    assert found["T1"] == ("R6", "primary", mean, mean, 2000.0, 2000.0 - mean, "achieved")
    assert found["T2"] == ("R5", "junior", cv, cv, None, None, "achieved" if cv <= 0.45 else "missed")
    assert found["T3"] == (
        "Q2",
        None,
        disabled * 100,
        disabled * 100,
        100.0,
        100 - disabled * 100,
        "achieved",
    )
    # another unit is another quantity: what was reported stands
    assert found["T4"] == (None, None, None, 0.3, 0.3, None, "achieved")
    assert found["T5"][0] == "R2" and found["T5"][6] == "not_due"
