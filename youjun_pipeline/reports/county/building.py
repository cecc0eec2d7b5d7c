"""Building work of the plan (在建工程清单): every project with its date, delay, money and the results of the plan's audit.

Belongs here: which measures are building work, and the layout. Keep out: delay and state of a measure (`mart.measure_status`).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from youjun_pipeline.reports import words
from youjun_pipeline.reports.evaluation import Evaluation, Row
from youjun_pipeline.reports.folder import Report
from youjun_pipeline.reports.naming import indicator_words, progress_word, stage_word
from youjun_pipeline.reports.workbook import LEFT, SHADES, Book, Paper

if TYPE_CHECKING:
    import duckdb

TITLE = "在建工程清单"
# Kinds of measure (as reported) that put up, enlarge, rebuild or hire rooms.
KINDS = ("新建", "改扩建", "功能调整", "租赁")


def write_building(con: duckdb.DuckDBPyConnection, evaluation: Evaluation, path: Path) -> None:
    """Write the list of one evaluation to `path`: unfinished work first, then finished or abandoned work."""
    measures = [
        m
        for m in evaluation.rows(con, "mart.measure_status", "*", "due nulls last, measure_no")
        if m["measure_type"] in KINDS
    ]
    doubts: dict[str, list[str]] = {}
    for row in evaluation.rows(con, "mart.plan_audit", "measure_no, message", "rule, message"):
        if row["measure_no"]:
            doubts.setdefault(row["measure_no"], []).append(row["message"])
    coming: dict[str, list[Row]] = {}
    for row in evaluation.rows(con, "mart.milestone_status", "*", "due, milestone_no"):
        if row["measure_no"] and row["state"] not in ("done", "cancelled"):
            coming.setdefault(row["measure_no"], []).append(row)
    with Book(path, evaluation, TITLE) as book:
        paper = Paper(book, TITLE, [11, 20, 26, 10, 30, 11, 11, 11, 9, 16, 14, 18, 44])
        paper.open(TITLE, "万元")
        # both parts have one header, which is repeated on every page
        paper.columns(
            *("措施", "指标", "学校", "类型", "内容", "原定完成", "现定完成", "预计完成", "推迟（天）"),
            *("进度", "已支出", "责任单位", "下一节点和须核实的情况"),
        )
        over = ("done", "cancelled")
        _lines(paper, "未完工", [m for m in measures if m["state"] not in over], doubts, coming)
        _lines(paper, "已完工或已取消", [m for m in measures if m["state"] in over], doubts, coming)
        paper.notes(
            f"措施类型为{'、'.join(KINDS)}的为工程；资金预算按指标安排的，见《销号台账》的“预算与支出”。",
            "推迟天数比首次报送的完成时间计算，提前为负。" + words.NOTHING_MEANS + "。",
        )


def _lines(
    paper: Paper,
    heading: str,
    measures: list[Row],
    doubts: dict[str, list[str]],
    coming: dict[str, list[Row]],
) -> None:
    paper.line(f"{heading}（{len(measures)} 项）", LEFT | {"bold": True})
    top = paper.row
    for measure in measures:
        _line(paper, measure, doubts.get(measure["measure_no"], []), coming.get(measure["measure_no"], []))
    if not measures:
        paper.line("没有", LEFT)
        return
    paper.merge(paper.row, 0, paper.row, 9, "合计（已填报的）", {"bold": True})
    known = [m["spent_wan"] for m in measures if m["spent_wan"] is not None]
    paper.total(
        paper.row, 10, range(top, paper.row), sum(known) if known else None, "#,##0.00", {"bold": True}
    )
    paper.blank(paper.row, 11)
    paper.blank(paper.row, 12)
    paper.row += 1


def _line(paper: Paper, m: Row, doubts: list[str], coming: list[Row]) -> None:
    """One project; a delay is shaded."""
    catalogue = paper.book.evaluation.catalogue
    stage = stage_word(catalogue, m["stage"])
    schools = "、".join(m["school_names"]) + (f" → {m['receiving_school']}" if m["receiving_school"] else "")
    following = [f"{n['due']} {n['task']}" for n in coming[:1]]
    texts = (
        *(
            m["measure_no"],
            indicator_words(catalogue, m["indicator_code"]) + (f"（{stage}）" if stage else ""),
        ),
        *(schools or "学段差异系数", m["measure_type"], m["description"]),
        *(m["baseline_due"], m["due"], m["expected_on"], None, progress_word(m), None),
        m["responsible_units"] or m["bureau_sections"],
        "\n".join([*following, *doubts]),
    )
    late = SHADES["below"] if m["overdue"] else {}
    for column, text in enumerate(texts):
        if column not in (8, 10):
            paper.text(
                paper.row,
                column,
                text,
                LEFT if column in (1, 2, 4, 11, 12) else late if column == 9 else None,
            )
    paper.number(paper.row, 8, m["slippage_days"], "0", late)
    paper.number(paper.row, 10, m["spent_wan"], "#,##0.00")
    paper.end_row(*enumerate(texts))


BUILDING = Report(
    "{district_code}/{phase_id}/" + TITLE + ".xlsx",
    TITLE,
    ("mart.evaluation", "mart.measure_status", "mart.milestone_status", "mart.plan_audit"),
    write_building,
)
