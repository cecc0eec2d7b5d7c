"""Official tables Ⅳ, Ⅴ and Ⅵ: government assurance, education quality, social recognition with the vetoes.

Keep out: tables of schools (`schools`), and any verdict that is not in a mart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from youjun_pipeline import vocabulary
from youjun_pipeline.reports import words
from youjun_pipeline.reports.evaluation import Row
from youjun_pipeline.reports.official.reported import write_sample
from youjun_pipeline.reports.workbook import HEAD, LEFT, LINE_HEIGHT, SHADES, Book, Paper

if TYPE_CHECKING:
    import duckdb

_WIDTHS = [7, 33, 33, 15, 9, 11, 11, 34]
_HEADINGS = ["代码", "指标内容", "项目", "数值", "单位", "标准值", "判定", "说明及佐证材料"]
_GROUPS = ["学生", "家长", "教师", "校长", "人大代表", "政协委员", "其他群众"]
_CONCLUSIONS = vocabulary.words("conclusion")


def write_assurance(book: Book, con: duckdb.DuckDBPyConnection) -> None:
    """Table Ⅳ: the indicators of government assurance with their figures."""
    paper = Paper(book, "表Ⅳ", _WIDTHS)
    paper.open("表Ⅳ　政府保障程度")
    _indicator_table(paper, con, "government")
    paper.notes(
        "灰底为未达标。", "学校和教师数只计纳入评估的，表Ⅰ还包括未纳入的，两表可以不同。", words.LEGEND
    )


def write_quality(book: Book, con: duckdb.DuckDBPyConnection) -> None:
    """Table Ⅴ: the indicators of education quality, with the results of monitoring one by one."""
    paper = Paper(book, "表Ⅴ", _WIDTHS)
    paper.open("表Ⅴ　教育质量")
    subjects = book.evaluation.rows(
        con,
        "mart.monitoring_subject",
        "cycle, grade, subject, level, level_required, between_school_rate, rate_limit, is_newest, status",
        "grade, subject, cycle desc",
    )
    newest = [subject for subject in subjects if subject["is_newest"]]
    met = [subject for subject in newest if subject["status"] == "met"]
    counts = [_count("参加监测的年级学科数", newest), _count("其中：达标的", met)] if newest else []
    _indicator_table(paper, con, "quality", {"Q9": counts})
    _monitoring_table(paper, subjects)
    paper.notes("灰底为未达标。", words.LEGEND)


def _count(name: str, rows: list[Row]) -> Row:
    """A number of rows, as a figure of an indicator."""
    plain = dict.fromkeys(("figure_no", "target", "status", "conclusion", "evidence"))
    return plain | {"figure_no": 1, "name": name, "value": len(rows), "unit": "项"}


def _indicator_table(
    paper: Paper, con: duckdb.DuckDBPyConnection, category: str, counted: dict[str, list[Row]] | None = None
) -> None:
    """The indicators of a category, with their figures; `counted` adds figures that are counted by the caller."""
    evaluation = paper.book.evaluation
    paper.columns(*_HEADINGS)
    figures = {code: list(rows) for code, rows in (counted or {}).items()}
    for row in evaluation.rows(
        con,
        "mart.assurance_figure",
        "indicator_code, figure_no, name, value, unit, target, status, conclusion, evidence",
        "indicator_code, figure_no",
    ):
        figures.setdefault(row["indicator_code"], []).append(row)
    judged = {
        row["indicator_code"]: row
        for row in evaluation.rows(
            con, "mart.district_indicator", "indicator_code, status, summary", "indicator_code"
        )
    }
    for code, indicator in evaluation.catalogue.indicators.items():
        if indicator.category == category:
            _indicator_rows(paper, code, figures.get(code, []), judged.get(code))


def _indicator_rows(paper: Paper, code: str, figures: list[Row], judged: Row | None) -> None:
    """One indicator: a row for each figure, and beside the rows its name, verdict and explanation."""
    catalogue = paper.book.evaluation.catalogue
    top = paper.row
    status = judged["status"] if judged else "no_data"
    for figure in figures:
        _figure_row(paper, code, figure)
    if not figures:
        for column in range(2, 6):
            paper.text(paper.row, column, None)
        paper.row += 1
    last = paper.row - 1
    explanation = _explanation(figures, judged)
    name = catalogue.indicators[code].name
    paper.merge(top, 0, last, 0, code, {})
    paper.merge(top, 1, last, 1, name, LEFT)
    paper.merge(
        top, 6, last, 6, words.status_word(status, catalogue, has_floor=False), SHADES.get(status, {})
    )
    paper.merge(top, 7, last, 7, explanation, LEFT)
    lines = [max(1, paper.lines_needed(figure["name"], 2, 2)) for figure in figures] or [1]
    short = max(paper.lines_needed(name, 1, 1), paper.lines_needed(explanation or "", 7, 7)) - sum(lines)
    for offset, needed in enumerate(lines):
        # merged cells do not grow, so the missing height of the tallest one is divided among the rows
        extra = max(0, short) / len(lines)
        paper.sheet.set_row(top + offset, LINE_HEIGHT * (needed + extra) + 4)


def _figure_row(paper: Paper, code: str, figure: Row) -> None:
    catalogue = paper.book.evaluation.catalogue
    row = paper.row
    paper.text(row, 2, figure["name"], LEFT)
    is_share = figure["unit"] == words.SHARE_UNIT
    if figure["figure_no"] >= 20:
        conclusion = _CONCLUSIONS.get(figure["conclusion"])
        paper.text(row, 3, conclusion)
    else:
        number_format = words.share_format(catalogue) if is_share else words.amount_format(figure["value"])
        if figure["target"] is not None and not is_share:
            number_format = "#,##" + words.value_format(catalogue, code)
        decimals = int(catalogue.parameters["share_display_decimals"].value) + 2 if is_share else 2
        if words.is_rounding_sensitive(figure["value"], figure["target"], figure["status"], decimals):
            number_format += f'"{words.ROUNDED_MARK}"'
        paper.number(
            row, 3, figure["value"], number_format, {"bold": True} if figure["target"] is not None else {}
        )
    # a percentage has its own sign: 100.0%
    if figure["unit"] and not is_share:
        paper.text(row, 4, figure["unit"])
    else:
        paper.blank(row, 4)
    if figure["target"] is None:
        paper.blank(row, 5)
    else:
        target_format = words.value_format(catalogue, code)
        paper.number(row, 5, figure["target"], target_format if is_share else "#,##" + target_format)
    paper.row += 1


def _explanation(figures: list[Row], judged: Row | None) -> str | None:
    """The evidence, and a summary if the figures alone do not explain the verdict."""
    evidence = list(dict.fromkeys(figure["evidence"] for figure in figures if figure["evidence"]))
    parts = [f"佐证材料：{'、'.join(evidence)}"] if evidence else []
    if judged and (judged["status"] != "met" or not parts):
        parts.insert(0, judged["summary"])
    return "\n".join(parts) or None


def _monitoring_table(paper: Paper, subjects: list[Row]) -> None:
    """The results of national monitoring; the newest cycle of each grade and subject is marked as the one that is judged."""
    catalogue = paper.book.evaluation.catalogue
    paper.row += 1
    paper.line("附：国家义务教育质量监测结果", {"border": 0, "align": "left", "bold": True})
    headings = ["年级", "学科", "监测年份", "学业水平（级）", "应达到", "校际差异率", "须低于", "判定"]
    paper.columns(*headings, repeat=False)
    if not subjects:
        paper.merge(paper.row, 0, paper.row, len(headings) - 1, "没有质量监测结果", {})
        paper.row += 1
    share = words.share_format(catalogue)
    decimals = int(catalogue.parameters["share_display_decimals"].value) + 2
    for subject in subjects:
        row, rate, limit = paper.row, subject["between_school_rate"], subject["rate_limit"]
        paper.number(row, 0, subject["grade"], "0")
        paper.text(row, 1, subject["subject"])
        paper.number(row, 2, subject["cycle"], "0")
        paper.text(row, 3, words.level_word(subject["level"]))
        paper.text(row, 4, words.level_word(subject["level_required"]))
        # it looks like the limit or more, although it is below the limit
        rounds_up = rate is not None and rate < limit and float(words.rounded(rate, decimals)) >= limit
        paper.number(row, 5, rate, share + (f'"{words.ROUNDED_MARK}"' if rounds_up else ""))
        paper.number(row, 6, limit, share)
        verdict = words.status_word(subject["status"], catalogue, has_floor=False)
        old = "" if subject["is_newest"] else "（已有更新一轮，不作判定）"
        paper.text(row, 7, verdict + old, SHADES.get(subject["status"]) if subject["is_newest"] else None)
        paper.row += 1


def write_recognition(book: Book, con: duckdb.DuckDBPyConnection) -> None:
    """Table Ⅵ: the survey of social recognition by group, and the one-vote vetoes."""
    evaluation = book.evaluation
    paper = Paper(book, "表Ⅵ", [20, 14, 14, 14, 14, 16, 14, 26])
    paper.open("表Ⅵ　社会认可度调查")
    headings = [
        "调查对象",
        "方式",
        "年度",
        "发放数（份）",
        "有效数（份）",
        "满意数（份）",
        "认可度（%）",
        "备注",
    ]
    paper.columns(*headings)
    found = evaluation.rows(
        con,
        "mart.recognition_group",
        "year, respondent_group, method, issued, valid, satisfied, rate",
        "method",
    )
    order = {group: place for place, group in enumerate(_GROUPS)}
    groups = sorted({row["respondent_group"] for row in found}, key=lambda g: (order.get(g, len(order)), g))
    answers: list[int] = []
    for group in groups:
        rows = [row for row in found if row["respondent_group"] == group]
        answers += range(paper.row, paper.row + len(rows))
        paper.merge(paper.row, 0, paper.row + len(rows) - (len(rows) == 1), 0, group, {})
        for row in rows:
            _survey_row(paper, row["method"], row["year"], row, {})
        if len(rows) > 1:
            above = range(paper.row - len(rows), paper.row)
            _survey_row(paper, "小计", rows[0]["year"], _summed(rows), {"italic": True}, above)
    if not found:
        paper.merge(paper.row, 0, paper.row, len(headings) - 1, "没有社会认可度调查结果", {})
        paper.row += 1
    _recognition_verdict(paper, con, found, answers)
    write_sample(paper, con)
    _veto_table(paper, con)
    paper.notes(
        "认可度为满意数除以有效数，以各类调查对象合计判定。",
        "应有有效数按常住人口的规定比例计，家长过半，其余各类平分，各类的分配只供参考；置信区间按威尔逊法，不影响判定。",
        "一票否决事项须有明确结论，“达标”即未发生；发生任何一项，不予认定。",
        words.LEGEND,
    )


def _survey_row(
    paper: Paper,
    method: str | None,
    year: int | None,
    row: Row,
    style: dict[str, object],
    above: Sequence[int] = (),
) -> None:
    paper.text(paper.row, 1, method, style)
    paper.number(paper.row, 2, year, "0", style)
    for column, figure in enumerate(("issued", "valid", "satisfied"), start=3):
        paper.total(paper.row, column, above, row[figure], "#,##0", style)
    paper.number(paper.row, 6, row["rate"], words.share_format(paper.book.evaluation.catalogue), style)
    paper.blank(paper.row, 7)
    paper.sheet.set_row(paper.row, 18)
    paper.row += 1


def _summed(rows: list[Row]) -> Row:
    """The sums of several rows and their rate; a missing part makes its sum unknown."""
    total: Row = {}
    for figure in ("issued", "valid", "satisfied"):
        values = [row[figure] for row in rows]
        total[figure] = None if any(value is None for value in values) else sum(values)
    known = total["valid"] and total["satisfied"] is not None
    total["rate"] = total["satisfied"] / total["valid"] if known else None
    return total


def _recognition_verdict(
    paper: Paper, con: duckdb.DuckDBPyConnection, found: list[Row], answers: Sequence[int]
) -> None:
    """The total of all groups against the limit, as in the district's indicator; `answers` are the rows of the sum."""
    evaluation = paper.book.evaluation
    catalogue = evaluation.catalogue
    judged = evaluation.rows(
        con,
        "mart.district_indicator",
        "indicator_code, value, target, status, summary, category",
        "indicator_code",
    )
    for row in (row for row in judged if row["category"] == "recognition"):
        share = words.share_format(catalogue)
        decimals = int(catalogue.parameters["share_display_decimals"].value) + 2
        mark = words.is_rounding_sensitive(row["value"], row["target"], row["status"], decimals)
        total = _summed(found) if found else dict.fromkeys(("issued", "valid", "satisfied"))
        paper.merge(paper.row, 0, paper.row, 1, "合计", HEAD)
        paper.blank(paper.row, 2, HEAD)
        for column, figure in enumerate(("issued", "valid", "satisfied"), start=3):
            paper.total(paper.row, column, answers, total[figure], "#,##0", HEAD)
        paper.number(paper.row, 6, row["value"], share + (f'"{words.ROUNDED_MARK}"' if mark else ""), HEAD)
        verdict = words.status_word(row["status"], catalogue, has_floor=False)
        limit = (
            "" if row["target"] is None else f"标准 {words.plain(words.rounded(row['target'] * 100, 1))}%："
        )
        paper.text(paper.row, 7, limit + verdict, HEAD)
        paper.sheet.set_row(paper.row, 20)
        paper.row += 1


def _veto_table(paper: Paper, con: duckdb.DuckDBPyConnection) -> None:
    evaluation = paper.book.evaluation
    conclusions = {
        row["indicator_code"]: row
        for row in evaluation.rows(
            con, "mart.assurance_figure", "indicator_code, conclusion, evidence, status", "figure_no"
        )
    }
    paper.row += 1
    paper.line("附：一票否决事项", {"border": 0, "align": "left", "bold": True})
    paper.head(
        [
            (0, 0, 0, 0, "代码"),
            (0, 1, 0, 3, "事项"),
            (0, 4, 0, 4, "填报结论"),
            (0, 5, 0, 5, "判定"),
            (0, 6, 0, 7, "佐证材料"),
        ],
        repeat=False,
    )
    occurred = vocabulary.words("veto_status")
    for code, indicator in evaluation.catalogue.indicators.items():
        if indicator.category != "veto":
            continue
        row = conclusions.get(code, {"conclusion": None, "evidence": None, "status": "no_data"})
        paper.text(paper.row, 0, code)
        paper.merge(paper.row, 1, paper.row, 3, indicator.name, LEFT)
        paper.text(paper.row, 4, _CONCLUSIONS.get(row["conclusion"]))
        paper.text(paper.row, 5, occurred.get(row["status"], occurred["no_data"]), SHADES.get(row["status"]))
        paper.merge(paper.row, 6, paper.row, 7, row["evidence"], LEFT)
        paper.end_row(((6, 7), row["evidence"]))
