"""Reads old workbooks (.xls) with xlrd: Excel 97 to 2003. Older workbooks are refused, with a remedy.

Belongs here: values, number formats and layout of such a workbook. Keep out: what a number format shows.
"""

from __future__ import annotations

import io
from functools import partial
from typing import Any

import xlrd
from xlrd.xldate import xldate_as_datetime

from youjun_pipeline.ingest.formats.book import Content, Marks, Sheet, check_size, damaged, protected
from youjun_pipeline.ingest.formats.grid import content_of
from youjun_pipeline.ingest.formats.kinds import old_excel
from youjun_pipeline.ingest.formats.limits import Total, Unreadable
from youjun_pipeline.ingest.formats.number_formats import NumberFormat, number_format

EXCEL_97 = 80
MAX_SHEETS = 1_000


def xls_sheets(data: bytes) -> list[Sheet]:
    """Every worksheet, including hidden ones; a sheet is read at its first use.

    Raises:
        Unreadable: if the workbook is damaged, protected or too old.
    """
    log = io.StringIO()
    try:
        book = xlrd.open_workbook(
            file_contents=data, formatting_info=True, ragged_rows=True, on_demand=True, logfile=log
        )
    except xlrd.XLRDError as error:
        if "encrypted" in str(error).lower():
            raise protected() from error
        raise damaged() from error
    except Exception as error:
        # A damaged file can break any assumption of xlrd, so every error of xlrd counts as damage.
        raise damaged() from error
    if book.biff_version < EXCEL_97:
        raise old_excel()
    names = book.sheet_names()
    if len(names) > MAX_SHEETS or len(set(names)) < len(names):
        raise damaged("工作表的目录")
    formats = _formats(book)
    total = Total()
    return [
        Sheet(name, partial(_content, book, index, formats, total), bool(book._sheet_visibility[index]))
        for index, name in enumerate(names)
    ]


def _formats(book: Any) -> dict[int, NumberFormat]:
    """Index of a cell's style -> its number format, if that changes a value's look."""
    found = {}
    for index, style in enumerate(book.xf_list):
        stated = book.format_map.get(style.format_key)
        code = stated.format_str if stated is not None else None
        if (known := number_format(style.format_key, code or None)) is not None:
            found[index] = known
    return found


def _content(book: Any, index: int, formats: dict[int, NumberFormat], total: Total) -> Content:
    try:
        sheet = book.sheet_by_index(index)
        height, width, characters = _extent(sheet)
        check_size(sheet.name, height, width)
        total.add(height, width, characters)
        rows, marks, struck = _cells(book, sheet, height, width, formats)
        ranges = [(r0 + 1, c0, r1, c1 - 1) for r0, r1, c0, c1 in sheet.merged_cells]
        hidden = frozenset(r + 1 for r, info in sheet.rowinfo_map.items() if info.hidden)
        columns = frozenset(c for c, info in sheet.colinfo_map.items() if info.hidden)
        found = content_of(sheet.name, rows, marks, ranges, hidden, columns, struck)
        book.unload_sheet(index)
    except Unreadable:
        raise
    except Exception as error:
        raise damaged() from error
    return found


def _extent(sheet: Any) -> tuple[int, int, int]:
    """Rows and columns up to the last cell with content, and the number of characters of all texts."""
    height = width = characters = 0
    for r in range(sheet.nrows):
        types = sheet.row_types(r)
        last = max((c for c, kind in enumerate(types) if kind not in EMPTY), default=-1)
        if last < 0:
            continue
        height, width = r + 1, max(width, last + 1)
        characters += sum(len(v) for v in sheet.row_values(r) if type(v) is str)
    return height, width, characters


EMPTY = (xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_BLANK)


def _cells(
    book: Any, sheet: Any, height: int, width: int, formats: dict[int, NumberFormat]
) -> tuple[list[list[Any]], Marks, frozenset[int]]:
    """Values, all rows of one width; marks; numbers of rows with a cell struck through."""
    struck_styles = {i for i, style in enumerate(book.xf_list) if book.font_list[style.font_index].struck_out}
    rows: list[list[Any]] = []
    marks: Marks = {}
    struck = set[int]()
    for r in range(height):
        row: list[Any] = [""] * width
        types, values = sheet.row_types(r), sheet.row_values(r)
        styles = sheet._cell_xf_indexes[r]
        for c in range(min(width, len(types))):
            kind = types[c]
            if kind in EMPTY:
                continue
            if kind == xlrd.XL_CELL_ERROR:
                marks[r, c] = xlrd.error_text_from_code.get(values[c], "#ERROR!")
            else:
                row[c] = _value(book, kind, values[c])
                if kind != xlrd.XL_CELL_TEXT and styles[c] in formats:
                    marks[r, c] = formats[styles[c]]
            if styles[c] in struck_styles and values[c] != "":
                struck.add(r + 1)
        rows.append(row)
    return rows, marks, frozenset(struck)


def _value(book: Any, kind: int, value: Any) -> Any:
    if kind == xlrd.XL_CELL_BOOLEAN:
        return bool(value)
    if kind == xlrd.XL_CELL_DATE:
        try:
            found = xldate_as_datetime(value, book.datemode)
        except (ValueError, OverflowError):
            return value
        # A value of less than one day is a time; a workbook has no date for it.
        return found.time() if 0 <= value < 1 else found
    return value
