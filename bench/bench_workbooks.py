"""Workbooks as text against the bare workbook reader on the same bytes.

    python bench/bench_workbooks.py

Reading one looks through the XML for what the workbook reader does not tell, checks what it would cost, and makes text of the
values. Three sheets: one with 836 595 cells that are only formatted and 2 217 rows of data, as exports with borders down to the
last row are; one full of data; one full of percentages, each of which has to be looked up. And an old workbook (.xls).
"""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import python_calamine as calamine
import xlrd
import xlsxwriter
import xlwt

from youjun_pipeline.ingest.formats.opening import open_book

FORMATTED, ROWS, COLUMNS = 836_595, 2_217, 12
DENSE_ROWS = 60_000
# How many times the bare reader's time.
LIMIT = {"formatted": 2.0, "dense": 4.0, "percentages": 15.0, "xls": 3.0}


def quickest(work: Callable[[], Any], times: int = 3) -> float:
    """Seconds of the processor, of the quickest of some runs."""
    found = []
    for _ in range(times):
        began = time.process_time()
        work()
        found.append(time.process_time() - began)
    return min(found)


def workbook(rows: int, formatted: int = 0, code: str = "General") -> bytes:
    """A sheet of codes, words and numbers, with bordered blanks to its right and below."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        sheet = book.add_worksheet("表")
        border, style = book.add_format({"border": 1}), book.add_format({"num_format": code})
        for r in range(rows):
            sheet.write_string(r, 0, f"21110{r:05}")
            sheet.write_string(r, 1, ("小学", "初中")[r % 2])
            for c in range(2, COLUMNS):
                sheet.write_number(r, c, r * c / 8, style)
        width = 32
        for n in range(formatted):
            r, c = divmod(n, width - COLUMNS if n < rows * (width - COLUMNS) else width)
            if n < rows * (width - COLUMNS):
                sheet.write_blank(r, COLUMNS + c, None, border)
            else:
                r, c = divmod(n - rows * (width - COLUMNS), width)
                sheet.write_blank(rows + r, c, None, border)
    return content.getvalue()


def old_workbook(rows: int) -> bytes:
    """The same as .xls."""
    book, content = xlwt.Workbook(), io.BytesIO()
    sheet = book.add_sheet("表")
    for r in range(rows):
        sheet.write(r, 0, f"21110{r:05}")
        sheet.write(r, 1, ("小学", "初中")[r % 2])
        for c in range(2, COLUMNS):
            sheet.write(r, c, r * c / 8)
    book.save(content)
    return content.getvalue()


def bare(data: bytes) -> Any:
    """Values by the workbook reader alone."""
    book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
    return book.get_sheet_by_index(0).to_python(skip_empty_area=False)


def bare_old(data: bytes) -> Any:
    """Values by xlrd alone."""
    sheet = xlrd.open_workbook(file_contents=data, formatting_info=True, ragged_rows=True).sheet_by_index(0)
    return [sheet.row_values(r) for r in range(sheet.nrows)]


def as_text(data: bytes) -> Any:
    """All columns as text, as a dataset's file is read."""
    return open_book(data).sheets[0].content.body(0, None)


def main() -> int:
    """Print a line per workbook; returns how many took too long."""
    exceeded = 0
    cases = {
        "formatted": (workbook(ROWS, FORMATTED), bare),
        "dense": (workbook(DENSE_ROWS), bare),
        "percentages": (workbook(DENSE_ROWS, code="0.0%"), bare),
        "xls": (old_workbook(DENSE_ROWS), bare_old),
    }
    for name, (data, floor_of) in cases.items():
        floor, taken = quickest(lambda f=floor_of, d=data: f(d)), quickest(lambda d=data: as_text(d))  # type: ignore[misc]
        ratio, limit = taken / floor, LIMIT[name]
        exceeded += ratio > limit
        said = "kept" if ratio <= limit else "EXCEEDED"
        print(
            f"{name:<12} {taken:6.2f}s, bare {floor:5.2f}s, ratio {ratio:4.1f}, at most {limit:.1f}: {said}"
        )
    return exceeded


if __name__ == "__main__":
    sys.exit(main())
