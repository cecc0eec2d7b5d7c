"""Targets of the programmes: what counts as done on which day, at which pace, and whether the yearly values add up."""

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
from youjun_pipeline_tests.integration.plan_story import DAYS, one_class, primary_school, write_story
from youjun_pipeline_tests.steps import places, refresh

# Whole refreshes, several of them.
pytestmark = pytest.mark.long

CODE = "2120114001"
NAMES = ("target_no", "metric", "unit", "kind", "period", "planned", "total")


def targets(*rows: tuple[str, ...]) -> list[dict[str, Any]]:
    return [dict(zip(NAMES, row, strict=True)) | {"programme": "任务"} for row in rows]


def actuals(*rows: tuple[str, str, str, str]) -> list[dict[str, Any]]:
    return [dict(zip(("reported_on", "target_no", "period", "actual"), row, strict=True)) for row in rows]


T1 = [
    ("T1", "校舍鉴定", "万㎡", "当期", "2023", "10", "35"),
    ("T1", "校舍鉴定", "万㎡", "当期", "2024年", "20", "35"),
    ("T1", "校舍鉴定", "万㎡", "当期", "2025", "5", "35"),
]
OTHERS = [
    ("T2", "教学仪器", "万台", "当期", "2023", "3.9232", "30"),
    ("T2", "教学仪器", "万台", "当期", "2024", "25", "30"),
    ("T3", "塑胶操场", "块", "累计", "2023年", "4", "10"),
    ("T3", "塑胶操场", "块", "累计", "2024年", "10", "10"),
    ("T4", "骨干教师", "人", "时点", "2024", "100", "100"),
    ("T5", "开工学校", "所", "当期", "2024年上半年", "6", ""),
    ("T6", "德育论坛", "次", "当期", "任期内", "1", ""),
    ("T7", "示范校", "所", "累计", "攻坚", "2", ""),
]
CHANGED = [(*row[:5], "22" if row[4] == "2024年" else row[5], row[6]) for row in T1]
PLAN = {
    DAYS[0]: {
        "targets": targets(*T1, *OTHERS, ("T8", "后来没有的", "所", "时点", "2025", "1", "")),
        "target_actuals": actuals(("2023-08-20", "T1", "2023年", "4"), ("2023-08-20", "T3", "2023", "4")),
    },
    DAYS[1]: {
        "targets": targets(*CHANGED, *OTHERS),
        "target_actuals": actuals(
            ("2024-05-20", "T1", "2024", "9"),
            ("2024-05-30", "T1", "2024", "11"),
            ("2024-05-30", "T3", "2024", "6.9"),
            ("2024-05-30", "T4", "2024", "80"),
            ("2024-05-30", "T5", "2024年上半年", "6"),
            ("2024-05-30", "T9", "2024", "1"),
            ("2024-01-15", "T1", "2023", "10"),
        ),
    },
    DAYS[2]: {
        "target_actuals": actuals(
            ("2024-05-30", "T1", "2024", "12"),
            ("2024-11-20", "T3", "2024", "10"),
            ("2025-01-05", "T1", "2024", "22"),
        )
    },
}


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    folder: Path = tmp_path_factory.mktemp("targets")
    judged = {"schools": [primary_school(CODE, "甲小学")], "classes": [one_class(CODE, 40)]}
    write_story(folder, {DAYS[0]: judged}, PLAN)
    with connect(refresh(places(folder)).path, read_only=True) as con:
        yield con


def states(con: duckdb.DuckDBPyConnection, phase: str) -> dict[tuple[str, str], tuple[Any, ...]]:
    found = con.execute(
        "select target_no, period, actual, completion, state from mart.target_progress where phase_id = ?",
        [phase],
    ).fetchall()
    return {(target, period): tuple(values) for target, period, *values in found}


def test_a_period_that_is_over_is_achieved_missed_or_silent(con: duckdb.DuckDBPyConnection) -> None:
    found = states(con, "p1")
    assert found["T1", "2023"] == (4, 0.4, "missed")
    assert found["T2", "2023"] == (None, None, "no_report")
    assert found["T3", "2023年"] == (4, 1, "achieved")
    assert {found[key][2] for key in found if key[1].startswith("2024")} == {"not_due"}


def test_before_the_period_ends_the_pace_decides(con: duckdb.DuckDBPyConnection) -> None:
    found = states(con, "p2")
    # 181 of 365 days of 2024: 22 万㎡ make 10.9
    assert found["T1", "2024年"] == (11, 0.5, "on_track")
    # from 4 at the end of 2023 to 10 a year later: 182 of 366 days make 6.98
    assert found["T3", "2024年"] == (6.9, pytest.approx(0.69), "behind")
    assert found["T4", "2024"] == (80, 0.8, "not_due")
    assert found["T5", "2024年上半年"] == (6, 1, "achieved")


def test_a_late_report_on_an_earlier_period_counts(con: duckdb.DuckDBPyConnection) -> None:
    assert states(con, "p1")["T1", "2023"] == (4, 0.4, "missed")
    assert states(con, "p2")["T1", "2023"] == (10, 1, "achieved")
    done = con.execute(
        "select phase_id, max(actual_to_date) from mart.target_progress where target_no = 'T1' group by all order by all"
    ).fetchall()
    assert done == [("p1", 4), ("p2", 21), ("p3", 22), ("p4", 32)]


def test_of_one_day_the_later_delivery_counts_and_no_day_to_come(con: duckdb.DuckDBPyConnection) -> None:
    assert states(con, "p3")["T1", "2024年"] == (12, 12 / 22, "missed")
    assert states(con, "p4")["T1", "2024年"] == (22, 1, "achieved")


def test_a_phase_name_is_a_period_and_other_words_are_none(con: duckdb.DuckDBPyConnection) -> None:
    found = con.execute(
        "select period, starts::varchar, due::varchar, state from mart.target_progress "
        "where phase_id = 'p2' and target_no in ('T5', 'T6', 'T7') order by target_no"
    ).fetchall()
    assert found == [
        ("2024年上半年", "2024-01-01", "2024-06-30", "achieved"),
        ("任期内", None, None, "no_data"),
        ("攻坚", "2024-01-01", "2024-06-30", "no_report"),
    ]


def test_the_first_value_stays_and_what_is_left_out_is_flagged(con: duckdb.DuckDBPyConnection) -> None:
    changed = con.execute(
        "select phase_id, planned, baseline_planned from mart.target_progress where target_no = 'T1' and period = '2024年' "
        "and phase_id in ('p1', 'p2') order by all"
    ).fetchall()
    assert changed == [("p1", 20, 20), ("p2", 22, 20)]
    missing = con.execute(
        "select phase_id, target_no from mart.target_progress where is_missing order by all"
    ).fetchall()
    assert missing == [("p2", "T8"), ("p3", "T8"), ("p4", "T8")]


def check(con: duckdb.DuckDBPyConnection, name: str, phase: str) -> tuple[bool, str]:
    return con.execute(
        "select passed, message from quality.check_result where check_name = ? and phase_id = ?",
        [name, phase],
    ).fetchall()[0]


def test_values_that_do_not_add_up_are_told_with_their_figures(con: duckdb.DuckDBPyConnection) -> None:
    instruments = "T2 教学仪器：3.9232+25=28.9232，总目标 30 万台，相差 1.0768"
    title = "当期任务的各期计划值之和等于总目标：不符合的有 "
    assert check(con, "targets_add_up", "p1") == (False, title + instruments)
    assert check(con, "targets_add_up", "p2") == (
        False,
        f"{title}T1 校舍鉴定：10+22+5=37，总目标 35 万㎡，相差 2；{instruments}",
    )
    audited = con.execute(
        "select severity, message from mart.plan_audit where phase_id = 'p1' and rule = 'targets_do_not_add_up'"
    ).fetchall()
    assert audited == [
        ("warning", "任务 T2“教学仪器”各期计划加起来不等于总目标：3.9232+25=28.9232，总目标 30 万台")
    ]


def test_reports_without_target_and_periods_without_date_are_told(con: duckdb.DuckDBPyConnection) -> None:
    assert check(con, "target_actuals_have_a_target", "p1")[0]
    orphan = check(con, "target_actuals_have_a_target", "p2")
    assert orphan == (
        False,
        "填报的完成值都对应方案中的任务和期间：不符合的有 2024-05-31/target_actuals.csv 第 7 行：任务 T9 期间 2024",
    )
    assert not check(con, "target_periods_are_dated", "p1")[0]
    assert "任务 T6 期间“任期内”" in check(con, "target_periods_are_dated", "p1")[1]


@pytest.fixture(scope="module")
def baodi(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    folder: Path = tmp_path_factory.mktemp("baodi")
    settings = Settings(
        CHECKOUT / "data", folder / "warehouse.duckdb", folder / "published", date(2026, 1, 1)
    )
    with connect(refresh(settings, districts=("120115",)).path, read_only=True) as con:
        yield con


def test_the_yearly_values_of_baodi_add_up(baodi: duckdb.DuckDBPyConnection) -> None:
    checked = baodi.execute(
        "select phase_id, passed, message from quality.check_result where check_name = 'targets_add_up' order by all"
    ).fetchall()
    assert checked == [
        (year, True, "当期任务的各期计划值之和等于总目标：符合") for year in ("2020", "2021", "2022")
    ]
    planned = baodi.execute(
        "select target_no, sum(planned::decimal(18, 4))::varchar, any_value(total) from mart.target_progress "
        "where phase_id = '2022' and target_no in ('B01', 'B05-1', 'B07') group by all order by all"
    ).fetchall()
    assert planned == [("B01", "53.7000", 53.7), ("B05-1", "29.3300", 29.33), ("B07", "50.0000", 50)]


def test_the_targets_of_baodi_year_by_year(baodi: duckdb.DuckDBPyConnection) -> None:
    found = baodi.execute(
        "select phase_id, state, count(*) from mart.target_progress group by all order by all"
    ).fetchall()
    assert found == [
        ("2020", "achieved", 5), ("2020", "missed", 2), ("2020", "no_report", 10), ("2020", "not_due", 42),
        ("2021", "achieved", 21), ("2021", "behind", 1), ("2021", "missed", 2), ("2021", "no_report", 7),
        ("2021", "not_due", 25), ("2021", "on_track", 3),
        ("2022", "achieved", 45), ("2022", "missed", 2), ("2022", "no_report", 12),
    ]  # fmt: skip
    # what 2021 fell short of, 2022 made up for
    made_up = baodi.execute(
        "select period, actual, state, actual_to_date from mart.target_progress "
        "where phase_id = '2022' and target_no = 'B07' order by period"
    ).fetchall()
    assert made_up == [("2020", 17, "achieved", 50), ("2021", 15, "missed", 50), ("2022", 18, "achieved", 50)]
