"""A workbook that prints on A4 and that no text can harm. Only this module calls XlsxWriter.

Every text is written as a string cell and never interpreted, so that a name like `=1+1` stays a name; its style has Excel's text
prefix, so that it stays a name when somebody edits the cell. Keep out: what the sheets say.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any

from youjun_pipeline.reports.evaluation import Evaluation
from youjun_pipeline.reports.words import NOTHING

# A cell can hold 32767 characters, but a form becomes unreadable long before that.
LONGEST_TEXT = 2000
LINE_HEIGHT = 14.0
# A4 landscape without the margins of a sheet: its height in points, and its width in pixels. A column takes 7 pixels for each
# unit of width and 5 more. If a row's height is not set, Excel chooses it.
_PAGE_HEIGHT, _PAGE_WIDTH, _UNSET_HEIGHT = 508.0, 1026.0, 15.0
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
_FONT = {"font_name": "宋体", "font_size": 10, "valign": "vcenter"}
_CELL = {**_FONT, "border": 1, "text_wrap": True, "align": "center"}
HEAD = {"bold": True, "bg_color": "#EDEDED"}
LEFT = {"align": "left", "indent": 1}
# Greys, because the form is printed in black and white: darker means further from the standard.
NEAR = {"bg_color": "#D9D9D9"}
BELOW = {"bg_color": "#BFBFBF", "bold": True}
SHADES: dict[str, dict[str, Any]] = {"near": NEAR, "below": BELOW}
# For texts above the table, without borders.
TITLE = {"font_name": "黑体", "font_size": 16, "border": 0}
BARE = {"border": 0, "align": "left"}
SMALL = {"border": 0, "align": "left", "font_size": 9}
NOTICE = {"border": 0, "bold": True, "font_color": "#C00000"}
LINK = {"font_color": "#1F4E79", "underline": 1, "align": "left", "indent": 1}
# (first row, first column, last row, last column, text), rows from the top of the header
HeadCell = tuple[int, int, int, int, str]


class Book:
    """A workbook about one evaluation; use it as a context: it is written at the end of the block.

    The same calls give the same bytes: the date of creation is that of the data, and XlsxWriter's archive has no time.
    """

    def __init__(self, path: Path, evaluation: Evaluation, title: str) -> None:
        import xlsxwriter  # not at the top: the definitions name the reports and load nothing that writes them

        self.evaluation = evaluation
        options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        self.workbook = xlsxwriter.Workbook(str(path), options)
        self.workbook.set_properties(
            {
                "title": title,
                "subject": harmless(f"{evaluation.district_name} {evaluation.phase_name}"),
                "created": datetime.combine(evaluation.effective_on, time()),
            }
        )
        self._styles: dict[frozenset[tuple[str, Any]], Any] = {}

    def __enter__(self) -> Book:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.workbook.close()
        else:
            # XlsxWriter warns if a workbook is dropped unclosed; the exception itself is enough.
            self.workbook.fileclosed = 1

    def style(self, properties: dict[str, Any]) -> Any:
        """The format with the common font and borders and these properties; it is made only once."""
        key = frozenset(properties.items())
        if key not in self._styles:
            self._styles[key] = self.workbook.add_format(_CELL | properties)
        return self._styles[key]


@dataclass
class _Page:
    """The printed page that is being filled: its first row, its height and that of the repeated title in points; the table."""

    top: int
    room: float
    title: float
    breaks: list[int] = field(default_factory=list)
    heading: str = ""
    cells: Sequence[HeadCell] = ()


class Paper:
    """A sheet that is filled from the top; `row` is the next free row, columns count from 0."""

    def __init__(self, book: Book, name: str, widths: Sequence[float], *, landscape: bool = True) -> None:
        self.book, self.name, self.widths, self.row = book, name, list(widths), 0
        self._heights: dict[int, float] = {}
        self._page: _Page | None = None
        sheet = self.sheet = book.workbook.add_worksheet(name)
        for column, width in enumerate(widths):
            sheet.set_column(column, column, width)
        sheet.set_paper(9)
        if landscape:
            sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        sheet.set_margins(left=0.5, right=0.5, top=0.6, bottom=0.6)
        sheet.center_horizontally()
        sheet.hide_gridlines(2)
        where = harmless(f"{book.evaluation.district_name} {book.evaluation.phase_name} {name}")
        where = where[:80].replace("\n", " ").replace("&", "&&")
        # The footer is on every printed page, also if the rows above the table are not repeated.
        notice = book.evaluation.notice()
        sheet.set_footer(
            f"&L&9 {where}&C&9 第 &P 页 共 &N 页{f'&R&9 {notice}' if notice else ''}", {"margin": 0.3}
        )

    def open(self, title: str, unit: str = "") -> None:
        """Title, subject of the sheet, and the warning if there is one."""
        evaluation, last = self.book.evaluation, len(self.widths) - 1
        self.height(self.row, 30)
        self.merge(self.row, 0, self.row, last, title, TITLE)
        about = (
            f"{evaluation.district_name}（{evaluation.district_code}）　{evaluation.phase_name}阶段"
            f"（{evaluation.starts}至{evaluation.ends}）　数据截至{evaluation.effective_on}"
        )
        self.row += 1
        if unit:
            self.merge(self.row, 0, self.row, last - 2, about, BARE)
            self.merge(self.row, last - 1, self.row, last, f"单位：{unit}", BARE | {"align": "right"})
            self.height(self.row, LINE_HEIGHT + 4)
            self.row += 1
        else:
            self.line(about, BARE)
        if notice := evaluation.notice():
            self.line(notice, NOTICE)

    def line(self, text: str, style: dict[str, Any], lines: int | None = None) -> None:
        """A text over the whole width, in a row of the height that it needs (or of `lines` lines)."""
        last = len(self.widths) - 1
        needed = lines or self.lines_needed(text, 0, last)
        self.height(self.row, LINE_HEIGHT * needed + 4)
        if needed == 1 and style.get("border") == 0 and style.get("align") == "left":
            # The text runs over the empty cells beside it: writing a merge takes ten times as long.
            self.text(self.row, 0, text, style | {"text_wrap": False})
        else:
            self.merge(self.row, 0, self.row, last, text, style)
        self.row += 1

    def heading(self, text: str) -> None:
        """A heading within the sheet, after a free row."""
        self.row += 1
        self.line(text, {**SMALL, "bold": True, "font_size": 11})

    def height(self, row: int, points: float) -> None:
        """Set the height of a row."""
        self.sheet.set_row(row, points)
        self._heights[row] = points

    def row_height(self, *texts: tuple[int | tuple[int, int], object]) -> float:
        """The height that the longest of these texts needs in its column or columns, in points."""
        lines = 1
        for columns, text in texts:
            first, last = columns if isinstance(columns, tuple) else (columns, columns)
            lines = max(lines, self.lines_needed(str(text or ""), first, last))
        return LINE_HEIGHT * lines + 4

    def end_row(self, *texts: tuple[int | tuple[int, int], object]) -> None:
        """Give the row the height that the longest of these texts needs in its column or columns, and go to the next row."""
        self.height(self.row, self.row_height(*texts))
        self.row += 1

    def paged(self) -> None:
        """Break the pages here, for a sheet with several tables on A4 landscape. Excel repeats only one header on a sheet, so
        `table` and `room_for` write the headers again. Every page begins with the rows written so far.
        """
        self.sheet.repeat_rows(0, self.row - 1)
        title = sum(self._heights.get(row, _UNSET_HEIGHT) for row in range(self.row))
        # Fitting to the width shrinks the sheet. A wider typeface shrinks it more, so a page then has space left.
        shrunk = min(1.0, _PAGE_WIDTH / sum(7 * width + 5 for width in self.widths))
        # programs differ slightly in the height of a line
        self._page = _Page(0, _PAGE_HEIGHT / shrunk * 0.97, title)

    def table(self, heading: str, cells: Sequence[HeadCell], heights: Sequence[float]) -> None:
        """The heading and the header of one of several tables, whose rows have the given `heights` (in points).

        They are on one page with the first two rows, or with the whole table if it is shorter than a quarter of the page.
        """
        page = self._page
        assert page, "a sheet of several tables is paged first"
        page.heading, page.cells = heading, cells
        # the height of a free row, the heading and the header
        above, body = _UNSET_HEIGHT + 3 * LINE_HEIGHT, sum(heights)
        least = body if body < page.room / 4 else sum(heights[:2])
        if self._used() + above + least > page.room:
            self._break()
        self.heading(heading)
        self.head(cells, repeat=False)

    def room_for(self, points: float) -> None:
        """Begin another page, with heading and header, if a row of the height `points` does not fit on this one."""
        page = self._page
        assert page, "a sheet of several tables is paged first"
        if self._used() + points > page.room:
            self._break()
            self.heading(f"{page.heading}（续）")
            self.head(page.cells, repeat=False)

    def _used(self) -> float:
        assert self._page
        rows = range(self._page.top, self.row)
        title = self._page.title if self._page.top else 0.0
        return title + sum(self._heights.get(row, _UNSET_HEIGHT) for row in rows)

    def _break(self) -> None:
        assert self._page
        self._page.top = self.row
        self._page.breaks.append(self.row)
        self.sheet.set_h_pagebreaks(self._page.breaks)

    def notes(self, *notes: str) -> None:
        """The numbered notes under a table; blank notes are left out."""
        for number, note in enumerate(filter(None, notes), start=1):
            self.line(f"{'注：' if number == 1 else '　　'}{number}. {note}", SMALL)

    def head(self, cells: Iterable[HeadCell], *, repeat: bool = True) -> None:
        """The header of a table, each row with the height that its texts need; with `repeat` it is on every printed page.

        If a text over several rows needs more height, the last of these rows gets it.
        """
        top, needed = self.row, dict[int, int]()
        for first, left, last, right, text in sorted(cells, key=lambda cell: cell[2] - cell[0]):
            self.merge(top + first, left, top + last, right, text, HEAD)
            given = sum(needed.get(row, 1) for row in range(first, last))
            needed[last] = max(needed.get(last, 1), self.lines_needed(text, left, right) - given)
        for row, lines in needed.items():
            self.height(top + row, LINE_HEIGHT * lines + 5)
        self.row = top + max(needed) + 1
        if repeat:
            self.sheet.repeat_rows(top, self.row - 1)
            self.sheet.freeze_panes(self.row, 0)

    def columns(self, *headings: str, repeat: bool = True) -> None:
        """A header of one row with one column per heading."""
        self.head(columns_of(*headings), repeat=repeat)

    def blank(self, row: int, column: int, style: dict[str, Any] | None = None) -> None:
        """A cell that stays empty on purpose, unlike a cell whose figure is missing."""
        self.sheet.write_blank(row, column, None, self.book.style(style or {}))

    def text(self, row: int, column: int, value: object, style: dict[str, Any] | None = None) -> None:
        """A text cell; a blank text becomes the sign for an unreported value."""
        words = NOTHING if value is None or value == "" else str(value)
        self.sheet.write_string(
            row, column, harmless(words), self.book.style({"quote_prefix": True, **(style or {})})
        )

    def number(
        self,
        row: int,
        column: int,
        value: float | None,
        number_format: str,
        style: dict[str, Any] | None = None,
    ) -> None:
        """A number as a number; None becomes the sign for an unreported value."""
        if value is None:
            self.text(row, column, None, style)
        else:
            self.sheet.write_number(
                row, column, value, self.book.style({"num_format": number_format, **(style or {})})
            )

    def total(
        self,
        row: int,
        column: int,
        rows: Sequence[int],
        value: float | None,
        number_format: str,
        style: dict[str, Any] | None = None,
    ) -> None:
        """The sum of the cells of this column in `rows` as a formula; `value` is its result for programs that do not calculate.

        If a part is missing, the sum is unknown and no formula is written: SUM would count the missing part as 0.
        """
        if value is None or not rows:
            self.number(row, column, value, number_format, style)
            return
        from xlsxwriter.utility import xl_range, xl_rowcol_to_cell

        in_line = list(rows) == list(range(rows[0], rows[-1] + 1))
        summed = (
            xl_range(rows[0], column, rows[-1], column)
            if in_line
            else ",".join(xl_rowcol_to_cell(r, column) for r in rows)
        )
        self.sheet.write_formula(
            row,
            column,
            f"=SUM({summed})",
            self.book.style({"num_format": number_format, **(style or {})}),
            value,
        )

    def merge(
        self, row: int, column: int, last_row: int, last_column: int, text: object, style: dict[str, Any]
    ) -> None:
        """A text over several cells."""
        self._span(row, column, last_row, last_column, style)
        self.text(row, column, text, style)

    def merge_number(
        self, row: int, column: int, last_row: int, last_column: int, value: float | None, number_format: str
    ) -> None:
        """A number over several cells."""
        self._span(row, column, last_row, last_column, {})
        self.number(row, column, value, number_format)

    def _span(self, row: int, column: int, last_row: int, last_column: int, style: dict[str, Any]) -> None:
        if (row, column) != (last_row, last_column):
            # merge_range would guess the type of a text, so it gets no text and the caller fills the first cell
            self.sheet.merge_range(row, column, last_row, last_column, "", self.book.style(style))

    def link(
        self, row: int, column: int, sheet_name: str, text: str, style: dict[str, Any] | None = None
    ) -> None:
        """A link to another sheet of this workbook; `sheet_name` comes from `words.sheet_names`."""
        look = self.book.style({**LINK, "quote_prefix": True, **(style or {})})
        self.sheet.write_url(row, column, f"internal:'{sheet_name}'!A1", look, harmless(text))

    def lines_needed(self, text: str, first_column: int, last_column: int) -> int:
        """How many lines a text needs in these columns, because merged cells do not grow."""
        width = sum(self.widths[first_column : last_column + 1]) - 1.5
        return sum(max(1, math.ceil(text_width(part) / width)) for part in text.split("\n"))


def columns_of(*headings: str) -> list[HeadCell]:
    """The cells of a header of one row with one column per heading."""
    return [(0, column, 0, column, heading) for column, heading in enumerate(headings)]


@lru_cache(maxsize=8192)
def text_width(text: str) -> float:
    """The width of a text in the unit of column widths: a Chinese character is as wide as two digits."""
    return sum(2 if unicodedata.east_asian_width(c) in "WFA" else 1 for c in text)


def harmless(text: str) -> str:
    """A text that every part of a workbook can hold.

    Control characters, which XML does not allow or which change the direction of writing, become a visible sign. A text that is
    too long for any reader is cut.
    """
    text = _UNPRINTABLE.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"
