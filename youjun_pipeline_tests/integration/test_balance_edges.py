"""Extreme cases of balance: one school, nothing without a waiver, a stage that ends, lost figures; and claims about them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline_tests.generate import PLAIN, write_delivery, write_district
from youjun_pipeline_tests.integration.plan_story import DAYS, PHASES, primary_school, write_rows
from youjun_pipeline_tests.steps import places, refresh

FIRST, SECOND, NINE, LOST = "2120114001", "2120114002", "2120114003", "2120114004"
LETTER = "督办函〔2023〕1号"


def facilities(code: str, teaching: float, **given: Any) -> dict[str, Any]:
    row = {"school_code": code, "teaching_area_m2": teaching, "indoor_sports_area_m2": 0}
    return {
        **row,
        "outdoor_sports_area_m2": 4000,
        "equipment_value_wan": 120,
        "multimedia_rooms": 12,
        **given,
    }


def claim(indicator: str, stage: str, school: str = "", count: int | str = "") -> dict[str, Any]:
    row = {"source": LETTER, "indicator": indicator, "stage": stage, "school_name": school}
    return {**row, "claimed_count": count}


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    folder: Path = tmp_path_factory.mktemp("edges")
    junior = {"school_type": "初级中学", "primary_students": 0, "junior_students": 311, "dense_urban": True}
    schools = [
        primary_school(FIRST, "甲小学"),
        primary_school(SECOND, "乙小学"),
        primary_school(NINE, "丙中学", **junior),
    ]
    facility = [
        facilities(FIRST, 3200),
        facilities(SECOND, 4800),
        # sports on rented ground alone: without W5 there is none in the stage
        facilities(NINE, 2179, outdoor_sports_area_m2=0, rented_sports_area_m2=4000),
    ]
    before = {
        "schools": schools,
        "facilities": facility,
    }
    letter = [
        claim("R4", "junior", "丙中学"),
        claim("R6", "primary"),
        claim("R6", "primary", "乙小学"),
        claim("R7", "primary", count=1),
        claim("R7", "junior", count=1),
        claim("G7", ""),
    ]
    before["facilities"][1] = facilities(SECOND, 4800, equipment_value_wan=None, multimedia_rooms=None)
    after = {
        "schools": schools[:2],
        "facilities": [facilities(FIRST, None), facilities(SECOND, 4800)],  # type: ignore[arg-type]
    }
    district = write_district(
        folder, before, {"waivers": ["W5"]}, PHASES[:2], style=PLAIN, delivered_on=DAYS[0]
    )
    write_rows(district / "deliveries" / DAYS[0], "superior_findings", letter)
    write_delivery(district, DAYS[1], after, style=PLAIN, seed=0)
    with connect(refresh(places(folder)).path, read_only=True) as con:
        yield con


def test_a_school_turns_at_the_others_value(con: duckdb.DuckDBPyConnection) -> None:
    found = con.execute(
        "select value, break_even, level_break_even from mart.balance_contribution where phase_id = 'p1' "
        "and stage = 'primary' and indicator_code = 'R4' order by school_code"
    ).fetchall()
    # X = 10, S = 2, CV = 0.2: X(1 + CV²) = 10.4; of two schools each turns at the value of the other
    assert found == [
        (8, pytest.approx(12), pytest.approx(10.4)),
        (12, pytest.approx(8), pytest.approx(10.4)),
    ]


def test_one_school_has_no_variance_to_share(con: duckdb.DuckDBPyConnection) -> None:
    found = con.execute(
        "select distinct variance_share, marginal_effect, break_even from mart.balance_contribution "
        "where phase_id = 'p1' and stage = 'junior'"
    ).fetchall()
    assert found == [(None, None, None)]
    std = con.execute(
        "select distinct std, cv, status from mart.stage_balance "
        "where phase_id = 'p1' and stage = 'junior' and indicator_code in ('R4', 'R5', 'R6', 'R7')"
    ).fetchall()
    assert std == [(0, 0, "met")]


def test_nothing_without_the_waiver_is_not_judged_without_it(con: duckdb.DuckDBPyConnection) -> None:
    found = con.execute(
        "select status, status_strict, cv_strict from mart.stage_balance "
        "where phase_id = 'p1' and stage = 'junior' and indicator_code = 'R5'"
    ).fetchall()
    assert found == [("met", "not_applicable", None)]
    register = con.execute(
        "select level, indicator_code from mart.waiver_register where phase_id = 'p1'"
    ).fetchall()
    assert register == [("school", "R5")]


def changes(con: duckdb.DuckDBPyConnection, where: str) -> list[tuple[Any, ...]]:
    return con.execute(
        "select value_before, value_after, status_before, status_after, cause, effect from mart.phase_change "
        f"where phase_id = 'p2' and {where}"
    ).fetchall()


def test_what_goes_with_a_stage_is_told(con: duckdb.DuckDBPyConnection) -> None:
    assert changes(con, "level = 'stage' and stage = 'junior' and indicator_code = 'R4'") == [
        (0, None, "met", "not_applicable", "roster", None)
    ]
    assert changes(con, f"level = 'school' and school_code = '{NINE}' and indicator_code = 'R4'") == [
        (pytest.approx(2179 / 311), None, "met", None, "closed", None)
    ]
    verdicts = changes(con, f"level = 'verdict' and school_code = '{NINE}'")
    assert [row[2:5] for row in verdicts] == [("no_data", None, "closed")]


def test_what_is_lost_and_what_is_newly_reported_is_told(con: duckdb.DuckDBPyConnection) -> None:
    assert changes(con, "level = 'stage' and stage = 'primary' and indicator_code = 'R4'") == [
        # the CV of the rest is of one school: its change is no effect that adds up to a verdict
        (pytest.approx(0.2), 0, "met", "no_data", "correction", pytest.approx(-0.2))
    ]
    (row,) = changes(con, "level = 'stage' and stage = 'primary' and indicator_code = 'R6'")
    assert row[2:5] == ("no_data", "met", "correction")
    assert changes(con, f"level = 'school' and school_code = '{FIRST}' and indicator_code = 'R4'") == [
        (8, None, "met", "no_data", "correction", None)
    ]


def test_a_claim_is_not_contradicted_by_missing_data(con: duckdb.DuckDBPyConnection) -> None:
    found = {
        row[:4]: row[4:]
        for row in con.execute(
            "select level, indicator_code, stage, school_name, computed, agrees, note from mart.reconciliation "
            "where phase_id = 'p1' and source is not null"
        ).fetchall()
    }
    assert found["school", "R4", "junior", "丙中学"][:2] == ("达标", False)
    for place in (
        ("stage", "R6", "primary", None),
        ("school", "R6", "primary", "乙小学"),
        ("district", "G7", None, None),
    ):
        computed, agrees, note = found[place]
        assert (computed, agrees) == ("缺数据", None), place
        assert "缺数据，无法核对" in note
    # one school failing may be the one without data; where all are known it is a contradiction
    assert found["count", "R7", "primary", None][:2] == ("0", None)
    assert found["count", "R7", "primary", None][2].endswith("另有 1 所缺数据，无法核对")
    assert found["count", "R7", "junior", None][:2] == ("0", False)
