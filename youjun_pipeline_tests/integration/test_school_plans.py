"""一校一案 and the briefing: every failing school has its plan, and both papers agree with the marts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docx
import duckdb
import pytest
from openpyxl import load_workbook

from youjun_pipeline.reports.briefing import write_briefing
from youjun_pipeline.reports.evaluation import Evaluation, published_evaluations
from youjun_pipeline.reports.schools.plan import read_plans, write_school_plans
from youjun_pipeline.reports.schools.plan_papers import write_plan_papers
from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline_tests.integration.plan_story import DAYS, one_class, primary_school, write_story
from youjun_pipeline_tests.steps import places, refresh

SCHOOLS = {"2100000001": "=cmd|'/c calc'!A0", "2100000002": "黄庄街滨河小学", "2100000003": "达标小学"}


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[duckdb.DuckDBPyConnection, Evaluation]]:
    folder: Path = tmp_path_factory.mktemp("plans")
    towns = {"2100000002": {"township": "黄庄街道"}}
    roster = [primary_school(code, name, **towns.get(code, {})) for code, name in SCHOOLS.items()]
    sizes = dict(zip(SCHOOLS, (52, 50, 40), strict=True))
    judged = {"schools": roster, "classes": [one_class(code, size) for code, size in sizes.items()]}
    measure = {"indicator": "G5", "stage": "primary", "due": "2023-10-31", "responsible_units": "区教育局"}
    measures = [
        {"measure_no": "M1", "school_names": "2100000001", "receiving_school": "滨河小学", **measure},
        {"measure_no": "M2", "school_names": "黄庄街滨河小学", **measure, "due": "2024-12-31"},
    ]
    milestones = [
        {"milestone_no": "N1", "measure_no": "M2", "indicator": "G5", "due": "2024-03-31", "task": "定方案"}
    ]
    write_story(folder, {DAYS[0]: judged}, {DAYS[0]: {"measures": measures, "milestones": milestones}})
    publication = refresh(places(folder))
    with connect(publication.path, read_only=True) as con:
        yield con, published_evaluations(con)[0]


def cells(path: Path) -> dict[str, list[Any]]:
    """Non-empty cells by sheet."""
    book = load_workbook(path)
    return {s.title: [c.value for row in s.iter_rows() for c in row if c.value is not None] for s in book}


def test_every_school_with_a_finding_has_a_plan(story: tuple[duckdb.DuckDBPyConnection, Evaluation]) -> None:
    con, evaluation = story
    plans = {plan.school_code: plan for plan in read_plans(con, evaluation)}
    expected = con.execute(
        "select distinct school_code from mart.finding where phase_id = 'p1' and school_code is not null order by 1"
    ).fetchall()
    assert sorted(plans) == [code for (code,) in expected] == ["2100000001", "2100000002"]
    first, second = plans["2100000001"], plans["2100000002"]
    assert [m["measure_no"] for m in first.measures] == ["M1"]
    assert [m["measure_no"] for m in second.received] == ["M1"]
    assert [m["milestone_no"] for m in second.milestones] == ["N1"]
    assert first.received == []


def test_the_workbook_says_gap_owner_and_what_comes_next(
    story: tuple[duckdb.DuckDBPyConnection, Evaluation], tmp_path: Path
) -> None:
    con, evaluation = story
    path = tmp_path / "plans.xlsx"
    write_school_plans(con, evaluation, path)
    sheets = cells(path)
    text = "\n".join(str(v) for v in sheets["黄庄街滨河小学"])
    assert "下一步：2024-03-31 定方案" in text
    assert "5人" in text
    assert "区教育局" in text
    assert "接收其他学校分流或并入" in text
    assert "M1" in text
    index = [str(v) for v in sheets["目录"]]
    assert "已逾期：2023-10-31 M1" in index
    book = load_workbook(path)
    assert all(c.data_type != "f" for s in book for row in s.iter_rows() for c in row)


def test_the_briefing_counts_what_the_marts_count(
    story: tuple[duckdb.DuckDBPyConnection, Evaluation], tmp_path: Path
) -> None:
    con, evaluation = story
    path = tmp_path / "briefing.docx"
    write_briefing(con, evaluation, path)
    document = docx.Document(str(path))
    text = "\n".join(p.text for p in document.paragraphs)
    summary, blocking = con.execute(
        "select summary, blocking from mart.district_verdict where phase_id = 'p1'"
    ).fetchall()[0]
    assert summary in text
    assert f"阻碍认定的事项（{len(blocking)} 项" in text
    assert "推迟和逾期的措施（1 项）" in text
    findings = con.execute(
        "select sum(findings) from mart.remediation_progress where phase_id = 'p1'"
    ).fetchall()[0][0]
    lines = [[c.text for c in row.cells] for table in document.tables for row in table.rows]
    assert [line[2] for line in lines if line[0] == "合计"] == [str(findings)]
    # an indicator is named, and nothing is cut off
    assert ["G5 班额", "小学"] in [line[:2] for line in lines]
    assert "见发布库" not in text


def test_every_school_has_a_file_of_its_own(
    story: tuple[duckdb.DuckDBPyConnection, Evaluation], tmp_path: Path
) -> None:
    con, evaluation = story
    write_plan_papers(con, evaluation, tmp_path / "files")
    files = sorted(path.name for path in (tmp_path / "files").iterdir())
    # what a file system does not take in a name is not in it
    assert files == ["2100000001_=cmd_'_c calc'!A0.docx", "2100000002_黄庄街滨河小学.docx"]
    document = docx.Document(str(tmp_path / "files" / files[1]))
    assert any(p.text == "下一步：2024-03-31 定方案。" for p in document.paragraphs)
    heads = [table.rows[0]._tr.xpath("./w:trPr/w:tblHeader") for table in document.tables]
    assert all(heads) and len(heads) == 4
