"""From a workbook sheet's values and marks to its content: cells as text; of merged cells only the first has text.

Belongs here: what .xlsx and .xls have in common after reading. Keep out: reading them (xlsx.py, xls.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from youjun_pipeline.ingest.formats.book import (
    HEAD_ROWS,
    Body,
    Content,
    Marks,
    Span,
    Wanted,
    cell_text,
    damaged,
    marked_text,
    text_column,
    visible,
    visible_columns,
)


def content_of(
    name: str,
    rows: list[list[Any]],
    marks: Marks,
    ranges: Iterable[Span] = (),
    hidden_rows: frozenset[int] = frozenset(),
    hidden_columns: frozenset[int] = frozenset(),
    struck_rows: frozenset[int] = frozenset(),
) -> Content:
    """The content of a sheet; `rows` are its values, all of one width, from the first row and column on.

    `ranges` are merged cells. Only the first cell of each range is shown; hidden values of the others are removed from `rows`.
    """
    merged = _within(name, ranges, rows)
    _show_first(merged, rows, marks)
    filled = next((i for i, row in enumerate(rows) if any(value != "" for value in row)), 0)
    first = min(filled, *(r for r, _ in marks)) if marks else filled
    head = rows[: first + HEAD_ROWS]

    def texts(values: list[list[Any]]) -> list[list[str]]:
        shown = [
            [
                value if value == "" else visible(value) if type(value) is str else cell_text(value)
                for value in row
            ]
            for row in values
        ]
        for (r, c), mark in marks.items():
            if r < len(shown) and c < len(shown[r]):
                shown[r][c] = marked_text(rows[r][c], mark, False)
        return shown

    def body(index: int, wanted: Wanted | None) -> Body:
        below = rows[index + 1 :]
        columns = [[cell_text(row[c]) or None for row in below] for c in range(len(rows[index]))]
        for (r, c), mark in marks.items():
            if index < r < len(rows) and c < len(columns):
                month = wanted is not None and wanted.get(c, False)
                columns[c][r - index - 1] = marked_text(rows[r][c], mark, month) or None
        numbers = np.arange(index + 2, len(rows) + 1)
        return Body(numbers, visible_columns([text_column(column) for column in columns]))

    return Content(
        first=lambda: texts(head),
        numbers=list(range(1, len(head) + 1)),
        body=body,
        rows=lambda: texts(rows),
        merged=merged,
        hidden_rows=hidden_rows,
        hidden_columns=hidden_columns,
        struck_rows=struck_rows,
    )


def _within(name: str, ranges: Iterable[Span], rows: list[list[Any]]) -> tuple[Span, ...]:
    """The parts of the merged cells inside the sheet; they cannot overlap, so they have no more cells than the sheet."""
    height, width = len(rows), max(map(len, rows), default=0)
    merged, cells = [], 0
    for r0, c0, r1, c1 in ranges:
        r1, c1 = min(r1, height), min(c1, width - 1)
        if r0 > r1 or c0 > c1:
            continue
        cells += (r1 - r0 + 1) * (c1 - c0 + 1)
        if cells > height * width:
            raise damaged(f"工作表“{name}”的合并单元格")
        merged.append((r0, c0, r1, c1))
    return tuple(merged)


def _show_first(merged: tuple[Span, ...], rows: list[list[Any]], marks: Marks) -> None:
    for r0, c0, r1, c1 in merged:
        for r in range(r0 - 1, r1):
            for c in range(c0, c1 + 1):
                if (r, c) != (r0 - 1, c0):
                    rows[r][c] = ""
                    marks.pop((r, c), None)
