"""What the audit finds in 武清's plan by itself, and what the plan means for the coming phases."""

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

STARTUP, IMPLEMENTATION, MUNICIPAL, NATIONAL = (
    "2023-startup",
    "2023-implementation",
    "2024-municipal",
    "2025-national",
)
MODELS = CHECKOUT / "youjun_pipeline" / "models"


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    folder: Path = tmp_path_factory.mktemp("wuqing")
    settings = Settings(
        CHECKOUT / "data", folder / "warehouse.duckdb", folder / "published", date(2026, 1, 1)
    )
    with connect(refresh(settings, districts=("120114",)).path, read_only=True) as con:
        yield con


def audit(con: duckdb.DuckDBPyConnection, rule: str, phase: str = STARTUP) -> list[tuple[Any, ...]]:
    return con.execute(
        "select indicator_code, stage, school_name, measure_no from mart.plan_audit where rule = ? and phase_id = ? "
        "order by all",
        [rule, phase],
    ).fetchall()


def messages(con: duckdb.DuckDBPyConnection, rule: str, phase: str = STARTUP) -> list[str]:
    found = con.execute(
        "select message from mart.plan_audit where rule = ? and phase_id = ? order by 1", [rule, phase]
    )
    return [message for (message,) in found.fetchall()]


def test_nothing_of_the_district_stands_in_the_models() -> None:
    words = ("120114", "武清", "宝坻", "杨村", "滨河", "强国道", "光明道", "广贤路", "翡翠", "R4-", "G5-")
    files = [
        *MODELS.glob("rule/plan_*.sql"),
        *MODELS.glob("scenario/projection*.sql"),
        MODELS / "mart" / "plan_audit.sql",
    ]
    assert len(files) > 10
    found = [
        (path.name, line)
        for path in files
        for line in path.read_text(encoding="utf-8").splitlines()
        if not line.lstrip().startswith("--") and any(word in line for word in words)
    ]
    assert found == []


def test_coefficients_without_a_measure(con: duckdb.DuckDBPyConnection) -> None:
    assert audit(con, "finding_without_measure") == [("R4", "primary", None, None)]
    assert messages(con, "finding_without_measure") == [
        "小学“教学用房”（R4）校际差异系数超限，方案没有任何措施"
    ]
    assert audit(con, "annex_lacks_measure") == [("R5", "primary", None, None)]
    assert messages(con, "annex_lacks_measure") == [
        "小学“体育场馆”（R5）校际差异系数超限，只有正文的措施（R5-PB），附件没有：附件才定时限和责任"
    ]
    # crowded later, and never in the plan
    assert ("G5", "primary", "王庆坨镇王庆坨中心小学", None) in audit(
        con, "finding_without_measure", MUNICIPAL
    )


def test_the_last_milestone_reaches_part_of_the_structure(con: duckdb.DuckDBPyConnection) -> None:
    serious = con.execute(
        "select indicator_code, measure_no, message from mart.plan_audit "
        "where rule = 'last_milestone_not_delivering' and severity = 'serious' and phase_id = ?",
        [STARTUP],
    ).fetchall()
    assert serious == [
        ("R4", "R4-J1", "“教学用房”（R4）的措施 R4-J1：完成时限 2024-12-31 这一天的最后节点只要求"
         "“强国道学校、光明道中小学教学楼完成部分主体施工”，到期也不能达标")
    ]  # fmt: skip


def test_new_schools_without_a_completion_date(con: duckdb.DuckDBPyConnection) -> None:
    new = con.execute(
        "select school_name from mart.plan_audit where rule = 'building_without_date' and severity = 'serious' "
        "and phase_id = ? order by 1",
        [STARTUP],
    ).fetchall()
    assert new == [("广贤路新建学校",), ("强国道中小学",), ("翡翠半岛中小学",)]
    # 翡翠半岛 opened in 2024, 强国道 and 广贤路 in 2025
    later = {
        phase: {row[2] for row in audit(con, "building_without_date", phase)}
        for phase in (MUNICIPAL, NATIONAL)
    }
    assert "翡翠半岛中小学" not in later[MUNICIPAL]
    assert later[NATIONAL] == set()


def test_six_of_eight_due_in_the_month_of_the_acceptance(con: duckdb.DuckDBPyConnection) -> None:
    assert {row[0] for row in audit(con, "deadline_in_acceptance_month")} == {
        "R4",
        "R7",
        "G3",
        "G4",
        "G5",
        "Q9",
        None,
    }
    assert (
        "8 项指标中有 6 项的完成时间定在“市级验收”结束的当月（2024-12）：R4、R7、G3、G4、G5、Q9。有一项拖期，就赶不上了"
        in messages(con, "deadline_in_acceptance_month")
    )
    # put off to 2025-08 after the acceptance
    assert {row[0] for row in audit(con, "deadline_after_phase", MUNICIPAL)} == {
        "R4",
        "R5",
        "G3",
        "G4",
        "G5",
        "Q9",
    }
    assert audit(con, "deadline_after_phase", NATIONAL) == []


def test_money_person_and_counts(con: duckdb.DuckDBPyConnection) -> None:
    assert {row[0] for row in audit(con, "no_budget")} == {"R5", "R6", "R7", "G4", "G5", "Q9", None}
    assert "8 项有措施的指标中，只有 2 项安排了资金：R4 5000 万元、G3 200 万元" in messages(con, "no_budget")
    assert messages(con, "no_responsible_person") == [
        "方案的 32 项措施都没有责任人：只写到科室和单位，出了问题找不到人"
    ]
    assert messages(con, "claimed_count_disagrees") == [
        "说有 53 所学校未达标，点名的是 52 所（不重复计：小学 39、初中 13）"
    ]
    assert audit(con, "no_owner") == audit(con, "no_due") == audit(con, "measure_without_finding") == []


def test_text_and_annex_disagree(con: duckdb.DuckDBPyConnection) -> None:
    assert messages(con, "body_annex_disagree") == [
        "“教学用房”（R4）同一批学校，正文是改扩建 21 所，附件是改扩建 17 所、分流 4 所；说法不同的有 4 所："
        "下朱庄街静湖小学、大王古庄镇大王古庄中心小学、杨村第十一小学、黄庄街泉昇小学"
    ]


def test_measures_that_rest_on_another_building(con: duckdb.DuckDBPyConnection) -> None:
    resting: dict[str, set[str]] = {}
    for _, _, building, measure in audit(con, "measure_rests_on_other_building"):
        resting.setdefault(building, set()).add(measure)
    assert resting == {
        "滨河小学": {"R6-P1", "R6-P2", "G3-P3", "G3-P4", "G5-P2"},
        "广贤路新建学校": {"G4-P2", "G5-P3"},
        "强国道中小学": {"G5-J1"},
        "光明道中学": {"G3-J1", "G5-J1"},
        "光明道小学": {"G3-P1"},
    }
    assert "滨河小学" not in {row[2] for row in audit(con, "measure_rests_on_other_building", IMPLEMENTATION)}


def test_the_plan_cannot_be_projected_and_says_so(con: duckdb.DuckDBPyConnection) -> None:
    planned = con.execute(
        "select indicator_code, stage, findings_left, passes, message from mart.projection "
        "where phase_id = ? and coming_phase_id = ? and basis = 'planned'",
        [STARTUP, MUNICIPAL],
    ).fetchall()
    # every finding of today is left, since no measure says by how much it helps; none is taken for solved
    assert sum(left for _, _, left, _, _ in planned) == 90
    assert {passes for *_, passes, _ in planned} == {None}
    assert all("未量化，不作假设" in message for *_, message in planned)
    r4 = next(
        message for indicator, stage, _, _, message in planned if (indicator, stage) == ("R4", "junior")
    )
    assert (
        r4 == "到“市级验收”结束（2024-12-31）：仍有 5 个问题；3 项措施未量化，不作假设：R4-J1、R4-J2、R4-JB"
    )


def test_slippage_shows_before_the_acceptance(con: duckdb.DuckDBPyConnection) -> None:
    def passes(basis: str) -> dict[tuple[str, str | None], bool | None]:
        found = con.execute(
            "select indicator_code, stage, passes from mart.projection "
            "where phase_id = ? and coming_phase_id = ? and basis = ?",
            [IMPLEMENTATION, MUNICIPAL, basis],
        ).fetchall()
        return {(indicator, stage): verdict for indicator, stage, verdict in found}

    # G3-P2 is reported done, and the rooms are still missing: nothing more will come of it
    assert {cell for cell, verdict in passes("planned").items() if verdict is not None} == {("G3", "primary")}
    message = con.execute(
        "select message from mart.projection where phase_id = ? and coming_phase_id = ? and basis = 'planned' "
        "and indicator_code = 'G3' and stage = 'primary'",
        [IMPLEMENTATION, MUNICIPAL],
    ).fetchall()
    assert message == [
        (
            "到“市级验收”结束（2024-12-31）：仍有 5 个问题；1 项措施未量化，不作假设：G3-P1；1 项措施已报完成而问题还在：G3-P2",
        )
    ]
    late = {cell for cell, verdict in passes("slippage").items() if verdict is False}
    assert ("R4", "junior") in late
    assert ("Q9", None) not in late
    assert set(passes("verified").values()) == {False}
