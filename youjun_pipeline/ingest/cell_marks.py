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
from xml.etree import ElementTree

from youjun_pipeline.ingest.readings import UNCALCULATED
from youjun_pipeline.ingest.sheets import MAX_CELLS, check_size, column_letter, damaged

# Of a sheet of an .xlsx.
MAX_COLUMNS = 16_384

PERCENT, MONTH, HIDDEN = "percent", "month", "hidden"
# The column under which a row as a whole is marked.
WHOLE_ROW = -1

# (row, column), both 0-based -> PERCENT, MONTH or the error's text, which begins with "#"; (row, WHOLE_ROW) -> HIDDEN
Marks = dict[tuple[int, int], str]

# Built-in formats whose code a file may leave out (ECMA-376 part 1, 18.8.30; those from 27 on as in Chinese Excel).
BUILTIN = {9: PERCENT, 10: PERCENT, 17: MONTH, 27: MONTH, 36: MONTH, 50: MONTH, 52: MONTH, 57: MONTH}

_ROW = re.compile(rb'<(?:\w+:)?row\b[^>]*?\sr="(\d{1,9})"')
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_HIDDEN_ROW = re.compile(rb'<(?:\w+:)?row\b(?=[^>]*\shidden="(?:1|true)")[^>]*?\sr="(\d{1,7})"')
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
        Unreadable: for a sheet of a senseless size.
        zipfile.BadZipFile, zlib.error, LookupError, ValueError, ElementTree.ParseError: for a damaged file.
    """
    names: dict[str, str] = {}
    styles: dict[str, str] = {}
    trouble: Exception | None = None
    sheets = {}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        try:
            names = {path: name for name, path in _sheet_paths(archive)}
            styles = _marked_styles(archive)
        except (LookupError, ValueError, ElementTree.ParseError) as error:
            trouble = error
        # Every sheet that lies in the archive, listed or not: the reader may understand a list that is not understood here.
        unlisted = [p for p in archive.namelist() if p.startswith("xl/worksheets/") and p.endswith(".xml")]
        for path in dict.fromkeys([*names, *unlisted]):
            xml = archive.read(path)
            _check_extent(names.get(path, posixpath.basename(path)), xml)
            if path in names and trouble is None:
                sheets[names[path]] = _sheet_marks(xml, styles)
    if trouble is not None:
        raise trouble
    return {name: marks for name, marks in sheets.items() if marks}


def _marked_styles(archive: zipfile.ZipFile) -> dict[str, str]:
    """Style index, as cells name it, -> mark."""
    if "xl/styles.xml" not in archive.namelist():
        return {}
    root = ElementTree.fromstring(archive.read("xl/styles.xml"))
    codes = {int(f.get("numFmtId", "-1")): f.get("formatCode") for f in root.iterfind("{*}numFmts/{*}numFmt")}
    formats = [int(xf.get("numFmtId", "0")) for xf in root.iterfind("{*}cellXfs/{*}xf")]
    marks = {str(i): mark_of_format(number, codes.get(number)) for i, number in enumerate(formats)}
    return {style: mark for style, mark in marks.items() if mark}


def _sheet_paths(archive: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    relations = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    targets = {r.get("Id"): r.get("Target", "") for r in relations.iterfind("{*}Relationship")}
    book = ElementTree.fromstring(archive.read("xl/workbook.xml"))
    for sheet in book.iterfind("{*}sheets/{*}sheet"):
        relation = next((value for key, value in sheet.attrib.items() if key.endswith("}id")), None)
        path = posixpath.normpath(posixpath.join("/xl", targets.get(relation, ""))).lstrip("/")
        if path in archive.NameToInfo:
            yield sheet.get("name", ""), path


def _check_extent(name: str, xml: bytes) -> None:
    """Refuse a sheet before the workbook reader puts every cell up to the last one into memory.

    The stated dimension is not asked: some programs write A1 there, and others count cells that are only formatted.
    """
    if not _may_be_too_large(xml):
        return
    rows, columns = 0, 0
    try:
        for row, column, text, _, _ in _cells(xml):
            if text is not None:
                rows, columns = max(rows, row + 1), max(columns, column + 1)
    except (ElementTree.ParseError, LookupError, ValueError) as error:
        raise damaged() from error
    check_size(name, rows, columns)


def _may_be_too_large(xml: bytes) -> bool:
    """Whether some reference, or the number of rows, points beyond a sheet of MAX_CELLS; quick, and never wrongly no."""
    rows = max([xml.count(b"<row"), 1, *map(int, _ROW.findall(xml))])
    # A cell may name a row that its row does not.
    if re.search(_reference_below(rows), xml):
        return True
    columns = MAX_CELLS // rows
    first = column_letter(columns) if columns < MAX_COLUMNS else "XFE"
    return re.search(_reference_from(first), xml) is not None


def _reference_below(row: int) -> bytes:
    """A pattern of references in a row below this one."""
    digits = str(row)
    longer = f"\\d{{{len(digits) + 1}}}"
    same = [
        f'{digits[:i]}[{int(digit) + 1}-9]\\d{{{len(digits) - i - 1}}}"'
        for i, digit in enumerate(digits)
        if digit < "9"
    ]
    return f'\\sr="[A-Z]{{1,7}}(?:{"|".join([longer, *same])})'.encode()


def _reference_from(letters: str) -> bytes:
    """A pattern of references in this column or one further to the right."""
    longer = f"[A-Z]{{{len(letters) + 1}}}"
    same = [
        f"{letters[:i]}[{chr(ord(letter) + (i < len(letters) - 1))}-Z][A-Z]{{{len(letters) - i - 1}}}\\d"
        for i, letter in enumerate(letters)
        if letter < "Z" or i == len(letters) - 1
    ]
    return f'\\sr="(?:{"|".join([longer, *same])})'.encode()


def _sheet_marks(xml: bytes, styles: dict[str, str]) -> Marks:
    marks: Marks = {}
    if b' hidden="' in xml:
        marks = {(int(row) - 1, WHOLE_ROW): HIDDEN for row in _HIDDEN_ROW.findall(xml)}
    # Walking the cells costs a third of reading them; most sheets have nothing to find.
    telling = [b't="e"', *_FORMULAS, *(f's="{style}"'.encode() for style in styles)]
    if not any(sign in xml for sign in telling):
        return marks
    for row, column, text, kind, style in _cells(xml):
        if text is not None and kind == "e":
            marks[row, column] = text
        elif text is not None and kind == "n" and style in styles:
            marks[row, column] = styles[style]
    return marks


def _cells(xml: bytes) -> Iterator[tuple[int, int, str | None, str, str]]:
    """Row and column (0-based), value as stored (None if only formatted), type and style of every cell."""
    row, column = -1, -1
    for event, element in ElementTree.iterparse(io.BytesIO(xml), events=("start", "end")):
        tag = element.tag.rpartition("}")[2]
        if event == "start" and tag == "row":
            row, column = int(element.get("r", row + 2)) - 1, -1
        elif event == "start" and tag == "c":
            reference = element.get("r")
            column = _column_index(reference) if reference else column + 1
            # The reader goes by the cell, whatever its row says.
            if reference and (digits := reference.lstrip(_LETTERS)):
                row = int(digits) - 1
        elif event == "end" and tag == "c":
            text, kind = element.findtext("{*}v"), element.get("t", "n")
            # Without a result, or with an empty one that is no text: programs write formulas that only Excel calculates.
            if not text and kind != "str" and element.find("{*}f") is not None:
                text, kind = UNCALCULATED, "e"
            if text is None and element.find("{*}is") is not None:
                text = ""
            yield row, column, text, kind, element.get("s", "")
        elif event == "end" and tag == "row":
            element.clear()


def _column_index(reference: str) -> int:
    """0-based column of a reference such as AB12."""
    index = 0
    for letter in reference.rstrip("0123456789"):
        index = index * 26 + ord(letter) - 64
    return index - 1
