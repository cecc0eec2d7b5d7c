"""The least-cost plan for the leader: its cost, what is done where, what each value becomes, what limits cost.

Belongs here: the sheets of one evaluation's workbook, from the rows of `plan.proposal*`. Keep out: how a plan is found
(planning), the drafts for the schools (`proposal_schools`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from youjun_pipeline.reports.evaluation import Evaluation, Row
from youjun_pipeline.reports.folder import Report
from youjun_pipeline.reports.words import value_format
from youjun_pipeline.reports.workbook import BARE, LEFT, NOTICE, SHADES, Book, Paper
from youjun_pipeline.vocabulary import word

if TYPE_CHECKING:
    import duckdb

TITLE = "最省方案"
TABLES = {
    "proposal_summary": "1",
    "proposal": "line_no",
    "proposal_effect": "level, stage desc, indicator_code, school_code",
    "proposal_obstacle": "obstacle_no",
    "price_curve": 'curve, stage desc, indicator_code, "at"',
    "shadow_price": "rank",
}
Tables = Mapping[str, Sequence[Row]]


def read_tables(con: duckdb.DuckDBPyConnection, evaluation: Evaluation) -> Tables:
    """The published rows of an evaluation's plan."""
    return {name: evaluation.rows(con, f"plan.{name}", "*", order) for name, order in TABLES.items()}


def write_published(con: duckdb.DuckDBPyConnection, evaluation: Evaluation, path: Path) -> None:
    """Write the workbook of a published plan."""
    write_book(read_tables(con, evaluation), evaluation, path)


def write_book(tables: Tables, evaluation: Evaluation, path: Path) -> None:
    """Write the workbook: the conclusion first, then the sheets with its reasons."""
    with Book(path, evaluation, TITLE) as book:
        _conclusion(book, tables)
        _lines(book, tables["proposal"])
        _coefficients(book, [r for r in tables["proposal_effect"] if r["level"] == "stage"])
        _values(book, [r for r in tables["proposal_effect"] if r["level"] == "school"])
        _curves(book, tables["price_curve"])
        _eased(book, tables["shadow_price"])


def _conclusion(book: Book, tables: Tables) -> None:
    paper = Paper(book, "结论", [30, 12, 18, 12, 18], landscape=False)
    head = tables["proposal_summary"][0]
    paper.open(f"{TITLE}")
    if head.get("pupils"):
        paper.line(head["pupils"], BARE)
    paper.line(head["summary"], {**NOTICE, "font_color": "#000000", "align": "left"})
    paper.row += 1
    money = head.get("unit")
    if head.get("cost") is not None:
        paper.columns("项目", "数值", "说明", repeat=False)
        left = head["left_at_floor"] or 0
        rows = [
            (f"造价（{money}）", head["cost"], word("solver_status", head["solver_status"])),
            (f"任何方案不低于（{money}）", head.get("bound"), word("bound_of", head.get("bound_of"))),
            ("差距（%）", None if head.get("gap") is None else head["gap"] * 100, "造价与下界相差，占造价"),
            (f"七项全部达标的造价（{money}）", head.get("every_indicator_cost"), f"现有 {left} 项留在底线以上"),
        ]  # fmt: skip
        for name, value, remark in rows:
            paper.text(paper.row, 0, name, LEFT)
            paper.number(paper.row, 1, value, "#,##0.00")
            paper.text(paper.row, 2, remark, LEFT)
            paper.end_row((2, remark))
    _totals(paper, tables["proposal"], money or "")
    if tables["proposal_obstacle"]:
        paper.row += 1
        paper.line("须另行解决", {**BARE, "bold": True})
        for row in tables["proposal_obstacle"]:
            paper.line(row["sentence"], BARE)
    paper.notes(
        "方案由优化求得，用与评估相同的模型验证；采用前请核对单价和校址容量。",
        "新增教师按本科、有教师资格、培训满 360 学时计；骨干教师在高学历教师中认定。",
    )


def _totals(paper: Paper, lines: Sequence[Row], money: str) -> None:
    """The totals of the work, one for each kind."""
    sums: dict[tuple[str, str, str], list[float]] = defaultdict(lambda: [0, 0.0, 0.0])
    for row in lines:
        what = (
            row["what"] if row["grade"] is None else "班级" if row["proposal_action"] != "divert" else "学生"
        )
        entry = sums[row["proposal_action"], what, row["unit"]]
        entry[0] += 1
        entry[1] += row["quantity"]
        entry[2] += row["cost"] or 0.0
    if not sums:
        return
    paper.row += 1
    paper.columns("做什么", "处数", "数量", "单位", f"造价（{money}）" if money else "造价", repeat=False)
    for (action, what, unit), (count, quantity, cost) in sums.items():
        paper.text(paper.row, 0, f"{word('proposal_action', action)} {what}", LEFT)
        paper.number(paper.row, 1, count, "0")
        paper.number(paper.row, 2, quantity, "#,##0.##" if quantity % 1 else "#,##0")
        paper.text(paper.row, 3, unit)
        paper.number(paper.row, 4, cost if money else None, "#,##0.00")
        paper.row += 1


def _lines(book: Book, lines: Sequence[Row]) -> None:
    paper = Paper(book, "逐校措施", [9, 30, 30, 9, 10, 26, 12, 9, 13, 13])
    paper.open("逐校措施")
    paper.columns("编号", "学校", "接收学校", "学段", "手段", "内容", "数量", "单位", "造价", "完成时间")
    for row in sorted(lines, key=lambda r: (r["school_name"] or "", r["line_no"])):
        at = paper.row
        paper.text(at, 0, row["line_no"])
        paper.text(at, 1, row["school_name"], LEFT)
        paper.text(at, 2, row["to_school_name"], LEFT)
        paper.text(at, 3, word("stage", row["stage"]))
        paper.text(at, 4, word("proposal_action", row["proposal_action"]))
        paper.text(at, 5, f"{row['indicator_code']} {row['what']}", LEFT)
        paper.number(at, 6, row["quantity"], "#,##0.00" if row["quantity"] % 1 else "#,##0")
        paper.text(at, 7, row["unit"])
        paper.number(at, 8, row["cost"], "#,##0.00")
        paper.text(at, 9, row["due"])
        paper.end_row((1, row["school_name"]), (2, row["to_school_name"]), (5, row["what"]))


def _coefficients(book: Book, rows: Sequence[Row]) -> None:
    paper = Paper(book, "差异系数", [10, 30, 12, 12, 12, 14, 14], landscape=False)
    paper.open("差异系数，方案前后")
    paper.columns("学段", "指标", "方案前", "方案后", "上限", "方案前状态", "方案后状态")
    for row in rows:
        _before_and_after(paper, 0, row, "0.000", "0.00")
        paper.row += 1


def _values(book: Book, rows: Sequence[Row]) -> None:
    """The values that the plan changes, and the values that are still not met afterwards."""
    paper = Paper(book, "学校指标", [30, 9, 26, 12, 12, 12, 14, 14, 22])
    paper.open("学校指标，方案前后（只列有变动或仍未达标的）")
    paper.columns("学校", "学段", "指标", "方案前", "方案后", "标准", "方案前状态", "方案后状态", "说明")
    for row in rows:
        changed = row["value_before"] != row["value_after"] or row["status_before"] != row["status_after"]
        if not changed and row["status_after"] not in ("near", "below", "no_data"):
            continue
        form = value_format(book.evaluation.catalogue, row["indicator_code"])
        paper.text(paper.row, 0, row["school_name"], LEFT)
        _before_and_after(paper, 1, row, form, form)
        remark = (
            "按至少六项达标留在底线以上" if row["is_left"] else "" if row["holds_after"] else "须另行解决"
        )
        paper.text(paper.row, 8, remark)
        paper.end_row((0, row["school_name"]), (8, remark))


def _before_and_after(paper: Paper, left: int, row: Row, form: str, limit_form: str) -> None:
    """Seven cells from column `left`: stage, indicator, value before and after, limit, status before and after."""
    at, code = paper.row, row["indicator_code"]
    paper.text(at, left, word("stage", row["stage"]))
    paper.text(at, left + 1, f"{code} {paper.book.evaluation.catalogue.indicators[code].short_name}", LEFT)
    for column, when in ((left + 2, "before"), (left + 3, "after")):
        status = row[f"status_{when}"]
        paper.number(at, column, row[f"value_{when}"], form, SHADES.get(status, {}))
        paper.text(at, column + 3, word("status", status))
    paper.number(at, left + 4, row["threshold"], limit_form)


def _curves(book: Book, rows: Sequence[Row]) -> None:
    paper = Paper(book, "造价曲线", [26, 10, 28, 14, 16, 10, 12], landscape=False)
    paper.open("造价曲线（不计整数，其余各项不变）")
    paper.columns("曲线", "学段", "指标", "横轴", "纵轴", "单位", "标记")
    names = book.evaluation.catalogue.indicators
    for row in rows:
        at, code = paper.row, row["indicator_code"]
        paper.text(at, 0, word("curve", row["curve"]), LEFT)
        paper.text(at, 1, word("stage", row["stage"]))
        paper.text(at, 2, f"{code} {names[code].short_name}" if code else None, LEFT)
        paper.number(at, 3, row["at"], "0.000" if row["curve"] == "coefficient" else "#,##0.##")
        if row["value"] is None:
            paper.text(at, 4, "达不到")
        else:
            paper.number(at, 4, row["value"], "#,##0.00")
        paper.text(at, 5, row["unit"])
        paper.text(
            at, 6, "、".join(t for t, on in (("现行", row["is_now"]), ("拐点", row["is_knee"])) if on) or None
        )
        paper.row += 1


def _eased(book: Book, rows: Sequence[Row]) -> None:
    paper = Paper(book, "让步的价值", [8, 100])
    paper.open("各项上限再放宽一步可以省多少（只适用于小的变动）")
    paper.columns("次序", "一句话")
    for row in rows:
        paper.number(paper.row, 0, row["rank"], "0")
        paper.text(paper.row, 1, row["sentence"], LEFT)
        paper.end_row((1, row["sentence"]))
    if not rows:
        paper.line("没有起作用的上限", LEFT)


PROPOSAL = Report(
    "{district_code}/{phase_id}/" + TITLE + ".xlsx",
    TITLE,
    ("mart.evaluation", *(f"plan.{name}" for name in TABLES)),
    write_published,
    asked_by="plan.proposal_summary",
)
