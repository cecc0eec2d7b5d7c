"""The common result of all formats: a book of sheets, each with its cells as they are shown.

Belongs here: the common shapes, how values become text, and the reasons why a file cannot be read. Keep out: the formats
themselves, and the search for headers or data in a sheet.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from youjun_pipeline.contracts.model import INVISIBLE
from youjun_pipeline.ingest.formats import limits
from youjun_pipeline.ingest.formats.limits import Unreadable as Unreadable
from youjun_pipeline.ingest.formats.number_formats import NumberFormat

# The rows in which a header is looked for: official forms have up to 8 rows above it, and 30 leaves room for a preamble.
HEAD_ROWS = 30

SAVE_AS = "请用 Excel 或 WPS 打开后另存为 .xlsx 再交付"
SEND_AGAIN = "请核对原文件能否正常打开，然后重新导出、重新交付"

# The text for a formula that was never calculated.
UNCALCULATED = "#公式没有结果"
# The start of a cell that contains bytes and not text.
BYTES = "#二进制内容"

# Position of a column -> whether a month alone may stand for a date in it.
Wanted = Mapping[int, bool]
# Merged cells: first row, first column, last row, last column; rows 1-based, columns 0-based.
Span = tuple[int, int, int, int]
# (row, column), both 0-based -> the error that a cell shows, or a number format that changes what the cell shows.
Marks = dict[tuple[int, int], str | NumberFormat]

_INVISIBLE = re.compile(f"[{INVISIBLE}]")
INVISIBLE_CHARACTERS = frozenset(INVISIBLE)
# How a workbook writes characters that XML does not allow (ECMA-376 part 1, 22.9.2.19); programs pass them on unchanged.
ESCAPE_SIGN = "_x"
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")


def damaged(what: str = "文件") -> Unreadable:
    """The error for a file that ends early or has invalid content."""
    return Unreadable(f"{what}不完整或已损坏（可能没有传完）", SEND_AGAIN)


def protected() -> Unreadable:
    """The error for a file that asks for a password."""
    return Unreadable("文件有打开密码", "请取消密码后重新保存再交付")


def check_size(sheet: str, rows: int, columns: int) -> None:
    """Raise Unreadable if a sheet is too large to be a real one.

    A stray cell in Excel's last row or column makes a sheet of billions of cells, and the workbook reader allocates all of them.
    """
    if rows * columns > limits.MAX_CELLS:
        raise Unreadable(
            f"工作表“{sheet}”有 {rows} 行 × {columns} 列",
            "请删除表格以外多余的单元格（Ctrl+End 可以看到最末一个）后重新保存",
        )


class Body(NamedTuple):
    """The rows below a header: their row numbers and, per column of the sheet, text (null where the cell is empty)."""

    row_numbers: np.ndarray
    columns: list[pa.ChunkedArray]
    notices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Content:
    """The cells of one sheet.

    `first` gives the text of the first rows and `numbers` are their row numbers. `body(index, wanted)` gives the rows below
    header row `index`; columns that are not `wanted` may be left blank (None: all columns are wanted). `rows` gives all cells as
    text. `hidden_rows` and `struck_rows` are numbers of rows that are hidden or have a cell struck through; `hidden_columns` are
    positions.
    """

    first: Callable[[], list[list[str]]]
    numbers: list[int]
    body: Callable[[int, Wanted | None], Body]
    rows: Callable[[], list[list[str]]]
    merged: tuple[Span, ...] = ()
    hidden_rows: frozenset[int] = frozenset()
    hidden_columns: frozenset[int] = frozenset()
    struck_rows: frozenset[int] = frozenset()


@dataclass
class Sheet:
    """One table of a file. It is read at first use, which may raise Unreadable."""

    name: str
    load: Callable[[], Content]
    is_hidden: bool = False

    @cached_property
    def content(self) -> Content:
        """The cells."""
        return self.load()

    @cached_property
    def head(self) -> list[list[str]]:
        """The first rows as text."""
        return self.content.first()

    @property
    def numbers(self) -> list[int]:
        """The numbers of the first rows."""
        return self.content.numbers

    @property
    def merged(self) -> tuple[Span, ...]:
        """The merged cells."""
        return self.content.merged

    @property
    def label(self) -> str:
        """How a message refers to the sheet; a file without sheets is just the file."""
        return f"工作表“{self.name}”" if self.name else "文件"


@dataclass
class Book:
    """A file that could be opened: its kind, its sheets, and what the district should know about it."""

    kind: str
    sheets: list[Sheet]
    notices: list[str] = field(default_factory=list)


def text_column(values: Sequence[str | None]) -> pa.ChunkedArray:
    """One column of text from Python strings; pandas keeps its text as large_string, so no copy is made later."""
    return pa.chunked_array([pa.array(values, pa.large_string())])


# Cached, because the same labels are in every workbook of a form.
@lru_cache(maxsize=50_000)
def visible(text: str) -> str:
    """A text without its invisible characters."""
    if ESCAPE_SIGN in text:
        text = _ESCAPED.sub(_unescaped, text)
    if text.isascii() and text.isprintable():
        return text
    return _INVISIBLE.sub("", text)


def _unescaped(found: re.Match[str]) -> str:
    """An escaped character, unescaped if it is invisible; any other stays as written."""
    character = chr(int(found[1], 16))
    return character if character in INVISIBLE_CHARACTERS or character.isspace() else found[0]


def visible_columns(columns: list[pa.ChunkedArray]) -> list[pa.ChunkedArray]:
    """Columns of text without invisible characters; a text that becomes empty is null."""
    chunks = [chunk for column in columns for chunk in column.chunks]
    # The columns are joined to one: compiling the pattern takes longer than searching a small file's cells.
    cells = pa.chunked_array(chunks, pa.large_string())
    if pc.any(pc.match_substring(cells, ESCAPE_SIGN)).as_py():
        return [text_column([text and (visible(text) or None) for text in c.to_pylist()]) for c in columns]
    found = pc.match_substring_regex(cells, f"[{INVISIBLE}]")
    if not pc.any(found).as_py():
        return columns
    cleaned = [pc.replace_substring_regex(column, f"[{INVISIBLE}]", "") for column in columns]
    return [pc.if_else(pc.equal(column, ""), None, column) for column in cleaned]


@lru_cache(maxsize=20_000)
def column_letter(index: int) -> str:
    """Excel's letter of a 0-based column: A, B, … Z, AA."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def column_index(letters: str) -> int:
    """0-based index of a column's letters."""
    index = 0
    for letter in letters:
        index = index * 26 + ord(letter) - 64
    return index - 1


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)


def _instant(value: dt.datetime) -> str:
    return value.date().isoformat() if value.time() == dt.time() else value.isoformat(sep=" ")


_TEXT: dict[type, Callable[[Any], str]] = {
    str: str,
    float: _number,
    int: str,
    bool: lambda value: "是" if value else "否",
    dt.date: dt.date.isoformat,
    dt.datetime: _instant,
    dt.time: dt.time.isoformat,
    dt.timedelta: str,
}


def cell_text(value: Any) -> str:
    """A cell as text: 12.0 as 12, other numbers in the shortest form that reads back the same, dates ISO, flags 是/否."""
    return _TEXT[type(value)](value)


def marked_text(value: Any, mark: str | NumberFormat, month: bool) -> str:
    """A cell with a mark, as it is shown."""
    if isinstance(mark, str):
        return mark
    shown = mark.shown(value, month)
    return cell_text(value) if shown is None else shown
