"""Reads back a workbook that a report wrote, for tests of its cells.

Keep out: what a test expects.
"""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.worksheet.worksheet import Worksheet


def sheets(path: Path) -> dict[str, Worksheet]:
    """The sheets of a workbook by name; a formula has the result with which it was written."""
    return {sheet.title: sheet for sheet in openpyxl.load_workbook(path, data_only=True).worksheets}


def cells(sheet: Worksheet) -> list[list[Any]]:
    """The values of a sheet row by row; a merged cell stands in its first one."""
    return [list(row) for row in sheet.iter_rows(values_only=True)]


def texts(path: Path) -> list[str]:
    """Every text of a workbook."""
    return [v for sheet in sheets(path).values() for row in cells(sheet) for v in row if isinstance(v, str)]


def find_row(rows: list[list[Any]], value: object, column: int = 0, start: int = 0) -> int:
    """The index of the first row from `start` on that has `value` in `column`."""
    return next(i for i, row in enumerate(rows) if i >= start and row[column] == value)


def package_texts(path: Path) -> dict[str, str]:
    """The parts of the package as text, by name."""
    with zipfile.ZipFile(path) as package:
        return {name: package.read(name).decode("utf-8", "replace") for name in package.namelist()}


def active_parts(path: Path) -> list[str]:
    """Everything active in a workbook: formulas other than sums of its own cells, macros, connections, external links."""
    parts = package_texts(path)
    found = [n for n in parts if re.search(r"vba|externalLink|connections|activeX|embeddings|oleObject", n)]
    for name, text in parts.items():
        if name.startswith("xl/worksheets/sheet") and re.search(
            r"<f[ >/](?!SUM\([A-Z]+\d+([:,][A-Z]+\d+)*\)</f><v>)", text
        ):
            found.append(f"formula in {name}")
        if name.endswith(".rels") and "TargetMode" in text:
            found.append(f"link out of {name}")
    return found
