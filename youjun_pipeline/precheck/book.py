"""The findings of a check before sending as workbooks: a list of all findings, and a marked copy of each file.

A copy is a new workbook with the cells' content as text. So no formula and no link of the original is active in it, and a name
that looks like a formula stays a name. Belongs here: these workbooks. Keep out: what is found, and the text for a terminal.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import xlsxwriter

from youjun_pipeline.contracts import load_datasets
from youjun_pipeline.ingest.formats.book import Unreadable, column_index
from youjun_pipeline.ingest.texts import SheetText, sheet_texts
from youjun_pipeline.precheck.check import CheckedFile, Precheck
from youjun_pipeline.precheck.findings import DOUBT, ERROR, GAP, LEVELS, NOTICE, WARNING, Finding
from youjun_pipeline.precheck.text import counts
from youjun_pipeline.reports.words import sheet_names
from youjun_pipeline.reports.workbook import LINE_HEIGHT, text_width

SUMMARY_NAME, FINDINGS_SHEET = "核对结果.xlsx", "核对结果"
COLOURS = {ERROR: "#FF9999", WARNING: "#FFE699", GAP: "#F8CBAD", DOUBT: "#BDD7EE", NOTICE: "#EDEDED"}
# Programs draw comments one by one, and no program opens a workbook with thousands of them. Colours have no such limit.
MOST_COMMENTS = 2000
MOST_ROWS = 200_000
LONGEST_CELL = 2000
# A copy with more cells than this is written row by row, without keeping it in memory.
LARGE = 500_000
# No marked workbook is written above this number of cells, or if the file was refused as a whole: two million cells take a minute
# to write, and the summary names every place.
MOST_COPIED = 1_500_000
CREATED = dt.datetime(2000, 1, 1)

FINDING_WIDTHS = (7, 28, 36, 18, 32, 70, 24)

_FONT = {"font_name": "宋体", "font_size": 10, "valign": "top"}
_HEAD = _FONT | {"bold": True, "border": 1, "bg_color": "#D9E2EF", "text_wrap": True}
_CELL = _FONT | {"border": 1, "text_wrap": True, "num_format": "@"}


def write_report(result: Precheck, folder: Path) -> list[Path]:
    """Write the list of all findings and a marked copy of every file that has any; returns the files written."""
    folder.mkdir(parents=True, exist_ok=True)
    several = len({file.key.split("/")[0] for file in result.files}) > 1
    copies: dict[str, Path] = {}
    for file in result.files:
        found = [finding for finding in result.findings if finding.file == file.key]
        place = folder / file.key.split("/")[0] if several else folder
        if found and (copy := _write_copy(file, found, place)):
            copies[file.key] = copy
    summary = folder / SUMMARY_NAME
    with _book(summary) as book:
        _write_summary(
            book, result, {key: path.relative_to(folder).as_posix() for key, path in copies.items()}
        )
    return [summary, *copies.values()]


def _book(path: Path, *, is_large: bool = False) -> Any:
    safe = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(str(path), safe | {"constant_memory" if is_large else "in_memory": True})
    book.set_properties({"title": "报送前核对结果", "created": CREATED})
    return book


def _write_summary(book: Any, result: Precheck, copies: dict[str, str]) -> None:
    head, cell = book.add_format(_HEAD), book.add_format(_CELL)
    sheet = book.add_worksheet(FINDINGS_SHEET)
    _page(sheet)
    _widths(sheet, (30, 18, 10, 10, 10, 10, 10, 10, 10, 34))
    sheet.write_string(
        0, 0, f"{result.title} 报送前核对：{counts(result.findings)}", book.add_format(_FONT | {"bold": True})
    )
    titles = ("文件", "数据集", "读入行", "采用行", "退回行", *LEVELS, "标注副本")
    _write_row(sheet, 2, titles, head)
    for row, file in enumerate(result.files, 3):
        found = [finding for finding in result.findings if finding.file == file.key]
        numbers = [sum(1 for f in found if f.level == level) for level in LEVELS]
        title = file.dataset.title if file.dataset else ""
        figures = (file.rows_read, file.rows_accepted, file.rows_rejected, *numbers)
        _write_row(sheet, row, (file.key, title, *map(str, figures), copies.get(file.key, "")), cell)
    every = book.add_worksheet("明细")
    _list_findings(book, every, result.findings, 0)


def _list_findings(book: Any, sheet: Any, found: Sequence[Finding], top: int) -> None:
    """All findings as a table with a filter."""
    head = book.add_format(_HEAD)
    styles = {level: book.add_format(_CELL | {"bg_color": COLOURS[level]}) for level in LEVELS}
    cell = book.add_format(_CELL)
    _page(sheet)
    titles = ("级别", "文件", "位置", "原值", "问题", "说明与处理办法", "规则")
    _widths(sheet, FINDING_WIDTHS)
    _write_row(sheet, top, titles, head)
    shown = found[:MOST_ROWS]
    for row, f in enumerate(shown, top + 1):
        texts = (f.level, f.file, f.place, f.value, f.title, f.detail, f.rule)
        lines = [math.ceil(text_width(t[:200]) / (w - 1)) for t, w in zip(texts, FINDING_WIDTHS, strict=True)]
        sheet.set_row(row, LINE_HEIGHT * max(1, *lines) + 2)
        sheet.write_string(row, 0, f.level, styles[f.level])
        _write_row(sheet, row, texts[1:], cell, 1)
    if len(found) > MOST_ROWS:
        sheet.write_string(top + 1 + MOST_ROWS, 0, f"……共 {len(found)} 处，只列出前 {MOST_ROWS} 处", cell)
    sheet.freeze_panes(top + 1, 0)
    sheet.autofilter(top, 0, top + max(len(shown), 1), len(titles) - 1)


def _page(sheet: Any) -> None:
    sheet.set_paper(9)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)


def _widths(sheet: Any, widths: Iterable[float]) -> None:
    for column, width in enumerate(widths):
        sheet.set_column(column, column, width)


def _write_row(sheet: Any, row: int, texts: Iterable[str], style: Any, first: int = 0) -> None:
    for column, text in enumerate(texts, first):
        sheet.write_string(row, column, text[:LONGEST_CELL], style)


def _write_copy(file: CheckedFile, found: list[Finding], folder: Path) -> Path | None:
    """The marked copy of a file; None if its cells cannot be read, or are too many."""
    if file.dataset is None or file.dataset.name not in load_datasets():
        return None
    try:
        sheets = sheet_texts(file.path, file.dataset)
    except (Unreadable, OSError):
        return None
    cells = sum(len(row) for sheet in sheets for row in sheet.rows.values())
    if cells > MOST_COPIED or (cells > LARGE and not any(finding.cells for finding in found)):
        return None
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{file.path.name}.标注.xlsx"
    with _book(path, is_large=cells > LARGE) as book:
        _list_findings(book, book.add_worksheet(FINDINGS_SHEET), found, 0)
        names = sheet_names([sheet.name or file.path.stem for sheet in sheets], [FINDINGS_SHEET])
        by_sheet = _marks(found)
        left = MOST_COMMENTS
        for name, sheet in zip(names, sheets, strict=True):
            left -= _write_sheet(book, name, sheet, by_sheet.get(sheet.name, {}), left)
    return path


Marks = dict[int, dict[str, list[Finding]]]


def _marks(found: Iterable[Finding]) -> dict[str, Marks]:
    """Findings by sheet, row and letter ("" for the whole row)."""
    marks: dict[str, Marks] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    for finding in found:
        for cell in dict.fromkeys(finding.cells):
            marks[cell.sheet][cell.row][cell.letter].append(finding)
    return marks


def _write_sheet(book: Any, name: str, text: SheetText, marks: Marks, comments: int) -> int:
    """Write a sheet's cells in their original places and colour those with findings; returns the number of comments."""
    sheet = book.add_worksheet(name)
    plain = book.add_format(_FONT | {"num_format": "@"})
    styles = {level: book.add_format(_CELL | {"bg_color": COLOURS[level]}) for level in LEVELS}
    _page(sheet)
    sheet.set_column(0, max((len(cells) for cells in text.rows.values()), default=1), 14)
    sheet.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})
    # Rows of a Parquet file are counted from 1, because its header has no row.
    shift = 0 if 0 in text.rows else 1
    made = 0
    for number in sorted(text.rows.keys() | (marks.keys() if text.rows else ())):
        cells = text.rows.get(number, [])
        by_column = _columns_of(marks.get(number, {}), cells)
        for column in range(max([len(cells), *(c + 1 for c in by_column)])):
            value = cells[column] if column < len(cells) else ""
            found = by_column.get(column, [])
            if not found:
                if value:
                    sheet.write_string(number - shift, column, value[:LONGEST_CELL], plain)
                continue
            level = min((f.level for f in found), key=LEVELS.index)
            if value:
                sheet.write_string(number - shift, column, value[:LONGEST_CELL], styles[level])
            else:
                sheet.write_blank(number - shift, column, None, styles[level])
            if made < comments:
                words = "\n".join(f"【{f.level}】{f.title}：{f.detail}" for f in found)
                sheet.write_comment(
                    number - shift, column, words[:LONGEST_CELL], {"x_scale": 2.5, "y_scale": 1.5}
                )
                made += 1
    return made


def _columns_of(marks: dict[str, list[Finding]], cells: list[str]) -> dict[int, list[Finding]]:
    """Findings of a row by 0-based column; findings about the whole row are put in its first filled cell."""
    first = next((i for i, cell in enumerate(cells) if cell.strip()), 0)
    found: dict[int, list[Finding]] = defaultdict(list)
    for letter, findings in marks.items():
        found[column_index(letter) if letter else first] += findings
    return found
