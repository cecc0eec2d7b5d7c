"""Checks one sheet's XML before the workbook reader sees it: the sheet's extent, and cells that show more than their values.

A few bytes can claim a sheet of billions of cells, or the same long text in every cell. Most sheets are written in the usual way
and have nothing to find; a few searches show this. Any other sheet is walked element by element, as XML. Belongs here: these
checks. Keep out: what a number format shows (number_formats.py), and values, which the workbook reader gives.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property, lru_cache
from itertools import islice, pairwise
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
from youjun_pipeline.ingest.formats.xml_parts import XmlError, elements, text_lengths, walk

FEW_CELLS, FEW_STYLES = 500_000, 100
# If the first and last bytes of a sheet have this many elements without content, the sheet has many cells that are only
# formatted.
SAMPLE, FEW_BLANKS = 1 << 18, 1_000
# Each mark takes 200 bytes.
MAX_MARKS = 1_000_000

# A cell or row written in another way than common programs do: no place, other quotes, a prefix, an entity; a value that is not
# alone in its cell, or anything between cells and rows. No search goes beyond one tag: a search to the end of the sheet for each
# tag would take hours.
_UNUSUAL = re.compile(
    rb'<(?:c(?=[\s/>])(?! r="[A-Z]{1,3}\d{1,7}"(?: [\w:.]++="[^"&<>]*+")*+ ?(?:/|><[vfi/])?>?)'
    rb'|row(?=[\s/>])(?!(?: [\w:.]++="[^"&<>]*+")*+ ?/?>)|[^\s<>:/!?]++:(?:c|row)[\s/>]|!'
    rb'|v(?=[\s/>])(?!>[^<]*+</v></c>)|v>(?<= t="s"><v>)(?!\d)|/(?:is|c|row)>(?!<(?:/?c|/?row|/sheetData)[\s/>]))'
)
# Cells that are only formatted; some sheets have a million of them.
_BLANK = rb'<c r="[^"]++"(?: s="[^"]++" ?/>| ?/>)'
_BLANKS = re.compile(_BLANK + b"(?:" + _BLANK + b")*+")
# The type of a text cell, and what common programs write after it.
_TYPED = (b' t="s"', b"><v>"), (b' t="inlineStr"', b"><is>")
_ROW = re.compile(rb'[^<>]*? r="(\d{1,7})"')
_PLACE = re.compile(rb'<c r="([A-Z]++)(\d++)"')
# A value that contains a comment, CDATA or a reference: the workbook reader reads 6&#50;0 as 6, and CDATA as nothing.
_PIECED_VALUE = re.compile(rb"<(?:[^\s<>:/!?]++:)?v(?:\s[^<>]*+)?>[^<&]*+(?:<[!?]|&)")
_CLAIMED_TEXTS = re.compile(rb"\suniqueCount\s*+=\s*+[\"']([^\"']{0,30})")
_TYPE = re.compile(rb"\st\s*=\s*[\"'](str|e)[\"']")


class SharedTexts:
    """The lengths of the texts that cells of all sheets refer to by number; used if a sheet may repeat them too often."""

    def __init__(self, xml: bytes) -> None:
        self._xml = xml if len(xml) > 1 else b""
        self.size = len(xml)
        # The reader allocates as many texts as are claimed, and ends the program if memory is short.
        for stated in _CLAIMED_TEXTS.findall(xml):
            if not (stated.isdigit() and int(stated) <= limits.MAX_CELLS):
                raise damaged("共享文字表")
        # The reader keeps every text; an empty text takes 24 bytes.
        if self.size > MB:
            check_cells("共享文字表", xml.count(b"si") // 2)

    @cached_property
    def lengths(self) -> list[int]:
        """Characters of each text."""
        try:
            return list(text_lengths(self._xml, "si")) if self._xml else []
        except XmlError as error:
            raise damaged() from error

    @cached_property
    def struck(self) -> frozenset[int]:
        """Which texts have a part that is struck through."""
        found, index = set[int](), -1
        try:
            for _, name, attributes in elements(self._xml) if b"strike" in self._xml else ():
                index += name == "si"
                if name == "strike" and attributes.get("val", "1") not in ("0", "false"):
                    found.add(index)
        except XmlError as error:
            raise damaged() from error
        return frozenset(found)


class Scan(NamedTuple):
    """The findings in a sheet's XML."""

    marks: Marks
    hidden_rows: frozenset[int] = frozenset()
    hidden_columns: frozenset[int] = frozenset()
    struck_rows: frozenset[int] = frozenset()


def scan(
    name: str, xml: bytes, formats: Mapping[str, NumberFormat], struck: frozenset[str], texts: SharedTexts
) -> Scan:
    """Check a sheet's XML; `formats` and `struck` are the styles that change values, by the index that cells name.

    The stated dimension is ignored: some programs write A1 there, and others count cells that are only formatted.

    Raises:
        Unreadable: if a sheet has more cells or text than a table may have, or its XML is damaged.
    """
    # If a removed piece was inside a comment or a text, something unusual remains around it and is found below.
    is_sparse = (xml[:SAMPLE] + xml[-SAMPLE:]).count(b"/>") > FEW_BLANKS
    kept = _BLANKS.sub(b"", xml) if is_sparse else xml
    if _has_pieced_value(kept):
        raise _oddly_written(name, "单元格的值写得特殊（夹着注释、CDATA 或字符引用）")
    if kept.count(b"row") > 2 * MAX_ROWS + FEW_CELLS:
        raise Unreadable(f"工作表“{name}”的行数超过 {MAX_ROWS} 行", SAVE_AS)
    if (
        not texts.struck
        and _UNUSUAL.search(kept) is None
        and all(kept.count(t) == kept.count(t + rest) for t, rest in _TYPED)
    ):
        xml = kept
        if not (
            _is_telling(xml, frozenset(formats) | struck) or _has_much_text(xml, texts) or _is_disordered(xml)
        ):
            return Scan({})
    try:
        return _walked(name, xml, formats, struck, texts)
    except (XmlError, LookupError, ValueError) as error:
        raise damaged() from error


def _oddly_written(name: str, what: str) -> Unreadable:
    return Unreadable(f"工作表“{name}”里有{what}，读不准", SAVE_AS)


def _has_pieced_value(xml: bytes) -> bool:
    """Whether some value is written in pieces that the reader loses.

    Two cases are not meant: errors, which are taken from the XML, and references in the text of a formula.
    """
    if not (b"&" in xml or b"<!" in xml or xml.count(b"<?") > 1):
        return False
    cell = b":c" if b":c " in xml or b":c>" in xml else b"<c"
    for found in _PIECED_VALUE.finditer(xml):
        start = xml.rfind(cell, 0, found.start())
        kind = _TYPE.search(xml, start, xml.find(b">", start))
        if kind is None or (kind[1] == b"str" and not found[0].endswith(b"&")):
            return True
    return False


def _is_telling(xml: bytes, styles: frozenset[str]) -> bool:
    """Whether the sheet has something to find: an error, a formula, something hidden, a style that changes values."""
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


def _is_disordered(xml: bytes) -> bool:
    """Whether rows or cells of a sheet written the usual way are repeated, out of order, or more than a table may have."""
    above, widest = 0, 0
    usual: tuple[bytes, ...] = ()
    for row in islice(xml.split(b"<row"), 1, None):
        stated = _ROW.match(row)
        cells = _PLACE.findall(row)
        if stated is None or int(stated[1]) <= above:
            return True
        above = int(stated[1])
        if not cells:
            continue
        letters, digits = zip(*cells, strict=True)
        if digits.count(stated[1]) < len(digits):
            return True
        # Most rows have cells in the same columns as the row above.
        if letters != usual:
            columns = [column_index(letter.decode()) for letter in letters]
            if any(right <= left for left, right in pairwise(columns)):
                return True
            usual, widest = letters, max(widest, columns[-1] + 1)
    return above * widest > limits.MAX_CELLS


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
            index = int(text) if text.isdecimal() else -1
            characters += lengths[index] if 0 <= index < len(lengths) else 0
            if index in texts.struck:
                struck_rows.add(row + 1)
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
    if reader.odd:
        raise _oddly_written(name, reader.odd)
    hidden = frozenset(reader.hidden_rows), frozenset(reader.hidden_columns)
    return Scan(marks, *hidden, frozenset(struck_rows))


def _cells(xml: bytes, reader: _CellReader) -> Iterator[tuple[int, int, str | None, str, str]]:
    """Row and column (0-based), stored value (None if only formatted), type and style of every cell."""
    for _ in walk(xml, reader.start, reader.end, reader.text):
        yield from reader.found
        reader.found.clear()


# Which element may be directly inside which. The workbook reader skips any other element there, or reads it as the value.
_CHILDREN = {"sheetData": {"row"}, "row": {"c"}, "c": {"f", "v", "is"}, "v": set[str](), "f": set[str]()}


class _CellReader:
    """Builds the cells of a sheet from its elements; `odd` has the cells that the workbook reader may read differently."""

    def __init__(self) -> None:
        self.found: list[tuple[int, int, str | None, str, str]] = []
        self.hidden_rows, self.hidden_columns = set[int](), set[int]()
        self.row, self.column = -1, -1
        self.kind, self.style = "n", ""
        self.inside: list[str] = [""]
        self.parts: list[str] = []
        self.value: list[str] | None = None
        self.odd = ""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        if tag not in _CHILDREN.get(self.inside[-1], {tag}):
            in_cell = self.inside[-1] == "c"
            self._note("单元格的值写得特殊" if in_cell else f"单元格之外的内容（{tag[:20]}）")
        self.inside.append(tag)
        if tag == "row":
            self._row(int(attributes.get("r", self.row + 2)) - 1)
            if _is_true(attributes):
                self.hidden_rows.add(self.row + 1)
        elif tag == "col" and _is_true(attributes):
            first, last = int(attributes.get("min", "1")), int(attributes.get("max", "0"))
            self.hidden_columns.update(range(first - 1, min(last, 16_384)))
        elif tag == "c":
            self._place(attributes.get("r"))
            self.kind, self.style = attributes.get("t", "n"), attributes.get("s", "")
            self.value, self.parts = None, []
        elif self.inside[-2] == "c":
            self.parts.append(tag)
        if tag in ("v", "t") and self.value is None:
            self.value = []

    def _note(self, odd: str) -> None:
        self.odd = self.odd or odd

    def _row(self, row: int) -> None:
        if row <= self.row:
            self._note(f"第 {row + 1} 行写了两次，或次序颠倒")
        self.row, self.column = row, -1

    def _place(self, reference: str | None) -> None:
        """Set a cell's place. The workbook reader uses the cell's place, not its row's, and keeps the last of two equal cells."""
        letters, column = (reference or "").rstrip("0123456789").upper(), self.column + 1
        if reference:
            column = column_index(letters)
            if (digits := reference[len(letters) :]) and int(digits) - 1 != self.row:
                self._note(f"单元格 {reference[:20]} 不在它的那一行里")
                self.row = int(digits) - 1
        if column < self.column + 1:
            self._note(f"第 {self.row + 1} 行的单元格写了两次，或次序颠倒")
        self.column = column

    def text(self, piece: str) -> None:
        """Text, which counts only inside a value."""
        if self.value is not None and self.inside[-1] in ("v", "t"):
            self.value.append(piece)

    def end(self, tag: str) -> None:
        """An element ends."""
        self.inside.pop()
        if tag != "c":
            return
        text, kind = None if self.value is None else "".join(self.value), self.kind
        values = [part for part in self.parts if part != "f"]
        # The reader takes the last of two values, ignores a value before a formula, and ignores `v` in a cell with inline text.
        if (
            len(values) > 1
            or self.parts[-1:] == ["f"] < self.parts
            or (kind == "inlineStr" and "v" in values)
        ):
            self._note("单元格的值写了两次，或写得特殊")
        if kind == "s" and text and not (text.isascii() and text.isdigit()):
            self._note(f"单元格指向不存在的共享文字（{text[:20]}）")
        # The formula has no result, or an empty result that is not text: programs write formulas that only Excel calculates.
        if "f" in self.parts and (text is None or (not text and kind != "str")):
            text, kind = UNCALCULATED, "e"
        elif kind == "e" and not text:
            text = "#ERROR!"
        if text is None and values:
            text = ""
        self.found.append((self.row, self.column, text, kind, self.style))
        self.value = None


def _is_true(attributes: dict[str, str]) -> bool:
    return attributes.get("hidden") in ("1", "true")
