"""One plan per school (一校一案): for every school with findings, the findings, the measures, who is responsible, the dates.

Belongs here: the sheets of one evaluation's plan workbook. Keep out: the state of measures and findings (the marts), and the
figures behind an indicator (`self_assessment`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from youjun_pipeline.reports import words
from youjun_pipeline.reports.evaluation import Evaluation, Row
from youjun_pipeline.reports.folder import Report
from youjun_pipeline.reports.naming import STATES, gap_word, progress_word, stage_word
from youjun_pipeline.reports.workbook import LEFT, LINE_HEIGHT, NOTICE, SHADES, Book, Paper, columns_of

if TYPE_CHECKING:
    import duckdb

TITLE = "一校一案"
INDEX_NAME = "目录"
_WIDTHS = [15, 9, 12, 11, 13, 34, 15, 33]


@dataclass
class Plan:
    """What concerns one school: its findings, their measures and milestones, and what other schools send to it."""

    school_code: str
    school_name: str
    findings: list[Row] = field(default_factory=list)
    measures: list[Row] = field(default_factory=list)
    milestones: list[Row] = field(default_factory=list)
    received: list[Row] = field(default_factory=list)

    @property
    def open_findings(self) -> list[Row]:
        return [f for f in self.findings if f["state"] != "closed"]


def read_plans(con: duckdb.DuckDBPyConnection, evaluation: Evaluation) -> list[Plan]:
    """A plan for every school that has ever had a finding; schools with most open findings come first."""
    plans: dict[str, Plan] = {}
    for row in evaluation.rows(
        con,
        "mart.finding",
        "school_code, school_name, indicator_code, stage, value, threshold, gap, status, state, measures, signed_off, reason",
        "school_code, indicator_code, stage",
    ):
        if row["school_code"] is not None:
            plan = plans.setdefault(row["school_code"], Plan(row["school_code"], row["school_name"]))
            plan.findings.append(row)
    measures = {
        row["measure_no"]: row for row in evaluation.rows(con, "mart.measure_status", "*", "measure_no")
    }
    milestones = evaluation.rows(con, "mart.milestone_status", "*", "due, milestone_no")
    for plan in plans.values():
        covering = {number for finding in plan.findings for number in finding["measures"]}
        plan.measures = [measures[number] for number in sorted(covering) if number in measures]
        codes = {m["indicator_code"] for m in plan.measures}
        plan.milestones = [
            m
            for m in milestones
            if m["measure_no"] in covering or (m["measure_no"] is None and m["indicator_code"] in codes)
        ]
    for row in measures.values():
        for code in row["receiving_school_codes"]:
            if code in plans:
                plans[code].received.append(row)
    return sorted(plans.values(), key=lambda p: (-len(p.open_findings), p.school_code))


def milestone_due(milestone: Row, plan: Plan) -> tuple[date | None, bool]:
    """When a milestone is due, and whether this date was moved: a milestone moves by as many days as its measure.

    A milestone without a measure moves with the measures of its indicator, once all unfinished ones have moved. A milestone that
    has a new date of its own, or is finished, does not move.
    """
    own: date | None = milestone["due"]
    number = milestone["measure_no"]
    followed = [
        m
        for m in plan.measures
        if (m["measure_no"] == number if number else m["indicator_code"] == milestone["indicator_code"])
        and m["state"] not in ("done", "cancelled")
        and m["due"] is not None
        and m["baseline_due"] is not None
    ]
    moved = min((m["due"] - m["baseline_due"] for m in followed), default=timedelta())
    stands = own is None or own != milestone["baseline_due"] or milestone["state"] in ("done", "cancelled")
    if own is None or stands or moved <= timedelta():
        return own, False
    return own + moved, True


def next_due(plan: Plan, evaluation: Evaluation) -> str:
    """The next step for the school: measures if there are none yet; otherwise the first unfinished or overdue milestone or
    measure.
    """
    if not plan.open_findings:
        return "问题均已解决"
    bare = sum(not f["measures"] for f in plan.open_findings)
    first = f"先定措施（{bare} 个问题没有对应措施）" if bare else ""
    waiting = [
        (day, m["task"] if "task" in m else m["description"] or m["measure_no"])
        for m in (*plan.milestones, *plan.measures)
        if m["state"] not in ("done", "cancelled")
        and (day := milestone_due(m, plan)[0] if "task" in m else m["due"]) is not None
    ]
    if not waiting:
        return first or "没有未完成且有期限的措施或节点"
    late = [w for w in waiting if w[0] < evaluation.effective_on]
    day, task = min(late or waiting)
    return "；".join(filter(None, [first, f"{'已逾期：' if late else ''}{day} {task}"]))


def write_school_plans(con: duckdb.DuckDBPyConnection, evaluation: Evaluation, path: Path) -> None:
    """Write the plans of one evaluation to `path`: an index and a sheet per school."""
    plans = read_plans(con, evaluation)
    names = words.sheet_names((plan.school_name for plan in plans), [INDEX_NAME])
    with Book(path, evaluation, TITLE) as book:
        _write_index(book, plans, names)
        for plan, name in zip(plans, names, strict=True):
            _write_plan(book, plan, name)


def _write_index(book: Book, plans: list[Plan], names: list[str]) -> None:
    paper = Paper(book, INDEX_NAME, [6, 16, 34, 12, 12, 12, 52])
    paper.open(f"{TITLE}　目录")
    if not plans:
        paper.line("没有未达标学校", NOTICE)
    paper.columns("序号", "学校标识码", "学校名称（点击打开）", "问题数", "已解决", "已销号", "下一步")
    for number, (plan, name) in enumerate(zip(plans, names, strict=True), start=1):
        row = paper.row
        closed = sum(f["state"] == "closed" for f in plan.findings)
        paper.number(row, 0, number, "0")
        paper.text(row, 1, plan.school_code)
        paper.link(row, 2, name, plan.school_name)
        paper.number(row, 3, len(plan.findings), "0")
        paper.number(row, 4, closed, "0")
        paper.number(row, 5, sum(bool(f["signed_off"]) for f in plan.findings), "0")
        coming = next_due(plan, book.evaluation)
        paper.text(row, 6, coming, LEFT)
        paper.end_row((6, coming))


def _write_plan(book: Book, plan: Plan, name: str) -> None:
    paper = Paper(book, name, _WIDTHS)
    paper.open(f"{plan.school_name}　{TITLE}")
    paper.paged()
    paper.line(
        f"下一步：{next_due(plan, book.evaluation)}", {**NOTICE, "font_color": "#000000", "align": "left"}
    )
    _findings(paper, plan)
    _measures(paper, "整改措施", plan.measures)
    _milestones(paper, plan)
    if plan.received:
        _measures(paper, "接收其他学校分流或并入", plan.received)
    paper.notes(words.NOTHING_MEANS, "“已销号”须数据达标且经填报人以外的人验收")
    paper.text(paper.row + 1, 0, "校长（签字）：", {"border": 0, "align": "left", "text_wrap": False})
    paper.text(
        paper.row + 1, 5, "督导责任区督学（签字）：", {"border": 0, "align": "left", "text_wrap": False}
    )


def _findings(paper: Paper, plan: Plan) -> None:
    catalogue = paper.book.evaluation.catalogue
    heights = [paper.row_height((5, f["reason"])) for f in plan.findings]
    head = columns_of("指标", "学段", "现值", "标准", "缺口", "情况", "状态", "对应措施")
    paper.table("问题", head, heights)
    for finding, height in zip(plan.findings, heights, strict=True):
        paper.room_for(height)
        indicator = catalogue.indicators[finding["indicator_code"]]
        shade = SHADES.get(finding["status"], {}) if finding["state"] != "closed" else {}
        form = words.value_format(catalogue, finding["indicator_code"])
        row = paper.row
        paper.text(row, 0, f"{finding['indicator_code']} {indicator.short_name}", shade)
        paper.text(row, 1, stage_word(catalogue, finding["stage"]), shade)
        paper.number(row, 2, finding["value"], form, shade)
        paper.number(row, 3, finding["threshold"], form)
        paper.text(row, 4, gap_word(finding, catalogue))
        paper.text(row, 5, finding["reason"], LEFT)
        paper.text(row, 6, STATES[finding["state"]] + ("，已销号" if finding["signed_off"] else ""))
        paper.text(row, 7, "、".join(finding["measures"]) or "先定措施")
        paper.height(row, height)
        paper.row += 1


def _measures(paper: Paper, heading: str, measures: list[Row]) -> None:
    heights = [
        paper.row_height((5, m["description"]), (7, m["responsible_units"]), (6, m["bureau_sections"]))
        for m in measures
    ]
    head = columns_of("措施编号", "类型", "完成时间", "推迟（天）", "进度", "内容", "责任科室", "责任单位")
    paper.table(heading, head, heights)
    for measure, height in zip(measures, heights, strict=True):
        paper.room_for(height)
        row = paper.row
        paper.text(row, 0, measure["measure_no"])
        paper.text(row, 1, measure["measure_type"])
        paper.text(row, 2, measure["due"])
        paper.number(row, 3, measure["slippage_days"], "0")
        done = f" {measure['percent']:g}%" if measure["percent"] is not None else ""
        paper.text(row, 4, progress_word(measure, done))
        paper.text(row, 5, measure["description"], LEFT)
        paper.text(row, 6, measure["bureau_sections"])
        paper.text(row, 7, measure["responsible_units"])
        paper.height(row, height)
        paper.row += 1
    if not measures:
        paper.line("没有措施", {**LEFT})


def _milestones(paper: Paper, plan: Plan) -> None:
    headings = ((0, 0, "节点"), (1, 1, "指标"), (2, 2, "期限"), (3, 3, "状态"), (4, 7, "任务"))
    dues = [milestone_due(milestone, plan) for milestone in plan.milestones]
    heights = [
        LINE_HEIGHT * paper.lines_needed(milestone["task"] or "", 4, 7) + (18 if moved else 4)
        for milestone, (_, moved) in zip(plan.milestones, dues, strict=True)
    ]
    paper.table("时间节点", [(0, first, 0, last, text) for first, last, text in headings], heights)
    for milestone, (due, moved), height in zip(plan.milestones, dues, heights, strict=True):
        paper.room_for(height)
        row = paper.row
        paper.text(row, 0, milestone["milestone_no"])
        paper.text(row, 1, milestone["indicator_code"])
        paper.text(row, 2, f"{due}（随措施）" if moved else due)
        paper.text(row, 3, progress_word(milestone))
        paper.height(row, height)
        paper.merge(row, 4, row, 7, milestone["task"], LEFT)
        paper.row += 1
    if not plan.milestones:
        paper.line("没有时间节点", {**LEFT})


SCHOOL_PLANS = Report(
    "{district_code}/{phase_id}/一校一案.xlsx",
    "一校一案",
    ("mart.evaluation", "mart.finding", "mart.measure_status", "mart.milestone_status"),
    write_school_plans,
)
