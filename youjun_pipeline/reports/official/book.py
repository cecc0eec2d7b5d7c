"""The application tables of one evaluation as a workbook: cover, then tables Ⅰ to Ⅵ.

Keep out: the tables themselves (the other modules in this folder).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from youjun_pipeline.reports.evaluation import Evaluation, Row
from youjun_pipeline.reports.folder import Report
from youjun_pipeline.reports.official.balance import write_balance
from youjun_pipeline.reports.official.basics import write_basic_figures
from youjun_pipeline.reports.official.district import write_assurance, write_quality, write_recognition
from youjun_pipeline.reports.official.schools import write_schools_meeting, write_sections
from youjun_pipeline.reports.workbook import BARE, HEAD, LEFT, LINE_HEIGHT, NOTICE, TITLE, Book, Paper

if TYPE_CHECKING:
    import duckdb

FORM_TITLE = "县域义务教育优质均衡发展督导评估申报表"
CONTENTS = (
    ("表Ⅰ", "县（市、区）基本情况", write_basic_figures),
    ("表Ⅱ-1", "资源配置各项指标达标学校数及比例", write_schools_meeting),
    ("表Ⅱ-2", "义务教育学校资源配置达标情况", write_sections),
    ("表Ⅲ", "义务教育校际均衡情况", write_balance),
    ("表Ⅳ", "政府保障程度", write_assurance),
    ("表Ⅴ", "教育质量", write_quality),
    ("表Ⅵ", "社会认可度调查及一票否决事项", write_recognition),
)

_SIGNATURES = (
    "填报单位（公章）：",
    "负责人（签字）：",
    "填表人（签字）：　　　　　　　　　　联系电话：",
    "填报日期：　　　　年　　月　　日",
)


def write_official(con: duckdb.DuckDBPyConnection, evaluation: Evaluation, path: Path) -> None:
    """Write the application tables of `evaluation` to `path`, from the publication that `con` has open."""
    with Book(path, evaluation, FORM_TITLE) as book:
        _write_cover(book, con)
        for _, _, write in CONTENTS:
            write(book, con)


def _write_cover(book: Book, con: duckdb.DuckDBPyConnection) -> None:
    """Who applies, by which standard, with which result, the contents of the workbook, and who signs."""
    evaluation = book.evaluation
    paper = Paper(book, "封面", [22, 40, 26], landscape=False)
    paper.sheet.set_row(0, 40)
    paper.row = 1
    paper.sheet.set_row(paper.row, 48)
    paper.merge(paper.row, 0, paper.row, 2, FORM_TITLE, TITLE | {"font_size": 20})
    paper.row += 2
    if notice := evaluation.notice():
        paper.line(notice, NOTICE | {"font_size": 12})
        paper.row += 1
    verdict = evaluation.rows(
        con,
        "mart.district_verdict",
        "passes, schools_in_scope, schools_failing, failing_out_of_scope, indicators_failing, summary, blocking",
        "all",
    )
    for label, text in _facts(evaluation, verdict[0] if verdict else None):
        paper.text(paper.row, 0, label, HEAD)
        paper.merge(paper.row, 1, paper.row, 2, text, LEFT)
        paper.sheet.set_row(paper.row, max(22, LINE_HEIGHT * paper.lines_needed(text or "", 1, 2) + 6))
        paper.row += 1
    paper.row += 1
    paper.head([(0, 0, 0, 0, "表号"), (0, 1, 0, 2, "名称")], repeat=False)
    for sheet_name, title, _ in CONTENTS:
        paper.link(paper.row, 0, sheet_name, sheet_name)
        paper.merge(paper.row, 1, paper.row, 2, title, LEFT)
        paper.sheet.set_row(paper.row, 20)
        paper.row += 1
    paper.row += 1
    for text in _SIGNATURES:
        paper.sheet.set_row(paper.row, 32)
        paper.merge(paper.row, 0, paper.row, 2, text, BARE | {"font_size": 12})
        paper.row += 1


def _facts(evaluation: Evaluation, verdict: Row | None) -> list[tuple[str, str | None]]:
    """The facts on the cover, label and text."""
    catalogue = evaluation.catalogue
    waivers = "、".join(
        f"{code}（{catalogue.waivers[code].name}{'，由区县继续适用' if code in evaluation.district_waivers else ''}）"
        for code in evaluation.active_waivers
        if code in catalogue.waivers
    )
    number = f"（{evaluation.document_number}）" if evaluation.document_number else ""
    facts: list[tuple[str, str | None]] = [
        ("申报县（市、区）", f"{evaluation.district_name}（区划代码 {evaluation.district_code}）"),
        ("评估阶段", f"{evaluation.phase_name}（{evaluation.starts}至{evaluation.ends}）"),
        ("数据截至", str(evaluation.effective_on)),
        ("依据", catalogue.document),
        ("方案", f"{evaluation.plan_title}{number}" if evaluation.plan_title else None),
        ("民办学校", "纳入评估" if evaluation.include_private else "未纳入评估"),
        ("适用的过渡政策", waivers or "无"),
    ]
    if verdict:
        outside = verdict["failing_out_of_scope"] or 0
        failing = f"其中有指标未达标的 {verdict['schools_failing'] - outside} 所"
        if outside:
            failing += f"；另有 {outside} 所职业学校附设义务教育班级"
        facts += [
            ("自评结论", ("达到标准：" if verdict["passes"] else "未达到标准：") + verdict["summary"]),
            ("学校", f"纳入评估 {verdict['schools_in_scope']} 所，{failing}"),
            ("未达标和未定事项", "\n".join(verdict["blocking"]) or "无"),
        ]
    return facts


OFFICIAL = Report(
    "{district_code}/{phase_id}.xlsx",
    "申报表（表Ⅰ至表Ⅵ）",
    (
        "mart.evaluation",
        "mart.district_figure",
        "mart.school",
        "mart.section",
        "mart.school_indicator",
        "mart.school_verdict",
        "mart.stage_balance",
        "mart.assurance_figure",
        "mart.district_indicator",
        "mart.district_verdict",
        "mart.monitoring_subject",
        "mart.recognition_group",
        "mart.recognition_stratum",
        "mart.watched_item",
    ),
    write_official,
)
