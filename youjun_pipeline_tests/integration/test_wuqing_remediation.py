"""武清's reconstructed history through its four phases: every state appears, and the sums agree with the findings."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from youjun_pipeline.settings import Settings
from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline_tests.conftest import CHECKOUT
from youjun_pipeline_tests.steps import refresh

# Whole refreshes, several of them.
pytestmark = pytest.mark.long

STARTUP, IMPLEMENTATION, MUNICIPAL, NATIONAL = (
    "2023-startup",
    "2023-implementation",
    "2024-municipal",
    "2025-national",
)
MERGED = {
    "2120114023": "黄庄街城上完全小学",
    "2120114024": "黄庄街老米店完全小学",
    "2120114025": "黄庄街马家口完全小学",
}
BINHE = "2120114121"


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    folder: Path = tmp_path_factory.mktemp("wuqing")
    settings = Settings(
        CHECKOUT / "data", folder / "warehouse.duckdb", folder / "published", date(2026, 1, 1)
    )
    with connect(refresh(settings, districts=("120114",)).path, read_only=True) as con:
        yield con


def rows(con: duckdb.DuckDBPyConnection, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    return con.execute(sql, list(values)).fetchall()


def test_findings_open_close_reopen_and_are_signed_off(con: duckdb.DuckDBPyConnection) -> None:
    found = rows(
        con,
        "select phase_id, count(*), count(*) filter (state = 'open'), count(*) filter (state = 'closed'), "
        "count(*) filter (state = 'reopened'), count(*) filter (signed_off) from mart.finding group by all",
    )
    assert {phase: tuple(counts) for phase, *counts in found} == {
        STARTUP: (90, 90, 0, 0, 0),
        IMPLEMENTATION: (90, 68, 22, 0, 21),
        MUNICIPAL: (91, 28, 62, 1, 60),
        NATIONAL: (91, 0, 91, 0, 91),
    }


def test_the_plan_reaches_every_finding_but_the_one_it_forgot(con: duckdb.DuckDBPyConnection) -> None:
    assert rows(con, "select finding_id from mart.finding where phase_id = ? and measures = []", STARTUP) == [
        ("120114-R4-primary-CV",)
    ]
    covered = rows(
        con,
        "select measures from mart.finding where phase_id = ? and school_name = '杨村第六小学' and indicator_code = 'R4'",
        STARTUP,
    )
    # the plan's text and its annex both speak of the school
    assert covered == [(["R4-P2", "R4-PB"],)]


def test_nanhu_relapses_and_is_inspected_again(con: duckdb.DuckDBPyConnection) -> None:
    found = rows(
        con,
        "select state, value, gap, signed_off, signed_off_on::varchar from mart.finding f join mart.evaluation "
        "using (district_code, phase_id) where school_name = '下朱庄街南湖小学' and indicator_code = 'G5' "
        "order by phase_order",
    )
    assert found == [
        ("open", 51, 78, False, None),
        ("closed", 44, 0, True, "2024-06-20"),
        ("reopened", 51, 78, False, None),
        ("closed", 44, 0, True, "2025-11-20"),
    ]


def test_three_schools_live_on_in_binhe(con: duckdb.DuckDBPyConnection) -> None:
    found = rows(
        con,
        "select school_code, school_name, judged_school_code, state, signed_off from mart.finding "
        "where phase_id = ? and list_contains($2, school_code) and indicator_code = 'G3' order by 1",
        IMPLEMENTATION,
        list(MERGED),
    )
    assert found == [(code, name, BINHE, "closed", True) for code, name in MERGED.items()]


def test_every_state_of_a_measure_appears(con: duckdb.DuckDBPyConnection) -> None:
    found = rows(con, "select phase_id, state, count(*) from mart.measure_status group by all order by all")
    assert found == [
        (IMPLEMENTATION, "done", 7),
        (IMPLEMENTATION, "in_progress", 22),
        (IMPLEMENTATION, "not_started", 3),
        (STARTUP, "not_started", 32),
        (MUNICIPAL, "done", 12),
        (MUNICIPAL, "in_progress", 17),
        (MUNICIPAL, "not_started", 3),
        (NATIONAL, "cancelled", 2),
        (NATIONAL, "done", 30),
    ]
    assert rows(
        con,
        "select measure_no, slippage_days from mart.measure_status where overdue and phase_id = ?",
        MUNICIPAL,
    ) == [
        ("R5-J2", 547),
        ("R5-PB", 366),
    ]


def test_dates_moved_after_the_municipal_acceptance_are_slippage(con: duckdb.DuckDBPyConnection) -> None:
    found = rows(
        con,
        "select count(*), min(changed_on)::varchar, min(slippage_days), max(slippage_days) from mart.measure_date_change "
        "where phase_id = ? and kind = 'due'",
        MUNICIPAL,
    )
    assert found == [(17, "2024-12-20", 243, 609)]
    assert rows(
        con, "select distinct baseline_due::varchar from mart.measure_status where measure_no = 'R4-P1'"
    ) == [("2024-12-31",)]


def test_what_was_reported_too_early_is_listed(con: duckdb.DuckDBPyConnection) -> None:
    found = rows(
        con,
        "select phase_id, measure_no, school_name, is_checked from mart.reported_not_passed order by school_name",
    )
    assert found == [
        (IMPLEMENTATION, "G3-P2", name, True)
        for name in ("下朱庄街南湖小学", "下朱庄街越秀园小学", "杨村第十三小学")
    ]


def test_sums_by_indicator_reconcile_to_the_findings(con: duckdb.DuckDBPyConnection) -> None:
    wrong = rows(
        con,
        "with listed as (select phase_id, indicator_code, count(*) as findings, count(*) filter (state = 'closed') as c, "
        "count(*) filter (state = 'open') as o, count(*) filter (state = 'reopened') as r, "
        "count(*) filter (measures = []) as w from mart.finding group by all), summed as (select phase_id, "
        "indicator_code, sum(findings) as findings, sum(closed) as c, sum(open) as o, sum(reopened) as r, "
        "sum(without_measure) as w from mart.remediation_progress group by all) "
        "(from listed except from summed) union all (from summed except from listed)",
    )
    assert wrong == []
    assert rows(con, "select count(*) from mart.remediation_progress")[0][0] > 40


def test_money_of_the_plan_belongs_to_whole_indicators(con: duckdb.DuckDBPyConnection) -> None:
    found = rows(
        con,
        "select indicator_code, stage, budget_wan, spent_wan from mart.remediation_progress "
        "where phase_id = ? and (budget_wan is not null or spent_wan is not null) order by 1, 2",
        NATIONAL,
    )
    assert found == [
        ("G3", "junior", None, 69),
        ("G3", "primary", None, 134),
        ("G3", None, 200, None),
        ("R4", "junior", None, 1130),
        ("R4", "primary", None, 4300),
        ("R4", None, 5000, None),
    ]


def test_units_answer_for_what_is_late(con: duckdb.DuckDBPyConnection) -> None:
    found = {
        unit: row
        for unit, *row in rows(
            con,
            "select unit, kind, measures, done, overdue, slippage_days from mart.unit_accountability where phase_id = ?",
            MUNICIPAL,
        )
    }
    assert found["区教育局"] == ["unit", 32, 12, 2, 547]
    assert found["计财科"] == ["section", 20, 10, 2, 547]
    assert found["督导室"] == ["section", 4, 0, 0, 334]


def test_reports_and_inspections_of_the_story_all_count(con: duckdb.DuckDBPyConnection) -> None:
    names = (
        "acceptances_agree_with_figures",
        "acceptances_match_a_finding",
        "findings_reconcile",
        "measures_stay_in_the_plan",
        "progress_is_on_known_measures",
        "progress_names_its_reporter",
        "reports_are_dated_plausibly",
        "sign_offs_are_by_others",
        "sign_offs_have_evidence",
    )
    found = rows(
        con,
        "select check_name, count(*), bool_and(passed) from quality.check_result where list_contains($1, check_name) "
        "group by check_name order by check_name",
        list(names),
    )
    assert found == [(name, 4, True) for name in names]
