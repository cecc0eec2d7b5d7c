"""One file for each school with findings (一校一案), to hand out and sign; the workbook beside it (`plan`) is the index.

Keep out: which findings, measures and milestones concern a school (`plan`).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from youjun_pipeline.reports import words
from youjun_pipeline.reports.document import Document
from youjun_pipeline.reports.evaluation import Evaluation, Row
from youjun_pipeline.reports.folder import Report
from youjun_pipeline.reports.naming import STATES, gap_word, indicator_words, progress_word, stage_word
from youjun_pipeline.reports.schools.plan import TITLE, Plan, milestone_due, next_due, read_plans

if TYPE_CHECKING:
    import duckdb

    from youjun_pipeline.standard import Catalogue

# Characters that some file system does not allow in a name, and a first character that would hide the file.
_REFUSED = re.compile(r'[\\/:*?"<>|\x00-\x1f\x7f]|^\.|\.$')
_LONGEST_NAME = 40


def write_plan_papers(con: duckdb.DuckDBPyConnection, evaluation: Evaluation, path: Path) -> None:
    """Write a file for every school that has ever had a finding into the folder `path`, named by code and name."""
    path.mkdir()
    for plan in read_plans(con, evaluation):
        name = _REFUSED.sub("_", plan.school_name)[:_LONGEST_NAME]
        _write(evaluation, plan, path / f"{_REFUSED.sub('_', plan.school_code)}_{name}.docx")


def _write(evaluation: Evaluation, plan: Plan, path: Path) -> None:
    with Document(path, evaluation, TITLE) as paper:
        paper.title(f"{plan.school_name}　{TITLE}")
        paper.text(f"下一步：{next_due(plan, evaluation)}。")
        _findings(paper, plan.findings)
        _measures(paper, "整改措施", plan.measures)
        _milestones(paper, plan)
        if plan.received:
            _measures(paper, "接收其他学校分流或并入", plan.received)
        paper.note(f"{words.NOTHING_MEANS}。“已销号”须数据达标且经填报人以外的人验收。")
        paper.text("校长（签字）：　　　　　　　　督导责任区督学（签字）：")


def _findings(paper: Document, findings: list[Row]) -> None:
    catalogue = paper.evaluation.catalogue
    lines = [
        (
            _with_stage(catalogue, f),
            words.shown_value(f["value"], catalogue, f["indicator_code"]),
            words.shown_value(f["threshold"], catalogue, f["indicator_code"]),
            gap_word(f, catalogue),
            STATES[f["state"]] + ("，已销号" if f["signed_off"] else ""),
            "、".join(f["measures"]) or "先定措施",
            f["reason"],
        )
        for f in findings
    ]
    headings = ("指标", "现值", "标准", "缺口", "状态", "对应措施", "情况")
    paper.table("问题", headings, lines, (23, 20, 20, 22, 15, 19, 37))


def _with_stage(catalogue: Catalogue, finding: Row) -> str:
    name = indicator_words(catalogue, finding["indicator_code"])
    return f"{name}（{stage_word(catalogue, finding['stage'])}）" if finding["stage"] else name


def _measures(paper: Document, caption: str, measures: list[Row]) -> None:
    lines = [
        (
            m["measure_no"],
            m["description"],
            m["due"],
            None if m["slippage_days"] is None else f"{m['slippage_days']} 天",
            progress_word(m, "" if m["percent"] is None else f" {m['percent']:g}%"),
            m["responsible_units"] or m["bureau_sections"],
        )
        for m in measures
    ]
    paper.table(
        caption, ("措施", "内容", "完成时间", "推迟", "进度", "责任单位"), lines, (12, 32, 20, 12, 18, 30)
    )


def _milestones(paper: Document, plan: Plan) -> None:
    lines = []
    for m in plan.milestones:
        due, moved = milestone_due(m, plan)
        said = f"{m['due']}，随措施移至 {due}" if moved else m["due"]
        lines.append((m["milestone_no"], m["task"], said, progress_word(m)))
    paper.table("时间节点", ("节点", "任务", "期限", "状态"), lines, (12, 44, 32, 16))


PLAN_PAPERS = Report(
    "{district_code}/{phase_id}/一校一案",
    "一校一案（每校一份）",
    ("mart.evaluation", "mart.finding", "mart.measure_status", "mart.milestone_status"),
    write_plan_papers,
)
