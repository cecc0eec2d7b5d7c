"""Workbooks (.xlsx): the workbook reader gives the values; the XML itself gives what the reader does not tell.

The reader gives 0.5 for a cell that shows 50 %, 2024-12-01 for one that shows 2024年12月, and nothing for #DIV/0! or a formula
that was never calculated; and it unpacks completely what it needs. So every part is unpacked and checked here first. Belongs
here: a workbook's list of sheets and styles. Keep out: one sheet's XML (xlsx_sheet.py), the archive (parts.py).
"""

from __future__ import annotations

import io
import posixpath
import re
from collections.abc import Callable
from functools import lru_cache, partial
from typing import NamedTuple, TypeVar

import python_calamine as calamine

from youjun_pipeline.ingest.formats.book import SAVE_AS, Content, Sheet, check_size, damaged, protected
from youjun_pipeline.ingest.formats.grid import content_of
from youjun_pipeline.ingest.formats.limits import Total, Unreadable
from youjun_pipeline.ingest.formats.number_formats import NumberFormat, number_format
from youjun_pipeline.ingest.formats.parts import Parts, folded
from youjun_pipeline.ingest.formats.xlsx_sheet import SharedTexts, scan
from youjun_pipeline.ingest.formats.xml_parts import XmlError, elements

# Excel allows 65 490 cell styles. No district's workbook has more sheets than MAX_SHEETS.
MAX_STYLES, MAX_SHEETS = 70_000, 1_000
WORKBOOK, RELATIONS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
STYLES, TEXTS = "xl/styles.xml", "xl/sharedStrings.xml"

T = TypeVar("T")


class Styles(NamedTuple):
    """A workbook's cell styles, by the index that cells name: number formats that change values, struck-through text."""

    formats: dict[str, NumberFormat]
    struck: frozenset[str]


def xlsx_sheets(data: bytes) -> list[Sheet]:
    """Every worksheet, including hidden ones, but no chart sheets. A sheet is read at its first use.

    Raises:
        Unreadable: if the workbook is damaged, protected or absurdly large.
    """
    parts = Parts(data)
    try:
        paths = _sheet_paths(parts.read(WORKBOOK), parts.read(RELATIONS))
        styles = _styles(parts.read(STYLES)) if STYLES in parts else Styles({}, frozenset())
    except (LookupError, ValueError, XmlError) as error:
        raise damaged() from error
    texts = SharedTexts(parts.read(TEXTS) if TEXTS in parts else b"")
    book = _guarded(lambda: calamine.CalamineWorkbook.from_filelike(io.BytesIO(data)))
    listed = [m for m in book.sheets_metadata if m.typ == calamine.SheetTypeEnum.WorkSheet]
    # If the reader lists the sheets differently, it would read parts that were not checked here.
    if (
        len({meta.name for meta in listed}) < len(listed)
        or not {meta.name for meta in listed} <= paths.keys()
    ):
        raise damaged("工作表的目录")
    total = Total()
    return [
        Sheet(
            meta.name,
            partial(_content, book, meta.name, paths[meta.name], parts, styles, texts, total),
            meta.visible != calamine.SheetVisibleEnum.Visible,
        )
        for meta in listed
    ]


def _content(
    book: calamine.CalamineWorkbook,
    name: str,
    path: str,
    parts: Parts,
    styles: Styles,
    texts: SharedTexts,
    total: Total,
) -> Content:
    if path not in parts:
        raise damaged(f"工作表“{name}”")
    found = scan(name, parts.read(path), styles.formats, styles.struck, texts)
    sheet = _guarded(lambda: book.get_sheet_by_name(name), name)
    last_row, last_column = sheet.end or (-1, -1)
    check_size(name, last_row + 1, last_column + 1)
    total.add(last_row + 1, last_column + 1)
    # Empty rows and columns before the first cell are kept, so that row numbers and letters are those that Excel shows.
    rows = _guarded(lambda: sheet.to_python(skip_empty_area=False), name)
    ranges = ((r0 + 1, c0, r1 + 1, c1) for (r0, c0), (r1, c1) in sheet.merged_cell_ranges or ())
    return content_of(
        name, rows, found.marks, ranges, found.hidden_rows, found.hidden_columns, found.struck_rows
    )


# How the reader reports a cell value that it does not know: an error of a later Excel, a number with blanks.
_UNKNOWN_VALUE = re.compile("Unsupported cell error|invalid float", re.IGNORECASE)


def _guarded(read: Callable[[], T], sheet: str = "") -> T:
    try:
        return read()
    except calamine.PasswordError as error:
        raise protected() from error
    except (calamine.CalamineError, OSError, ValueError) as error:
        if sheet and _UNKNOWN_VALUE.search(str(error)):
            raise Unreadable(f"工作表“{sheet}”里有一个单元格的出错值或数字认不出来", SAVE_AS) from error
        raise damaged() from error
    except BaseException as error:
        # The reader is compiled; if it gives up on a damaged file it raises a panic, which is not an Exception.
        if type(error).__name__ != "PanicException":
            raise
        raise damaged() from error


# Cached: workbooks of the same forms have the same lists, and a country has ten thousands of such workbooks.
@lru_cache(maxsize=100)
def _sheet_paths(workbook: bytes, relations: bytes) -> dict[str, str]:
    """Sheet name -> path of its part, found in the same way as by the workbook reader."""
    targets: dict[str, str] = {}
    for _, name, attributes in elements(relations):
        if name == "Relationship":
            if attributes.get("Id", "") in targets:
                raise damaged("工作表的目录")
            targets[attributes.get("Id", "")] = attributes.get("Target", "")
    paths: dict[str, str] = {}
    for above, name, attributes in elements(workbook):
        if above != "sheets" or name != "sheet":
            continue
        named = [value for key, value in attributes.items() if key.endswith(":id")]
        target = targets.get(named[0], "") if len(named) == 1 else ""
        paths[attributes.get("name", "")] = _path(target)
        if len(paths) > MAX_SHEETS:
            raise Unreadable(f"工作表超过 {MAX_SHEETS} 个", SAVE_AS)
    # If many sheets shared one part, each of them would read it again.
    if len({folded(path) for path in paths.values()}) < len(paths):
        raise Unreadable("几个工作表是同一个，或找不到工作表的内容", SAVE_AS)
    return paths


def _path(target: str) -> str:
    if target.startswith(("/xl/", "xl/")):
        return target.lstrip("/")
    return posixpath.normpath(f"xl/{target}")


@lru_cache(maxsize=20)
def _styles(xml: bytes) -> Styles:
    codes: dict[int, str | None] = {}
    struck_fonts: list[bool] = []
    cells: list[tuple[int, int]] = []
    for above, name, attributes in elements(xml):
        if above == "numFmts" and name == "numFmt":
            codes[int(attributes.get("numFmtId", "-1"))] = attributes.get("formatCode")
        elif above == "fonts" and name == "font":
            struck_fonts.append(False)
        elif above == "font" and name == "strike" and struck_fonts:
            struck_fonts[-1] = attributes.get("val", "1") not in ("0", "false")
        elif above == "cellXfs" and name == "xf":
            cells.append((int(attributes.get("numFmtId", "0")), int(attributes.get("fontId", "0"))))
            if len(cells) > MAX_STYLES:
                raise Unreadable(f"单元格样式超过 {MAX_STYLES} 种", SAVE_AS)
    formats = {
        str(i): found
        for i, (n, _) in enumerate(cells)
        if (found := number_format(n, codes.get(n))) is not None
    }
    struck = (str(i) for i, (_, font) in enumerate(cells) if font < len(struck_fonts) and struck_fonts[font])
    return Styles(formats, frozenset(struck))
