"""When a measure or a milestone is done: from the report that says so until a report withdraws it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline_tests.integration.plan_story import (
    DAYS,
    ENOUGH,
    one_class,
    primary_school,
    write_story,
)
from youjun_pipeline_tests.steps import places, refresh

DUE = "2023-12-31"


def report(on: str, state: str, percent: str = "", expected_on: str = "") -> dict[str, Any]:
    """A report on a measure or milestone that is named later."""
    row = {"reported_on": on, "measure_no": "", "milestone_no": "", "state": state, "reporter": "张三"}
    return {**row, "percent": percent, "expected_on": expected_on}


# What happens -> its reports, and state, percentage, expected day, finished day and slippage at the end of 2025.
COURSES: dict[str, tuple[list[dict[str, Any]], tuple[Any, ...]]] = {
    "an expected date left in the report that it is done": (
        [
            report("2024-02-20", "in_progress", expected_on="2023-06-30"),
            report("2025-01-20", "done", expected_on="2023-06-30"),
        ],
        ("done", 100, None, "2025-01-20", 386),
    ),
    "done again dates from the second time": (
        [
            report("2023-10-01", "done", expected_on="2023-09-01"),
            report("2024-02-20", "in_progress", percent="80"),
            report("2024-05-20", "done", percent="100", expected_on="2023-09-01"),
            report("2025-05-20", "done"),
        ],
        ("done", 100, None, "2024-05-20", 141),
    ),
    "taken back to not started": (
        [
            report("2023-10-01", "in_progress", percent="60", expected_on="2023-11-30"),
            report("2024-02-20", "done", percent="100"),
            report("2025-05-20", "not_started"),
        ],
        ("not_started", None, None, None, 731),
    ),
    "taken back to in progress, with a percentage": (
        [
            report("2024-02-20", "done", percent="100", expected_on="2023-11-30"),
            report("2025-05-20", "in_progress", percent="70", expected_on="2026-06-30"),
        ],
        ("in_progress", 70, "2026-06-30", None, 912),
    ),
    "taken back to in progress, the percentage left in the row": (
        [report("2024-02-20", "done", percent="100"), report("2025-05-20", "in_progress", percent="100")],
        ("in_progress", None, None, None, 731),
    ),
    "taken back and given up": (
        [report("2024-02-20", "done", percent="100"), report("2025-05-20", "cancelled")],
        ("cancelled", None, None, None, None),
    ),
    "half done, then given up": (
        [report("2024-02-20", "in_progress", percent="50"), report("2025-05-20", "cancelled")],
        ("cancelled", 50, None, None, None),
    ),
    "half done, then said not to have begun": (
        [report("2024-02-20", "in_progress", percent="50"), report("2025-05-20", "not_started")],
        ("not_started", None, None, None, 731),
    ),
}
NUMBERS = {what: f"C{n}" for n, what in enumerate(COURSES)}


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    folder: Path = tmp_path_factory.mktemp("completion")
    code = "2120114001"
    judged = {
        DAYS[0]: {"schools": [primary_school(code, "甲小学")], "classes": [one_class(code, ENOUGH)]},
    }
    told = [(NUMBERS[what], row) for what, (rows, _) in COURSES.items() for row in rows]
    plan = {
        DAYS[0]: {
            "measures": [{"measure_no": no, "indicator": "R4", "due": DUE} for no in NUMBERS.values()],
            "milestones": [
                {"milestone_no": no, "indicator": "R4", "due": DUE, "task": "节点"} for no in NUMBERS.values()
            ],
        },
        DAYS[3]: {
            "progress": [
                *({**row, "measure_no": no} for no, row in told),
                *({**row, "milestone_no": no} for no, row in told),
            ]
        },
    }
    write_story(folder, judged, plan)
    with connect(refresh(places(folder)).path, read_only=True) as con:
        yield con


@pytest.mark.parametrize("what", COURSES)
@pytest.mark.parametrize("subject", ["measure", "milestone"])
def test_a_completion_is_dated_by_its_report_and_can_be_taken_back(
    con: duckdb.DuckDBPyConnection, subject: str, what: str
) -> None:
    found = con.execute(
        f"select state, percent, expected_on::varchar, finished_on::varchar, slippage_days from mart.{subject}_status "
        f"where phase_id = 'p4' and {subject}_no = ?",
        [NUMBERS[what]],
    ).fetchall()
    assert found == [COURSES[what][1]]


@pytest.mark.parametrize("what", COURSES)
def test_only_what_is_under_way_moves_an_expected_date(con: duckdb.DuckDBPyConnection, what: str) -> None:
    moved = con.execute(
        "select date_after::varchar from mart.measure_date_change where phase_id = 'p4' and kind = 'expected' "
        "and measure_no = ? order by changed_on",
        [NUMBERS[what]],
    ).fetchall()
    given = [row for row in COURSES[what][0] if row["expected_on"] and row["state"] == "in_progress"]
    assert moved == [(row["expected_on"],) for row in given]
