"""The verdict at the end of each coming phase: the changes by measures with a quantity, by hand and to the last pupil."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline_tests.integration.plan_story import DAYS, one_class, primary_school, write_story
from youjun_pipeline_tests.steps import places, refresh

P2, P3, P4 = "p2", "p3", "p4"
CODE, TWIN = "120114", "120199"
"""The district, and another that delivers the very same files."""
# What each primary school has, of 400 pupils unless given: all that is not named here passes.
SCHOOLS: dict[str, dict[str, Any]] = {
    "面积小学": {"teaching_area_m2": 1500},
    # R4 stands on its threshold: what is added for R5 must not be taken off there
    "场地小学": {"outdoor_sports_area_m2": 2800, "teaching_area_m2": 1800},
    "设备小学": {"equipment_value_wan": 70},
    "设备二小": {"equipment_value_wan": 70},
    "教室小学": {"multimedia_rooms": 9},
    "教室二小": {"multimedia_rooms": 8},
    "大校": {"students": 2100},
    "邻校": {"students": 1950},
    "并入小学": {"students": 100, "teaching_area_m2": 300},
    "接收小学": {
        "students": 300,
        "teaching_area_m2": 1800,
        "outdoor_sports_area_m2": 3200,
        "equipment_value_wan": 84,
    },
    "并入二小": {"students": 100, "teaching_area_m2": 300},
    "接收二小": {
        "students": 300,
        "teaching_area_m2": 1790,
        "outdoor_sports_area_m2": 3200,
        "equipment_value_wan": 84,
    },
    "音美小学": {"special_rooms": 0},
    "音美二小": {"special_rooms": 0},
    "班额小学": {"largest_class": 50},
    "班额二小": {"largest_class": 50},
    "拖期小学": {"teaching_area_m2": 1500},
    "无数小学": {"teaching_area_m2": 1500},
    "合写小学": {"teaching_area_m2": 1500},
    "合写二小": {"teaching_area_m2": 1500},
    "已完小学": {"teaching_area_m2": 1500},
    "体艺小学": {"pe": 3},
    "骨干小学": {"backbone": 2},
}
# In junior schools teachers with 专科 count for nothing in R1.
JUNIORS = {
    "东中学": {"teaching_area_m2": 600, "bachelor": 5},
    "西中学": {"teaching_area_m2": 2400, "bachelor": 6},
}
CODES = {name: f"2120114{n:03}" for n, name in enumerate([*SCHOOLS, *JUNIORS], start=1)}

# 措施编号, 指标, 学校, 类型, 接收学校, 数量, 单位, 完成时间
MEASURES = [
    ("R4-1", "R4", "面积小学", "改扩建", "", "300", "㎡", "2024-06-30"),
    # the annex says of the same work what the text says
    ("R4-1B", "R4", "面积小学", "改扩建", "", "280", "平方米", "2024-06-30"),
    ("R4-2", "R4", "并入小学", "并入", "接收小学", "", "", "2024-06-30"),
    ("R4-3", "R4", "并入二小", "并入", "接收二小", "", "", "2024-06-30"),
    ("R4-4", "R4", "拖期小学", "改扩建", "", "300", "m²", "2024-06-30"),
    ("R4-5", "R4", "无数小学", "改扩建", "", "", "", "2024-06-30"),
    ("R4-6", "R4", "合写小学、合写二小", "改扩建", "", "600", "㎡", "2024-06-30"),
    ("R4-7", "R4", "已完小学", "改扩建", "", "300", "㎡", "2024-06-30"),
    ("R4-8", "R4", "东中学", "改扩建", "", "600", "㎡", "2024-12-31"),
    ("R5-1", "R5", "场地小学", "租赁", "", "0.02", "万平方米", "2024-12-31"),
    ("R6-1", "R6", "设备小学", "设备调配", "", "10", "万元", "2024-06-30"),
    ("R6-2", "R6", "设备二小", "设备调配", "", "99999", "元", "2024-06-30"),
    ("R7-1", "R7", "教室小学", "功能调整", "", "1", "间", "2024-06-30"),
    ("G4-1", "G4", "大校", "分流", "邻校", "100", "人", "2024-06-30"),
    # the same pupils once more, for another indicator: they move once
    ("R1-1", "R1", "大校", "分流", "邻校", "100", "人", "2024-06-30"),
    ("G3-1", "G3", "音美小学", "功能调整", "", "2", "间", "2024-06-30"),
    ("G3-2", "G3", "音美二小", "功能调整", "", "1", "间", "2024-06-30"),
    ("G5-1", "G5", "班额小学", "分流", "将来小学", "5", "人", "2024-06-30"),
    ("G5-2", "G5", "班额二小", "分流", "将来小学", "4", "人", "2024-06-30"),
    ("R1-2", "R1", "东中学", "补充教师", "", "1", "人", "2024-06-30"),
    ("R3-1", "R3", "体艺小学", "补充教师", "", "1", "名", "2024-06-30"),
    ("R2-1", "R2", "骨干小学", "教师培养", "", "2", "批", "2024-06-30"),
]


def datasets() -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {
        name: [] for name in ("schools", "classes", "teachers", "facilities", "special_rooms")
    }
    for name, given in {**SCHOOLS, **JUNIORS}.items():
        code, students = CODES[name], given.get("students", 100 if name in JUNIORS else 400)
        stage = "junior" if name in JUNIORS else "primary"
        row = primary_school(code, name, built_year=2020, primary_students=students)
        if stage == "junior":
            row |= {"school_type": "初级中学", "primary_students": None, "junior_students": students}
        found["schools"].append(row)
        found["classes"].append(one_class(code, given.get("largest_class", 40), stage))
        full = {
            "doctorate": 0,
            "master": 0,
            "bachelor": given.get("bachelor", students),
            "associate": 0,
            "full_time": students,
        }
        found["teachers"].append(
            {"school_code": code, "stage": stage, **full, "staff": students, "backbone": given.get("backbone", students),
             "pe": given.get("pe", students), "music": 0, "fine_art": 0, "art": 0}
        )  # fmt: skip
        per_pupil = {"teaching_area_m2": 5, "outdoor_sports_area_m2": 11, "equipment_value_wan": 0.3}
        if stage == "primary":
            per_pupil |= {"outdoor_sports_area_m2": 8, "equipment_value_wan": 0.21}
        figures = {column: given.get(column, round(x * students, 4)) for column, x in per_pupil.items()}
        found["facilities"].append(
            {"school_code": code, "indoor_sports_area_m2": 0, "multimedia_rooms": given.get("multimedia_rooms", students),
             "other_sports_area_m2": 0, "rented_sports_area_m2": 0, **figures}
        )  # fmt: skip
        found["special_rooms"] += [
            {"school_code": code, "kind": kind, "room_no": kind, "area_m2": 100}
            for kind in ("music", "art")[: given.get("special_rooms", 2)]
        ]
    return found


def plan() -> dict[str, list[dict[str, Any]]]:
    names = (
        "measure_no",
        "indicator",
        "school_names",
        "measure_type",
        "receiving_school",
        "quantity",
        "unit",
        "due",
    )
    measures = [
        dict(zip(names, row, strict=True))
        | {
            "stage": "junior" if row[2] in JUNIORS else "primary",
            "source": "正文" if row[0].endswith("B") else "附件",
        }
        for row in MEASURES
    ]
    report = {"milestone_no": "", "reporter": "张三", "evidence": "照片"}
    progress = [
        {
            "reported_on": "2023-08-20",
            "measure_no": "R4-4",
            "state": "in_progress",
            "expected_on": "2025-03-31",
            **report,
        },
        {"reported_on": "2023-08-20", "measure_no": "R4-7", "state": "done", "expected_on": "", **report},
    ]
    return {"measures": measures, "progress": progress}


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    folder: Path = tmp_path_factory.mktemp("projection")
    write_story(folder, {DAYS[0]: datasets()}, {DAYS[0]: plan()})
    district = next(folder.iterdir())
    shutil.copytree(district, folder / f"{TWIN}-twin")
    paper = folder / f"{TWIN}-twin" / "district.toml"
    paper.write_text(paper.read_text(encoding="utf-8").replace(CODE, TWIN), encoding="utf-8")
    with connect(refresh(places(folder)).path, read_only=True) as con:
        yield con


Cells = dict[tuple[str, str], tuple[int, bool | None]]


def projected(con: duckdb.DuckDBPyConnection, coming: str, basis: str) -> Cells:
    found = con.execute(
        "select indicator_code, coalesce(stage, ''), findings_left, passes from mart.projection "
        "where district_code = '120114' and phase_id = 'p1' "
        "and coming_phase_id = ? and basis = ? and stage is not null",
        [coming, basis],
    )
    return {(indicator, stage): (left, passes) for indicator, stage, left, passes in found.fetchall()}


def message(
    con: duckdb.DuckDBPyConnection, coming: str, basis: str, indicator: str, stage: str = "primary"
) -> str:
    return con.execute(
        "select message from mart.projection where district_code = '120114' and phase_id = 'p1' "
        "and coming_phase_id = ? and basis = ? "
        "and indicator_code = ? and stage = ?",
        [coming, basis, indicator, stage],
    ).fetchall()[0][0]


PLANNED_P2: Cells = {
    # left: 并入二小 (4.475 with 接收二小's pupils), 无数, 合写 twice, 已完; and 接收二小, which passes today
    ("R4", "primary"): (6, False),
    ("R4", "junior"): (1, False),
    ("R5", "primary"): (1, False),
    # 设备二小 has 1999.9975 元; 邻校 falls to 1997.56 with 100 pupils more
    ("R6", "primary"): (2, False),
    ("R7", "primary"): (1, False),
    ("G4", "primary"): (1, False),
    ("G3", "primary"): (1, False),
    ("G5", "primary"): (1, False),
    ("R3", "primary"): (0, True),
    ("R1", "junior"): (0, True),
    ("R2", "primary"): (1, None),
}


def test_the_findings_of_today(con: duckdb.DuckDBPyConnection) -> None:
    found = con.execute(
        "select indicator_code, stage, count(*) from mart.finding "
        "where district_code = '120114' and phase_id = 'p1' and stage is not null group by all"
    )
    assert {(i, s): n for i, s, n in found.fetchall()} == {
        ("R4", "primary"): 8, ("R4", "junior"): 1, ("R5", "primary"): 1, ("R6", "primary"): 2, ("R7", "primary"): 2,
        ("G4", "primary"): 1, ("G3", "primary"): 2, ("G5", "primary"): 2, ("R3", "primary"): 1, ("R2", "primary"): 1,
        ("R1", "junior"): 1,
    }  # fmt: skip


def test_measures_act_on_the_figures_by_their_date(con: duckdb.DuckDBPyConnection) -> None:
    assert projected(con, P2, "planned") == PLANNED_P2


def test_what_is_due_later_acts_later(con: duckdb.DuckDBPyConnection) -> None:
    # 200 ㎡ rented for 场地小学; 600 ㎡ for 东中学 brings the coefficient from 0.6 to a third
    later: Cells = {("R5", "primary"): (0, True), ("R4", "junior"): (0, True)}
    assert projected(con, P3, "planned") == PLANNED_P2 | later
    assert projected(con, P4, "planned") == PLANNED_P2 | later


def test_slippage_holds_back_what_is_late(con: duckdb.DuckDBPyConnection) -> None:
    # 拖期小学 is planned for 2024-06 and expected for 2025-03
    assert projected(con, P2, "slippage") == PLANNED_P2 | {("R4", "primary"): (7, False)}
    assert projected(con, P3, "slippage")["R4", "primary"] == (7, False)
    assert projected(con, P4, "slippage")["R4", "primary"] == (6, False)


def test_only_what_is_signed_off_is_verified(con: duckdb.DuckDBPyConnection) -> None:
    left = {cell: left for cell, (left, _) in projected(con, P4, "verified").items()}
    assert left == {
        ("R4", "primary"): 8, ("R4", "junior"): 1, ("R5", "primary"): 1, ("R6", "primary"): 2, ("R7", "primary"): 2,
        ("G4", "primary"): 1, ("G3", "primary"): 2, ("G5", "primary"): 2, ("R3", "primary"): 1, ("R2", "primary"): 1,
        ("R1", "junior"): 1,
    }  # fmt: skip
    assert {passes for _, passes in projected(con, P4, "verified").values()} == {False}


def test_messages_say_what_was_counted_and_what_was_not(con: duckdb.DuckDBPyConnection) -> None:
    assert message(con, P2, "planned", "R4") == (
        "到“攻坚”结束（2024-06-30）：仍有 5 个问题；新增未达标 1 处：接收二小；"
        "按数量计入 5 项措施：R4-1、R4-1B、R4-2、R4-3、R4-4；"
        "2 项措施未量化，不作假设：R4-5、R4-6；1 项措施已报完成而问题还在：R4-7"
    )
    assert message(con, P3, "slippage", "R4").endswith("1 项措施到那时还没有完成：R4-4")
    assert (
        message(con, P3, "planned", "R5")
        == "到“验收”结束（2024-12-31）：问题全部解决；按数量计入 1 项措施：R5-1"
    )
    assert message(con, P2, "planned", "G4") == (
        "到“攻坚”结束（2024-06-30）：问题全部解决；新增未达标 1 处：邻校；按数量计入 1 项措施：G4-1"
    )
    assert message(con, P2, "planned", "R2").endswith("1 项措施未量化，不作假设：R2-1")
    assert (
        message(con, P2, "verified", "R6")
        == "到“攻坚”结束（2024-06-30），只计已验收销号的：2 个问题中 2 个没有销号"
    )


def test_what_is_not_known_does_not_pass(con: duckdb.DuckDBPyConnection) -> None:
    found = con.execute(
        "select basis, findings_left, passes, message from mart.projection "
        "where district_code = '120114' and phase_id = 'p1' and coming_phase_id = 'p2' and indicator_code = 'S1' order by basis"
    ).fetchall()
    end = "到“攻坚”结束（2024-06-30）"
    assert found == [
        ("planned", 0, None, f"{end}：没有问题；1 处缺数据"),
        ("slippage", 0, None, f"{end}：没有问题；1 处缺数据"),
        ("verified", 0, None, f"{end}，只计已验收销号的：没有问题；1 处缺数据"),
    ]


def test_a_phase_that_has_ended_is_not_projected(con: duckdb.DuckDBPyConnection) -> None:
    found = con.execute(
        "select phase_id, list(distinct coming_phase_id order by coming_phase_id) from mart.projection "
        "where district_code = '120114' group by all"
    ).fetchall()
    assert dict(found) == {"p1": ["p2", "p3", "p4"], "p2": ["p3", "p4"], "p3": ["p4"]}


def test_the_figures_of_today_stay(con: duckdb.DuckDBPyConnection) -> None:
    today = con.execute(
        "select round(value, 4), status from mart.school_indicator "
        "where district_code = '120114' and phase_id = 'p1' and indicator_code = 'R4' "
        "and school_name in ('面积小学', '接收二小') order by school_code"
    ).fetchall()
    assert today == [(3.75, "below"), (5.9667, "met")]


def test_districts_with_the_same_files_do_not_mix(con: duckdb.DuckDBPyConnection) -> None:
    columns = "phase_id, coming_phase_id, basis, indicator_code, stage, findings_left, passes, message"
    own, twin = (
        con.execute(
            f"select {columns} from mart.projection where district_code = ? order by all", [code]
        ).fetchall()
        for code in (CODE, TWIN)
    )
    assert own == twin != []
