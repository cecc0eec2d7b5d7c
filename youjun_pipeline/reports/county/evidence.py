"""What is kept ready for an inspection (迎检档案目录): each indicator's files, rows and named evidence, and missing evidence.

Belongs here: the layout, and which figures and evidence count as old. Keep out: where a figure was read (`mart.lineage`).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from youjun_pipeline import vocabulary
from youjun_pipeline.contracts import load_datasets
from youjun_pipeline.reports import words
from youjun_pipeline.reports.evaluation import Evaluation, Row
from youjun_pipeline.reports.folder import Report
from youjun_pipeline.reports.naming import indicator_words
from youjun_pipeline.reports.workbook import LEFT, SHADES, Book, Paper

if TYPE_CHECKING:
    import duckdb

TITLE = "迎检档案目录"
# By indicator and file: the number of cells, and their rows.
_PLACES = """
    (select district_code, phase_id, indicator_code, split_part(input, '.', 1) as dataset, delivery, file, sheet,
        count(*) as cells, min("row") as first_row, max("row") as last_row
    from (select distinct district_code, phase_id, indicator_code, input, delivery, file, sheet, "row", source_column
        from mart.lineage)
    group by all)
"""
_YEAR = re.compile(r"(?<!\d)(20\d\d)(?!\d)")


def write_evidence(con: duckdb.DuckDBPyConnection, evaluation: Evaluation, path: Path) -> None:
    """Write the list of one evaluation to `path`."""
    figures = evaluation.rows(
        con,
        "mart.assurance_figure",
        "indicator_code, figure_no, item, name, value, unit, conclusion, evidence",
        "indicator_code, figure_no",
    )
    with Book(path, evaluation, TITLE) as book:
        _index(book, con, figures)
        _without_evidence(book, con, figures)


def _index(book: Book, con: duckdb.DuckDBPyConnection, figures: list[Row]) -> None:
    evaluation, datasets = book.evaluation, load_datasets()
    paper = Paper(book, TITLE, [5, 26, 12, 22, 13, 30, 24, 26, 32])
    paper.open(TITLE)
    paper.columns(
        *("序号", "指标", "判定", "数据集", "报送日期", "文件和工作表", "所在行", "佐证材料", "须补充或核实"),
    )
    places: dict[str, list[Row]] = {}
    for row in evaluation.rows(con, _PLACES, "*", "indicator_code, dataset, delivery, file, sheet"):
        places.setdefault(row["indicator_code"], []).append(row)
    judged = {
        row["indicator_code"]: row["status"]
        for row in evaluation.rows(con, "mart.district_indicator", "indicator_code, status", "all")
    }
    number = 0
    for code, indicator in evaluation.catalogue.indicators.items():
        named = list(
            dict.fromkeys(f["evidence"] for f in figures if f["indicator_code"] == code and f["evidence"])
        )
        status = judged.get(code)
        for place in places.get(code) or [dict.fromkeys(("dataset", "delivery", "file", "sheet", "cells"))]:
            number += 1
            dataset = datasets.get(place["dataset"] or "")
            texts = (
                indicator_words(evaluation.catalogue, code),
                words.status_word(status, evaluation.catalogue, has_floor=False)
                if indicator.category != "veto"
                else vocabulary.words("veto_status").get(status or "no_data"),
                dataset.title if dataset else place["dataset"],
                place["delivery"],
                f"{place['file']} {place['sheet'] or ''}".strip() if place["file"] else "未报送",
                rows_word(place),
                "、".join(named)
                or ("即所列文件" if place["dataset"] != "assurance" and place["file"] else None),
                "；".join(doubts(evaluation, place, named)),
            )
            paper.number(paper.row, 0, number, "0")
            for column, text in enumerate(texts, start=1):
                style = SHADES.get(status or "", {}) if column == 2 else LEFT
                paper.text(paper.row, column, text, style)
            paper.end_row(*enumerate(texts, start=1))
    paper.notes(
        "每项指标用到的每个数所在的单元格，逐个列在网站的学校页和发布库的“数据溯源”表；本目录按文件和工作表归并。",
        "“早于本阶段”：数据报送于本阶段开始之前；“年份较早”：佐证材料写明的年份早于本阶段开始的年份。"
        + words.NOTHING_MEANS
        + "。",
    )


def rows_word(place: Row) -> str | None:
    """The rows of a sheet, and the number of cells in them."""
    if not place.get("file"):
        return None
    first, last = place.get("first_row"), place.get("last_row")
    rows = "多行合计" if first is None else f"第 {first} 行" if first == last else f"第 {first}–{last} 行"
    return f"{rows}，{place['cells']} 格"


def doubts(evaluation: Evaluation, place: Row, named: list[str]) -> list[str]:
    """What an inspector would ask about a place: nothing delivered, no evidence named, old figures or old evidence."""
    if not place["file"]:
        return ["没有报送，须补报"]
    doubts = []
    if place["dataset"] == "assurance" and not named:
        doubts.append("没有写明佐证材料")
    if place["delivery"] and place["delivery"] < evaluation.starts:
        doubts.append(f"早于本阶段（{evaluation.starts}起）")
    for text in named:
        years = [int(year) for year in _YEAR.findall(text)]
        if years and max(years) < evaluation.starts.year:
            doubts.append(f"佐证年份较早：{text}")
    return doubts


def _without_evidence(book: Book, con: duckdb.DuckDBPyConnection, figures: list[Row]) -> None:
    """Claims without evidence: items of assurance, measures reported as done, passed inspections."""
    evaluation, conclusions = book.evaluation, vocabulary.words("conclusion")
    paper = Paper(book, "没有佐证的填报", [5, 20, 26, 44, 26, 34])
    paper.open("没有佐证的填报")
    paper.columns("序号", "类别", "指标或措施", "填报的内容", "填报人", "来源")
    lines: list[tuple[object, ...]] = []
    for figure in figures:
        claimed = figure["value"] is not None or figure["conclusion"] is not None
        # computed figures have no item: their evidence is that of the figures behind them
        if claimed and figure["item"] and not figure["evidence"]:
            value = (
                conclusions.get(figure["conclusion"])
                or f"{words.amount(figure['value'])} {figure['unit'] or ''}"
            )
            name = indicator_words(evaluation.catalogue, figure["indicator_code"])
            lines.append(("政府保障和教育质量", name, f"{figure['name']}：{value}", None, "政府保障数据集"))
    for row in evaluation.rows(
        con, "mart.progress_report", "*", "reported_on, measure_no, milestone_no, row"
    ):
        if row["state"] == "done" and not row["evidence"] and row["refused_because"] is None:
            subject = f"措施 {row['measure_no'] or ''} {'节点 ' + row['milestone_no'] if row['milestone_no'] else ''}"
            place = f"{row['delivery']} {row['file']} 第 {row['row']} 行"
            lines.append(
                ("进展填报", subject.strip(), f"{row['reported_on']} 填报已完成", row["reporter"], place)
            )
    for row in evaluation.rows(con, "mart.acceptance", "*", "inspected_on, indicator_code, school_name, row"):
        if row["result"] == "passed" and not row["evidence"]:
            name = indicator_words(evaluation.catalogue, row["indicator_code"] or row["indicator"])
            passed = (
                f"{row['school_name'] or '差异系数或全县事项'} {row['inspected_on']} 验收通过，不计入销号"
            )
            place = f"{row['delivery']} {row['file']} 第 {row['row']} 行"
            lines.append(("验收", name, passed, row["inspector"], place))
    for number, line in enumerate(lines, start=1):
        paper.number(paper.row, 0, number, "0")
        for column, text in enumerate(line, start=1):
            paper.text(paper.row, column, text, LEFT)
        paper.end_row(*enumerate(line, start=1))
    if not lines:
        paper.line("填报的结论、完成和验收都写明了佐证材料", LEFT)


EVIDENCE = Report(
    "{district_code}/{phase_id}/" + TITLE + ".xlsx",
    TITLE,
    (
        *("mart.evaluation", "mart.lineage", "mart.district_indicator", "mart.assurance_figure"),
        *("mart.progress_report", "mart.acceptance"),
    ),
    write_evidence,
)
