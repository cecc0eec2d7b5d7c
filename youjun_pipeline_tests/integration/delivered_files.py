"""Writes files as districts deliver them, for the tests of reading.

Belongs here: writers that several test modules use. Keep out: what a test expects.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import xlsxwriter

from youjun_pipeline.contracts import load_datasets

CLASSES, FACILITIES, MEASURES, PROGRESS, SCHOOLS = (
    load_datasets()[name] for name in ("classes", "facilities", "measures", "progress", "schools")
)
CLASS_HEADER = ["学校标识码", "学段", "年级", "班号", "学生数"]
CLASS_ROWS = [["0112000001", "小学", "一年级", "1", "40"], ["0112000001", "小学", "一年级", "2", "41"]]

Rows = Sequence[Sequence[Any]]


def write_csv(path: Path, rows: Rows, encoding: str = "utf-8", delimiter: str = ",") -> Path:
    with path.open("w", newline="", encoding=encoding) as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)
    return path


def write_xlsx(
    path: Path,
    sheets: Mapping[str, Rows],
    hidden: Iterable[str] = (),
    merged: Iterable[str] = (),
    formats: Mapping[str, tuple[Any, str | int]] | None = None,
) -> Path:
    """Sheets from their first row and column on; None leaves a cell out; `merged` and `formats` are for the first sheet."""
    with xlsxwriter.Workbook(path) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            if name in hidden:
                sheet.hide()
            for r, row in enumerate(rows):
                for c, value in enumerate(row):
                    if isinstance(value, str) and value.startswith("#"):
                        sheet.write_formula(r, c, "=1/0", None, value)
                    elif value is not None:
                        sheet.write(r, c, value)
        first = book.worksheets()[0]
        for cells in merged:
            first.merge_range(cells, None)
        for cell, (value, code) in (formats or {}).items():
            style = book.add_format({"num_format": code})
            (first.write_number if isinstance(value, int | float) else first.write_datetime)(
                cell, value, style
            )
    return path
