"""The self-assessment of every school of an evaluation: one workbook with an index and a sheet per school to check and sign.

Keep out: what a school should do about it (its plan), and any verdict that is not in a mart.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from youjun_pipeline.contracts import load_datasets
from youjun_pipeline.contracts.model import NUMBER_TYPES
from youjun_pipeline.reports import words
from youjun_pipeline.reports.evaluation import Evaluation, Row
from youjun_pipeline.reports.folder import Report
from youjun_pipeline.reports.workbook import BARE, HEAD, LEFT, LINE_HEIGHT, SHADES, Book, Paper

if TYPE_CHECKING:
    import duckdb

FORM_TITLE = "义务教育优质均衡发展学校自评表"
INDEX_NAME = "目录"
_WIDTHS = [6, 35, 13, 7, 12, 12, 12, 13, 11, 11]
_ROW = 17
# The text runs over the cells to its right, which saves writing five cells for each figure.
_PLACE = {"border": 0, "align": "left", "indent": 1, "font_size": 9, "text_wrap": False}
_LAST = len(_WIDTHS) - 1
_SIGNATURES = "校长（签字）：　　　　　　　　　　（学校公章）　　　　　　　　　　　　年　　月　　日"


@dataclass
class _School:
    """The data on one school: its roster row, and the rows about it by table."""

    roster: Row
    indicators: dict[tuple[str, str], Row] = field(default_factory=dict)
    verdicts: dict[str, Row] = field(default_factory=dict)
    sections: dict[str, Row] = field(default_factory=dict)
    inputs: list[Row] = field(default_factory=list)


def write_self_assessment(con: duckdb.DuckDBPyConnection, evaluation: Evaluation, path: Path) -> None:
    """Write the sheets of all judged schools of `evaluation` to `path`, from the publication that `con` has open."""
    means = {
        (row["stage"], row["indicator_code"]): row["mean"]
        for row in evaluation.rows(con, "mart.stage_balance", "stage, indicator_code, mean", "all")
    }
    schools = _read_schools(con, evaluation)
    names = words.sheet_names((school.roster["school_name"] for school in schools), [INDEX_NAME])
    with Book(path, evaluation, FORM_TITLE) as book:
        _write_index(book, schools, names)
        for school, name in zip(schools, names, strict=True):
            _write_school(book, school, name, means)


def _read_schools(con: duckdb.DuckDBPyConnection, evaluation: Evaluation) -> list[_School]:
    """The judged schools: first those with the first stage, then by code."""
    columns = (
        "school_code, school_name, township, school_type, sponsor_code, urban_rural, built_year, primary_students, "
        "junior_students, senior_students, in_scope, out_of_scope_reason"
    )
    schools = {
        row["school_code"]: _School(row)
        for row in evaluation.rows(con, "mart.school", columns, "school_code")
    }
    for row in evaluation.rows(
        con,
        "mart.school_indicator",
        "school_code, stage, indicator_code, numerator, value, threshold, floor, status, waiver, gap, rounding_sensitive, reason",
        "school_code, indicator_code, stage",
    ):
        schools[row["school_code"]].indicators[row["indicator_code"], row["stage"]] = row
    columns = "school_code, stage, students, passes_resource_rule, failing_indicators, reason"
    for row in evaluation.rows(con, "mart.school_verdict", columns, "school_code, stage"):
        schools[row["school_code"]].verdicts[row["stage"]] = row
    columns = "school_code, stage, grades, classes, full_time_teachers"
    for row in evaluation.rows(con, "mart.section", columns, "school_code, stage"):
        schools[row["school_code"]].sections[row["stage"]] = row
    for row in _inputs(con, evaluation):
        schools[row["school_code"]].inputs.append(row)
    judged = [school for school in schools.values() if school.indicators]
    order = {stage: place for place, stage in enumerate(evaluation.stages)}
    return sorted(
        judged,
        key=lambda s: (
            min((order[stage] for stage in s.verdicts), default=len(order)),
            s.roster["school_code"],
        ),
    )


def _inputs(con: duckdb.DuckDBPyConnection, evaluation: Evaluation) -> list[Row]:
    """The reported figures behind the resource indicators, each figure once, with the place where it was read."""
    codes = ", ".join(f"'{code}'" for code in evaluation.resources)
    # all stages of a school share its figures of facilities and pupils, but not of teachers
    lineage = (
        "(select distinct district_code, phase_id, school_code, if(starts_with(input, 'teachers.'), stage, null) as stage, "
        f"input, value, delivery, file, sheet, row, source_column from mart.lineage where indicator_code in ({codes}))"
    )
    rows = evaluation.rows(
        con, lineage, "school_code, stage, input, value, delivery, file, sheet, row, source_column", "all"
    )
    labels, stages = _labels(), [None, *evaluation.stages]
    # inputs that are words (a school's type) decide waivers; they have no number to check
    figures = [row for row in rows if row["input"] in labels]
    return sorted(
        figures, key=lambda row: (row["school_code"], stages.index(row["stage"]), labels[row["input"]][0])
    )


@cache
def _labels() -> dict[str, tuple[int, str, str]]:
    """For every reported number (`dataset.column`) its place in the datasets, its Chinese name and its unit."""
    columns = [
        (f"{dataset.name}.{name}", column.zh, column.unit or "")
        for dataset in load_datasets().values()
        for name, column in dataset.columns.items()
        if column.type in NUMBER_TYPES
    ]
    return {name: (place, zh, unit) for place, (name, zh, unit) in enumerate(columns)}


def _write_index(book: Book, schools: list[_School], names: list[str]) -> None:
    evaluation = book.evaluation
    paper = Paper(book, INDEX_NAME, [6, 16, 36, 18, 28, 34], landscape=False)
    paper.open(f"{FORM_TITLE}　目录")
    paper.columns("序号", "学校标识码", "学校名称（点击打开）", "办学类型", "资源配置综合判定", "未达标指标")
    for number, (school, name) in enumerate(zip(schools, names, strict=True), start=1):
        row = paper.row
        paper.number(row, 0, number, "0")
        paper.text(row, 1, school.roster["school_code"])
        paper.link(row, 2, name, school.roster["school_name"])
        paper.text(row, 3, school.roster["school_type"])
        verdicts = [
            evaluation.catalogue.stages[stage].name
            + words.VERDICTS[school.verdicts[stage]["passes_resource_rule"]]
            for stage in evaluation.stages
            if stage in school.verdicts
        ]
        paper.text(row, 4, "、".join(verdicts))
        failing = dict.fromkeys(
            code for (code, _), cell in school.indicators.items() if cell["status"] in SHADES
        )
        paper.text(row, 5, "、".join(failing) or "无", LEFT)
        paper.row += 1


def _write_school(book: Book, school: _School, name: str, means: dict[tuple[str, str], float | None]) -> None:
    paper = Paper(book, name, _WIDTHS, landscape=False)
    paper.sheet.set_default_row(_ROW)
    paper.open(f"{school.roster['school_name']}　自评表")
    _identity(paper, school)
    for stage in book.evaluation.stages:
        if stage in school.verdicts:
            _resources(paper, school, stage, means)
    _conditions(paper, school)
    _reported(paper, school)
    paper.line("学校自评意见：", BARE | {"valign": "top"}, lines=5)
    paper.line(_SIGNATURES, BARE, lines=2)
    paper.notes("灰底为未达标。" + words.LEGEND, "“学校核实数”由学校填写，与填报数不一致的请说明并补报。")
    paper.link(paper.row, 0, INDEX_NAME, f"返回{INDEX_NAME}", {"border": 0, "text_wrap": False})


def _identity(paper: Paper, school: _School) -> None:
    """Three lines with labels and figures."""
    roster, catalogue = school.roster, paper.book.evaluation.catalogue
    lines: list[list[tuple[str, object]]] = [
        [
            ("学校标识码", roster["school_code"]),
            ("办学类型", roster["school_type"]),
            ("所属镇街", roster["township"]),
        ],
        [
            ("城乡类型", roster["urban_rural"]),
            ("举办者代码", roster["sponsor_code"]),
            ("建校年份", roster["built_year"]),
        ],
    ]
    lines += [
        [
            (f"{catalogue.stages[stage].name}在校生", roster[f"{stage}_students"]),
            (f"{catalogue.stages[stage].name}年级/班级", _of(section["grades"], section["classes"])),
            (f"{catalogue.stages[stage].name}专任教师", section["full_time_teachers"]),
        ]
        for stage in paper.book.evaluation.stages
        if (section := school.sections.get(stage))
    ]
    for line in lines:
        for place, (label, value) in enumerate(line):
            # label and value take 2 + 1, 2 + 2 and 1 + 2 of the ten columns
            left, middle, right = ((0, 2, 2), (3, 5, 6), (7, 8, 9))[place]
            paper.merge(paper.row, left, paper.row, middle - 1, label, HEAD)
            if isinstance(value, int):
                paper.merge_number(paper.row, middle, paper.row, right, value, "0")
            else:
                paper.merge(paper.row, middle, paper.row, right, value, {})
        paper.row += 1


def _of(grades: int | None, classes: int | None) -> str | None:
    return None if classes is None else f"{grades} 个年级 {classes} 个班"


def _resources(paper: Paper, school: _School, stage: str, means: dict[tuple[str, str], float | None]) -> None:
    """The seven indicators of one section and its verdict."""
    catalogue = paper.book.evaluation.catalogue
    floor = words.floor_word(catalogue)
    name = catalogue.stages[stage].name
    paper.line(f"{name}资源配置", BARE | {"bold": True})
    headings = f"代码 指标 资源量 单位 本校值 标准 标准的{floor} 判定 缺口 全县平均".split()
    paper.columns(*headings, repeat=False)
    for code in paper.book.evaluation.resources:
        cell = school.indicators.get((code, stage))
        indicator, row = catalogue.indicators[code], paper.row
        number_format = words.value_format(catalogue, code)
        paper.text(row, 0, code)
        paper.text(row, 1, indicator.short_name, LEFT)
        paper.text(row, 3, indicator.gap_unit)
        paper.number(row, 9, means.get((stage, code)), number_format)
        if cell is None:
            cell = dict.fromkeys(
                ("numerator", "value", "threshold", "floor", "status", "gap", "rounding_sensitive")
            )
        paper.number(row, 2, cell["numerator"], words.amount_format(cell["numerator"]))
        flagged = f'"{words.ROUNDED_MARK}"' if cell["rounding_sensitive"] else ""
        paper.number(row, 4, cell["value"], number_format + flagged, {"bold": True})
        paper.number(row, 5, cell["threshold"], number_format)
        paper.number(row, 6, cell["floor"], number_format)
        paper.text(
            row,
            7,
            words.status_word(cell["status"], catalogue, has_floor=True),
            SHADES.get(cell["status"] or ""),
        )
        paper.number(row, 8, cell["gap"], "#,##0.00")
        paper.row += 1
    verdict = school.verdicts[stage]
    text = f"综合判定：{words.VERDICTS[verdict['passes_resource_rule']]}。{verdict['reason']}"
    paper.line(text, LEFT | {"bold": True})


def _conditions(paper: Paper, school: _School) -> None:
    """Rooms, size and classes: the indicators of government assurance that are judged for each school."""
    catalogue = paper.book.evaluation.catalogue
    paper.line("学校规模、班额和音乐美术教室", BARE | {"bold": True})
    _headings(paper, "代码 指标 数值 单位 标准 判定 缺口", "说明")
    stages = paper.book.evaluation.stages
    judged = [
        (code, stage)
        for code, stage in school.indicators
        if catalogue.indicators[code].category != "resource"
    ]
    for code, stage in sorted(
        judged, key=lambda key: (key[0], stages.index(key[1]) if key[1] in stages else -1)
    ):
        indicator, cell, row = catalogue.indicators[code], school.indicators[code, stage], paper.row
        of_stage = f"（{catalogue.stages[stage].name}）" if indicator.level == "section" else ""
        paper.text(row, 0, code)
        paper.text(row, 1, indicator.short_name + of_stage, LEFT)
        paper.number(row, 2, cell["value"], words.value_format(catalogue, code), {"bold": True})
        paper.text(row, 3, indicator.unit)
        paper.number(row, 4, cell["threshold"], words.value_format(catalogue, code))
        paper.text(
            row, 5, words.status_word(cell["status"], catalogue, has_floor=False), SHADES.get(cell["status"])
        )
        paper.number(row, 6, cell["gap"], words.value_format(catalogue, code))
        paper.merge(row, 7, row, _LAST, cell["reason"], LEFT)
        lines = max(paper.lines_needed(cell["reason"] or "", 7, _LAST), 1)
        paper.sheet.set_row(row, LINE_HEIGHT * lines + 3)
        paper.row += 1


def _reported(paper: Paper, school: _School) -> None:
    """What was reported for the school and in which cell, with a column for the school's check."""
    catalogue = paper.book.evaluation.catalogue
    paper.line("填报数据核对", BARE | {"bold": True})
    _headings(paper, "序号 填报项目 填报数 单位 学校核实数", "来源")
    labels = _labels()
    for number, figure in enumerate(school.inputs, start=1):
        _, label, unit = labels[figure["input"]]
        row = paper.row
        paper.number(row, 0, number, "0")
        paper.text(row, 1, (catalogue.stages[figure["stage"]].name if figure["stage"] else "") + label, LEFT)
        paper.number(row, 2, figure["value"], words.amount_format(figure["value"]))
        paper.text(row, 3, unit)
        paper.blank(row, 4)
        paper.text(row, 5, _place(figure), _PLACE)
        paper.row += 1


def _headings(paper: Paper, headings: str, last: str) -> None:
    """A header row; its last heading spans all remaining columns."""
    head = [(0, column, 0, column, text) for column, text in enumerate(headings.split())]
    paper.head([*head, (0, len(head), 0, _LAST, last)], repeat=False)


def _place(figure: Row) -> str:
    """The cell where a figure was read, in the words of a person who looks for it."""
    if not figure["file"]:
        return "未报送"
    sheet = f" {figure['sheet']}" if figure["sheet"] else ""
    place = f" 第 {figure['row']} 行 {figure['source_column'] or ''} 列" if figure["row"] else ""
    return f"{figure['delivery']} {figure['file']}{sheet}{place}"


SELF_ASSESSMENT = Report(
    "{district_code}/{phase_id}/自评表.xlsx",
    "学校自评表（每校一张）",
    (
        "mart.evaluation",
        "mart.school",
        "mart.section",
        "mart.school_indicator",
        "mart.school_verdict",
        "mart.stage_balance",
        "mart.lineage",
    ),
    write_self_assessment,
)
