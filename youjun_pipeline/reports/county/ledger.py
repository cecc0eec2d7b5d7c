"""The ledger of findings (销号台账): when each was opened, closed and signed off, by whom, with what evidence; inspections;
money.

Belongs here: the layout of its sheets. Keep out: whether a finding is closed or signed off (`mart.finding`).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from youjun_pipeline import vocabulary
from youjun_pipeline.reports import words
from youjun_pipeline.reports.evaluation import Evaluation, Row
from youjun_pipeline.reports.folder import Report
from youjun_pipeline.reports.naming import indicator_words, item_words, stage_word
from youjun_pipeline.reports.workbook import LEFT, SHADES, Book, Paper

if TYPE_CHECKING:
    import duckdb

TITLE = "销号台账"
_STATES = vocabulary.words("state")
_RESULTS = vocabulary.words("result")
_REFUSED = vocabulary.words("refused_because")


def write_ledger(con: duckdb.DuckDBPyConnection, evaluation: Evaluation, path: Path) -> None:
    """Write the ledger of one evaluation to `path`."""
    with Book(path, evaluation, TITLE) as book:
        _findings(
            book, evaluation.rows(con, "mart.finding", "*", "indicator_code, stage, school_name, finding_id")
        )
        _inspections(
            book,
            evaluation.rows(
                con, "mart.acceptance", "*", "inspected_on desc, indicator_code, school_name, row"
            ),
        )
        _money(book, evaluation.rows(con, "mart.indicator_money", "*", "indicator_code nulls last"))


def _findings(book: Book, rows: list[Row]) -> None:
    catalogue = book.evaluation.catalogue
    paper = Paper(book, TITLE, [5, 17, 26, 8, 11, 11, 9, 11, 12, 16, 20, 14, 44])
    paper.open(TITLE)
    count = {state: sum(row["state"] == state for row in rows) for state in ("open", "closed", "reopened")}
    signed = sum(bool(row["signed_off"]) for row in rows)
    waiting = count["closed"] - signed
    paper.line(
        f"问题 {len(rows)} 个：{_STATES['closed']} {count['closed']} 个（其中已销号 {signed} 个，待销号 {waiting} 个），"
        f"{_STATES['open']} {count['open']} 个，{_STATES['reopened']} {count['reopened']} 个",
        {"border": 0, "align": "left", "bold": True},
    )
    paper.columns(
        *("序号", "指标", "学校或事项", "学段", "发现日期", "解决日期", "未解决天数", "销号日期", "状态"),
        *("验收人", "佐证材料", "对应措施", "情况"),
    )
    for number, row in enumerate(rows, start=1):
        is_open = row["state"] != "closed"
        shade = SHADES.get(row["status"], {}) if is_open else {}
        state = "已销号" if row["signed_off"] else "待销号" if not is_open else _STATES[row["state"]]
        failed = (
            f"；{row['inspection_failed_on']} 验收不通过"
            if row["inspection_failed_on"] and not row["signed_off"]
            else ""
        )
        paper.number(paper.row, 0, number, "0")
        texts = (
            *(
                indicator_words(catalogue, row["indicator_code"]),
                item_words(row),
                stage_word(catalogue, row["stage"]),
            ),
            *(row["opened_on"], row["closed_on"], None, row["signed_off_on"], state),
            *(row["signed_off_by"], row["signed_off_evidence"], "、".join(row["measures"]) or "没有措施"),
            row["reason"] + failed,
        )
        for column, text in enumerate(texts, start=1):
            if column != 6:
                paper.text(
                    paper.row,
                    column,
                    text,
                    LEFT if column in (1, 2, 9, 10, 12) else shade if column == 8 else None,
                )
        paper.number(paper.row, 6, row["days_open"], "0")
        paper.end_row(*enumerate(texts, start=1))
    paper.notes(
        "“已解决”只看数据；“已销号”须数据达标且经填报人、责任人以外的人验收通过并有佐证材料；其后验收不通过的，销号随即撤销。",
        "发现、解决日期为判定所用数据的报送日期（早于阶段开始的为阶段开始日期）；未解决天数为各次未解决期间合计，未解决的算到数据截至日期。",
        words.NOTHING_MEANS + "。",
    )


def _inspections(book: Book, rows: list[Row]) -> None:
    catalogue = book.evaluation.catalogue
    paper = Paper(book, "验收记录", [5, 12, 18, 26, 12, 10, 24, 26, 26, 30])
    paper.open("验收记录")
    paper.columns(
        *("序号", "验收日期", "指标", "学校", "学段", "结论", "验收人", "佐证材料", "是否计入销号", "来源"),
    )
    for number, row in enumerate(rows, start=1):
        counted = f"不计入：{_REFUSED.get(row['refused_because'], row['refused_because'])}"
        if row["refused_because"] is None:
            counted = (
                f"据此销号 {len(row['signed_off'])} 个问题"
                if row["signed_off"]
                else "计入；未据此销号"
                if row["result"] == "passed"
                else "计入"
            )
        texts = (
            *(row["inspected_on"], indicator_words(catalogue, row["indicator_code"] or row["indicator"])),
            *(row["school_name"] or "差异系数或全县事项", stage_word(catalogue, row["stage"]) or "不分学段"),
            *(_RESULTS.get(row["result"], row["result"]), row["inspector"], row["evidence"], counted),
            f"{row['delivery']} {row['file']} 第 {row['row']} 行",
        )
        paper.number(paper.row, 0, number, "0")
        for column, text in enumerate(texts, start=1):
            style = SHADES["below"] if column == 5 and row["result"] == "failed" else None
            paper.text(paper.row, column, text, LEFT if column in (2, 3, 6, 7, 8, 9) else style)
        paper.end_row(*enumerate(texts, start=1))
    if not rows:
        paper.line("没有验收记录", LEFT)


def _money(book: Book, rows: list[Row]) -> None:
    catalogue = book.evaluation.catalogue
    paper = Paper(book, "预算与支出", [30, 16, 16, 16, 14, 18, 30], landscape=True)
    paper.open("预算与支出", "万元")
    paper.columns("指标", "预算", "已支出", "超支", "措施数（项）", "填报过支出的措施（项）", "说明")
    top = paper.row
    for row in rows:
        notes = [
            "超支" if row["is_over_budget"] else None,
            "没有安排预算" if not row["budget_lines"] else None,
            None if row["is_budget_complete"] else "有预算行未能读入，预算不全",
        ]
        paper.text(paper.row, 0, indicator_words(catalogue, row["indicator_code"]), LEFT)
        for column, name in enumerate(("budget_wan", "spent_wan", "over_wan"), start=1):
            style = SHADES["below"] if name == "over_wan" and row["is_over_budget"] else {}
            paper.number(paper.row, column, row[name], "#,##0.00", style)
        paper.number(paper.row, 4, row["measures"], "0")
        paper.number(paper.row, 5, row["measures_reporting"], "0")
        paper.text(paper.row, 6, "；".join(filter(None, notes)), LEFT)
        paper.row += 1
    if rows:
        paper.text(paper.row, 0, "合计（已知的）", {"bold": True})
        for column, name in enumerate(("budget_wan", "spent_wan", "over_wan"), start=1):
            known = [row[name] for row in rows if row[name] is not None]
            paper.total(
                paper.row,
                column,
                range(top, paper.row),
                sum(known) if known else None,
                "#,##0.00",
                {"bold": True},
            )
        for column in (4, 5):
            name = ("measures", "measures_reporting")[column - 4]
            paper.total(
                paper.row, column, range(top, paper.row), sum(row[name] for row in rows), "0", {"bold": True}
            )
        paper.blank(paper.row, 6)
        paper.row += 1
    paper.notes(
        "预算按指标、支出按措施填报，在此按指标合并；支出为各措施最近一次填报之和。"
        + words.NOTHING_MEANS
        + "。"
    )


LEDGER = Report(
    "{district_code}/{phase_id}/" + TITLE + ".xlsx",
    TITLE,
    ("mart.evaluation", "mart.finding", "mart.acceptance", "mart.indicator_money"),
    write_ledger,
)
