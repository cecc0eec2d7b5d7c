"""Unreadable reports and inspections: they may be the ones that count, so no result depends on what they might say.

Every case is a district of one school, whose class was too large in the first phase and is not in the second.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline_tests.integration.plan_story import (
    DAYS,
    ENOUGH,
    TOO_MANY,
    one_class,
    primary_school,
    write_story,
)
from youjun_pipeline_tests.steps import places, refresh

SCHOOL = "2120114001"
PLAN = {
    "measures": [
        {
            "measure_no": "M1",
            "indicator": "G5",
            "stage": "小学",
            "school_names": "一小",
            "due": "2024-12-31",
            "description": "分班",
        }
    ],
    "targets": [
        {
            "target_no": "T1",
            "programme": "分班",
            "metric": "新增班级",
            "unit": "个",
            "kind": "当期",
            "period": "2023",
            "planned": "3",
        }
    ],
}
DONE = {"reported_on": "2024-05-20", "measure_no": "M1", "state": "已完成", "reporter": "李明"}
PASSED = {
    "inspected_on": "2024-06-10",
    "indicator": "G5",
    "stage": "小学",
    "school_name": "一小",
    "result": "通过",
    "inspector": "赵六",
    "evidence": "照片",
}
REACHED = {"reported_on": "2024-01-10", "target_no": "T1", "period": "2023", "actual": "3"}
# what is reported beside the three -> whether the finding is signed off, the measure's and the target's state
CASES: dict[str, tuple[str, dict[str, str], tuple[bool, str, str]]] = {
    "nothing": ("", {}, (True, "done", "achieved")),
    "result": ("acceptances", {"inspected_on": "2024-06-11", "result": "？"}, (False, "done", "achieved")),
    "school": ("acceptances", {"result": "不通过", "school_name": "某小"}, (False, "done", "achieved")),
    "indicator": ("acceptances", {"result": "不通过", "indicator": "某项"}, (False, "done", "achieved")),
    "before the plan": (
        "acceptances",
        {"result": "不通过", "inspected_on": "2004-06-11"},
        (False, "done", "achieved"),
    ),
    "report's day": ("progress", {"reported_on": "？", "state": "未启动"}, (True, "no_data", "achieved")),
    "report's state": (
        "progress",
        {"reported_on": "2024-05-21", "state": "？"},
        (True, "no_data", "achieved"),
    ),
    "older state": ("progress", {"reported_on": "2024-05-19", "state": "？"}, (True, "done", "achieved")),
    "target's day": ("target_actuals", {"reported_on": "？", "actual": "1"}, (True, "done", "no_data")),
    "target's figure": (
        "target_actuals",
        {"reported_on": "2024-01-11", "actual": "一"},
        (True, "done", "no_data"),
    ),
}
LIKE = {"acceptances": PASSED, "progress": DONE, "target_actuals": REACHED}


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    folder: Path = tmp_path_factory.mktemp("unread")
    for number, (dataset, changed, _) in enumerate(CASES.values()):
        reports: dict[str, list[dict[str, Any]]] = {name: [row] for name, row in LIKE.items()}
        if dataset:
            reports[dataset] = [*reports[dataset], LIKE[dataset] | changed]
        judged = {
            day: {"schools": [primary_school(SCHOOL, "一小")], "classes": [one_class(SCHOOL, students)]}
            for day, students in ((DAYS[0], TOO_MANY), (DAYS[1], ENOUGH))
        }
        write_story(folder, judged, {DAYS[0]: PLAN, "2024-06-20": reports}, code=f"12{number:04d}")
    with connect(refresh(places(folder, date(2024, 6, 30))).path, read_only=True) as con:
        yield con


@pytest.mark.parametrize("number", range(len(CASES)), ids=list(CASES))
def test_what_cannot_be_read_may_be_what_counts(con: duckdb.DuckDBPyConnection, number: int) -> None:
    where = f"where district_code = '12{number:04d}' and phase_id = 'p2'"
    [(signed_off,)] = con.execute(
        f"select signed_off from mart.finding {where} and indicator_code = 'G5'"
    ).fetchall()
    [(measure, overdue)] = con.execute(f"select state, overdue from mart.measure_status {where}").fetchall()
    [(target,)] = con.execute(f"select state from mart.target_progress {where}").fetchall()
    assert (signed_off, measure, target) == list(CASES.values())[number][2]
    assert not overdue


def test_an_inspection_of_after_its_delivery_is_none(tmp_path: Path) -> None:
    judged = {
        day: {"schools": [primary_school(SCHOOL, "一小")], "classes": [one_class(SCHOOL, students)]}
        for day, students in ((DAYS[0], TOO_MANY), (DAYS[1], ENOUGH))
    }
    late = {"acceptances": [PASSED | {"inspected_on": "2024-06-25"}]}
    write_story(tmp_path, judged, {"2024-06-20": late})
    with connect(refresh(places(tmp_path, date(2024, 6, 30))).path, read_only=True) as con:
        found = con.execute(
            "select signed_off from mart.finding where phase_id = 'p2' and indicator_code = 'G5'"
        )
        assert found.fetchall() == [(False,)]
        refused = con.execute("select refused_because from mart.acceptance where phase_id = 'p2'").fetchall()
        assert refused == [("after_delivery",)]
