"""What a workbook's cells show beyond the value that the workbook reader gives: percentages, months, error texts, hidden rows.

The reader gives 0.5 for a cell that shows 50%, 2024-12-01 for one that shows 2024年12月 and nothing for #DIV/0! or a formula that
was never calculated. A percentage read as 0.5 per cent, a deadline a month early and a broken formula taken for "not
reported" would all pass unnoticed, and so would the rows that a filter hides, so the cells concerned are looked up in
the file itself. Belongs here: .xlsx, and how a number format is judged. Keep out:
.xls (xls_marks.py), values, contracts.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from collections.abc import Iterator
from typing import NamedTuple

from youjun_pipeline.ingest.archives import check_workbook, read_part
from youjun_pipeline.ingest.extents import SharedTexts, check_extent, sheet_cells
from youjun_pipeline.ingest.limits import SMALLER, Unreadable, check_cells
from youjun_pipeline.ingest.sheets import SAVE_AS
from youjun_pipeline.ingest.xml_parts import XmlError, elements

# Excel knows 65 490 cell styles. A workbook of more sheets than this is none of a district.
MAX_STYLES, MAX_SHEETS = 70_000, 1_000
# Each takes 200 bytes.
MAX_MARKS = 1_000_000

PERCENT, MONTH, HIDDEN = "percent", "month", "hidden"
# The column under which a row as a whole is marked.
WHOLE_ROW = -1

# (row, column), both 0-based -> PERCENT, MONTH or the error's text, which begins with "#"; (row, WHOLE_ROW) -> HIDDEN
Marks = dict[tuple[int, int], str]

# Built-in formats whose code a file may leave out (ECMA-376 part 1, 18.8.30; those from 27 on as in Chinese Excel).
BUILTIN = {9: PERCENT, 10: PERCENT, 17: MONTH, 27: MONTH, 36: MONTH, 50: MONTH, 52: MONTH, 57: MONTH}

_HIDDEN_ROW = re.compile(rb'<(?:\w{1,20}:)?row\b(?=[^<>]*\shidden="(?:1|true)")[^<>]*?\sr="(\d{1,7})"')
_FORMULAS = (b"<f>", b"<f ", b"<f/>", b":f>", b":f ", b":f/>")
_LITERAL = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]')


def mark_of_format(number: int, code: str | None) -> str | None:
    """What a number format makes of a value: PERCENT, MONTH (a year and a month, no day), or nothing of interest."""
    if code is None:
        return BUILTIN.get(number)
    plain = _LITERAL.sub("", code.split(";")[0]).lower()
    if "%" in plain:
        return PERCENT
    return MONTH if "y" in plain and "m" in plain and not re.search("[dhs]", plain) else None


def xlsx_marks(data: bytes) -> dict[str, Marks]:
    """Marks of every sheet of an .xlsx file, by sheet name; sheets without any are left out.

    Raises:
        Unreadable: for a workbook that would cost too much to read (archives, limits).
        zipfile.BadZipFile, zlib.error, LookupError, ValueError, XmlError: for a damaged file.
    """
    check_workbook(data)
    names: dict[str, str] = {}
    styles: dict[str, str] = {}
    trouble: Exception | None = None
    sheets = {}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = _Parts(data, archive.NameToInfo)
    try:
        names = {path: name for name, path in _sheet_paths(parts)}
        styles = _marked_styles(parts)
    except (LookupError, ValueError, XmlError) as error:
        trouble = error
    texts = SharedTexts([parts.read(n) for n in parts.infos if n.casefold().endswith("sharedstrings.xml")])
    # Every sheet that lies in the archive, listed or not: the reader may understand a list that is not understood here.
    extents = 0
    for path in parts.infos:
        xml = parts.read(path) if path in names or path.casefold().endswith(".xml") else b""
        if path not in names and b"sheetData" not in xml:
            continue
        extents += check_extent(names.get(path, posixpath.basename(path)), xml, texts)
        check_cells("各工作表共", extents)
        if path in names and trouble is None:
            sheets[names[path]] = _sheet_marks(xml, styles)
    if trouble is not None:
        raise trouble
    return {name: marks for name, marks in sheets.items() if marks}


class _Parts(NamedTuple):
    """The parts of a workbook that was checked."""

    data: bytes
    infos: dict[str, zipfile.ZipInfo]

    def read(self, name: str) -> bytes:
        """A part, whatever the case of its name: the workbook reader does not ask."""
        known = next((n for n in self.infos if n.casefold() == name.casefold()), name)
        return read_part(self.data, self.infos[known])


def _marked_styles(parts: _Parts) -> dict[str, str]:
    """Style index, as cells name it, -> mark."""
    try:
        xml = parts.read("xl/styles.xml")
    except KeyError:
        return {}
    codes: dict[int, str | None] = {}
    formats: list[int] = []
    for above, name, attributes in elements(xml):
        if above == "numFmts" and name == "numFmt":
            codes[int(attributes.get("numFmtId", "-1"))] = attributes.get("formatCode")
        elif above == "cellXfs" and name == "xf":
            formats.append(int(attributes.get("numFmtId", "0")))
            if len(formats) > MAX_STYLES:
                raise Unreadable(f"单元格样式超过 {MAX_STYLES} 种", SAVE_AS)
    marks = {str(i): mark_of_format(number, codes.get(number)) for i, number in enumerate(formats)}
    return {style: mark for style, mark in marks.items() if mark}


def _sheet_paths(parts: _Parts) -> Iterator[tuple[str, str]]:
    targets = {
        attributes.get("Id"): attributes.get("Target", "")
        for _, name, attributes in elements(parts.read("xl/_rels/workbook.xml.rels"))
        if name == "Relationship"
    }
    seen = set[str]()
    for above, name, attributes in elements(parts.read("xl/workbook.xml")):
        if above != "sheets" or name != "sheet":
            continue
        relation = next((value for key, value in attributes.items() if key.endswith(":id")), None)
        path = posixpath.normpath(posixpath.join("/xl", targets.get(relation, ""))).lstrip("/")
        # Many sheets of one part: each would be read anew.
        if path.casefold() in seen or len(seen) >= MAX_SHEETS:
            raise Unreadable("工作表太多，或几个工作表是同一个", SAVE_AS)
        seen.add(path.casefold())
        if path in parts.infos:
            yield attributes.get("name", ""), path


def _sheet_marks(xml: bytes, styles: dict[str, str]) -> Marks:
    marks: Marks = {}
    if b' hidden="' in xml:
        marks = {(int(found[1]) - 1, WHOLE_ROW): HIDDEN for found in _HIDDEN_ROW.finditer(xml)}
    # Walking the cells costs a third of reading them; most sheets have nothing to find.
    telling = [b't="e"', *_FORMULAS, *(f's="{style}"'.encode() for style in styles)]
    if not any(sign in xml for sign in telling):
        return marks
    for row, column, text, kind, style in sheet_cells(xml):
        if text is not None and kind == "e":
            marks[row, column] = text
        elif text is not None and kind == "n" and style in styles:
            marks[row, column] = styles[style]
        if len(marks) > MAX_MARKS:
            raise Unreadable(f"公式、百分比和年月的单元格超过 {MAX_MARKS} 个", SMALLER)
    return marks
