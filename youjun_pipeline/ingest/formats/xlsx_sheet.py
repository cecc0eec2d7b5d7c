"""One sheet's XML, looked through before the workbook reader sees it: how far it goes, and what its cells show beyond values.

A few bytes can claim a sheet of billions of cells, or one long text in every cell of it. Most sheets are written the usual
way and have nothing to find; a few searches tell. Any other is walked element by element, as XML. Belongs here: that. Keep
out: what a number format shows (number_formats.py), and values, which the workbook reader gives.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property, lru_cache
from typing import NamedTuple

from youjun_pipeline.ingest.formats import limits
from youjun_pipeline.ingest.formats.book import (
    SAVE_AS,
    UNCALCULATED,
    Marks,
    check_size,
    column_index,
    damaged,
)
from youjun_pipeline.ingest.formats.limits import (
    MAX_CHARACTERS,
    MAX_ROWS,
    MB,
    SMALLER,
    Unreadable,
    check_cells,
    check_characters,
)
from youjun_pipeline.ingest.formats.number_formats import NumberFormat
from youjun_pipeline.ingest.formats.xml_parts import XmlError, text_lengths, walk

FEW_CELLS, FEW_STYLES, FEW_BLANKS = 500_000, 100, 1_000
# Each takes 200 bytes.
MAX_MARKS = 1_000_000
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

# A cell or row written otherwise than by the common programs: no place, other quotes, a prefix, an entity.
# No search runs beyond a tag: one to the end of a sheet for each of its tags would take hours.
_UNUSUAL = re.compile(
    rb'<(?:c(?=[\s/>])(?! r="[A-Z]{1,3}\d{1,7}"(?: [\w:.]++="[^"&<>]*+")*+ ?/?>)'
    rb'|row(?=[\s/>])(?!(?: [\w:.]++="[^"&<>]*+")*+ ?/?>)|[^\s<>:/!?]++:(?:c|row)[\s/>]|!)'
)
# Cells that are only formatted; some sheets have a million of them.
_BLANKS = re.compile(rb'(?:<c r="[A-Z]++\d++"(?: s="\d++")?+ ?/>)++')
# Beyond 26 columns of 9 999 or 99 999 rows, or 702 of 999.
_FAR = tuple(
    re.compile(b' r="(?:' + far + b")")
    for far in (rb"[A-Z]{2}|[A-Z]\d{5}", rb"[A-Z]{2}|[A-Z]\d{6}", rb"[A-Z]{3}|[A-Z]+\d{4}")
)
_PLACE = re.compile(rb'<c r="([A-Z]++)(\d++)"')
# A value with a comment, CDATA or a reference inside: the workbook reader takes 6&#50;0 for 6, and CDATA for nothing.
_PIECED_VALUE = re.compile(rb"<(?:[^\s<>:/!?]++:)?v(?:\s[^<>]*+)?>[^<&]*+(?:<[!?]|&)")
_TYPE = re.compile(rb"\st\s*=\s*[\"'](str|e)[\"']")


class SharedTexts:
    """How long the texts are that cells of all sheets name by number; looked up when a sheet may repeat them too often."""

    def __init__(self, xml: bytes) -> None:
        self._xml = xml if len(xml) > 1 else b""
        self.size = len(xml)
        # The reader keeps every text, and 24 bytes for one that is empty.
        if self.size > MB:
            check_cells("共享文字表", xml.count(b"si") // 2)

    @cached_property
    def lengths(self) -> list[int]:
        """Characters of each text."""
        try:
            return list(text_lengths(self._xml, "si")) if self._xml else []
        except XmlError as error:
            raise damaged() from error


class Scan(NamedTuple):
    """What was found in a sheet's XML."""

    marks: Marks
    hidden_rows: frozenset[int] = frozenset()
    hidden_columns: frozenset[int] = frozenset()
    struck_rows: frozenset[int] = frozenset()


def scan(
    name: str, xml: bytes, formats: Mapping[str, NumberFormat], struck: frozenset[str], texts: SharedTexts
) -> Scan:
    """Look through a sheet's XML; `formats` and `struck` are the styles that matter, by the index that cells name.

    The stated dimension is not asked: some programs write A1 there, and others count cells that are only formatted.

    Raises:
        Unreadable: for a sheet with more cells or text than a table has, and for damaged XML.
    """
    if _has_pieced_value(xml):
        raise Unreadable(
            f"工作表“{name}”里有单元格的值写得特殊（夹着注释、CDATA 或字符引用），读不准", SAVE_AS
        )
    # What is taken out could only stand in a comment or in text if something unusual were left around it.
    kept = _BLANKS.sub(b"", xml) if xml.count(b'"/>') + xml.count(b'" />') > FEW_BLANKS else xml
    if kept.count(b"row") > 2 * MAX_ROWS + FEW_CELLS:
        raise Unreadable(f"工作表“{name}”的行数超过 {MAX_ROWS} 行", SAVE_AS)
    if _UNUSUAL.search(kept) is None:
        xml = kept
        if not (
            _is_telling(xml, frozenset(formats) | struck) or _has_much_text(xml, texts) or _is_large(xml)
        ):
            return Scan({})
    try:
        return _walked(name, xml, formats, struck, texts)
    except (XmlError, LookupError, ValueError) as error:
        raise damaged() from error


def _has_pieced_value(xml: bytes) -> bool:
    """Whether some value is written in pieces that are lost: not an error, which is told as XML has it, and not a reference
    in the text of a formula.
    """
    cell = b":c" if b":c " in xml or b":c>" in xml else b"<c"
    for found in _PIECED_VALUE.finditer(xml):
        start = xml.rfind(cell, 0, found.start())
        kind = _TYPE.search(xml, start, xml.find(b">", start))
        if kind is None or (kind[1] == b"str" and not found[0].endswith(b"&")):
            return True
    return False


def _is_telling(xml: bytes, styles: frozenset[str]) -> bool:
    """Whether there is something to find: an error, a formula, something hidden, a style that matters."""
    if b' t="e"' in xml or b"<f" in xml or b":f" in xml or b' hidden="' in xml:
        return True
    return bool(styles) and (len(styles) > FEW_STYLES or _style_pattern(styles).search(xml) is not None)


@lru_cache(maxsize=100)
def _style_pattern(styles: frozenset[str]) -> re.Pattern[bytes]:
    return re.compile(f' s="(?:{"|".join(sorted(styles))})"'.encode())


def _has_much_text(xml: bytes, texts: SharedTexts) -> bool:
    named = xml.count(b't="s"')
    if texts.size * named > MAX_CHARACTERS and max(texts.lengths, default=0) * named > MAX_CHARACTERS:
        return True
    return len(xml) > MAX_CHARACTERS


def _is_large(xml: bytes) -> bool:
    """Whether cells may stand so far out that a sheet written the usual way has more of them than a table."""
    if any(far.search(xml) is None for far in _FAR):
        return False
    rows, widest = 0, b""
    for found in _PLACE.finditer(xml):
        letters, digits = found.groups()
        widest = max(widest, letters.rjust(3))
        rows = max(rows, int(digits))
    return rows * (column_index(widest.decode().strip()) + 1) > limits.MAX_CELLS


def _walked(
    name: str,
    xml: bytes,
    formats: Mapping[str, NumberFormat],
    struck: frozenset[str],
    texts: SharedTexts,
) -> Scan:
    reader = _CellReader()
    rows = columns = characters = 0
    lengths = texts.lengths if _has_much_text(xml, texts) else []
    marks: Marks = {}
    struck_rows = set[int]()
    for row, column, text, kind, style in _cells(xml, reader):
        if text is None:
            continue
        rows, columns = max(rows, row + 1), max(columns, column + 1)
        if kind == "s":
            index = int(text)
            characters += lengths[index] if 0 <= index < len(lengths) else 0
        else:
            characters += len(text)
        if characters > MAX_CHARACTERS:
            check_characters(f"工作表“{name}”", characters)
        if kind == "e":
            marks[row, column] = text
        elif kind in ("n", "d") and style in formats:
            marks[row, column] = formats[style]
        if style in struck and text:
            struck_rows.add(row + 1)
        if len(marks) > MAX_MARKS:
            raise Unreadable(f"公式出错或带特殊数字格式的单元格超过 {MAX_MARKS} 个", SMALLER)
    check_size(name, rows, columns)
    hidden = frozenset(reader.hidden_rows), frozenset(reader.hidden_columns)
    return Scan(marks, *hidden, frozenset(struck_rows))


def _cells(xml: bytes, reader: _CellReader) -> Iterator[tuple[int, int, str | None, str, str]]:
    """Row and column (0-based), value as stored (None if only formatted), type and style of every cell."""
    for _ in walk(xml, reader.start, reader.end, reader.text):
        yield from reader.found
        reader.found.clear()


class _CellReader:
    """Puts the cells of a sheet together from its elements."""

    def __init__(self) -> None:
        self.found: list[tuple[int, int, str | None, str, str]] = []
        self.hidden_rows, self.hidden_columns = set[int](), set[int]()
        self.row, self.column = -1, -1
        self.kind, self.style = "n", ""
        self.inside: list[str] = []
        self.value: list[str] | None = None
        self.has_formula = self.has_inline = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        self.inside.append(tag)
        if tag == "row":
            self.row, self.column = int(attributes.get("r", self.row + 2)) - 1, -1
            if _is_true(attributes):
                self.hidden_rows.add(self.row + 1)
        elif tag == "col" and _is_true(attributes):
            first, last = int(attributes.get("min", "1")), int(attributes.get("max", "0"))
            self.hidden_columns.update(range(first - 1, min(last, 16_384)))
        elif tag == "c":
            reference = attributes.get("r")
            self.column = column_index(reference.rstrip("0123456789")) if reference else self.column + 1
            # The reader goes by the cell, whatever its row says.
            if reference and (digits := reference.lstrip(_LETTERS)):
                self.row = int(digits) - 1
            self.kind, self.style = attributes.get("t", "n"), attributes.get("s", "")
            self.value, self.has_formula, self.has_inline = None, False, False
        elif tag == "f":
            self.has_formula = True
        elif tag == "is":
            self.has_inline = True
        if tag in ("v", "t") and self.value is None:
            self.value = []

    def text(self, piece: str) -> None:
        """Text, which counts inside a value."""
        if self.value is not None and self.inside and self.inside[-1] in ("v", "t"):
            self.value.append(piece)

    def end(self, tag: str) -> None:
        """An element ends."""
        self.inside.pop()
        if tag != "c":
            return
        text, kind = None if self.value is None else "".join(self.value), self.kind
        # Without a result, or with an empty one that is no text: programs write formulas that only Excel calculates.
        if not text and kind != "str" and self.has_formula:
            text, kind = UNCALCULATED, "e"
        if text is None and self.has_inline:
            text = ""
        self.found.append((self.row, self.column, text, kind, self.style))
        self.value = None


def _is_true(attributes: dict[str, str]) -> bool:
    return attributes.get("hidden") in ("1", "true")
