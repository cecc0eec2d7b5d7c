"""Official table Ⅰ: the district, its schools, and its pupils, classes and teachers by stage.

Keep out: what is judged (`schools`, `balance`, `district`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from youjun_pipeline.reports import words
from youjun_pipeline.reports.evaluation import Evaluation, Row
from youjun_pipeline.reports.official.reported import write_watched
from youjun_pipeline.reports.workbook import LEFT, Book, HeadCell, Paper

if TYPE_CHECKING:
    import duckdb

# Items that the form names in table Ⅰ: code, heading, number format.
_DISTRICT_ITEMS = (
    ("population_wan", "人口总数\n（万人）", "0.00"),
    ("rural_population_wan", "农业人口数\n（万人）", "0.00"),
    ("townships", "乡镇数\n（个）", "0"),
    ("villages", "行政村数\n（个）", "0"),
    ("gdp_per_capita_yuan", "人均地区生产总值\n（元）", "#,##0"),
    ("education_budget_yuan", "一般公共预算教育经费\n（元）", "#,##0"),
)
# Figures of table Ⅰ by stage: column of mart.section, heading.
_SECTION_SUMS = (
    ("classes", "教学班数\n（个）"),
    ("students", "在校学生数\n（人）"),
    ("staff", "教职工数\n（人）"),
    ("full_time_teachers", "其中：专任教师数\n（人）"),
    ("backbone_teachers", "县级以上骨干教师数\n（人）"),
    ("certified_teachers", "持教师资格证教师数\n（人）"),
    ("trained_teachers", "完成规定学时培训教师数\n（人）"),
)
_PRIVATE_SPONSOR = 10
_GRID = 12
_ROW = 20


def write_basic_figures(book: Book, con: duckdb.DuckDBPyConnection) -> None:
    """Table Ⅰ: the district, its schools, its pupils, classes and teachers."""
    evaluation = book.evaluation
    paper = Paper(book, "表Ⅰ", [11.5] * _GRID)
    paper.open("表Ⅰ　县（市、区）基本情况")
    figures = evaluation.rows(con, "mart.district_figure", "item, year, value, is_newest", "item, year")
    schools = evaluation.rows(
        con,
        "mart.school",
        "school_code, school_type, sponsor_code, in_scope, compulsory_students",
        "school_code",
    )
    columns = ", ".join(column for column, _ in _SECTION_SUMS)
    sections = evaluation.rows(
        con, "mart.section", f"school_code, school_type, stage, in_scope, {columns}", "all"
    )
    number = _district_block(paper, figures)
    number = _school_block(paper, schools, evaluation, number)
    missing = _stage_block(paper, sections, schools, evaluation, number)
    write_watched(paper, con, _GRID)
    ordinary = _ordinary_types(evaluation)
    special = [s for s in schools if s["school_type"] not in ordinary]
    notes = [
        "小学包括九年、十二年一贯制学校的小学部和教学点，初中包括一贯制学校的初中部和完全中学的初中部；"
        "特殊教育学校、职业学校只计校数，不计入学部。",
    ]
    if special:
        pupils = _total(special, "compulsory_students")
        shown = "未报" if pupils is None else f"{pupils} 人"
        notes.append(f"特殊教育学校、职业学校共 {len(special)} 所，其中义务教育学段在校生 {shown}。")
    outside = [s for s in sections if s["school_type"] in ordinary and not s["in_scope"]]
    if outside:
        told = _total(
            [s for s in sections if s["school_type"] in ordinary and s["in_scope"]], "full_time_teachers"
        )
        notes.append(
            f"本表包括未纳入评估的 {len(outside)} 个学部；表Ⅱ至表Ⅴ只计纳入评估的"
            + (f"，其专任教师为 {told:,} 人。" if told is not None else "。")
        )
    if missing:
        notes.append(f"{'、'.join(missing)}，因此没有合计。")
    paper.notes(*notes, f"{words.NOTHING_MEANS}。")


def _district_block(paper: Paper, figures: list[Row]) -> int:
    """The items that the form names side by side, other items below them; returns the next column number."""
    newest = {f["item"]: f for f in figures if f["is_newest"]}
    span = _GRID // len(_DISTRICT_ITEMS)
    head: list[HeadCell] = [(0, 0, 0, _GRID - 1, "一、自然与经济情况")]
    for place, (_, heading, _) in enumerate(_DISTRICT_ITEMS):
        left = place * span
        head += [(1, left, 1, left + span - 1, heading), (2, left, 2, left + span - 1, f"L{place + 1}")]
    paper.head(head, repeat=False)
    for place, (item, _, number_format) in enumerate(_DISTRICT_ITEMS):
        figure = newest.get(item)
        left = place * span
        value, year = (figure["value"], f"{figure['year']}年") if figure else (None, None)
        right = left + span - 1
        paper.merge_number(paper.row, left, paper.row, right, value, number_format)
        paper.merge(paper.row + 1, left, paper.row + 1, right, year, {})
    for row in (paper.row, paper.row + 1):
        paper.sheet.set_row(row, _ROW)
    paper.row += 2
    known = {item for item, _, _ in _DISTRICT_ITEMS}
    for item in sorted(newest.keys() - known):
        value = newest[item]["value"]
        paper.merge(paper.row, 0, paper.row, 7, item, LEFT)
        paper.merge_number(paper.row, 8, paper.row, 9, value, words.amount_format(value))
        paper.merge(paper.row, 10, paper.row, 11, f"{newest[item]['year']}年", {})
        paper.row += 1
    return len(_DISTRICT_ITEMS) + 1


def _school_block(paper: Paper, schools: list[Row], evaluation: Evaluation, number: int) -> int:
    """Schools by type, twelve counts to a line; returns the next column number."""
    by_type = Counter(school["school_type"] or "类型未填报" for school in schools)
    types = [*evaluation.catalogue.school_types, *sorted(by_type.keys() - evaluation.catalogue.school_types)]
    counts = [(name, by_type[name]) for name in types]
    private = sum(school["sponsor_code"] == _PRIVATE_SPONSOR for school in schools)
    counts += [("合计", len(schools)), ("其中：民办", private)]
    counts.append(("其中：纳入评估", sum(school["in_scope"] for school in schools)))
    paper.head([(0, 0, 0, _GRID - 1, "二、学校数（所）")], repeat=False)
    for start in range(0, len(counts), _GRID):
        line, head = counts[start : start + _GRID], list[HeadCell]()
        for column, (name, _) in enumerate(line):
            head += [(0, column, 0, column, name), (1, column, 1, column, f"L{number + column}")]
        paper.head(head, repeat=False)
        for column, (_, count) in enumerate(line):
            paper.number(paper.row, column, count, "0")
        paper.sheet.set_row(paper.row, _ROW)
        number += len(line)
        paper.row += 1
    return number


def _stage_block(
    paper: Paper, sections: list[Row], schools: list[Row], evaluation: Evaluation, number: int
) -> list[str]:
    """Sections, classes, pupils and teachers by stage and in all; returns what is missing in the sums."""
    private = {s["school_code"] for s in schools if s["sponsor_code"] == _PRIVATE_SPONSOR}
    ordinary = [s for s in sections if s["school_type"] in _ordinary_types(evaluation)]
    paper.head([(0, 0, 0, _GRID - 1, "三、学部、班级、学生和教师")], repeat=False)
    headings = [
        "学部数\n（个）",
        "其中：民办\n（个）",
        "其中：纳入评估\n（个）",
        *(h for _, h in _SECTION_SUMS),
    ]
    head: list[HeadCell] = [(0, 0, 1, 1, "学段")]
    for column, heading in enumerate(headings, start=2):
        head += [(0, column, 0, column, heading), (1, column, 1, column, f"L{number + column - 2}")]
    paper.head(head, repeat=False)
    missing = []
    stages = [
        (evaluation.catalogue.stages[s].name, [r for r in ordinary if r["stage"] == s])
        for s in evaluation.stages
    ]
    top = paper.row
    for name, rows in [*stages, ("合计", ordinary)]:
        # the last row is the sum of the rows above
        above = range(top, paper.row) if name == "合计" else range(0)
        paper.merge(paper.row, 0, paper.row, 1, name, {})
        paper.total(paper.row, 2, above, len(rows), "#,##0")
        paper.total(paper.row, 3, above, sum(r["school_code"] in private for r in rows), "#,##0")
        paper.total(paper.row, 4, above, sum(r["in_scope"] for r in rows), "#,##0")
        for column, (figure, heading) in enumerate(_SECTION_SUMS, start=5):
            paper.total(paper.row, column, above, _total(rows, figure), "#,##0")
            blank = sum(r[figure] is None for r in rows)
            if blank and name != "合计":
                missing.append(
                    f"{name}有 {blank} 个学部未报{heading.split(chr(10))[0].removeprefix('其中：')}"
                )
        paper.sheet.set_row(paper.row, _ROW)
        paper.row += 1
    return missing


def _ordinary_types(evaluation: Evaluation) -> set[str | None]:
    """Types of school whose pupils and teachers the form counts: all but special-education and vocational schools.

    An unreadable type (None) does not exclude a school, as in the judgement.
    """
    return {None, *(name for name, kind in evaluation.catalogue.school_types.items() if kind.in_scope)}


def _total(rows: Iterable[Row], column: str) -> int | None:
    """The sum of a column; None as soon as one row has not reported it, because missing is not zero."""
    values = [row[column] for row in rows]
    return None if any(value is None for value in values) else sum(values)
