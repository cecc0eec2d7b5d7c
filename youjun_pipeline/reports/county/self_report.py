"""The county's self-evaluation report (县级自评报告), the first paper of an inspection; all figures are read from the
publication.

Belongs here: its chapters and tables. Keep out: its running text and the queries of its figures (`self_report.toml`), and any
verdict that is not in a mart.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from youjun_pipeline import vocabulary
from youjun_pipeline.reports import words
from youjun_pipeline.reports.county.texts import NO_DATA, Figures, blocks, read_figures
from youjun_pipeline.reports.document import Document
from youjun_pipeline.reports.evaluation import Evaluation, Row
from youjun_pipeline.reports.folder import Report
from youjun_pipeline.reports.naming import progress_word, stage_word
from youjun_pipeline.reports.words import amount, shown_value
from youjun_pipeline.standard import Catalogue

if TYPE_CHECKING:
    import duckdb

TITLE = "义务教育优质均衡发展县级自评报告"


def write_self_report(con: duckdb.DuckDBPyConnection, evaluation: Evaluation, path: Path) -> None:
    """Write the report of one evaluation to `path`."""
    texts, fault = blocks(evaluation)
    figures = read_figures(con, evaluation)

    def said(block: str) -> str:
        return filled(texts[block], figures)

    with Document(path, evaluation, TITLE) as paper:
        paper.title(f"{evaluation.district_name}{TITLE}")
        if fault:
            paper.note(fault)
        paper.text(said("intro"))
        paper.heading("一、基本情况")
        paper.text(said("basics"))
        paper.heading("二、自评工作开展情况")
        paper.text(said("work"))
        paper.heading("三、自评结果")
        _results(con, paper, said)
        paper.heading("四、问题整改情况")
        paper.text(said("remediation"))
        _progress(con, paper)
        paper.text(said("money"))
        _money(con, paper)
        paper.heading("五、存在的问题")
        _problems(con, paper)
        paper.text(said("problems"))
        paper.heading("六、下一步工作")
        paper.text(said("next_steps"))
        _open_measures(con, paper)
        paper.right(f"{evaluation.district_name}人民政府", "　　　　年　　月　　日")
        paper.note(
            f"数据截至{evaluation.effective_on}；依据：{evaluation.catalogue.document}。比例和差异系数为四舍五入后的数，判定以完整精度为准。"
            f"{words.NOTHING_MEANS}。各项数值的来源（文件、工作表、行、列）见《迎检档案目录》。"
        )


# For a missing figure such as "Spent: missing 万元": the word, the blanks around it and a unit that ends the clause.
_UNIT_OF_NOTHING = re.compile(
    rf" ?{NO_DATA} (?:万元|亿元|元|万人|人|所|个|项|份)(?=[，。；、（）]|$)", re.MULTILINE
)


def filled(text: str, figures: Figures) -> str:
    """A block with its figures filled in; unbalanced braces stay as written.

    A missing figure loses its unit: “支出 缺数据 万元” would not be a sentence.
    """
    try:
        return _UNIT_OF_NOTHING.sub(NO_DATA, text.strip().format_map(figures))
    except (ValueError, IndexError, AttributeError, KeyError):
        return text.strip()


def _results(con: duckdb.DuckDBPyConnection, paper: Document, said: Callable[[str], str]) -> None:
    paper.heading("（一）资源配置", 2)
    paper.text(said("resources"))
    _resources(con, paper)
    for number, (category, block) in enumerate(
        (
            ("government", "assurance"),
            ("quality", "quality"),
            ("recognition", "recognition"),
            ("veto", "vetoes"),
        )
    ):
        paper.heading(f"（{'二三四五'[number]}）{vocabulary.word('category', category)}", 2)
        paper.text(said(block))
        _indicators(con, paper, category)
    paper.heading("（六）结论", 2)
    paper.text(said("conclusion"), said("waivers"))


def _resources(con: duckdb.DuckDBPyConnection, paper: Document) -> None:
    """For each stage and indicator: how many sections meet it, mean, coefficient and limit."""
    evaluation, catalogue = paper.evaluation, paper.evaluation.catalogue
    counted = {
        (row["stage"], row["indicator_code"]): row
        for row in evaluation.rows(
            con,
            "(select district_code, phase_id, stage, indicator_code, count(*) as sections, "
            "count(*) filter (status in ('met', 'met_by_waiver')) as met from mart.school_indicator group by all)",
            "*",
            "all",
        )
    }
    balances = {
        (row["stage"], row["indicator_code"]): row
        for row in evaluation.rows(con, "mart.stage_balance", "*", "all")
    }
    for stage in evaluation.stages:
        rows = []
        for code in evaluation.resources:
            indicator = catalogue.indicators[code]
            count, balance = counted.get((stage, code), {}), balances.get((stage, code), {})
            limit = indicator.limits.get(stage)
            rows.append(
                (
                    f"{code} {indicator.short_name}",
                    None if limit is None else words.plain(limit),
                    count.get("sections"),
                    count.get("met"),
                    shown_value(balance.get("mean"), catalogue, code),
                    coefficient(balance.get("cv"), catalogue, balance.get("status"), balance.get("cv_limit")),
                    amount(balance.get("cv_limit")),
                    words.status_word(balance.get("status"), catalogue, has_floor=False),
                )
            )
        name = catalogue.stages[stage].name
        paper.table(
            f"{name}七项资源配置和校际差异系数",
            ("指标", "标准", "学部数", "达标数", "平均值", "差异系数", "限值", "系数判定"),
            rows,
            (24, 10, 10, 10, 14, 13, 10, 14),
        )


def coefficient(
    value: float | None, catalogue: Catalogue, status: str | None, limit: float | None
) -> str | None:
    """A coefficient in its printed form, with a mark if rounding would suggest another verdict."""
    if value is None:
        return None
    decimals = int(catalogue.parameters["cv_display_decimals"].value)
    shown = words.rounded(value, decimals)
    misleads = status == "below" and limit is not None and float(shown) <= limit
    return f"{shown}{words.ROUNDED_MARK if misleads else ''}"


def _indicators(con: duckdb.DuckDBPyConnection, paper: Document, category: str) -> None:
    catalogue = paper.evaluation.catalogue
    found = {
        row["indicator_code"]: row
        for row in paper.evaluation.rows(con, "mart.district_indicator", "*", "indicator_code")
    }
    rows = []
    for code, indicator in catalogue.indicators.items():
        if indicator.category != category:
            continue
        row = found.get(code, {})
        status = row.get("status")
        word = (
            vocabulary.words("veto_status").get(status or "no_data")
            if category == "veto"
            else words.status_word(status, catalogue, has_floor=False)
        )
        rows.append((code, indicator.name, word, row.get("summary")))
    paper.table(
        f"{vocabulary.word('category', category)}各项指标",
        ("代码", "指标", "判定", "情况"),
        rows,
        (8, 34, 14, 44),
    )


def _progress(con: duckdb.DuckDBPyConnection, paper: Document) -> None:
    catalogue = paper.evaluation.catalogue
    rows = [
        (
            f"{row['indicator_code']} {catalogue.indicators[row['indicator_code']].short_name}",
            stage_word(catalogue, row["stage"]) or "不分学段",
            row["findings"],
            row["closed"],
            row["signed_off"],
            row["without_measure"],
            row["overdue"],
        )
        for row in paper.evaluation.rows(
            con, "mart.remediation_progress", "*", "indicator_code, stage nulls last"
        )
        # a row with only money goes into the table of money
        if row["findings"] and row["indicator_code"] in catalogue.indicators
    ]
    paper.table(
        "问题整改进度",
        ("指标", "学段", "问题", "已解决", "已销号", "没有措施", "措施逾期"),
        rows,
        (28, 14, 10, 10, 10, 12, 12),
    )


def _money(con: duckdb.DuckDBPyConnection, paper: Document) -> None:
    catalogue = paper.evaluation.catalogue
    rows = []
    for row in paper.evaluation.rows(con, "mart.indicator_money", "*", "indicator_code nulls last"):
        if row["budget_lines"] or row["spent_wan"] is not None:
            code = row["indicator_code"]
            name = (
                f"{code} {catalogue.indicators[code].short_name}"
                if code in catalogue.indicators
                else "认不出指标"
            )
            money = [amount(row[column]) for column in ("budget_wan", "spent_wan", "over_wan")]
            rows.append((name, *money))
    paper.table("预算与支出（万元）", ("指标", "预算", "已支出", "超支"), rows, (40, 20, 20, 20))


def _problems(con: duckdb.DuckDBPyConnection, paper: Document) -> None:
    verdicts = paper.evaluation.rows(con, "mart.district_verdict", "blocking", "all")
    blocking: list[str] = verdicts[0]["blocking"] or [] if verdicts else []
    paper.text(*(f"{number}．{text}。" for number, text in enumerate(blocking, start=1)))
    if not blocking:
        paper.text("对照标准没有未达标和缺数据的事项。")


def _open_measures(con: duckdb.DuckDBPyConnection, paper: Document) -> None:
    rows: list[Row] = paper.evaluation.rows(con, "mart.measure_status", "*", "due nulls last, measure_no")
    paper.table(
        "尚未完成的措施",
        ("措施", "内容", "完成时间", "进度", "责任单位"),
        [
            (
                m["measure_no"],
                m["description"],
                m["due"],
                progress_word(m),
                m["responsible_units"] or m["bureau_sections"],
            )
            for m in rows
            if m["state"] not in ("done", "cancelled")
        ],
        (10, 34, 17, 13, 26),
    )


SELF_REPORT = Report(
    "{district_code}/{phase_id}/县级自评报告.docx",
    "县级自评报告",
    (
        "mart.evaluation",
        "mart.district_figure",
        "mart.district_indicator",
        "mart.district_verdict",
        "mart.finding",
        "mart.indicator_money",
        "mart.measure_status",
        "mart.recognition_group",
        "mart.remediation_progress",
        "mart.school_indicator",
        "mart.school_verdict",
        "mart.section",
        "mart.stage_balance",
        "mart.waiver_register",
    ),
    write_self_report,
)
