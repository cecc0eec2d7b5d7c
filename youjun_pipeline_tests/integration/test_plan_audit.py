"""Each rule of the plan audit, in a case with a finding and in a case without."""

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
    TOO_MANY,
    one_class,
    primary_school,
    write_story,
)
from youjun_pipeline_tests.steps import places, refresh

# 好 passes; the others have a class of 50.
CODES = {
    name: f"212011400{n}"
    for n, name in enumerate(("甲小学", "乙小学", "丙小学", "丁小学", "好小学"), start=1)
}


def measure(no: str, schools: str, **given: Any) -> dict[str, Any]:
    """A complete measure, except for the given columns."""
    row = {
        "measure_no": no,
        "indicator": "G5",
        "stage": "primary",
        "school_names": schools,
        "measure_type": "招生政策",
    }
    row |= {
        "receiving_school": "",
        "description": "划片",
        "due": "2024-06-30",
        "bureau_sections": "教育管理科",
    }
    return row | {"responsible_units": "区教育局", "responsible_person": "李四", "source": "附件"} | given


def milestone(no: str, due: str, task: str, measure_no: str = "", indicator: str = "") -> dict[str, Any]:
    return {"milestone_no": no, "measure_no": measure_no, "indicator": indicator, "due": due, "task": task}


def claim(indicator: str, school: str, count: str, stage: str = "小学") -> dict[str, Any]:
    return {
        "source": "督办函",
        "indicator": indicator,
        "stage": stage,
        "school_name": school,
        "claimed_count": count,
    }


MEASURES = [
    measure("M01", "甲小学"),
    measure("M02", "乙小学", source="正文"),
    measure("M03", "好小学"),
    measure("M04", "甲小学、好小学"),
    measure("M05", "丁小学", responsible_person=""),
    measure("M06", "丁小学", bureau_sections="", responsible_units=""),
    measure("M07", "丁小学", responsible_units=""),
    measure("M08", "丁小学", due=""),
    measure("M09", "丁小学", measure_type="分流"),
    measure("M10", "丁小学", measure_type="分流", receiving_school="好小学"),
    measure("M11", "甲小学", due="2025-03-31"),
    measure("M12", "甲小学", indicator="R4", measure_type="改扩建", due="2024-12-20", description="扩建甲小学教学楼"),
    measure("M13", "丁小学", indicator="G3", measure_type="改扩建", due="2024-12-31", description="等甲小学教学楼建成"),
    measure("M14", "丁小学", indicator="R4", measure_type="分流", receiving_school="试验镇新城学校", due="2024-12-31"),
    measure("M15", "丁小学", indicator="R5", measure_type="分流", receiving_school="新城中小学", due="2024-08-31"),
    measure("M16", "丁小学", indicator="R6", measure_type="分流", receiving_school="湖滨小学", due="2024-05-31",
            description="湖滨小学2024年春季启用后分流"),
    measure("M17", "丁小学", indicator="R7", measure_type="分流", receiving_school="江南学校", due="2024-05-31"),
    # the text extends both schools, the annex one of them
    measure("M18", "丙小学、丁小学", indicator="R7", measure_type="改扩建", source="正文", description="扩建"),
    measure("M19", "丙小学", indicator="R7", measure_type="改扩建", description="扩建"),
]  # fmt: skip
MILESTONES = [
    milestone("N01", "2024-06-30", "完成教学楼部分主体", "M01"),
    milestone("N02", "2023-12-31", "定出整改方案", "M04"),
    milestone("N03", "2024-06-30", "整改全部到位", "M05"),
    milestone("N04", "2024-12-31", "扩建工程竣工", indicator="R4"),
    milestone("N05", "2024-12-31", "落实主体责任，方案全部执行到位", indicator="G3"),
    milestone("N06", "2024-08-31", "整改全部到位", indicator="R5"),
    milestone("N07", "2024-03-31", "江南学校建成启用", indicator="R7"),
    milestone("N08", "2024-04-30", "核实用房", indicator="R6"),
    milestone("N09", "2024-05-31", "分流到位", indicator="R6"),
]
BUDGETS = [
    {"budget_no": "B1", "indicator": "G5", "stage": "", "amount_wan": "120.5"},
    {"budget_no": "B2", "indicator": "R4", "stage": "", "amount_wan": "0"},
]
CLAIMS = [
    claim("G5", "", "5"), claim("G5", "甲小学", ""), claim("G5", "乙小学", ""), claim("G5", "丙小学", ""),
    claim("G5", "丁小学", ""), claim("G4", "", "1"), claim("G4", "甲小学", ""), claim("R4", "", "3"),
    claim("合计", "", "4", ""), claim("指标合计", "", "3", ""),
]  # fmt: skip


def report(no: str, milestone_no: str, evidence: str, state: str = "done") -> dict[str, Any]:
    row = {"reported_on": "2024-05-20", "measure_no": no, "milestone_no": milestone_no, "state": state}
    return {**row, "evidence": evidence, "reporter": "张三"}


LATER = [m for m in MEASURES if m["measure_no"] not in ("M08",)]
PLAN: dict[str, dict[str, list[dict[str, Any]]]] = {
    DAYS[0]: {
        "measures": MEASURES,
        "milestones": MILESTONES,
        "budgets": BUDGETS,
        "superior_findings": CLAIMS,
    },
    DAYS[1]: {
        "measures": LATER,
        "milestones": [m for m in MILESTONES if m["milestone_no"] != "N02"],
        "progress": [
            report("M01", "", ""),
            report("M02", "", "验收单"),
            report("", "N03", " "),
            report("M04", "", "", "in_progress"),
            report("M12", "", "竣工照片") | {"spent_wan": "30.5"},
            report("M13", "", "", "in_progress") | {"spent_wan": "2"},
            report("M10", "", "", "in_progress") | {"spent_wan": "120.5"},
        ],
    },
}


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    folder: Path = tmp_path_factory.mktemp("audit")
    judged = {
        "schools": [primary_school(code, name) for name, code in CODES.items()],
        "classes": [
            one_class(code, ENOUGH if name == "好小学" else TOO_MANY) for name, code in CODES.items()
        ],
    }
    write_story(folder, {DAYS[0]: judged}, PLAN)
    with connect(refresh(places(folder)).path, read_only=True) as con:
        yield con


Found = list[tuple[Any, ...]]


def found(con: duckdb.DuckDBPyConnection, rule: str, phase: str = "p1") -> Found:
    """Severity, indicator, stage, school and measure of a rule's rows."""
    return con.execute(
        "select severity, indicator_code, stage, school_name, measure_no from mart.plan_audit "
        "where rule = ? and phase_id = ? order by all",
        [rule, phase],
    ).fetchall()


def said(con: duckdb.DuckDBPyConnection, rule: str, phase: str = "p1") -> list[str]:
    messages = con.execute(
        "select message from mart.plan_audit where rule = ? and phase_id = ? order by 1", [rule, phase]
    ).fetchall()
    return [message for (message,) in messages]


def test_findings_without_a_measure(con: duckdb.DuckDBPyConnection) -> None:
    assert found(con, "finding_without_measure") == [("serious", "G5", "primary", "丙小学", None)]
    assert said(con, "finding_without_measure") == ["丙小学的“班额”（G5，小学）未达标，方案没有任何措施"]


def test_findings_that_only_the_text_answers(con: duckdb.DuckDBPyConnection) -> None:
    assert found(con, "annex_lacks_measure") == [("serious", "G5", "primary", "乙小学", None)]
    assert said(con, "annex_lacks_measure") == [
        "乙小学的“班额”（G5，小学）未达标，只有正文的措施（M02），附件没有：附件才定时限和责任"
    ]


def test_measures_without_a_finding(con: duckdb.DuckDBPyConnection) -> None:
    rows = found(con, "measure_without_finding")
    assert [row for row in rows if row[1] == "G5"] == [
        ("note", "G5", "primary", None, "M04"),
        ("warning", "G5", "primary", None, "M03"),
    ]
    assert (
        "措施 M04 针对“班额”，而所列 2 所学校中有 1 所没有这个问题：好小学。请核对指标、学段和学校"
        in said(con, "measure_without_finding")
    )


def test_what_measures_lack(con: duckdb.DuckDBPyConnection) -> None:
    assert found(con, "no_responsible_person") == [("warning", "G5", "primary", None, "M05")]
    assert found(con, "no_owner") == [
        ("serious", "G5", "primary", None, "M06"),
        ("warning", "G5", "primary", None, "M07"),
    ]
    assert said(con, "no_owner") == ["措施 M06 没有责任科室，也没有责任单位", "措施 M07 没有责任单位"]
    assert found(con, "no_due") == [("serious", "G5", "primary", None, "M08")]
    assert found(con, "no_receiving_school") == [("warning", "G5", "primary", None, "M09")]


def test_indicators_without_money(con: duckdb.DuckDBPyConnection) -> None:
    assert found(con, "no_budget") == [
        ("note", "R5", None, None, None),
        ("note", "R6", None, None, None),
        ("warning", "G3", None, None, None),
        ("warning", "R4", None, None, None),
        ("warning", "R7", None, None, None),
        ("warning", None, None, None, None),
    ]
    assert "6 项有措施的指标中，只有 1 项安排了资金：G5 120.5 万元" in said(con, "no_budget")
    assert "“教学用房”（R4）没有安排资金，而措施中有改扩建，一般要花钱" in said(con, "no_budget")


def test_money_spent_beyond_the_budget_or_without_one(con: duckdb.DuckDBPyConnection) -> None:
    assert said(con, "over_budget", "p2") == [
        "“教学用房”（R4）已支出 30.5 万元，超过预算 0 万元，超支 30.5 万元：请说明资金来源，或调整预算"
    ]
    assert found(con, "spent_without_budget", "p2") == [("warning", "G3", None, None, None)]
    # as much as the budget is no overspend; what is not in the budget cannot be over it
    assert con.execute(
        "select indicator_code, budget_wan, spent_wan, over_wan, is_over_budget, measures_reporting "
        "from mart.indicator_money where phase_id = 'p2' and spent_wan is not null order by indicator_code"
    ).fetchall() == [
        ("G3", None, 2.0, None, None, 1),
        ("G5", 120.5, 120.5, 0.0, False, 1),
        ("R4", 0.0, 30.5, 30.5, True, 1),
    ]


def test_done_without_evidence(con: duckdb.DuckDBPyConnection) -> None:
    assert found(con, "no_evidence", "p1") == []
    assert said(con, "no_evidence", "p2") == [
        "措施 M01 于 2024-05-20 填报已完成，没有佐证材料",
        "节点 N03 于 2024-05-20 填报已完成，没有佐证材料",
    ]


def test_last_milestones_that_deliver_nothing(con: duckdb.DuckDBPyConnection) -> None:
    assert found(con, "last_milestone_not_delivering") == [
        ("serious", "G5", "primary", None, "M01"),
        ("warning", "G5", "primary", None, "M04"),
    ]
    assert said(con, "last_milestone_not_delivering") == [
        "“班额”（G5）的措施 M01：完成时限 2024-06-30 这一天的最后节点只要求“完成教学楼部分主体”，到期也不能达标",
        "“班额”（G5）的措施 M04：最后一个节点（2023-12-31）只是“定出整改方案”，此后到完成时限 2024-06-30 没有交付成果的节点",
    ]
    without = {row[4] for row in found(con, "no_milestone")}
    assert without == {"M02", "M03", "M06", "M07", "M08", "M09", "M10", "M11"}
    # what is done needs no further milestone
    assert found(con, "last_milestone_not_delivering", "p2") == []


def test_buildings_without_a_date(con: duckdb.DuckDBPyConnection) -> None:
    # 湖滨小学 is dated by its measure's words, 江南学校 by a milestone, 好小学 is open
    assert found(con, "building_without_date") == [
        ("serious", None, None, "新城中小学", None),
        ("warning", None, None, "甲小学", None),
    ]
    assert "“甲小学”的新建、改扩建工程没有写明建成时间，而措施 M12、M13 要靠它" in said(
        con, "building_without_date"
    )
    assert "“新城中小学”没有写明建成时间，而措施 M14、M15 要靠它" in said(con, "building_without_date")


def test_measures_that_rest_on_another_building(con: duckdb.DuckDBPyConnection) -> None:
    assert found(con, "measure_rests_on_other_building") == [
        ("warning", "G3", "primary", "甲小学", "M13"),
        ("warning", "R4", "primary", "新城中小学", "M14"),
        ("warning", "R5", "primary", "新城中小学", "M15"),
    ]
    assert said(con, "measure_rests_on_other_building")[:2] == [
        "措施 M13 要靠“甲小学”的工程，它列在“教学用房”的措施 M12 名下：工程一拖，这项也拖",
        "措施 M14 要靠“新城中小学”建成，R4、R5 的措施都等着它，而方案没有一项措施负责建它",
    ]
    # M12 is done by then
    assert [row[4] for row in found(con, "measure_rests_on_other_building", "p2")] == ["M14", "M15"]


def test_deadlines_against_the_acceptance(con: duckdb.DuckDBPyConnection) -> None:
    assert found(con, "deadline_in_acceptance_month") == [
        ("serious", None, None, None, None),
        ("warning", "G3", None, None, None),
        ("warning", "R4", None, None, None),
    ]
    assert (
        "6 项指标中有 2 项的完成时间定在“验收”结束的当月（2024-12）：R4、G3。有一项拖期，就赶不上了"
        in said(con, "deadline_in_acceptance_month")
    )
    assert found(con, "deadline_in_acceptance_phase") == [("note", "R5", None, None, None)]
    assert found(con, "deadline_after_phase") == [("serious", "G5", None, None, "M11")]
    assert said(con, "deadline_after_phase") == [
        "“班额”（G5）有 1 项措施（M11）最晚到 2025-03-31 才完成，“验收”在 2024-12-31 就结束了"
    ]
    # in the phase of the recognition nothing is measured against the acceptance any more
    assert found(con, "deadline_after_phase", "p4") == []


def test_parts_of_the_plan_that_disagree(con: duckdb.DuckDBPyConnection) -> None:
    # 丙小学 is extended by both; 丁小学 is extended by the text and relieved by the annex (M17)
    assert said(con, "body_annex_disagree") == [
        "“多媒体教室”（R7）同一批学校，正文是改扩建 2 所，附件是分流 1 所、改扩建 1 所；说法不同的有 1 所：丁小学"
    ]


def test_numbers_against_names(con: duckdb.DuckDBPyConnection) -> None:
    assert found(con, "claimed_count_disagrees") == [
        ("warning", "G5", "primary", None, None),
        ("warning", None, None, None, None),
    ]
    assert said(con, "claimed_count_disagrees") == [
        "“班额”（G5）小学说有 5 所未达标，点名的是 4 所",
        "说有 3 项指标未达标，列出的是 2 项",
    ]


def test_what_a_later_delivery_leaves_out(con: duckdb.DuckDBPyConnection) -> None:
    assert found(con, "measure_missing_later", "p1") == []
    assert found(con, "measure_missing_later", "p2") == [("serious", "G5", "primary", None, "M08")]
    assert found(con, "no_due", "p2") == []
    assert found(con, "milestone_missing_later", "p2") == [("warning", "G5", None, None, "M04")]


@pytest.mark.long
def test_a_plan_that_was_never_delivered_is_said_once(tmp_path: Path) -> None:
    judged = {
        "schools": [primary_school(code, name) for name, code in CODES.items()],
        "classes": [one_class(code, TOO_MANY) for code in CODES.values()],
    }
    write_story(tmp_path, {DAYS[0]: judged}, {})
    with connect(refresh(places(tmp_path)).path, read_only=True) as con:
        rows = con.execute(
            "select rule, severity, message from mart.plan_audit where phase_id = 'p1'"
        ).fetchall()
    assert rows == [("finding_without_measure", "serious", "没有报送整改措施清单：5 个问题都没有措施")]
