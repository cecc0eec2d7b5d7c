"""Campuses of one stage are judged as schools of that stage, but everything that belongs to the whole school stays with it.

Attached kindergarten classes take their share if a weight is set. Each district is a passing one with one more school.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from youjun_pipeline.contracts import load_datasets
from youjun_pipeline.templates.books import newest_roster, rows_of
from youjun_pipeline.templates.school_books import write_school_books
from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline_tests.generate import PLAIN, generate_district, write_district
from youjun_pipeline_tests.generate.columns import blank_row
from youjun_pipeline_tests.steps import places, refresh

# Whole refreshes, several of them.
pytestmark = pytest.mark.long

Tables = dict[str, list[dict[str, Any]]]
WHOLE = "2120114999"
SITES = (("primary", "北校区", 600, 2400), ("junior", "南校区", 300, 3600))
YEAR = 2023


def nine_year_school(tables: Tables, *, apart: bool, preschool: int | None = None) -> None:
    """600 primary pupils on 2 400 ㎡ of teaching area and 300 junior ones on 3 600 ㎡, apart by campus or in one row."""
    common: dict[str, Any] = {
        "school_code": WHOLE,
        "school_type": "九年一贯制学校",
        "sponsor_code": "1",
        "urban_rural": "乡村",
    }
    common.update(built_year=1998, boarding=False, dense_urban=False, migrant_students=0)
    parts: list[tuple[str | None, dict[str, int], int]] = (
        [(campus, {stage: pupils}, area) for stage, campus, pupils, area in SITES]
        if apart
        else [(None, {stage: pupils for stage, _, pupils, _ in SITES}, 6000)]
    )
    for campus, pupils, area in parts:
        counts = {f"{stage}_students": n for stage, n in pupils.items()}
        row = blank_row("schools", **common, campus=campus, school_name="育才学校", **counts)
        if "primary" in pupils:
            row["preschool_students"] = preschool
        tables["schools"].append(row)
        given: dict[str, Any] = {
            "teaching_area_m2": area,
            "indoor_sports_area_m2": 0,
            "outdoor_sports_area_m2": 9000,
        }
        given |= {"equipment_value_wan": Decimal(300), "multimedia_rooms": 40}
        tables["facilities"].append(blank_row("facilities", school_code=WHOLE, campus=campus, **given))
    budget = {"public_funds_budget_wan": Decimal(80), "training_budget_wan": Decimal(4)}
    tables["school_finance"].append(blank_row("school_finance", school_code=WHOLE, year=YEAR, **budget))
    cohort = {"entrants": 100, "transferred_in": 0, "transferred_out": 0, "deaths": 0, "graduates": 100}
    tables["graduation_cohorts"].append(
        blank_row("graduation_cohorts", school_code=WHOLE, year=YEAR, **cohort)
    )


def both_stages(tables: Tables) -> None:
    next(r for r in tables["schools"] if r["campus"] == "北校区")["junior_students"] = 20


def no_campus_in_facilities(tables: Tables) -> None:
    tables["facilities"] = [
        r for r in tables["facilities"] if r["school_code"] != WHOLE or r["campus"] == "北校区"
    ]
    tables["facilities"][-1]["campus"] = None


def named_in_the_plan(tables: Tables) -> None:
    tables["measures"] = [
        {
            "measure_no": "M1",
            "indicator": "R4",
            "stage": "小学",
            "school_names": "育才学校",
            "due": "2024-06-30",
        },
        {
            "measure_no": "M2",
            "indicator": "R4",
            "stage": "小学",
            "school_names": "育才学校北校区",
            "due": "2024-06-30",
        },
        {"measure_no": "M3", "indicator": "R4", "stage": "小学", "school_names": WHOLE, "due": "2024-06-30"},
    ]


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    folder: Path = tmp_path_factory.mktemp("campuses")
    base = generate_district(1, profile="passing", n_schools=12)
    for code, changes in DISTRICTS.items():
        tables: Any = deepcopy(base.tables)
        settings = deepcopy(base.settings)
        plan: Tables = {}
        nine_year_school(tables, apart=changes.get("apart", True), preschool=changes.get("preschool"))
        for change in changes.get("changes", ()):
            change(plan if change is named_in_the_plan else tables)
        settings["preschool_weight"] = changes.get("weight")
        district = write_district(folder, tables, settings, code=code, name=code, slug="campus", style=PLAIN)
        if plan:
            lines = [",".join(plan["measures"][0]), *(",".join(r.values()) for r in plan["measures"])]
            (district / "deliveries" / "2023-08-31" / "measures.csv").write_text(
                "\n".join(lines), encoding="utf-8"
            )
    publication = refresh(places(folder, date(2023, 9, 30)))
    with connect(publication.path, read_only=True) as opened:
        yield opened


DISTRICTS: dict[str, dict[str, Any]] = {
    "120101": {},
    "120102": {"apart": False},
    "120103": {"changes": (both_stages,)},
    "120104": {"changes": (no_campus_in_facilities,)},
    "120105": {"changes": (named_in_the_plan,)},
    "120106": {"apart": False, "preschool": 100},
    "120107": {"apart": False, "preschool": 100, "weight": 0.7},
}


def values(con: duckdb.DuckDBPyConnection, district: str, indicator: str = "R4") -> dict[str, list[Any]]:
    rows = con.execute(
        "select stage, school_code, school_name, round(value, 2), status from mart.school_indicator "
        "where district_code = ? and indicator_code = ? and starts_with(school_code, ?)",
        [district, indicator, WHOLE],
    ).fetchall()
    return {stage: rest for stage, *rest in rows}


def test_the_worked_example(con: duckdb.DuckDBPyConnection) -> None:
    assert values(con, "120101") == {
        "primary": [f"{WHOLE}-北校区", "育才学校（北校区）", 4.00, "near"],
        "junior": [f"{WHOLE}-南校区", "育才学校（南校区）", 12.00, "met"],
    }
    thrown_together = values(con, "120102")
    assert thrown_together["primary"] == [WHOLE, "育才学校", 6.45, "met"]
    assert thrown_together["junior"] == [WHOLE, "育才学校", 7.10, "met"]


def test_a_campus_has_the_size_limit_of_its_stage(con: duckdb.DuckDBPyConnection) -> None:
    rows = con.execute(
        "select school_code, stage, threshold from mart.school_indicator where indicator_code = 'G4' "
        "and district_code in ('120101', '120102') and starts_with(school_code, ?) order by all",
        [WHOLE],
    ).fetchall()
    assert rows == [
        (WHOLE, "compulsory", 2500),
        (f"{WHOLE}-北校区", "primary", 2000),
        (f"{WHOLE}-南校区", "junior", 2000),
    ]


def test_money_and_graduates_are_of_the_whole_school(con: duckdb.DuckDBPyConnection) -> None:
    for indicator in ("Q1", "Q4", "G6"):
        got = con.execute(
            "select district_code, status, summary from mart.district_indicator where indicator_code = ? "
            "and district_code in ('120101', '120102') order by all",
            [indicator],
        ).fetchall()
        assert [row[1:] for row in got[:1]] == [row[1:] for row in got[1:]], indicator
        assert got[0][1] == "met", got
    unused = con.execute(
        "select dataset, rule from quality.unused_row where district_code = '120101' and school_code = ?",
        [WHOLE],
    ).fetchall()
    assert unused == []


def test_the_roster_says_what_a_campus_belongs_to(con: duckdb.DuckDBPyConnection) -> None:
    rows = con.execute(
        "select school_code, campus, campus_of, in_scope from mart.school where district_code = '120101' "
        "and campus_of = ? order by all",
        [WHOLE],
    ).fetchall()
    assert rows == [(f"{WHOLE}-{c}", c, WHOLE, True) for c in ("北校区", "南校区")]


def test_a_campus_of_two_stages_is_sent_back(con: duckdb.DuckDBPyConnection) -> None:
    told = con.execute(
        "select check_name, message from quality.check_result where district_code = '120103' and severity = 'blocking' "
        "and not passed"
    ).fetchall()
    assert [name for name, _ in told] == ["campuses_have_one_stage"]
    assert "育才学校（北校区）有几个学段的学生：请与本校合并为一行填报" in told[0][1]
    assert not con.execute("select 1 from mart.evaluation where district_code = '120103'").fetchall()


def test_a_row_that_names_no_campus_opens_each_of_them_and_no_other_school(
    con: duckdb.DuckDBPyConnection,
) -> None:
    assert {stage: row[-1] for stage, row in values(con, "120104").items()} == {
        "primary": "no_data",
        "junior": "no_data",
    }
    balance = con.execute(
        "select distinct schools_no_data from mart.stage_balance where district_code = '120104' and indicator_code = 'R4'"
    ).fetchall()
    assert balance == [(1,)]
    others = con.execute(
        "select count(*) from mart.school_indicator where district_code = '120104' and indicator_code = 'R4' "
        "and status = 'no_data' and not starts_with(school_code, ?)",
        [WHOLE],
    ).fetchall()
    assert others == [(0,)]


def test_findings_and_plan_follow_the_campus(con: duckdb.DuckDBPyConnection) -> None:
    finding = con.execute(
        "select school_code, measures from mart.finding where district_code = '120105' and indicator_code = 'R4' "
        "and level = 'school'"
    ).fetchall()
    assert finding == [(f"{WHOLE}-北校区", ["M1", "M2", "M3"])]
    told = con.execute(
        "select message from quality.rejected_row where district_code = '120105' and dataset = 'measures'"
    ).fetchall()
    assert told == []


def test_lineage_leads_to_the_row_of_the_campus(con: duckdb.DuckDBPyConnection) -> None:
    rows = con.execute(
        "select input, value from mart.lineage where district_code = '120101' and indicator_code = 'R4' "
        "and school_code = ? and value > 0 order by all",
        [f"{WHOLE}-南校区"],
    ).fetchall()
    assert rows == [("facilities.teaching_area_m2", 3600), ("schools.junior_students", 300)]


def test_attached_kindergarten_classes(con: duckdb.DuckDBPyConnection) -> None:
    assert values(con, "120106") == values(con, "120102"), "with no weight set they take no share"
    asked = con.execute(
        "select district_code, message from quality.suspicion where rule = 'preschool_unweighted' order by all"
    ).fetchall()
    assert [code for code, _ in asked] == ["120106"]
    assert "附设幼儿班 100 人，区县没有设定分摊权重（preschool_weight）" in asked[0][1]
    # 6 000 ㎡ / (600 + 1.1 × 300 + 0.7 × 100) = 6.00
    weighed = values(con, "120107")
    assert (weighed["primary"][2], weighed["junior"][2]) == (6.00, 6.60)


def test_templates_have_a_row_for_each_campus_and_one_for_the_money(tmp_path: Path) -> None:
    tables: Any = deepcopy(generate_district(1, profile="passing", n_schools=12).tables)
    nine_year_school(tables, apart=True)
    write_district(tmp_path, tables, {}, code="120101", style=PLAIN)
    roster = newest_roster(tmp_path, "120101")
    found = {
        name: [
            (row["学校名称"], row.get("campus"))
            for row in rows_of(load_datasets()[name], roster)
            if row["school_code"] == WHOLE
        ]
        for name in ("facilities", "school_finance")
    }
    assert found == {
        "facilities": [("育才学校", "北校区"), ("育才学校", "南校区")],
        "school_finance": [("育才学校", None)],
    }
    books = write_school_books(tmp_path / "books", roster)
    assert len(books) == len({s["school_code"] for s in roster.schools})
