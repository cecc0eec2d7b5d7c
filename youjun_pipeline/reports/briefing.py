"""The briefing of a phase for the joint meeting (联席会议简报): what closed, what slipped, what blocks, who is late, the cost.

Belongs here: the choice and order of what the meeting reads. Keep out: any figure that is not in a mart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from youjun_pipeline import vocabulary
from youjun_pipeline.reports.county.texts import date_word
from youjun_pipeline.reports.document import Document
from youjun_pipeline.reports.evaluation import Evaluation, Row
from youjun_pipeline.reports.folder import Report
from youjun_pipeline.reports.naming import indicator_words, item_words, progress_word, stage_word
from youjun_pipeline.reports.words import amount

if TYPE_CHECKING:
    import duckdb

TITLE = "联席会议简报"
_NUMBERS = "一二三四五六七八九"
_AHEAD = vocabulary.words("severity")["serious"]


def write_briefing(con: duckdb.DuckDBPyConnection, evaluation: Evaluation, path: Path) -> None:
    """Write the briefing of one evaluation to `path`: two pages of text, then all the rows behind it as an annex."""

    def rows(table: str, order: str) -> list[Row]:
        return evaluation.rows(con, table, "*", order)

    findings = rows("mart.finding", "indicator_code, stage, school_code")
    before = _open_before(con, evaluation)
    closed = [f for f in findings if f["state"] == "closed" and f["finding_id"] in before]
    again = [f for f in findings if f["state"] == "reopened"]
    measures = rows("mart.measure_status", "slippage_days desc, measure_no")
    late = [m for m in measures if (m["slippage_days"] or 0) > 0 or m["overdue"]]
    not_passed = rows("mart.reported_not_passed", "measure_no, finding_id")
    units = rows("mart.unit_accountability", "overdue desc, slippage_days desc, unit")
    slow = [u for u in units if u["overdue"] or (u["slippage_days"] or 0) > 0]
    audit = [
        row
        for row in rows("mart.plan_audit", "rule, indicator_code, stage, school_name, message")
        if row["severity"] == "serious"
    ]
    lists: list[tuple[str, Write, list[Row]]] = [
        (f"本阶段解决的问题（{len(closed)} 个）", _findings, closed),
        (f"解决后再次出现的问题（{len(again)} 个）", _findings, again),
        (f"推迟和逾期的措施（{len(late)} 项）", _slipped, late),
        (f"填报完成而仍未达标（{len(not_passed)} 项）", _not_passed, not_passed),
        (f"方案中的{_AHEAD}薄弱之处（{len(audit)} 处）", _audit, audit),
    ]
    lists = [entry for entry in lists if entry[2]]
    with Document(path, evaluation, TITLE) as paper:
        paper.masthead(
            "简　报", f"第　　期　　{evaluation.district_name}义务教育优质均衡发展联席会议　　　年　月　日"
        )
        paper.title(f"{evaluation.phase_name}阶段义务教育优质均衡发展进展情况")
        _opening(paper, rows("mart.district_verdict", "all"), findings)
        numbers = iter(_NUMBERS[1:])
        _chapter(
            paper,
            numbers,
            "整改进度",
            _progress,
            rows("mart.remediation_progress", "indicator_code, stage nulls last"),
        )
        _chapter(paper, numbers, "资金", _money, rows("mart.indicator_money", "indicator_code nulls last"))
        for annex, (heading, _, found) in enumerate(lists, start=1):
            paper.heading(f"{next(numbers)}、{heading}")
            paper.text(f"{_by_indicator(paper, found)}。清单见附表{annex}。")
        _chapter(paper, numbers, f"逾期和推迟的责任单位、科室（{len(slow)} 个）", _late, slow)
        paper.note("报：区（县）政府。送：联席会议各成员单位。")
        if lists:
            paper.page_break()
        for annex, (heading, write, found) in enumerate(lists, start=1):
            paper.heading(f"附表{annex}　{heading}", 2)
            write(paper, found)


Write = Callable[[Document, list[Row]], None]


def _chapter(paper: Document, numbers: Iterator[str], heading: str, write: Write, rows: list[Row]) -> None:
    """A chapter with its table; without rows the chapter is left out."""
    if rows:
        paper.heading(f"{next(numbers)}、{heading}")
        write(paper, rows)


def _by_indicator(paper: Document, rows: list[Row]) -> str:
    """The number of rows of each indicator, in descending order."""
    counts = Counter(row["indicator_code"] for row in rows).most_common()
    return "、".join(
        f"{_name(paper, code) if code else '不属于单项指标的'} {count} 个" for code, count in counts
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


def _opening(paper: Document, verdicts: list[Row], findings: list[Row]) -> None:
    """The state of the district, and the obstacles to passing, the most serious first."""
    paper.heading("一、总体情况")
    closed = sum(f["state"] == "closed" for f in findings)
    signed = sum(bool(f["signed_off"]) for f in findings)
    day = date_word(paper.evaluation.effective_on)
    for verdict in verdicts:
        paper.text(
            f"截至{day}，{verdict['summary']}。累计发现问题 {len(findings)} 个，已解决 {closed} 个，其中验收销号 {signed} 个，"
            f"待销号 {closed - signed} 个；尚有 {len(findings) - closed} 个没有解决。"
        )
        if verdict["blocking"]:
            paper.text(f"阻碍认定的事项（{len(verdict['blocking'])} 项，按轻重排列）：")
            paper.text(*(f"{number}．{text}。" for number, text in enumerate(verdict["blocking"], start=1)))


def _name(paper: Document, code: str | None) -> str:
    return indicator_words(paper.evaluation.catalogue, code)


def _stage(paper: Document, stage: str | None) -> str:
    return stage_word(paper.evaluation.catalogue, stage)


def _progress(paper: Document, rows: list[Row]) -> None:
    # a row with only money goes into the table of money
    shown = [r for r in rows if r["findings"]]
    counts = ("findings", "closed", "signed_off", "overdue", "without_measure")
    lines: list[Sequence[object]] = [
        (_name(paper, r["indicator_code"]), _stage(paper, r["stage"]) or "不分学段", *(r[c] for c in counts))
        for r in shown
    ]
    lines.append(("合计", "", *(sum(r[c] or 0 for r in shown) for c in counts)))
    headings = ("指标", "学段", "问题", "已解决", "已销号", "措施逾期", "没有措施")
    paper.table("各项指标整改进度（个）", headings, lines, (30, 14, 10, 10, 10, 12, 12))


def _money(paper: Document, rows: list[Row]) -> None:
    over = [r for r in rows if r["is_over_budget"]]
    shown = [r for r in rows if r["budget_lines"] or r["spent_wan"] is not None]
    for r in over:
        paper.text(
            f"{_name(paper, r['indicator_code'])}已支出 {amount(r['spent_wan'])} 万元，超过预算 {amount(r['budget_wan'])} 万元，"
            f"超支 {amount(r['over_wan'])} 万元。"
        )
    lines = [
        (_name(paper, r["indicator_code"]), *(amount(r[c]) for c in ("budget_wan", "spent_wan", "over_wan")))
        for r in shown
    ]
    paper.table("预算与支出（万元）", ("指标", "预算", "已支出", "超支"), lines, (40, 20, 20, 20))


def _findings(paper: Document, rows: list[Row]) -> None:
    lines = [
        (
            _name(paper, f["indicator_code"]),
            item_words(f),
            _stage(paper, f["stage"]),
            "已销号" if f["signed_off"] else "待销号" if f["state"] == "closed" else "再次出现",
            "、".join(f["measures"]),
            f["reason"],
        )
        for f in rows
    ]
    headings = ("指标", "学校或事项", "学段", "销号", "措施", "情况")
    paper.table("问题清单", headings, lines, (16, 24, 10, 11, 11, 34))


def _slipped(paper: Document, rows: list[Row]) -> None:
    lines = [
        (
            m["measure_no"],
            m["description"],
            m["due"],
            f"{m['slippage_days'] or 0} 天",
            progress_word(m),
            m["responsible_units"] or m["bureau_sections"],
        )
        for m in rows
    ]
    headings = ("措施", "内容", "完成时间", "推迟", "进度", "责任单位")
    paper.table("推迟和逾期的措施", headings, lines, (10, 30, 17, 10, 14, 22))


def _not_passed(paper: Document, rows: list[Row]) -> None:
    lines = [
        (
            r["measure_no"],
            _name(paper, r["indicator_code"]),
            r["school_name"] or "校际差异系数或全县事项",
            _stage(paper, r["stage"]),
            r["reported_on"],
            r["message"],
        )
        for r in rows
    ]
    headings = ("措施", "指标", "学校或事项", "学段", "填报日期", "情况")
    paper.table("填报完成而仍未达标", headings, lines, (10, 16, 20, 10, 17, 32))


def _late(paper: Document, rows: list[Row]) -> None:
    kinds = vocabulary.words("kind")
    counts = ("measures", "done", "overdue", "slippage_days", "findings", "findings_closed")
    lines = [(kinds.get(r["kind"], r["kind"]), r["unit"], *(r[c] or 0 for c in counts)) for r in rows]
    headings = ("类别", "名称", "措施", "完成", "逾期", "最长推迟（天）", "对应问题", "已解决")
    paper.table("责任单位、科室", headings, lines, (14, 28, 9, 9, 9, 13, 10, 10))


def _audit(paper: Document, rows: list[Row]) -> None:
    lines = [
        (
            _name(paper, r["indicator_code"]) if r["indicator_code"] else None,
            r["school_name"],
            r["measure_no"],
            r["message"],
        )
        for r in rows
    ]
    paper.table("方案审查", ("指标", "学校", "措施", "发现"), lines, (18, 20, 10, 52))


BRIEFING = Report(
    "{district_code}/{phase_id}/" + TITLE + ".docx",
    TITLE,
    (
        "mart.evaluation",
        "mart.district_verdict",
        "mart.finding",
        "mart.remediation_progress",
        "mart.indicator_money",
        "mart.measure_status",
        "mart.reported_not_passed",
        "mart.unit_accountability",
        "mart.plan_audit",
    ),
    write_briefing,
)
