"""A sheet as labels and figures: coordinates around it, headers of several rows, and the rows numbered by 甲 and 乙.

Belongs here: finding the place of a label. All results are in terms of labels, so what was found in one sheet serves all sheets
with the same labels. Keep out: opening files (formats/) and which labels are looked for (layouts.toml).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from youjun_pipeline.ingest.formats.book import Span, column_letter
from youjun_pipeline.ingest.spread import owners
from youjun_pipeline.ingest.statistics.labels import (
    cell_text,
    fold_label,
    form_number,
    listed,
    ordinal,
    quoted,
)
from youjun_pipeline.ingest.statistics.layouts import At, Figure, HeaderPath

# The first rows of a form hold its title, number, headers and the row 甲 乙 1 2; a wide export has its header below a title.
HEAD_ROWS, MARK_COLUMNS = 15, 4
ITEM_HEADERS, NUMBER_HEADER = ("项目", "指标", "指标名称"), "编号"

HeadCells = tuple[tuple[str, ...], ...]
RawCells = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Grid:
    """A sheet's cells without the coordinates that some exports put around it: rows count from below `top`, columns from right of
    `left`.
    """

    cells: list[list[str]]
    top: int = 0
    left: int = 0

    @property
    def height(self) -> int:
        return len(self.cells) - self.top

    def row(self, row: int) -> list[str]:
        """The cells of one row as read."""
        return self.cells[row + self.top][self.left :]

    def texts(self, row: int) -> list[str]:
        """The cells of one row as text."""
        return [cell_text(value) for value in self.row(row)]

    def text(self, row: int, column: int) -> str:
        """A cell's text, "" outside the sheet."""
        row, column = row + self.top, column + self.left
        if row >= len(self.cells) or column >= len(self.cells[row]):
            return ""
        return cell_text(self.cells[row][column])

    def row_number(self, row: int) -> int:
        """The row's number as Excel shows it."""
        return row + self.top + 1

    def letter(self, column: int) -> str:
        """The column's letter as Excel shows it."""
        return column_letter(column + self.left)


def covered(merged: Sequence[Span], row: int, columns: Iterable[int]) -> list[int]:
    """The columns among `columns` in which a row's cell is covered by a merged cell, so that nobody sees it.

    Row and columns count from 0 in the sheet as Excel shows it. A blank entry of a form is 0; a hidden entry is unknown.
    """
    spans = [(r0, c0, r1, c1) for r0, c0, r1, c1 in merged if r0 - 1 <= row <= r1 - 1]
    return [c for c in columns if any(c0 <= c <= c1 and (r0 - 1, c0) != (row, c) for r0, c0, _, c1 in spans)]


def without_coordinates(rows: list[list[str]]) -> Grid:
    """Remove a first row A B C … and a first column 1 2 3 …, if they are there."""
    if not rows:
        return Grid(rows)
    top, left = 0, 0
    if "A" in rows[0][:2]:
        first = [value for value in rows[0] if value and ordinal(value) is None]
        top = int(len(first) > 2 and first == [column_letter(c) for c in range(len(first))])
    if len(rows) > top + 2 and rows[top] and ordinal(cell_text(rows[top][0])) == 1:
        down = [ordinal(cell_text(row[0])) if row else None for row in rows[top : top + 6]]
        left = int(down == list(range(1, len(down) + 1)))
    return Grid(rows, top, left)


class Skeleton(NamedTuple):
    """The labels of a form without its figures.

    `head` are the header rows; `labels` and `numbers` are the rows below (甲 and 编号), `rows` their indices; `columns` are the
    columns numbered by the row 甲 乙 1 2; `about` is the row with the form's number; `units` are the cells in 丙.
    """

    head: HeadCells
    columns: tuple[tuple[int, int], ...]
    labels: tuple[str, ...]
    numbers: tuple[int, ...]
    rows: tuple[int, ...]
    units: tuple[str, ...]
    about: str


class Place(NamedTuple):
    """Where a figure is (0-based, without coordinates) and the labels by which it was found; `value` replaces the cell's."""

    row: int
    column: int
    label: str
    value: str | None = None


class NotThere(Exception):
    """A label is not in its expected place; the message says which label and what was found, without file and sheet."""


def label_cells(grid: Grid) -> tuple[RawCells, RawCells]:
    """The cells above the figures, down to the row 甲 乙 1 2 …, and the cells beside the figures, as read.

    Raises:
        NotThere: if there is no such row.
    """
    head = _down_to_marks(grid.row(index) for index in range(min(HEAD_ROWS, grid.height)))
    if head is None:
        # there may be blanks around the marks
        head = _down_to_marks(grid.texts(index) for index in range(min(HEAD_ROWS, grid.height)))
    if head is None:
        head = _down_to_items(grid.texts(index) for index in range(min(HEAD_ROWS, grid.height)))
    if head is None:
        raise NotThere("找不到“甲 乙 1 2 …”一行，也没有“项目 编号 内容”的表头")
    marks = head[-1]
    last = marks.index("丙" if "丙" in marks else "乙" if "乙" in marks else NUMBER_HEADER)
    below, left, right = grid.cells[grid.top + len(head) :], grid.left, grid.left + last + 1
    return tuple(map(tuple, head)), tuple([tuple(row[left:right]) for row in below])


def _down_to_marks(rows: Iterable[list[str]]) -> list[list[str]] | None:
    head = []
    for row in rows:
        head.append(row)
        if "甲" in row[:MARK_COLUMNS] and "乙" in row:
            return head
    return None


def _down_to_items(rows: Iterable[list[str]]) -> list[list[str]] | None:
    """The rows down to a header 项目 | 编号 | 内容, for the form (基础基112) that has no row 甲 乙 1 2."""
    head = []
    for texts in rows:
        folded = [fold_label(text) for text in texts]
        row = [
            f if f in (*ITEM_HEADERS, NUMBER_HEADER) else text for f, text in zip(folded, texts, strict=True)
        ]
        head.append(row)
        if any(text in ITEM_HEADERS for text in row[:MARK_COLUMNS]) and NUMBER_HEADER in row:
            return head
    return None


def skeleton(number: str, above: RawCells, beside: RawCells) -> Skeleton:
    """The labels of a form, from its `label_cells`.

    Raises:
        NotThere: if the sheet's form is not the one in its name.
    """
    head = [[cell_text(value) for value in row] for row in above]
    about, start = "", 1
    for index, row in enumerate(head[:-1]):
        stated = next((found for text in row if (found := form_number(text))), None)
        if stated:
            if stated.removesuffix("续") != number.removesuffix("续"):
                raise NotThere(f"工作表名是 {number}，表内的表号却是 {stated}")
            about, start = " ".join(text for text in row if "单位" in text), index + 1
            break
    marks, last = head[-1], len(head) - 1
    third = marks.index("丙") if "丙" in marks else None
    if "甲" in marks:
        first, second = marks.index("甲"), marks.index("乙")
        columns = tuple(
            (i, n) for i, text in enumerate(marks) if i > second and (n := ordinal(text)) is not None
        )
    else:
        # The header itself serves as the marks: its columns count from the one after the number.
        first = next(i for i, text in enumerate(marks) if text in ITEM_HEADERS)
        second, last = marks.index(NUMBER_HEADER), len(head)
        columns = tuple((i, i - second) for i, text in enumerate(marks) if i > second and text)
    labels, numbers, rows, units = [], [], [], []
    for index, values in enumerate(beside):
        cells = [cell_text(value) for value in values]
        # Rows without a number are notes and signatures; their names and telephone numbers must not be read.
        if len(cells) <= second or (n := ordinal(cells[second])) is None:
            continue
        # 甲 may span two columns: a group such as 班额, and its rows.
        labels.append(next((cells[c] for c in range(second - 1, first - 1, -1) if cells[c]), ""))
        numbers.append(n)
        rows.append(len(head) + index)
        units.append(cells[third] if third is not None and third < len(cells) else "")
    width = columns[-1][0] + 1 if columns else 0
    headers = tuple(
        tuple(row[c] if second < c < len(row) else "" for c in range(width)) for row in head[start:last]
    )
    return Skeleton(headers, columns, tuple(labels), tuple(numbers), tuple(rows), tuple(units), about)


@lru_cache(maxsize=2_000)
def header_paths(head: HeadCells) -> tuple[tuple[str, ...], ...]:
    """The labels above each column from the top down; a merged cell is above all columns that it covers.

    Levels written in one cell (专任教师→按学历分→本科) are separated.
    """
    levels = owners(head)
    paths = []
    for column in range(max((len(row) for row in head), default=0)):
        texts = [head[k][owner] for k, level in enumerate(levels) if (owner := level[column]) is not None]
        paths.append(tuple(part for text in texts for part in re.split(r"→|->|—>", text) if part.strip()))
    return tuple(paths)


def path_skips(path: Sequence[str], wanted: HeaderPath) -> int | None:
    """How many extra levels a header path has between the wanted ones; None if it does not have the wanted levels in this order,
    or ends in another leaf.
    """
    folded = [fold_label(part) for part in path]
    if not folded or folded[-1] not in wanted[-1]:
        return None
    at, first = -1, len(folded) - 1
    for level in wanted[:-1]:
        at = next((i for i in range(at + 1, len(folded) - 1) if folded[i] in level), -2)
        if at == -2:
            return None
        first = min(first, at)
    return len(folded) - first - len(wanted)


def matching_columns(paths: Sequence[Sequence[str]], wanted: HeaderPath) -> list[int]:
    """The columns with the wanted header. Of 专任教师→合计 and 专任教师→艺术→合计 the first matches 专任教师→合计."""
    skips = {i: n for i, path in enumerate(paths) if (n := path_skips(path, wanted)) is not None}
    return [i for i, n in skips.items() if n == min(skips.values())]


def locate(labels: Skeleton, figures: tuple[Figure, ...]) -> tuple[Place | str, ...]:
    """The place of each figure, or why it is not in its expected place."""
    found: list[Place | str] = []
    for figure in figures:
        try:
            found.append(_place(labels, figure))
        except NotThere as problem:
            found.append(str(problem))
    return tuple(found)


def _place(labels: Skeleton, figure: Figure) -> Place:
    index, by_header, value = _row(labels, figure)
    at = figure.at if by_header else (At(number=1),)
    column, words = _column(labels, at)
    row = labels.rows[index]
    name = f"{quoted(labels.labels[index])}×{words}"
    here = f"{column_letter(column)}{row + 1}"
    if figure.cells and here not in figure.cells:
        raise NotThere(f"“{name}”应在 {_either(figure.cells)}，实际在 {here}（均不计坐标行、坐标列）")
    if figure.unit:
        unit_text = " ".join(
            (labels.labels[index], *_numbered_paths(labels)[column], labels.units[index], labels.about)
        )
        if figure.unit not in unit_text:
            raise NotThere(f"“{name}”没有注明单位是{figure.unit}")
    return Place(row, column, name, value)


def _either(cells: tuple[str, ...]) -> str:
    return cells[0] if len(cells) == 1 else f"{'、'.join(cells)} 之一"


def _row(labels: Skeleton, figure: Figure) -> tuple[int, bool, str | None]:
    """Index of the figure's row, whether its column has the label's place in a header, and a value that replaces the cell's."""
    for wanted, by_header, value in (
        (figure.or_rows, False, None),
        (figure.rows, True, None),
        (figure.merged_rows, True, figure.merged.value if figure.merged else None),
    ):
        found = [i for i, label in enumerate(labels.labels) if fold_label(label) in wanted]
        if len(found) > 1 and figure.stage:
            # 小学, 初中 and 高中 follow one below the other, each with the same rows
            found = [i for i in found if _stage_above(labels.labels, i) == figure.stage] or found
        if len(found) > 1:
            rows = "、".join(str(labels.rows[i] + 1) for i in found)
            raise NotThere(
                f"行标签“{quoted(labels.labels[found[0]])}”出现多次（第 {rows} 行），不知道取哪一行"
            )
        if found:
            if figure.number is not None and labels.numbers[found[0]] != figure.number:
                raise NotThere(
                    f"行标签“{figure.row[0]}”的编号应是 {figure.number}，实际是 {labels.numbers[found[0]]:02d}"
                )
            return found[0], by_header, value
    raise NotThere(
        f"找不到行标签“{figure.row[0]}”，找到的行标签是：{listed([quoted(label) for label in labels.labels])}"
    )


_STAGE_ROWS = {
    "小学": "primary",
    "初中": "junior",
    "普通初中": "junior",
    "高中": "senior",
    "普通高中": "senior",
}


def _stage_above(labels: tuple[str, ...], index: int) -> str | None:
    return next((s for i in range(index, -1, -1) if (s := _STAGE_ROWS.get(fold_label(labels[i])))), None)


def _numbered_paths(labels: Skeleton) -> dict[int, tuple[str, ...]]:
    """Header path of each numbered column; the paths are empty in a sheet without header rows."""
    paths = header_paths(labels.head)
    return {column: paths[column] if column < len(paths) else () for column, _ in labels.columns}


def _column(labels: Skeleton, ways: tuple[At, ...]) -> tuple[int, str]:
    """The column named by the first of `ways` that occurs, and its words."""
    paths = _numbered_paths(labels)
    numbered = list(paths.values())
    for at in ways:
        named = matching_columns(numbered, at.path) if at.path else range(len(numbered))
        found = [labels.columns[i] for i in named if at.number is None or labels.columns[i][1] == at.number]
        if len(found) > 1:
            letters = "、".join(column_letter(column) for column, _ in found)
            raise NotThere(f"列标签“{at.words}”出现多次（{letters} 列），不知道取哪一列")
        if found:
            column = found[0][0]
            return column, "→".join(quoted(part) for part in paths[column]) or f"第 {found[0][1]} 栏"
    wanted = " 或 ".join(dict.fromkeys(at.words or f"第 {at.number} 栏" for at in ways))
    have = listed(["→".join(quoted(part) for part in paths[column]) for column, _ in labels.columns])
    raise NotThere(f"找不到列标签“{wanted}”，找到的列标签是：{have}")
