"""Drafts of one plan per school (一校一案) from the least-cost plan: what is not met, what the plan does, and the result.

Belongs here: the sheets of one evaluation's workbook, from the rows of `plan.proposal*`. Keep out: the district's own plan
(`schools.plan`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from youjun_pipeline.reports.evaluation import Evaluation, Row
from youjun_pipeline.reports.folder import Report
from youjun_pipeline.reports.proposal import TABLES, Tables, read_tables
from youjun_pipeline.reports.words import sheet_names, value_format
from youjun_pipeline.reports.workbook import BARE, LEFT, NOTICE, SHADES, Book, Paper
from youjun_pipeline.vocabulary import word

if TYPE_CHECKING:
    import duckdb

TITLE = "一校一案（草案）"
INDEX_NAME = "目录"


def write_published(con: duckdb.DuckDBPyConnection, evaluation: Evaluation, path: Path) -> None:
    """Write the drafts of a published plan."""
    write_drafts(read_tables(con, evaluation), evaluation, path)


def write_drafts(tables: Tables, evaluation: Evaluation, path: Path) -> None:
    """Write an index, and a sheet for every school where the plan does something or to which it sends something."""
    names = dict[str, str]()
    own = dict[str, list[Row]]()
    for line in tables["proposal"]:
        for side in ("school", "to_school"):
            code = line[f"{side}_code"]
            if code:
                names[code] = line[f"{side}_name"] or code
                own.setdefault(code, []).append(line)
    effects = dict[str, list[Row]]()
    for row in tables["proposal_effect"]:
        if row["level"] == "school":
            effects.setdefault(row["school_code"], []).append(row)
    codes = sorted(own, key=lambda code: (-sum(x["cost"] or 0 for x in own[code]), code))
    sheets = sheet_names((names[code] for code in codes), [INDEX_NAME])
    with Book(path, evaluation, TITLE) as book:
        _index(book, codes, names, sheets, own, [row["pupils"] for row in tables["proposal_summary"]])
        for code, sheet in zip(codes, sheets, strict=True):
            _school(book, sheet, code, names[code], own[code], effects.get(code, []))


def _index(
    book: Book,
    codes: Sequence[str],
    names: dict[str, str],
    sheets: Sequence[str],
    own: dict[str, list[Row]],
    pupils: Sequence[str | None],
) -> None:
    paper = Paper(book, INDEX_NAME, [6, 18, 40, 12, 16])
    paper.open(f"{TITLE}　目录")
    for told in filter(None, pupils):
        paper.line(f"方案{told}编制", BARE)
    if not codes:
        paper.line("方案没有需要学校做的", NOTICE)
    paper.columns("序号", "学校标识码", "学校名称（点击打开）", "措施数", "造价")
    for number, (code, sheet) in enumerate(zip(codes, sheets, strict=True), start=1):
        costs = [x["cost"] for x in own[code] if x["cost"] is not None]
        paper.number(paper.row, 0, number, "0")
        paper.text(paper.row, 1, code)
        paper.link(paper.row, 2, sheet, names[code])
        paper.number(paper.row, 3, len(own[code]), "0")
        paper.number(paper.row, 4, sum(costs) if costs else None, "#,##0.00")
        paper.row += 1


def _school(
    book: Book, sheet: str, code: str, name: str, lines: Sequence[Row], effects: Sequence[Row]
) -> None:
    paper = Paper(book, sheet, [26, 10, 14, 14, 14, 14, 36])
    paper.open(f"{name}　{TITLE}")
    paper.heading("现在的问题和方案后的情况")
    paper.columns("指标", "学段", "现值", "标准", "方案后", "方案后状态", "说明", repeat=False)
    catalogue = book.evaluation.catalogue
    for row in effects:
        if row["status_before"] not in ("near", "below") and row["value_before"] == row["value_after"]:
            continue
        at, form = paper.row, value_format(catalogue, row["indicator_code"])
        indicator = catalogue.indicators[row["indicator_code"]]
        paper.text(at, 0, f"{row['indicator_code']} {indicator.short_name}", LEFT)
        paper.text(at, 1, word("stage", row["stage"]))
        paper.number(at, 2, row["value_before"], form, SHADES.get(row["status_before"], {}))
        paper.number(at, 3, row["threshold"], form)
        paper.number(at, 4, row["value_after"], form, SHADES.get(row["status_after"], {}))
        paper.text(at, 5, word("status", row["status_after"]))
        paper.text(at, 6, row["reason"], LEFT)
        paper.end_row((6, row["reason"]))
    paper.heading("建议的措施")
    paper.columns("内容", "学段", "手段", "数量", "造价", "完成时间", "对方学校", repeat=False)
    for line in lines:
        at = paper.row
        other = line["to_school_name"] if line["school_code"] == code else line["school_name"]
        receives = line["to_school_code"] == code
        action = word("proposal_action", line["proposal_action"]) or ""
        paper.text(at, 0, f"{line['indicator_code']} {line['what']}", LEFT)
        paper.text(at, 1, word("stage", line["stage"]))
        paper.text(at, 2, f"{action}（接收）" if receives else action)
        paper.text(at, 3, f"{line['quantity']:,.2f}".rstrip("0").rstrip(".") + f" {line['unit']}")
        paper.number(at, 4, line["cost"], "#,##0.00")
        paper.text(at, 5, line["due"])
        paper.text(at, 6, other if line["to_school_code"] else None, LEFT)
        paper.end_row((0, line["what"]))
    paper.notes("草案由最省方案自动生成，责任单位和责任人由区县填写；采用前请核对单价和校址容量。")
    style = {"border": 0, "align": "left", "text_wrap": False}
    paper.text(paper.row + 1, 0, "责任单位：", style)
    paper.text(paper.row + 1, 4, "责任人：", style)


DRAFTS = Report(
    "{district_code}/{phase_id}/" + TITLE + ".xlsx",
    TITLE,
    ("mart.evaluation", *(f"plan.{name}" for name in TABLES)),
    write_published,
    asked_by="plan.proposal_summary",
)
