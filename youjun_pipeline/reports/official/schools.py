"""Official tables Ⅱ-1 and Ⅱ-2: how many sections meet each resource indicator, and every section with its seven values.

Keep out: any verdict that is not in a mart.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from youjun_pipeline.reports import words
from youjun_pipeline.reports.evaluation import Evaluation, Row
from youjun_pipeline.reports.workbook import HEAD, LEFT, SHADES, Book, HeadCell, Paper

if TYPE_CHECKING:
    import duckdb


# What table Ⅱ-1 counts only for single indicators.
_NOT_OVERALL = object()


def indicator_head(evaluation: Evaluation, left: int, depth: int) -> list[HeadCell]:
    """Header cells of the resource indicators from column `left`: code, name and unit over `depth` rows."""
    cells: list[HeadCell] = []
    for column, code in enumerate(evaluation.resources, start=left):
        indicator = evaluation.catalogue.indicators[code]
        cells += [
            (0, column, 0, column, code),
            (1, column, depth - 1, column, f"{indicator.name}\n（{indicator.gap_unit or indicator.unit}）"),
        ]
    return cells


def write_schools_meeting(book: Book, con: duckdb.DuckDBPyConnection) -> None:
    """Table Ⅱ-1: for each stage and indicator how many sections meet it, and their share."""
    evaluation = book.evaluation
    paper = Paper(book, "表Ⅱ-1", [8, 22, *[13] * len(evaluation.resources), 12])
    paper.open("表Ⅱ-1　资源配置各项指标达标学校数及比例", "所、%")
    last = 2 + len(evaluation.resources)
    paper.head(
        [
            (0, 0, 1, 0, "学段"),
            (0, 1, 1, 1, "项目"),
            *indicator_head(evaluation, 2, 2),
            (0, last, 1, last, "综合判定\n达标"),
        ],
    )
    by_status: dict[tuple[str, str], Counter[str]] = {}
    for row in evaluation.rows(con, "mart.school_indicator", "stage, indicator_code, status", "all"):
        by_status.setdefault((row["stage"], row["indicator_code"]), Counter())[row["status"]] += 1
    verdicts = Counter(
        (row["stage"], row["passes_resource_rule"])
        for row in evaluation.rows(con, "mart.school_verdict", "stage, passes_resource_rule", "all")
    )
    for stage in evaluation.stages:
        _meeting_rows(paper, stage, by_status, {v: verdicts[stage, v] for v in (True, False, None)})
    paper.notes(
        "学校按学部计：一贯制学校的小学部、初中部分别列入小学、初中。",
        "综合判定达标：七项中至少 {met} 项达标，其余不低于标准的 {floor}。".format(
            met=words.plain(evaluation.catalogue.parameters["min_met"].value),
            floor=words.floor_word(evaluation.catalogue),
        ),
        f"达标数含按过渡政策达标的；判定以完整精度为准；{words.NOTHING_MEANS}。",
    )


def _meeting_rows(
    paper: Paper, stage: str, by_status: dict[tuple[str, str], Counter[str]], verdicts: dict[bool | None, int]
) -> None:
    evaluation = paper.book.evaluation
    catalogue = evaluation.catalogue
    floor = words.floor_word(catalogue)
    cells = [by_status.get((stage, code), Counter()) for code in evaluation.resources]
    met = [cell["met"] + cell["met_by_waiver"] for cell in cells]
    totals = [sum(cell.values()) for cell in cells]
    all_sections = sum(verdicts.values())
    shares = [part / whole if whole else None for part, whole in zip(met, totals, strict=True)]
    overall = verdicts[True] / all_sections if all_sections else None
    lines: list[tuple[str, list[Any], Any, str]] = [
        ("学部数（所）", totals, all_sections, "0"),
        ("达标数（所）", met, verdicts[True], "0"),
        ("达标比例", shares, overall, words.share_format(catalogue)),
        (f"达到{floor}未达标数（所）", [cell["near"] for cell in cells], _NOT_OVERALL, "0"),
        (f"低于{floor}数（所）", [cell["below"] for cell in cells], _NOT_OVERALL, "0"),
        ("缺数据数（所）", [cell["no_data"] for cell in cells], verdicts[None], "0"),
        ("其中：按过渡政策达标（所）", [cell["met_by_waiver"] for cell in cells], _NOT_OVERALL, "0"),
    ]
    paper.merge(paper.row, 0, paper.row + len(lines), 0, catalogue.stages[stage].name, HEAD)
    paper.text(paper.row, 1, "标准值（不低于）", LEFT)
    for column, code in enumerate(evaluation.resources, start=2):
        limit = catalogue.indicators[code].limits.get(stage)
        paper.number(
            paper.row, column, None if limit is None else float(limit), words.value_format(catalogue, code)
        )
    paper.blank(paper.row, 2 + len(evaluation.resources))
    for offset, (label, values, total, number_format) in enumerate(lines, start=1):
        style = {"bold": True} if label.startswith("达标") else {}
        paper.text(paper.row + offset, 1, label, LEFT | style)
        for column, value in enumerate(values, start=2):
            paper.number(paper.row + offset, column, value, number_format, style)
        if total is _NOT_OVERALL:
            paper.blank(paper.row + offset, 2 + len(values))
        else:
            paper.number(paper.row + offset, 2 + len(values), total, number_format, style)
    for offset in range(len(lines) + 1):
        paper.sheet.set_row(paper.row + offset, 20)
    paper.row += len(lines) + 1


def write_sections(book: Book, con: duckdb.DuckDBPyConnection) -> None:
    """Table Ⅱ-2: every section with its seven values, its verdict and the remark."""
    evaluation = book.evaluation
    codes = evaluation.resources
    paper = Paper(book, "表Ⅱ-2", [5.5, 28, 7.5, 9, 7.5, 7.5, *[9.8] * len(codes), 9, 40])
    paper.open("表Ⅱ-2　义务教育学校资源配置达标情况")
    labels = ["序号", "学校名称", "举办者代码", "在校生数\n（人）", "年级数\n（个）", "班级数\n（个）"]
    head: list[HeadCell] = [(0, column, 1, column, label) for column, label in enumerate(labels)]
    head += indicator_head(evaluation, len(labels), 2)
    verdict_column = len(labels) + len(codes)
    head += [
        (0, verdict_column, 1, verdict_column, "综合判定"),
        (0, verdict_column + 1, 1, verdict_column + 1, "备注"),
    ]
    columns = verdict_column + 2
    head += [(2, column, 2, column, f"L{column}" if column else "甲") for column in range(columns)]
    paper.head(head)
    values: dict[tuple[str, str], dict[str, Row]] = {}
    for row in evaluation.rows(
        con,
        "mart.school_indicator",
        "school_code, stage, indicator_code, value, status, waiver, rounding_sensitive",
        "school_code, stage, indicator_code",
    ):
        values.setdefault((row["school_code"], row["stage"]), {})[row["indicator_code"]] = row
    sections = evaluation.rows(
        con,
        "mart.school_verdict v left join mart.section s using (district_code, phase_id, school_code, stage) "
        "left join mart.school c using (district_code, phase_id, school_code)",
        "v.school_code, v.stage, v.school_name, c.sponsor_code, v.students, s.grades, s.classes, v.passes_resource_rule",
        "v.school_code",
    )
    flagged = []
    for stage in evaluation.stages:
        of_stage = [s for s in sections if s["stage"] == stage]
        _stage_heading(paper, stage, len(of_stage), columns)
        for number, section in enumerate(of_stage, start=1):
            flagged += _section_row(paper, number, section, values.get((section["school_code"], stage), {}))
    paper.notes(
        f"灰底为未达标，深灰并加粗为低于标准的 {words.floor_word(evaluation.catalogue)}。{words.LEGEND}",
        "举办者代码：1—10，10 为民办。一贯制学校的小学部、初中部分别列入小学、初中；按学段和学校标识码排列。",
        f"{words.ROUNDED_MARK} 处：{'、'.join(flagged)}。" if flagged else "",
    )


def _stage_heading(paper: Paper, stage: str, sections: int, columns: int) -> None:
    """A line with the stage, the number of its sections, and the limits in the columns of their indicators."""
    evaluation = paper.book.evaluation
    catalogue = evaluation.catalogue
    paper.merge(
        paper.row, 0, paper.row, 5, f"{catalogue.stages[stage].name}（{sections} 所）　标准值", LEFT | HEAD
    )
    for column, code in enumerate(evaluation.resources, start=6):
        limit = catalogue.indicators[code].limits.get(stage)
        number_format = words.value_format(catalogue, code)
        paper.number(paper.row, column, None if limit is None else float(limit), number_format, HEAD)
    for column in (columns - 2, columns - 1):
        paper.blank(paper.row, column, HEAD)
    paper.sheet.set_row(paper.row, 20)
    paper.row += 1


def _section_row(paper: Paper, number: int, section: Row, values: dict[str, Row]) -> list[str]:
    """One section; returns its name and code for every value that would round to another verdict."""
    evaluation = paper.book.evaluation
    row, catalogue = paper.row, evaluation.catalogue
    paper.number(row, 0, number, "0")
    paper.text(row, 1, section["school_name"], LEFT)
    for column, name in enumerate(("sponsor_code", "students", "grades", "classes"), start=2):
        paper.number(row, column, section[name], "0")
    flagged = []
    statuses = {}
    for column, code in enumerate(evaluation.resources, start=6):
        cell = values.get(
            code, {"value": None, "status": "no_data", "waiver": None, "rounding_sensitive": False}
        )
        statuses[code] = (cell["status"], cell["waiver"])
        number_format = words.value_format(catalogue, code)
        if cell["rounding_sensitive"]:
            number_format += f'"{words.ROUNDED_MARK}"'
            flagged.append(f"{section['school_name']} {code}")
        if cell["status"] == "met_by_waiver":
            number_format += f'"{words.WAIVER_MARK}"'
        paper.number(row, column, cell["value"], number_format, SHADES.get(cell["status"]))
    passes = section["passes_resource_rule"]
    remark = words.remark(statuses, catalogue)
    last = 6 + len(evaluation.resources)
    paper.text(row, last, words.VERDICTS[passes], {"bold": True} if not passes else {})
    paper.text(row, last + 1, remark, LEFT)
    lines = max(
        paper.lines_needed(section["school_name"], 1, 1), paper.lines_needed(remark, last + 1, last + 1)
    )
    paper.sheet.set_row(row, max(18, min(lines, 12) * 13.5 + 3))
    paper.row += 1
    return flagged
