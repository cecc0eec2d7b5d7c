"""Large tables: as many rows as a province's largest dataset, some of them dirty; and workbooks that claim more.

Belongs here: cases that take seconds each, for the long run. Keep out: everything small (cells.py, tables.py, broken.py).
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import xlsxwriter

from youjun_pipeline_tests.dirty.broken import good_bytes, replaced
from youjun_pipeline_tests.dirty.cases import Case
from youjun_pipeline_tests.dirty.grids import CLASSES, write_csv

ROWS = 200_000
EVERY = 100
BAD = ("45人", "－", "约40", "无")


def large_cases() -> list[Case]:
    """The cases, in a fixed order."""
    return list(_cases())


def _cases() -> Iterator[Case]:
    bad = ROWS // EVERY
    for suffix in ("csv", "xlsx"):
        write = partial(_write_rows, suffix)
        yield Case(
            f"rows-{ROWS}.{suffix}", "classes", f"classes.{suffix}", write, ROWS, None, bad, ("含有“人”",)
        )
    for name, place in {"last-cell": "XFD1048576", "last-row": "A1048576", "far-right": "XFD2000"}.items():
        said = ("请删除表格以外多余的单元格",)
        write = partial(_with_far_cell, place)
        yield Case(f"far-{name}.xlsx", "classes", "classes.xlsx", write, None, "file_unreadable", None, said)


def _rows() -> Iterator[list[Any]]:
    for n in range(ROWS):
        students: Any = BAD[n // EVERY % len(BAD)] if n % EVERY == 0 else 40
        yield [f"21{n // 30:08}", "小学", "一年级", str(n % 30), students]


def _write_rows(suffix: str, path: Path) -> None:
    if suffix == "csv":
        write_csv(path, [CLASSES[0], *_rows()])
        return
    with xlsxwriter.Workbook(path, {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, CLASSES[0])
        for number, row in enumerate(_rows(), 1):
            sheet.write_row(number, 0, row)


def _with_far_cell(place: str, path: Path) -> None:
    """A workbook with a small stated extent and a cell far outside it."""
    data = good_bytes(path.parent, "xlsx")
    path.write_bytes(
        replaced(
            "xl/worksheets/sheet1.xml", lambda xml: xml.replace(b'r="E6"', f'r="{place}"'.encode()), data
        )
    )
    assert zipfile.is_zipfile(path)
