"""Figures that the official forms report but no verdict uses: the survey's sample by group, and the watched items.

Keep out: what is judged (`district`), and the basic figures named by the form itself (`basics`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from youjun_pipeline.reports import words
from youjun_pipeline.reports.workbook import HEAD, LEFT, HeadCell, Paper

if TYPE_CHECKING:
    import duckdb

_ROW = 18


def write_sample(paper: Paper, con: duckdb.DuckDBPyConnection) -> None:
    """Below table Ⅵ, eight columns: valid answers of each group, the required sample, and the accuracy of the rate."""
    evaluation = paper.book.evaluation
    columns = "respondent_group, valid, required_valid, missing_valid, share, rate, rate_low, rate_high, required_sample"
    rows = evaluation.rows(con, "mart.recognition_stratum", columns, "sort_order, respondent_group")
    if not rows:
        return
    share = words.share_format(evaluation.catalogue)
    paper.row += 1
    paper.line("附：样本是否足够，认可度有多大把握", {"border": 0, "align": "left", "bold": True})
    headings = ("调查对象", "有效数（份）", "应有有效数（份）", "尚缺（份）", "占全部样本（%）")
    paper.columns(*headings, "认可度（%）", "95%置信区间\n下限（%）", "95%置信区间\n上限（%）", repeat=False)
    for row in rows:
        paper.text(paper.row, 0, row["respondent_group"])
        for column, name in enumerate(("valid", "required_valid", "missing_valid"), start=1):
            paper.number(paper.row, column, row[name], "#,##0")
        for column, name in enumerate(("share", "rate", "rate_low", "rate_high"), start=4):
            paper.number(paper.row, column, row[name], share)
        paper.sheet.set_row(paper.row, _ROW)
        paper.row += 1
    valid = [row["valid"] for row in rows]
    total = None if None in valid else sum(valid)
    required = rows[0]["required_sample"]
    missing = None if total is None or required is None else max(required - total, 0)
    paper.text(paper.row, 0, "合计", HEAD)
    for column, figure in enumerate((total, required, missing), start=1):
        paper.number(paper.row, column, figure, "#,##0", HEAD)
    for column in range(4, len(headings) + 3):
        paper.blank(paper.row, column, HEAD)
    paper.sheet.set_row(paper.row, _ROW)
    paper.row += 1


def write_watched(paper: Paper, con: duckdb.DuckDBPyConnection, width: int) -> None:
    """Below table Ⅰ, over `width` columns: what plans promise besides the indicators, in the newest year and the year before."""
    found = paper.book.evaluation.rows(
        con, "mart.watched_item", "name, unit, year, value, value_before, summary", "sort_order"
    )
    if not found:
        return
    head: list[HeadCell] = [(0, 0, 0, width - 1, "四、关注事项（只作报告，不影响判定）")]
    spans = ((0, 4, "事项"), (5, 5, "年度"), (6, 7, "最新数值"), (8, 9, "上一年度"), (10, width - 1, "情况"))
    head += [(1, left, 1, right, title) for left, right, title in spans]
    paper.head(head, repeat=False)
    for row in found:
        paper.merge(paper.row, 0, paper.row, 4, f"{row['name']}（{row['unit']}）", LEFT)
        paper.number(paper.row, 5, row["year"], "0")
        for left, figure in ((6, row["value"]), (8, row["value_before"])):
            paper.merge_number(paper.row, left, paper.row, left + 1, figure, "#,##0.##")
        paper.merge(paper.row, 10, paper.row, width - 1, row["summary"], LEFT)
        paper.end_row(((10, width - 1), row["summary"]))
