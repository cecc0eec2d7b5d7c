"""The briefing of a phase for the joint meeting (联席会议简报): what closed, what slipped, what blocks, who is late.

Belongs here: the choice and order of what the meeting reads. Keep out: any figure that is not in a mart.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from youjun_pipeline.reports.evaluation import Evaluation, Row
from youjun_pipeline.reports.folder import Report
from youjun_pipeline.reports.schools.plan import progress_word, stage_word
from youjun_pipeline.reports.workbook import LEFT, LINE_HEIGHT, NOTICE, SMALL, Book, Paper

if TYPE_CHECKING:
    import duckdb

TITLE = "联席会议简报"
_WIDTHS = [14, 26, 13, 13, 12, 34]
# A meeting reads no more than that of one kind; the rest is in the marts and is counted.
MOST_ROWS = 30


def write_briefing(con: duckdb.DuckDBPyConnection, evaluation: Evaluation, path: Path) -> None:
    """Write the briefing of one evaluation to `path`."""
    with Book(path, evaluation, TITLE) as book:
        paper = Paper(book, "简报", _WIDTHS, landscape=False)
        paper.open(f"{evaluation.phase_name}阶段{TITLE}")
        _verdict(paper, evaluation.rows(con, "mart.district_verdict", "*", "all"))
        findings = evaluation.rows(con, "mart.finding", "*", "indicator_code, stage, school_code")
        _progress(
            paper, evaluation.rows(con, "mart.remediation_progress", "*", "indicator_code, stage nulls last")
        )
        before = _open_before(con, evaluation)
        closed = [f for f in findings if f["state"] == "closed" and f["finding_id"] in before]
        _findings(paper, f"本阶段解决的问题（{len(closed)} 个）", closed)
        again = [f for f in findings if f["state"] == "reopened"]
        _findings(paper, f"解决后再次出现的问题（{len(again)} 个）", again)
        _slipped(paper, evaluation.rows(con, "mart.measure_status", "*", "slippage_days desc, measure_no"))
        _not_passed(paper, evaluation.rows(con, "mart.reported_not_passed", "*", "measure_no, finding_id"))
        _late(
            paper,
            evaluation.rows(con, "mart.unit_accountability", "*", "overdue desc, slippage_days desc, unit"),
        )
        _audit(
            paper, evaluation.rows(con, "mart.plan_audit", "*", "rule, indicator_code, stage, school_name")
        )


def _open_before(con: duckdb.DuckDBPyConnection, evaluation: Evaluation) -> set[str]:
    """Findings that were not closed in the phase before."""
    rows = con.execute(
        """
        select finding_id from mart.finding
        join mart.evaluation using (district_code, phase_id)
        where district_code = $1 and state <> 'closed' and phase_order = (
            select max(phase_order) from mart.evaluation
            where district_code = $1 and phase_order < (
                select phase_order from mart.evaluation where district_code = $1 and phase_id = $2
            )
        )
        """,
        [evaluation.district_code, evaluation.phase_id],
    ).fetchall()
    return {finding for (finding,) in rows}


def _verdict(paper: Paper, rows: list[Row]) -> None:
    for verdict in rows:
        paper.line(verdict["summary"], {**NOTICE, "font_color": "#000000", "align": "left"})
        if verdict["blocking"]:
            _heading(paper, f"阻碍认定的事项（{len(verdict['blocking'])} 项，按轻重排列）")
            for number, text in enumerate(verdict["blocking"], start=1):
                paper.line(f"{number}. {text}", {**LEFT, "border": 0})


def _progress(paper: Paper, rows: list[Row]) -> None:
    _heading(paper, "整改进度")
    paper.columns("指标", "学段", "问题", "已解决", "逾期", "资金（万元）：预算／已支出", repeat=False)
    catalogue = paper.book.evaluation.catalogue
    for line in rows:
        row = paper.row
        paper.text(row, 0, line["indicator_code"])
        paper.text(row, 1, stage_word(catalogue, line["stage"]) or "不分学段")
        paper.number(row, 2, line["findings"], "0")
        paper.number(row, 3, line["closed"], "0")
        paper.number(row, 4, line["overdue"], "0")
        money = [f"{line[k]:g}" if line[k] is not None else "—" for k in ("budget_wan", "spent_wan")]
        paper.text(row, 5, "／".join(money) if any(m != "—" for m in money) else None)
        paper.row += 1
    if rows:
        row = paper.row
        paper.text(row, 0, "合计")
        paper.blank(row, 1)
        for column, key in ((2, "findings"), (3, "closed"), (4, "overdue")):
            paper.number(row, column, sum(line[key] or 0 for line in rows), "0")
        paper.blank(row, 5)
        paper.row += 1


def _findings(paper: Paper, heading: str, findings: list[Row]) -> None:
    if not findings:
        return
    catalogue = paper.book.evaluation.catalogue
    lines = [
        (
            f["indicator_code"],
            f["school_name"] or ("校际差异系数" if f["level"] == "stage" else f["item"]),
            stage_word(catalogue, f["stage"]),
            "已销号" if f["signed_off"] else "未销号" if f["state"] == "closed" else "再次出现",
            "、".join(f["measures"]),
            f["reason"],
        )
        for f in findings
    ]
    _table(paper, heading, ("指标", "学校或事项", "学段", "销号", "措施", "情况"), lines)


def _slipped(paper: Paper, measures: list[Row]) -> None:
    late = [m for m in measures if (m["slippage_days"] or 0) > 0 or m["overdue"]]
    lines = [
        (
            m["measure_no"],
            m["responsible_units"] or m["bureau_sections"],
            m["due"],
            f"{m['slippage_days'] or 0} 天",
            progress_word(m),
            m["description"],
        )
        for m in late
    ]
    headings = ("措施", "责任单位", "完成时间", "推迟", "进度", "内容")
    _table(paper, f"推迟和逾期的措施（{len(late)} 项）", headings, lines)


def _not_passed(paper: Paper, rows: list[Row]) -> None:
    catalogue = paper.book.evaluation.catalogue
    lines = [
        (
            r["measure_no"],
            r["school_name"] or "校际差异系数或全县事项",
            stage_word(catalogue, r["stage"]),
            r["reported_on"],
            r["indicator_code"],
            r["message"],
        )
        for r in rows
    ]
    headings = ("措施", "学校或事项", "学段", "填报日期", "指标", "情况")
    _table(paper, f"填报完成而仍未达标（{len(rows)} 项）", headings, lines)


def _late(paper: Paper, rows: list[Row]) -> None:
    late = [r for r in rows if r["overdue"] or (r["slippage_days"] or 0) > 0]
    lines = [
        (
            "责任单位" if r["kind"] == "unit" else "责任科室",
            r["unit"],
            f"{r['measures']} 项",
            f"完成 {r['done']} 项",
            f"逾期 {r['overdue']} 项",
            f"最长推迟 {r['slippage_days'] or 0} 天；对应问题 {r['findings']} 个，已解决 {r['findings_closed']} 个",
        )
        for r in late
    ]
    _table(
        paper,
        f"逾期和推迟的责任单位、科室（{len(late)} 个）",
        ("类别", "名称", "措施", "完成", "逾期", "说明"),
        lines,
    )


def _audit(paper: Paper, rows: list[Row]) -> None:
    serious = [r for r in rows if r["severity"] == "serious"]
    catalogue = paper.book.evaluation.catalogue
    lines = [
        (
            r["indicator_code"],
            r["school_name"] or "",
            stage_word(catalogue, r["stage"]),
            r["measure_no"],
            "严重",
            r["message"],
        )
        for r in serious
    ]
    headings = ("指标", "学校", "学段", "措施", "程度", "发现")
    _table(paper, f"方案中的严重薄弱之处（{len(serious)} 处）", headings, lines)


def _table(
    paper: Paper, heading: str, headings: tuple[str, ...], lines: Sequence[tuple[object, ...]]
) -> None:
    """A heading and a table under it; nothing at all where there is nothing to tell."""
    if not lines:
        return
    _heading(paper, heading)
    paper.columns(*headings, repeat=False)
    for line in lines[:MOST_ROWS]:
        needed = 1
        for column, value in enumerate(line):
            paper.text(paper.row, column, value, LEFT if column in (1, 5) else None)
            needed = max(needed, paper.lines_needed(str(value or ""), column, column))
        paper.sheet.set_row(paper.row, LINE_HEIGHT * needed + 4)
        paper.row += 1
    if len(lines) > MOST_ROWS:
        paper.line(f"……另有 {len(lines) - MOST_ROWS} 行，见发布库", {**SMALL})


def _heading(paper: Paper, text: str) -> None:
    paper.row += 1
    paper.line(text, {**SMALL, "bold": True, "font_size": 11})


BRIEFING = Report(
    "{district_code}/{phase_id}/联席会议简报.xlsx",
    "联席会议简报",
    (
        "mart.evaluation",
        "mart.district_verdict",
        "mart.finding",
        "mart.remediation_progress",
        "mart.measure_status",
        "mart.reported_not_passed",
        "mart.unit_accountability",
        "mart.plan_audit",
    ),
    write_briefing,
)
