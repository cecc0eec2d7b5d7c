"""Measures from reports: state, slippage against the baseline, overdue, money, owners; and reports that do not count."""

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

CODES = {"甲小学": "2120114001", "乙小学": "2120114002", "丙小学": "2120114003"}
# 甲 is mended from the second delivery on, 乙 from the fourth, 丙 never.
SIZES = {"甲小学": (50, 40, 40, 40), "乙小学": (50, 50, 50, 40), "丙小学": (50, 50, 50, 50)}


def measure(no: str, schools: str, due: str, **given: Any) -> dict[str, Any]:
    row = {"measure_no": no, "indicator": "G5", "stage": "primary", "school_names": schools, "due": due}
    owners = {
        "bureau_sections": "教育管理科、计财科",
        "responsible_units": "区教育局，甲镇政府",
        "measure_type": "分流",
    }
    return {**row, **owners, "receiving_school": "将来小学", **given}


def report(on: str, no: str, state: str, **given: Any) -> dict[str, Any]:
    row = {
        "reported_on": on,
        "measure_no": no,
        "milestone_no": "",
        "state": state,
        "percent": "",
        "expected_on": "",
    }
    return {**row, "spent_wan": "", "reporter": "张三", **given}


REPEATED = report("2024-05-01", "M2", "in_progress", percent="40", expected_on="2024-12-31", spent_wan="30")
PLAN = {
    DAYS[0]: {
        "measures": [
            measure("M1", "甲小学", "2024-06-30"),
            measure("M2", "乙小学、丙小学", "2024-06-30"),
            measure("M3", "丙小学", "2024-03-31", bureau_sections="", responsible_units="区教育局"),
            measure("M4", "丙小学", "2024-06-30", indicator="无此指标"),
        ],
        "milestones": [
            {
                "milestone_no": "N1",
                "measure_no": "M3",
                "indicator": "",
                "due": "2024-03-31",
                "task": "完成分流方案",
            },
            {
                "milestone_no": "N2",
                "measure_no": "",
                "indicator": "G5",
                "due": "2025-03-31",
                "task": "全部到位",
            },
            {
                "milestone_no": "N3",
                "measure_no": "M9",
                "indicator": "",
                "due": "2025-03-31",
                "task": "无主节点",
            },
        ],
        "budgets": [
            {"budget_no": "B1", "indicator": "G5", "stage": "", "amount_wan": "500"},
            {"budget_no": "B2", "indicator": "G5", "stage": "小学", "amount_wan": "80"},
        ],
    },
    DAYS[1]: {
        "progress": [
            report("2024-02-01", "M1", "in_progress", percent="50"),
            report("2024-05-10", "M1", "done", percent="100", spent_wan="12.5"),
            REPEATED,
            report("2024-05-20", "M3", "in_progress", percent="10"),
            report("2024-05-20", "", "in_progress", milestone_no="N1", expected_on="2024-06-30"),
            report("2024-05-20", "M9", "done", percent="100"),
            report("2023-01-05", "M2", "done", percent="100"),
            report("2024-05-21", "M2", "in_progress", percent="140", expected_on="2024-12-31"),
        ],
    },
    DAYS[2]: {
        # M3 is left out, M2 gets another date and another person, M5 is new
        "measures": [
            measure("M1", "甲小学", "2024-06-30"),
            measure("M2", "乙小学、丙小学", "2024-12-31"),
            measure("M5", "乙小学", "2025-01-31"),
        ],
        "progress": [
            REPEATED,
            # the same date, measure and reporter as in the delivery before: this one wins
            report("2024-05-20", "M3", "in_progress", percent="60", expected_on="2025-01-31"),
            report("2024-11-10", "M2", "done", percent="100", spent_wan="75", reporter="李四"),
        ],
    },
    DAYS[3]: {
        "progress": [
            report("2025-04-01", "M3", "cancelled"),
            report("2025-05-01", "", "done", milestone_no="N2"),
        ]
    },
}


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    folder: Path = tmp_path_factory.mktemp("measures")
    schools = [primary_school(code, name) for name, code in CODES.items()]
    judged = {
        day: {
            "schools": schools,
            "classes": [one_class(CODES[name], sizes[n]) for name, sizes in SIZES.items()],
        }
        for n, day in enumerate(DAYS)
    }
    assert {TOO_MANY, ENOUGH} == {size for sizes in SIZES.values() for size in sizes}
    write_story(folder, judged, PLAN)
    with connect(refresh(places(folder)).path, read_only=True) as con:
        yield con


def standing(con: duckdb.DuckDBPyConnection, no: str, columns: str) -> dict[str, Any]:
    """What `mart.measure_status` says of a measure in each phase that knows it."""
    rows = con.execute(
        f"select phase_id, {columns} from mart.measure_status where measure_no = ?", [no]
    ).fetchall()
    return {phase: row if len(row) > 1 else row[0] for phase, *row in rows}


def test_the_state_follows_the_newest_report(con: duckdb.DuckDBPyConnection) -> None:
    assert standing(con, "M1", "state, percent") == {
        "p1": ["not_started", None],
        "p2": ["done", 100],
        "p3": ["done", 100],
        "p4": ["done", 100],
    }
    assert standing(con, "M3", "state, percent") == {
        "p1": ["not_started", None],
        "p2": ["in_progress", 10],
        "p3": ["in_progress", 60],
        "p4": ["cancelled", 60],
    }


def test_slippage_is_counted_from_the_baseline(con: duckdb.DuckDBPyConnection) -> None:
    def days(day: str, baseline: str = "2024-06-30") -> int:
        return (date.fromisoformat(day) - date.fromisoformat(baseline)).days

    # on time, expected later, due later and then done before the new date
    assert standing(con, "M1", "slippage_days")["p2"] == days("2024-05-10") < 0
    assert standing(con, "M2", "slippage_days") == {
        "p1": 0,
        "p2": days("2024-12-31"),
        "p3": days("2024-11-10"),
        "p4": days("2024-11-10"),
    }
    assert standing(con, "M2", "due::varchar, baseline_due::varchar, due_changed_on::varchar")["p3"] == [
        "2024-12-31",
        "2024-06-30",
        "2024-11-30",
    ]
    # overdue and silent about when: at least until the phase's end; then the day it is expected; none when cancelled
    assert standing(con, "M3", "slippage_days, overdue") == {
        "p1": [0, False],
        "p2": [days("2024-06-30", "2024-03-31"), True],
        "p3": [days("2025-01-31", "2024-03-31"), True],
        "p4": [None, False],
    }
    assert standing(con, "M5", "slippage_days, overdue") == {
        "p3": [0, False],
        "p4": [days("2025-12-31", "2025-01-31"), True],
    }


def test_who_moved_a_date_and_when_is_on_record(con: duckdb.DuckDBPyConnection) -> None:
    found = con.execute(
        'select kind, changed_on::varchar, changed_by, date_after::varchar, slippage_days, file, "row" '
        "from mart.measure_date_change where measure_no = 'M2' and phase_id = 'p4' order by changed_on"
    ).fetchall()
    assert found == [
        ("expected", "2024-05-01", "张三", "2024-12-31", 184, "progress.csv", 2),
        ("due", "2024-11-30", None, "2024-12-31", 184, "measures.csv", 3),
    ]


def test_a_measure_left_out_later_is_flagged_and_kept(con: duckdb.DuckDBPyConnection) -> None:
    assert standing(con, "M3", "is_missing") == {"p1": False, "p2": False, "p3": True, "p4": True}
    assert standing(con, "M5", "is_missing") == {"p3": False, "p4": False}
    message = con.execute(
        "select message from quality.check_result where check_name = 'measures_stay_in_the_plan' and phase_id = 'p3'"
    ).fetchall()[0][0]
    assert "措施 M3：最后见于 2023-08-31/measures.csv 第 4 行" in message


def test_findings_of_a_measure_are_counted(con: duckdb.DuckDBPyConnection) -> None:
    assert standing(con, "M2", "schools, findings, findings_closed") == {
        "p1": [2, 2, 0],
        "p2": [2, 2, 0],
        "p3": [2, 2, 0],
        "p4": [2, 2, 1],
    }


def test_reported_done_and_still_failing_is_a_list_of_its_own(con: duckdb.DuckDBPyConnection) -> None:
    found = con.execute(
        "select phase_id, measure_no, school_name, reported_on::varchar, reporter, value, threshold, is_checked, message "
        "from mart.reported_not_passed order by phase_id, school_name"
    ).fetchall()
    # the classes delivered since are those of before, file for file: nothing newer has been judged
    assert [row[:8] for row in found] == [
        ("p3", "M2", "丙小学", "2024-11-10", "李四", 50, 45, False),
        ("p3", "M2", "乙小学", "2024-11-10", "李四", 50, 45, False),
        ("p4", "M2", "丙小学", "2024-11-10", "李四", 50, 45, True),
    ]
    assert found[2][8].startswith("丙小学：措施 M2 于 2024-11-10 填报完成，2025-05-31 报送的数据仍未达标。")


def test_milestones_have_states_of_their_own(con: duckdb.DuckDBPyConnection) -> None:
    found = con.execute(
        "select milestone_no, phase_id, indicator_code, state, overdue, slippage_days from mart.milestone_status "
        "where milestone_no <> 'N3' order by all"
    ).fetchall()
    assert found == [
        ("N1", "p1", "G5", "not_started", False, 0),
        ("N1", "p2", "G5", "in_progress", True, 91),
        ("N1", "p3", "G5", "in_progress", True, 275),
        ("N1", "p4", "G5", "in_progress", True, 640),
        ("N2", "p1", "G5", "not_started", False, 0),
        ("N2", "p2", "G5", "not_started", False, 0),
        ("N2", "p3", "G5", "not_started", False, 0),
        ("N2", "p4", "G5", "done", False, 31),
    ]


def test_money_stands_where_the_plan_gives_it(con: duckdb.DuckDBPyConnection) -> None:
    found = con.execute(
        "select stage, findings, closed, open, without_measure, overdue, budget_wan, spent_wan, completion "
        "from mart.remediation_progress where indicator_code = 'G5' and phase_id = 'p3' order by stage"
    ).fetchall()
    # spent so far: 12.5 of M1, and of M2 the 75 that replace the 30 reported before
    assert found == [
        ("primary", 3, 1, 2, 0, 1, 80, 87.5, pytest.approx(1 / 3)),
        (None, 0, 0, 0, 0, 0, 500, None, None),
    ]


def test_owners_answer_for_their_measures(con: duckdb.DuckDBPyConnection) -> None:
    found = con.execute(
        "select unit, kind, measures, done, overdue, slippage_days, findings, findings_closed "
        "from mart.unit_accountability where phase_id = 'p3' order by kind, unit"
    ).fetchall()
    # M1, M2, M4 and M5 are of all four, M3 of the bureau alone; M4 is overdue since the summer
    assert found == [
        ("教育管理科", "section", 4, 2, 1, 184, 3, 1),
        ("计财科", "section", 4, 2, 1, 184, 3, 1),
        ("区教育局", "unit", 5, 2, 2, 306, 3, 1),
        ("甲镇政府", "unit", 4, 2, 1, 184, 3, 1),
    ]


def test_reports_that_count_for_nothing_are_refused_with_their_place(con: duckdb.DuckDBPyConnection) -> None:
    found = con.execute(
        'select dataset, "row", column_name, value, rule from quality.rejected_row order by all'
    ).fetchall()
    assert found == [
        ("measures", 5, "indicator", "无此指标", "unknown_indicator"),
        ("milestones", 4, "measure_no", "M9", "unknown_measure"),
        ("progress", 7, "measure_no", "M9", "unknown_measure"),
        ("progress", 8, "reported_on", "2023-01-05", "before_plan"),
        ("progress", 9, "percent", "140", "out_of_range"),
    ]
    messages = dict(
        con.execute("select rule, message from quality.rejected_row where dataset = 'progress'").fetchall()
    )
    assert (
        messages["unknown_measure"]
        == "方案（measures）中没有措施“M9”：请核对措施编号，或补报这项措施；本行未计入"
    )
    assert messages["before_plan"] == "日期早于方案印发日期 2023-07-28：请核对日期；本行未计入"


def test_nothing_else_of_the_file_is_lost(con: duckdb.DuckDBPyConnection) -> None:
    found = con.execute(
        "select delivery::varchar, rows_read, rows_accepted, rows_rejected from ops.source_file "
        "where dataset = 'progress' order by delivery"
    ).fetchall()
    assert found == [(DAYS[1], 8, 6, 2), (DAYS[2], 3, 3, 0), (DAYS[3], 2, 2, 0)]
    # the row whose percentage was refused still says when the measure is expected
    assert standing(con, "M2", "percent, expected_on::varchar")["p2"] == [40, "2024-12-31"]
