"""No row is accepted and then silently unused: each such row has its reason, and each file its sum."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from youjun_pipeline.warehouse.closing import close_phase
from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline.warehouse.publication import publish
from youjun_pipeline_tests.generate import PLAIN, Phase, generate_district, write_delivery, write_district
from youjun_pipeline_tests.integration.plan_story import write_rows
from youjun_pipeline_tests.steps import compute, places, read_all, refresh, working

PHASES = (
    Phase("a", "第一阶段", date(2023, 7, 1), date(2023, 12, 31)),
    Phase("b", "第二阶段", date(2024, 1, 1), date(2024, 12, 31)),
)
AS_OF = date(2025, 6, 30)
CODE = "120114"


def passing() -> tuple[dict[str, list[dict[str, Any]]], dict[str, Any]]:
    made = generate_district(1, n_schools=16, profile="passing", leading_zero=False)
    return {name: deepcopy(rows or []) for name, rows in made.tables.items()}, made.settings


def of_type(tables: dict[str, list[dict[str, Any]]], school_type: str) -> str:
    return str(next(r["school_code"] for r in tables["schools"] if r["school_type"] == school_type))


@pytest.fixture(scope="module")
def codes() -> dict[str, str]:
    tables, _ = passing()
    return {name: of_type(tables, name) for name in ("小学", "特殊教育学校", "完全中学")}


@pytest.fixture(scope="module")
def con(
    tmp_path_factory: pytest.TempPathFactory, codes: dict[str, str]
) -> Iterator[duckdb.DuckDBPyConnection]:
    folder: Path = tmp_path_factory.mktemp("unused")
    tables, settings = passing()
    primary = codes["小学"]
    teacher = next(r for r in tables["teachers"] if r["school_code"] == primary)
    tables["teachers"] += [{**teacher, "stage": "junior"}]
    tables["classes"] += [
        {"school_code": primary, "stage": "junior", "grade": 7, "class_no": "1", "students": 60},
        {"school_code": codes["完全中学"], "stage": "senior", "grade": 9, "class_no": "高1", "students": 60},
    ]
    tables["assurance"] += [{"item": "G88.odd", "value": 1, "conclusion": None, "evidence": None}]
    district = write_district(
        folder, tables, settings, PHASES, style=PLAIN, code=CODE, slug="case", delivered_on="2023-08-31"
    )
    first = district / "deliveries" / "2023-08-31"
    write_rows(
        first,
        "suspicion_answers",
        [
            {
                "answered_on": "2023-08-30",
                "dataset": "facilities",
                "school_code": primary,
                "rule": "jump",
                "answer": "属实",
            }
        ],
    )
    write_rows(
        first,
        "school_aliases",
        [
            {"alias": "没人用的名字", "school_code": primary},
            {"alias": "没有的学校", "school_code": "9999999999"},
        ],
    )
    write_rows(
        first,
        "target_actuals",
        [{"reported_on": "2023-08-30", "target_no": "T9", "period": "2023", "actual": 3}],
    )
    for day in ("2023-09-30", "2025-01-05", "2025-12-31"):
        write_delivery(district, day, {"facilities": tables["facilities"]}, style=PLAIN)
    settings_ = places(folder, AS_OF)
    with connect(refresh(settings_).path, read_only=True) as con:
        yield con


def unused(con: duckdb.DuckDBPyConnection, dataset: str) -> dict[tuple[str, str], list[Any]]:
    """Rows and messages by delivery and rule."""
    found: dict[tuple[str, str], list[Any]] = {}
    for delivery, rule, rows, message in con.execute(
        "select delivery::varchar, rule, rows, message from quality.unused_row where dataset = ? order by all",
        [dataset],
    ).fetchall():
        found.setdefault((delivery, rule), []).append((rows, message))
    return found


def test_rows_of_a_stage_that_is_not_there(con: duckdb.DuckDBPyConnection, codes: dict[str, str]) -> None:
    assert unused(con, "classes").keys() == {
        ("2023-08-31", "stage_not_taught"),
        ("2023-08-31", "senior_stage"),
    }
    assert [r for r, _ in unused(con, "teachers")["2023-08-31", "stage_not_taught"]] == [1]
    (message,) = con.execute(
        "select message from quality.check_result where check_name = 'rows_are_used' and dataset = 'classes' and not passed"
    ).fetchone() or ("",)
    assert "学校没有初中学段的学生" in message and "高中" not in message
    place = con.execute(
        "select school_code, file, row from quality.unused_row where dataset = 'teachers' and rule = 'stage_not_taught'"
    ).fetchall()
    assert [(code, file) for code, file, _ in place] == [(codes["小学"], "teachers.csv")]
    assert place[0][2] > 1


def test_rows_of_schools_out_of_scope_and_of_other_years(
    con: duckdb.DuckDBPyConnection, codes: dict[str, str]
) -> None:
    said = con.execute(
        "select message from quality.unused_row where rule = 'school_out_of_scope' and school_code = ?",
        [codes["特殊教育学校"]],
    ).fetchall()
    assert said and all("不属于评估范围的学校类型" in message for (message,) in said)
    years = con.execute(
        "select distinct rule from quality.unused_row where dataset = 'graduation_cohorts'"
    ).fetchall()
    assert years in ([], [("other_year",)])


def test_items_and_targets_nobody_asks_for(con: duckdb.DuckDBPyConnection) -> None:
    assert "G88.odd" in unused(con, "assurance")["2023-08-31", "unknown_item"][0][1]
    assert "T9 2023" in unused(con, "target_actuals")["2023-08-31", "unknown_target"][0][1]


def test_answers_and_aliases_that_match_nothing(con: duckdb.DuckDBPyConnection) -> None:
    rejected = con.execute(
        "select dataset, rule, value from quality.rejected_row "
        "where dataset in ('suspicion_answers', 'school_aliases') order by all"
    ).fetchall()
    assert rejected == [
        ("school_aliases", "unknown_school", "9999999999"),
        ("suspicion_answers", "unknown_suspicion", "jump"),
    ]
    assert "没人用的名字" in unused(con, "school_aliases")["2023-08-31", "alias_not_needed"][0][1]


def test_deliveries_that_reach_no_phase(con: duckdb.DuckDBPyConnection) -> None:
    found = unused(con, "facilities")
    rows = con.execute(
        "select rows_accepted from ops.source_file where dataset = 'facilities' and delivery = '2025-01-05'"
    ).fetchone()
    assert rows is not None
    assert [r for r, _ in found["2025-01-05", "after_the_last_phase"]] == [rows[0]]
    assert [r for r, _ in found["2025-12-31", "in_the_future"]] == [rows[0]]
    # the first of two deliveries of one phase
    assert ("2023-08-31", "superseded") in found
    (message,) = con.execute(
        "select message from quality.check_result where check_name = 'deliveries_are_used' and not passed"
    ).fetchone() or ("",)
    assert "2025-01-05" in message and "2025-12-31" in message and "2023-08-31" not in message


def test_every_file_adds_up(con: duckdb.DuckDBPyConnection) -> None:
    sums = con.execute(
        "select dataset, delivery, rows_read, rows_rejected, rows_used, rows_unused from ops.source_file"
    ).fetchall()
    assert sums
    for dataset, delivery, read, rejected, used, left in sums:
        assert read == rejected + used + left and used >= 0, (dataset, delivery)
    assert {u for d, _, _, _, u, _ in sums if d == "schools"} == {16}


def test_a_delivery_into_a_closed_phase_is_told_at_once(tmp_path: Path) -> None:
    tables, settings = passing()
    district = write_district(
        tmp_path, tables, settings, PHASES, style=PLAIN, code=CODE, slug="case", delivered_on="2023-08-31"
    )
    where = places(tmp_path, AS_OF)
    refresh(where)
    with working(where) as con:
        close_phase(con, CODE, "a")
        publish(con, where.published, "close-1", where.as_of)
    write_delivery(district, "2023-12-15", {"facilities": tables["facilities"][1:]}, style=PLAIN)
    with working(where) as con:
        read_all(con, where)
        compute(con, where, "run-2")
        told = con.execute(
            "select dataset, message from quality.check_result where check_name = 'deliveries_are_used' and not passed"
        ).fetchall()
    assert [dataset for dataset, _ in told] == ["facilities"]
    assert "2023-12-15" in told[0][1] and "已关闭" in told[0][1] and "youjun reopen 120114 a" in told[0][1]
