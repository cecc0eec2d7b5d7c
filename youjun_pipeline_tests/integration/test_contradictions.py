"""One mistake in a passing district, and it no longer passes: what the mistake affects is unknown, in either direction."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import duckdb
import pytest

from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline_tests.generate import PLAIN, generate_district, write_district
from youjun_pipeline_tests.steps import places, refresh

Tables = dict[str, list[dict[str, Any]]]
Settings = dict[str, Any]
Change = Callable[[Tables, Settings], None]


def passing() -> tuple[Tables, Settings]:
    made = generate_district(1, n_schools=12, profile="passing", leading_zero=False)
    return {name: deepcopy(rows or []) for name, rows in made.tables.items()}, dict(made.settings)


def primary(tables: Tables, dataset: str = "schools") -> dict[str, Any]:
    """The row of the first public primary school."""
    code = next(
        r["school_code"] for r in tables["schools"] if r["school_type"] == "小学" and r["sponsor_code"] != 10
    )
    return next(r for r in tables[dataset] if r["school_code"] == code)


def junior(tables: Tables) -> dict[str, Any]:
    return next(r for r in tables["schools"] if r["school_type"] == "初级中学")


def item(tables: Tables, name: str) -> dict[str, Any]:
    return next(r for r in tables["assurance"] if r["item"] == name)


def newest(tables: Tables, dataset: str, column: str = "year") -> list[dict[str, Any]]:
    last = max(r[column] for r in tables[dataset])
    return [r for r in tables[dataset] if r[column] == last]


def more_teachers_than_staff(tables: Tables, _: Settings) -> None:
    row = primary(tables, "teachers")
    row["staff"] = row["full_time"] - 1


def more_answers_than_asked(tables: Tables, _: Settings) -> None:
    row = newest(tables, "recognition")[0]
    row["issued"] = row["valid"] - 1


def more_rotated_than_eligible(tables: Tables, _: Settings) -> None:
    item(tables, "G11.rotated")["value"] = item(tables, "G11.eligible")["value"] + 1


def more_rural_places_than_places(tables: Tables, _: Settings) -> None:
    item(tables, "G14.allotted_rural")["value"] = item(tables, "G14.allotted")["value"] + 1


def sponsor_unknown_where_private_ones_are_out(tables: Tables, settings: Settings) -> None:
    primary(tables)["sponsor_code"] = None
    settings["include_private"] = False


def senior_pupils_unreadable(tables: Tables, _: Settings) -> None:
    primary(tables)["senior_students"] = "若干"


def primary_pupils_of_a_junior_school_unreadable(tables: Tables, _: Settings) -> None:
    junior(tables)["primary_students"] = "若干"


def budget_of_a_year_to_come(tables: Tables, _: Settings) -> None:
    for row in newest(tables, "school_finance"):
        tables["school_finance"].append({**row, "year": 2032})
        row["training_budget_wan"] = 0


def graduates_of_a_year_to_come(tables: Tables, _: Settings) -> None:
    tables["graduation_cohorts"] += [{**row, "year": 2032} for row in newest(tables, "graduation_cohorts")]


def answers_of_a_year_to_come(tables: Tables, _: Settings) -> None:
    tables["recognition"] += [{**row, "year": 2032} for row in newest(tables, "recognition")]


def monitoring_to_come(tables: Tables, _: Settings) -> None:
    row = newest(tables, "quality_monitoring", "cycle")[0]
    tables["quality_monitoring"].append({**row, "cycle": 2032})
    row["level"] = 1


def one_group_asked_early(tables: Tables, settings: Settings) -> None:
    settings["survey_rule"] = "none"
    rows = tables["recognition"] = newest(tables, "recognition")
    for row in rows:
        row["year"] -= 1
    tables["recognition"].append({**rows[0], "year": rows[0]["year"] + 1, "satisfied": rows[0]["valid"]})
    for row in rows[1:]:
        row["satisfied"] = 0


def failing_conclusion_on_an_item_nobody_knows(tables: Tables, _: Settings) -> None:
    tables["assurance"].append({**item(tables, "V1"), "item": "招生考试", "conclusion": "not_met"})


EVERY_COEFFICIENT = {f"R{n}": "no_data" for n in range(1, 8)}
# name -> what is changed, and what becomes of the indicators that it touches
CASES: dict[str, tuple[Change, dict[str, str]]] = {
    "nothing": (lambda tables, settings: None, {}),
    "more teachers than staff": (more_teachers_than_staff, {"G9": "no_data", "G12": "no_data"}),
    "more answers than asked": (more_answers_than_asked, {"S1": "no_data"}),
    "more rotated than eligible": (more_rotated_than_eligible, {"G11": "no_data"}),
    "more rural places than places": (more_rural_places_than_places, {"G14": "no_data"}),
    "sponsor unknown": (
        sponsor_unknown_where_private_ones_are_out,
        {**EVERY_COEFFICIENT, "G3": "no_data", "G5": "no_data", "G9": "no_data", "G12": "no_data"},
    ),
    "senior pupils unreadable": (senior_pupils_unreadable, {f"R{n}": "no_data" for n in range(4, 8)}),
    "primary pupils unreadable": (
        primary_pupils_of_a_junior_school_unreadable,
        {**EVERY_COEFFICIENT, "G4": "no_data", "G5": "no_data"},
    ),
    "budget to come": (budget_of_a_year_to_come, {"Q4": "no_data"}),
    "graduates to come": (graduates_of_a_year_to_come, {"Q1": "no_data"}),
    "answers to come": (answers_of_a_year_to_come, {"S1": "no_data"}),
    "monitoring to come": (monitoring_to_come, {"Q9": "no_data"}),
    # the newest year in which all were asked that ever were
    "one group asked early": (one_group_asked_early, {"S1": "below"}),
    "conclusion on what nobody knows": (
        failing_conclusion_on_an_item_nobody_knows,
        {"V1": "no_data", "G1": "no_data"},
    ),
}


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    folder: Path = tmp_path_factory.mktemp("contradictions")
    for n, (change, _) in enumerate(CASES.values()):
        tables, settings = passing()
        change(tables, settings)
        code = f"18{n:04d}"
        write_district(folder, tables, settings, style=PLAIN, code=code, slug="case", name=code)
    with connect(refresh(places(folder)).path, read_only=True) as con:
        yield con


@pytest.mark.parametrize("number", range(len(CASES)), ids=list(CASES))
def test_a_slip_is_no_pass(con: duckdb.DuckDBPyConnection, number: int) -> None:
    _, expected = list(CASES.values())[number]
    found = dict(
        con.execute(
            "select indicator_code, status from mart.district_indicator where district_code = ?",
            [f"18{number:04d}"],
        ).fetchall()
    )
    assert {code: found[code] for code in expected} == expected
    passes = con.execute(
        "select passes from mart.district_verdict where district_code = ?", [f"18{number:04d}"]
    ).fetchall()
    assert passes == [(not expected,)]


def test_the_two_figures_are_named(con: duckdb.DuckDBPyConnection) -> None:
    for number, words in ((2, "部分多于整体"), (3, "多于"), (4, "多于")):
        [(summary,)] = con.execute(
            "select string_agg(summary, '') from mart.district_indicator where district_code = ? and status = 'no_data'",
            [f"18{number:04d}"],
        ).fetchall()
        assert words in summary


def test_what_is_dated_after_its_delivery_stands_in_the_verdict(con: duckdb.DuckDBPyConnection) -> None:
    [(rows, summary)] = con.execute(
        "select rows_in_quarantine, summary from mart.district_verdict where district_code = '180009'"
    ).fetchall()
    assert rows > 0 and "隔离区" in summary
