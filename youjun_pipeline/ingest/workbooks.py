"""Workbooks (.xlsx, .xls) to sheets of text.

Belongs here: how a cell's value becomes the text that is kept, and what the workbook reader does not tell (cell_marks,
xls_marks). Keep out: headers and contracts.
"""

from __future__ import annotations

import datetime as dt
import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import python_calamine as calamine

from youjun_pipeline.ingest.cell_marks import (
    HIDDEN,
    MAX_SHEETS,
    MONTH,
    PERCENT,
    WHOLE_ROW,
    Marks,
    xlsx_marks,
)
from youjun_pipeline.ingest.limits import check_cells
from youjun_pipeline.ingest.sheets import HEAD_ROWS, Body, Sheet, check_size, damaged, protected, text_column
from youjun_pipeline.ingest.xls_marks import xls_marks
from youjun_pipeline.ingest.xml_parts import XmlError


def workbook_sheets(data: bytes, kind: str, notices: list[str]) -> list[Sheet]:
    """Read every worksheet, hidden ones too; chart sheets are left out. What the district should hear joins `notices`.

    Raises:
        Unreadable: for a damaged, protected or senselessly large workbook.
    """
    marks = _marks(data, kind, notices)
    try:
        with calamine.CalamineWorkbook.from_filelike(io.BytesIO(data)) as book:
            listed = [m for m in book.sheets_metadata if m.typ == calamine.SheetTypeEnum.WorkSheet]
            if len(listed) > MAX_SHEETS or len({meta.name for meta in listed}) < len(listed):
                raise damaged("工作表的目录")
            sheets, cells = [], 0
            for meta in listed:
                sheet = book.get_sheet_by_name(meta.name)
                last_row, last_column = sheet.end or (-1, -1)
                check_size(sheet.name, last_row + 1, last_column + 1)
                cells += (last_row + 1) * (last_column + 1)
                check_cells("各工作表共", cells)
                sheets.append(_sheet(sheet, meta, marks.get(meta.name, {})))
            return sheets
    except calamine.PasswordError as error:
        raise protected() from error
    except (calamine.CalamineError, OSError, ValueError) as error:
        raise damaged() from error
    except BaseException as error:
        # The reader is compiled; where it gives up on a damaged file it raises a panic, which is no Exception.
        if type(error).__name__ != "PanicException":
            raise
        raise damaged() from error


def _marks(data: bytes, kind: str, notices: list[str]) -> dict[str, Marks]:
    try:
        if kind == "xlsx":
            return xlsx_marks(data)
        if kind == "xls":
            return xls_marks(data)
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError) as error:
        # Checked here because the workbook reader does not compare checksums.
        raise damaged() from error
    except (LookupError, ValueError, RuntimeError, XmlError):
        # An unusual file, which the workbook reader may well read; it decides.
        pass
    notices.append(
        "无法核对单元格格式：百分比、只写年月的日期和出错的公式可能读得不准，请另存为 .xlsx 再交付"
    )
    return {}


def _sheet(sheet: calamine.CalamineSheet, meta: calamine.SheetMetadata, marks: Marks) -> Sheet:
    # Empty rows and columns before the first cell are kept: row numbers and letters are those that Excel shows.
    rows = sheet.to_python(skip_empty_area=False)
    head = rows[: (sheet.start or (0, 0))[0] + HEAD_ROWS]

    def body(index: int, months: frozenset[int]) -> Body:
        below = rows[index + 1 :]
        columns = [[_text(row[c]) or None for row in below] for c in range(len(rows[index]))]
        for (r, c), mark in marks.items():
            if index < r < len(rows) and 0 <= c < len(columns):
                columns[c][r - index - 1] = _marked(rows[r][c], mark, c in months)
        numbers = np.arange(index + 2, len(rows) + 1)
        return Body(numbers, [text_column(column) for column in columns])

    return Sheet(
        name=sheet.name,
        head=[[_text(value) for value in row] for row in head],
        numbers=list(range(1, len(head) + 1)),
        body=body,
        is_hidden=meta.visible != calamine.SheetVisibleEnum.Visible,
        hidden_rows=frozenset(r + 1 for (r, c), mark in marks.items() if c == WHOLE_ROW and mark == HIDDEN),
        merged=_merged(sheet),
    )


def _merged(sheet: calamine.CalamineSheet) -> tuple[tuple[int, int, int, int], ...]:
    """Merged cells as far as the sheet goes; together they are no more cells than it has, for they can't overlap."""
    last_row, last_column = sheet.end or (-1, -1)
    merged, cells = [], 0
    for (r0, c0), (r1, c1) in sheet.merged_cell_ranges or ():
        r1, c1 = min(r1, last_row), min(c1, last_column)
        if r0 > r1 or c0 > c1:
            continue
        cells += (r1 - r0 + 1) * (c1 - c0 + 1)
        if cells > (last_row + 1) * (last_column + 1):
            raise damaged(f"工作表“{sheet.name}”的合并单元格")
        merged.append((r0 + 1, c0, r1 + 1, c1))
    return tuple(merged)


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


def _text(value: Any) -> str:
    """A cell as text: 12.0 as 12, other numbers as short as they read back the same, dates ISO, flags 是/否."""
    return _TEXT[type(value)](value)


def _marked(value: Any, mark: str, month: bool) -> str | None:
    if mark == PERCENT and type(value) in (int, float):
        shown = Decimal(repr(value)) * 100
        return f"{shown.normalize():f}%"
    if mark == MONTH and month and isinstance(value, dt.date) and value.day == 1:
        return f"{value.year}-{value.month:02}"
    return mark if mark.startswith("#") else _text(value) or None
