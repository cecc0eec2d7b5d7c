"""The papers of an inspection agree with the publication: forty of their numbers, drawn with a seed, are compared with it."""

from __future__ import annotations

import random
import re
import zipfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import duckdb
import openpyxl
import pytest

from youjun_pipeline.reports.county import site_check, wall_pdf
from youjun_pipeline.reports.county.texts import Figures, figure_queries, read_figures
from youjun_pipeline.reports.evaluation import Evaluation, published_evaluations
from youjun_pipeline.reports.kinds import FOLDERS
from youjun_pipeline_tests.integration.sample_districts import STARTUP, WUQING

SEED, DRAWN = 17, 40


@dataclass(frozen=True)
class Fact:
    """A number of the database and the paper's row that must contain it; the row's other texts identify the row."""

    paper: str
    row: tuple[str, ...]
    value: float | str


@pytest.fixture(scope="module")
def evaluation(con: duckdb.DuckDBPyConnection) -> Evaluation:
    return next(e for e in published_evaluations(con) if (e.district_code, e.phase_id) == (WUQING, STARTUP))


@pytest.fixture(scope="module")
def papers(
    con: duckdb.DuckDBPyConnection, evaluation: Evaluation, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """Every paper of the evaluation by its file's name."""
    folder = tmp_path_factory.mktemp("papers")
    made = {}
    # the sample districts have asked for no least-cost plan: papers that need one are not written of them
    for report in (r for reports in FOLDERS.values() for r in reports if r.asked_by is None):
        path = folder / Path(report.path.format(district_code=WUQING, phase_id=STARTUP)).name
        report.write(con, evaluation, path)
        made[path.name] = path
    return made


def rows_of(path: Path) -> list[list[Any]]:
    """All rows of a paper: of every sheet, preceded by its name, or of every table of a document."""
    if path.suffix == ".docx":
        import docx

        return [[c.text for c in row.cells] for t in docx.Document(str(path)).tables for row in t.rows]
    book = openpyxl.load_workbook(path, data_only=True, read_only=True)
    return [
        [sheet.title, *(cell for cell in row if cell is not None)]
        for sheet in book.worksheets
        for row in sheet.iter_rows(values_only=True)
    ]


def holds(row: list[Any], fact: Fact) -> bool:
    """Whether a row belongs to the fact and has its value."""
    cells = [str(cell) for cell in row]
    if not all(text in cells for text in fact.row):
        return False
    if isinstance(fact.value, str):
        return fact.value in cells
    return any(
        isinstance(cell, int | float) and abs(cell - fact.value) <= 1e-9 * max(1, abs(fact.value))
        for cell in row
    )


def facts(con: duckdb.DuckDBPyConnection, evaluation: Evaluation) -> list[Fact]:
    """Candidates from every paper that has numbers of its own."""
    # Long because each paper has a query of its own.
    found: list[Fact] = []

    def add(paper: str, sql: str) -> None:
        for *row, value in con.execute(sql, [WUQING, STARTUP]).fetchall():
            found.append(Fact(paper, tuple(str(text) for text in row), value))

    of = "district_code = $1 and phase_id = $2"
    stage = "case stage when 'primary' then '小学' when 'junior' then '初中' else '小学和初中' end"
    indicator = "indicator_code || ' ' || short_name"
    names = "join mart.indicator using (indicator_id, indicator_code)"
    add(
        "销号台账.xlsx",
        f"select '销号台账', {indicator}, school_name, {stage}, days_open from mart.finding {names} "
        f"where {of} and school_name is not null",
    )
    add(
        "销号台账.xlsx",
        f"select '预算与支出', {indicator}, budget_wan from mart.indicator_money {names} where {of} and budget_wan > 0",
    )
    add(
        "自评表.xlsx",
        f"select left(school_name, 31), i.indicator_code, i.short_name, value from mart.school_indicator "
        f"join mart.indicator i using (indicator_id) where {of} and i.category = 'resource' and value is not null",
    )
    add(
        "县级自评报告.docx",
        f"select {indicator}, printf('%.3f', cv) from mart.stage_balance {names} where {of} and not rounding_sensitive",
    )
    add(
        "县级自评报告.docx",
        f"select {indicator}, {stage}, findings::varchar from mart.remediation_progress {names} "
        f"where {of} and findings > 0 and stage is not null",
    )
    add(
        f"{STARTUP}.xlsx",
        f"select '表Ⅱ-2', school_name, value from mart.school_indicator join mart.indicator i using (indicator_id) "
        f"where {of} and i.category = 'resource' and value is not null",
    )
    add(
        "在建工程清单.xlsx",
        f"select measure_no, slippage_days from mart.measure_status where {of} and slippage_days is not null "
        "and measure_type in ('新建', '改扩建')",
    )
    schools = site_check._read_schools(con, evaluation)
    sampled = [s.school_code for s in site_check.draw(list(schools.values()), site_check.seed_of(evaluation))]
    add(
        "实地核查表.xlsx",
        f"select left(school_name, 31), '教学及辅助用房面积', value from mart.input where {of} "
        f"and input = 'facilities.teaching_area_m2' and list_contains({sampled}, school_code)",
    )
    return found


def test_forty_numbers_of_the_papers_are_those_of_the_database(
    con: duckdb.DuckDBPyConnection, evaluation: Evaluation, papers: dict[str, Path]
) -> None:
    known = facts(con, evaluation)
    by_paper: dict[str, list[Fact]] = {}
    for fact in known:
        by_paper.setdefault(fact.paper, []).append(fact)
    chance = random.Random(SEED)
    # one of every paper, the rest from all of them
    drawn = [chance.choice(candidates) for _, candidates in sorted(by_paper.items())]
    drawn += chance.sample(known, DRAWN - len(drawn))
    rows = {name: rows_of(papers[name]) for name in {fact.paper for fact in drawn}}
    missing = [fact for fact in drawn if not any(holds(row, fact) for row in rows[fact.paper])]
    assert missing == []
    assert len(drawn) == DRAWN and len(by_paper) == 6


def test_every_figure_of_the_running_text_is_known_and_printed(
    con: duckdb.DuckDBPyConnection, evaluation: Evaluation, papers: dict[str, Path]
) -> None:
    import docx

    text = "\n".join(p.text for p in docx.Document(str(papers["县级自评报告.docx"])).paragraphs)
    figures = read_figures(con, evaluation)
    assert "【没有" not in text and "{" not in text
    assert f"有在校生 {figures['students']} 人" in text
    assert (
        f"已安排资金的指标 {figures['budgeted_indicators']} 项，预算共 {figures['budget_wan']} 万元" in text
    )
    assert figures["budget_wan"] == "5,200" and figures["schools_in_scope"] == "114"
    assert len(figure_queries()) > 40


def test_a_districts_own_text_replaces_a_block(
    con: duckdb.DuckDBPyConnection, evaluation: Evaluation, tmp_path: Path
) -> None:
    import dataclasses

    import docx

    from youjun_pipeline.reports.county.self_report import write_self_report

    (tmp_path / "self_report.toml").write_text(
        '[blocks]\nwork = "区政府成立专班，纳入评估{schools_in_scope}所，{nothing}。"\nother = "x"\n', "utf-8"
    )
    own = dataclasses.replace(evaluation, texts=tmp_path)
    write_self_report(con, own, tmp_path / "own.docx")
    text = "\n".join(p.text for p in docx.Document(str(tmp_path / "own.docx")).paragraphs)
    assert "区政府成立专班，纳入评估114所，【没有“nothing”这个数】。" in text
    assert "没有用到：other" in text
    (tmp_path / "self_report.toml").write_text("[blocks\n", "utf-8")
    write_self_report(con, own, tmp_path / "broken.docx")
    text = "\n".join(p.text for p in docx.Document(str(tmp_path / "broken.docx")).paragraphs)
    assert "读不出，用了通用文字" in text and "本段由县级填写" in text


def test_what_is_not_known_is_printed_as_missing(evaluation: Evaluation) -> None:
    from youjun_pipeline.reports.county.texts import printed

    assert printed(None, "count", evaluation) == "缺数据"
    assert printed(1234.5, "number", evaluation) == "1234.5"
    assert printed(0.9294, "share", evaluation) == "92.9%"
    assert printed(date(2024, 5, 1), "date", evaluation) == "2024年5月1日"
    assert Figures()["x"] == "【没有“x”这个数】"


def test_the_sample_is_drawn_by_a_printed_seed(
    con: duckdb.DuckDBPyConnection, evaluation: Evaluation, papers: dict[str, Path]
) -> None:
    schools = list(site_check._read_schools(con, evaluation).values())
    seed = site_check.seed_of(evaluation)
    first = [(s.school_code, s.drawn) for s in site_check.draw(schools, seed)]
    again = list(site_check._read_schools(con, evaluation).values())
    assert [(s.school_code, s.drawn) for s in site_check.draw(again, seed)] == first
    assert [drawn for _, drawn in first].count("随机") == site_check.AT_RANDOM
    cells = [str(cell) for row in rows_of(papers["实地核查表.xlsx"]) for cell in row]
    assert any(f"随机种子：{seed}" in cell for cell in cells)
    rest = {s.school_code for s in schools} - {code for code, drawn in first if drawn == "风险"}
    lots = sorted(rest, key=lambda code: site_check.lot(seed, code))
    assert [code for code, drawn in first if drawn == "随机"] == lots[: site_check.AT_RANDOM]


def test_papers_of_made_up_data_say_so_and_are_the_same_each_time(
    con: duckdb.DuckDBPyConnection, evaluation: Evaluation, papers: dict[str, Path], tmp_path: Path
) -> None:
    for report in FOLDERS["papers"]:
        name = Path(report.path).name
        assert any("重构样例" in text for text in texts_of(papers[name])), name
        report.write(con, evaluation, tmp_path / name)
        assert (tmp_path / name).read_bytes() == papers[name].read_bytes(), name


def texts_of(path: Path) -> list[str]:
    """The parts of a document, workbook or drawing that hold its text."""
    if path.suffix == ".svg":
        return [path.read_text("utf-8")]
    with zipfile.ZipFile(path) as package:
        return [package.read(part).decode("utf-8") for part in package.namelist() if part.endswith(".xml")]


def test_the_wall_sheet_is_one_a0_page_with_every_section(
    con: duckdb.DuckDBPyConnection, papers: dict[str, Path]
) -> None:
    root = ElementTree.fromstring(papers["挂图.svg"].read_bytes())
    assert (root.get("width"), root.get("height")) == ("841mm", "1189mm")
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    names = con.execute(
        "select school_name || case stage when 'primary' then '（小学）' else '（初中）' end from mart.school_verdict "
        "where district_code = $1 and phase_id = $2",
        [WUQING, STARTUP],
    ).fetchall()
    assert {name for (name,) in names} <= set(texts)
    assert texts[texts.index("未达标学校") + 1] == "52／114"
    # the worst stands on top: as many signs as the section with most
    first = next(n for n, text in enumerate(texts) if (text,) in names)
    assert sum(str(text).startswith("✕") for text in texts[first : first + 11]) >= 2
    # a number of rooms says nothing without how many the school needs
    ((rooms, needed),) = con.execute(
        "select value, threshold from mart.school_indicator where district_code = $1 and phase_id = $2 "
        "and indicator_code = 'G3' and status = 'below' order by school_code limit 1",
        [WUQING, STARTUP],
    ).fetchall()
    assert f"✕{rooms:.0f} 需 {needed:.0f}" in texts
    pdf = wall_pdf.to_pdf(papers["挂图.svg"].read_text("utf-8"))
    assert pdf.startswith(b"%PDF-")
    box = re.search(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", pdf)
    assert box and [round(float(side) / 72 * 25.4) for side in box.groups()] == [841, 1189]


def test_totals_are_sums_that_come_to_what_is_shown(papers: dict[str, Path]) -> None:
    """Each formula is computed again from the cells that it names."""
    for name, least in ((f"{STARTUP}.xlsx", 20), ("销号台账.xlsx", 3), ("在建工程清单.xlsx", 0)):
        shown = openpyxl.load_workbook(papers[name], data_only=True)
        found = 0
        for sheet in openpyxl.load_workbook(papers[name]).worksheets:
            for cell in (c for row in sheet.iter_rows() for c in row if c.data_type == "f"):
                parts = re.findall(r"([A-Z]+)(\d+)(?::[A-Z]+(\d+))?", str(cell.value).removeprefix("=SUM"))
                values = [
                    shown[sheet.title][f"{column}{number}"].value
                    for column, first, last in parts
                    for number in range(int(first), int(last or first) + 1)
                ]
                # SUM takes no account of the sign for nothing reported
                known = [value for value in values if isinstance(value, int | float)]
                assert shown[sheet.title][cell.coordinate].value == pytest.approx(sum(known)), cell.coordinate
                found += 1
        assert found >= least, name
