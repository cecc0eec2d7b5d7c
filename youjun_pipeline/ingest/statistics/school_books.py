"""One school's workbook: its identity and the figures of its forms.

Belongs here: from the sheets of one workbook to cells. Keep out: places of labels (grids.py, layouts.toml) and whatever needs
more than one workbook (compose.py). Contact fields are next to the identity and are never read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

from youjun_pipeline.ingest.formats.book import Sheet, column_index, column_letter
from youjun_pipeline.ingest.statistics.cells import ATTACHED, ATTACHED_TYPES, PASSED_OVER_TYPES, SCHOOL, Cell
from youjun_pipeline.ingest.statistics.grids import (
    Grid,
    NotThere,
    Place,
    RawCells,
    Skeleton,
    covered,
    label_cells,
    locate,
    skeleton,
    without_coordinates,
)
from youjun_pipeline.ingest.statistics.labels import cell_text, class_band, fold_label, form_number, quoted
from youjun_pipeline.ingest.statistics.layouts import Bands, Figure, Layouts, Stage, load_layouts

# An identity form has some 40 rows and 10 columns.
IDENTITY_ROWS, IDENTITY_COLUMNS = 120, 40
CODE_ROWS = 3
_CODES = {"urban_rural": r"\d{3}", "authority": r"\d{6,12}", "school_type": r"\d{3}", "sponsor": r"\d{3}"}
_TITLES = {
    "school_code": "学校标识码",
    "school_name": "学校（机构）名称",
    "urban_rural": "所在地城乡类型",
    "authority": "属地管理教育行政部门",
    "school_type": "办学类型",
    "sponsor": "举办者",
}


class Unexpected(Exception):
    """Labels are not in their expected places; `problems` lists all of them, each with its sheet."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("；".join(problems))
        self.problems = problems


def forms_in(names: Iterable[str], layouts: Layouts) -> dict[str, str]:
    """Form number -> sheet, for the forms from which something is read.

    Raises:
        Unexpected: if a form occurs twice, because it is unclear whose figures would count.
    """
    found: dict[str, str] = {}
    problems = []
    for name in names:
        number = form_number(name)
        if number is None or (number not in layouts.forms and number not in layouts.identity_forms):
            continue
        if number in found:
            problems.append(f"{number} 有两张工作表“{found[number]}”“{name}”，一个工作簿只能有一所学校")
        found.setdefault(number, name)
    if problems:
        raise Unexpected(problems)
    return found


def read_school(sheets: Mapping[str, Sheet], member: str, layouts: Layouts, notices: list[str]) -> list[Cell]:
    """The cells of one school's workbook; for a kindergarten no cells, but a notice.

    Raises:
        Unexpected: for every label that is not in its expected place.
    """
    found = forms_in(sheets, layouts)
    identities = [number for number in found if number in layouts.identity_forms]
    if len(identities) != 1:
        have = "、".join(sorted(found)) or "无"
        raise Unexpected(
            [f"应有且只有一张学校基本情况表（{'或'.join(sorted(layouts.identity_forms))}），现有的表：{have}"]
        )
    sheet = found.pop(identities[0])
    identity = _identity(without_coordinates(sheets[sheet].content.rows()), layouts, sheet, member)
    types = {cell.value for cell in identity if cell.column == "school_type"}
    if types & PASSED_OVER_TYPES:
        notices.append("是幼儿园或附设的幼儿班、特教班，没有读取")
        return []
    if types & ATTACHED_TYPES:
        identity = [cell._replace(role=ATTACHED) for cell in identity]
    cells, problems = list(identity), []
    for number, sheet in found.items():
        try:
            grid = without_coordinates(sheets[sheet].content.rows())
            figures = _figures(grid, number, identity[0], sheet)
            problems += [
                f"工作表“{sheet}”：“{cell.label}”的 {cell.letter}{cell.row} 在合并单元格里，看不到填的是什么"
                for cell in figures
                if covered(sheets[sheet].merged, cell.row - 1, [column_index(cell.letter)])
            ]
            cells += figures
        except Unexpected as error:
            problems += error.problems
    if problems:
        raise Unexpected(problems)
    return cells


def _identity(grid: Grid, layouts: Layouts, sheet: str, member: str) -> list[Cell]:
    labels: dict[str, list[tuple[int, int]]] = {}
    wanted = {**layouts.identity, **layouts.coded}
    known = layouts.identity_labels
    for r in range(min(IDENTITY_ROWS, grid.height)):
        for c, value in enumerate(grid.row(r)[:IDENTITY_COLUMNS]):
            if value and (label := fold_label(value)) in known and not _is_about_attached_classes(grid, r):
                labels.setdefault(label, []).append((r, c))
    places, problems = {}, []
    for name, spellings in wanted.items():
        at = [place for spelling in spellings for place in labels.get(spelling, [])]
        try:
            places[name] = _value_place(grid, name, at, name in layouts.coded)
        except NotThere as problem:
            problems.append(f"工作表“{sheet}”：{problem}")
    if problems:
        have = "、".join(title for name, title in _TITLES.items() if name in places) or "无"
        raise Unexpected([f"{problem}（找到的有：{have}）" for problem in problems])
    texts = {name: grid.text(*place) for name, place in places.items()}
    return [
        Cell(
            texts["school_code"],
            "schools",
            name,
            "",
            "",
            texts[name],
            SCHOOL,
            "",
            member,
            sheet,
            grid.row_number(row),
            grid.letter(column),
            _TITLES[name],
        )
        for name, (row, column) in places.items()
    ]


def _is_about_attached_classes(grid: Grid, row: int) -> bool:
    """Whether a label begins the block about attached classes, which repeats words of the school's own blocks."""
    for below in range(row + 1, min(row + 1 + CODE_ROWS, grid.height)):
        texts = [fold_label(text) for text in grid.texts(below)[:IDENTITY_COLUMNS] if text]
        if any(text.startswith("附设") for text in texts):
            return True
        if texts and texts[0] == "代码":
            return False
    return False


def _value_place(grid: Grid, name: str, labels: list[tuple[int, int]], is_coded: bool) -> tuple[int, int]:
    """Where the value of an identity label is. The value found there is never quoted, because contact fields are near it."""
    title = _TITLES[name]
    if len(labels) != 1:
        raise NotThere(f"标签“{title}”" + (f"出现 {len(labels)} 次，应只有一次" if labels else "没有找到"))
    row, column = labels[0]
    if is_coded:
        below = next((r for r in range(row + 1, row + 1 + CODE_ROWS) if _is_code_row(grid, r, column)), None)
        if below is None:
            raise NotThere(f"标签“{title}”下方找不到“代码”行")
        text = grid.text(below, column)
        if text and text[0] not in "*＊" and not re.fullmatch(_CODES[name], text):
            raise NotThere(f"标签“{title}”的代码不是 {'6–12' if name == 'authority' else '3'} 位数字")
        return below, column
    text = grid.text(row + 1, column)
    if name == "school_code" and not re.fullmatch(r"\d{10}", text):
        raise NotThere(f"标签“{title}”下方不是 10 位数字")
    if not text:
        raise NotThere(f"标签“{title}”下方是空的")
    return row + 1, column


def _is_code_row(grid: Grid, row: int, column: int) -> bool:
    """Whether the first label of a row is 代码."""
    first = next((text for c in range(column) if (text := grid.text(row, c))), "")
    return fold_label(first) == "代码"


class _Entry(NamedTuple):
    """A figure of a form and its place; `item` is the band of a class size. `value` replaces the cell's value."""

    dataset: str
    column: str
    stage: str
    item: str
    row: int
    at: int
    label: str
    value: str | None


def _figures(grid: Grid, form: str, school: Cell, sheet: str) -> list[Cell]:
    try:
        entries = _entries(form, *label_cells(grid))
    except NotThere as problem:
        entries = [str(problem)]
    problems = [entry for entry in entries if isinstance(entry, str)]
    if problems:
        raise Unexpected([f"工作表“{sheet}”：{problem}" for problem in problems])
    code, role, member = school.school_code, school.role, school.member
    # The places of the entries come from labels in this very sheet, and all its rows have one width, so every place exists.
    rows, top, left = grid.cells, grid.top, grid.left
    return [
        Cell(
            code,
            entry.dataset,
            entry.column,
            entry.stage,
            entry.item,
            cell_text(rows[entry.row + top][entry.at + left]) if entry.value is None else entry.value,
            role,
            "",
            member,
            sheet,
            grid.row_number(entry.row),
            grid.letter(entry.at),
            entry.label,
        )
        for entry in entries
        if isinstance(entry, _Entry)
    ]


@lru_cache(maxsize=1_000)
def _entries(number: str, above: RawCells, beside: RawCells) -> list[_Entry | str]:
    """The places of a form's figures, or what is wrong with the form.

    The result is cached: a country's workbooks have the same few hundred sets of labels, and analysing labels costs more than
    reading the sheet. The key is the form's number, because a form is slow to hash.
    """
    form = load_layouts().forms[number]
    labels = skeleton(number, above, beside)
    found = [
        (figure, "", place) for figure, place in zip(form.figure, locate(labels, form.figure), strict=True)
    ]
    if form.bands:
        found += _bands(labels, form.bands, form.stage)
    return [
        place
        if isinstance(place, str)
        else _Entry(
            dataset,
            "classes" if item else column,
            figure.stage,
            item,
            place.row,
            place.column,
            place.label,
            place.value,
        )
        for figure, item, place in found
        for dataset, column in [figure.column.split(".")]
    ]


def _bands(labels: Skeleton, bands: Bands, stage: Stage) -> list[tuple[Figure, str, Place | str]]:
    """The row of all classes, and the rows by class size (`26-30`, `66-`), which run from 0 upwards without gaps."""
    classes = bands.classes.of_stage(stage)
    (total,) = locate(labels, (classes,))
    if isinstance(total, str):
        return [(classes, "", total)]
    found = [(i, band) for i, label in enumerate(labels.labels) if (band := class_band(label))]
    expected: int | None = 0
    for index, (low, high) in found:
        if low != expected:
            return [(classes, "", f"班额“{quoted(labels.labels[index])}”没有接上前一档")]
        expected = None if high is None else high + 1
    if expected is not None:
        return [(classes, "", "班额分档不全，应从“…及以下”连续到“…及以上”")]
    first = f"{column_letter(total.column)}{labels.rows[found[0][0]] + 1}"
    if bands.first_band and first != bands.first_band:
        return [(classes, "", f"班额第一档应在 {bands.first_band}，实际在 {first}（均不计坐标行、坐标列）")]
    words = total.label.partition("×")[2]
    rows: list[tuple[Figure, str, Place | str]] = [
        (
            classes,
            f"{low}-{high or ''}",
            Place(labels.rows[i], total.column, f"{quoted(labels.labels[i])}×{words}"),
        )
        for i, (low, high) in found
    ]
    return [(classes, "", total), *rows]
