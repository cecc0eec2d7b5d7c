"""How far a sheet of an .xlsx goes and how much text its cells name, found before the workbook reader takes it all into memory.

A few bytes can claim a sheet of billions of cells, or one long text in every cell of it. Belongs here: the cells of a sheet's
XML as they are stored, and the sums over them. Keep out: what the cells show (cell_marks.py), and the archive (archives.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

from youjun_pipeline.ingest.limits import (
    MAX_CHARACTERS,
    MAX_COLUMNS,
    MAX_ROWS,
    MB,
    Unreadable,
    check_cells,
    check_characters,
)
from youjun_pipeline.ingest.readings import UNCALCULATED
from youjun_pipeline.ingest.sheets import SAVE_AS, check_size, column_letter, damaged
from youjun_pipeline.ingest.xml_parts import XmlError, text_lengths, walk

# Sheets and texts that need no closer look.
FEW_CELLS, FEW_BYTES = 500_000, MB
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
# Never beyond the next tag: a search that runs to the end of a sheet for each of its tags takes hours.
_ROW = re.compile(rb"""<(?:\w{1,20}:)?row\b[^<>]*?\br\s*=\s*["'](\d{1,9})["']""")
# A cell written otherwise than by the common programs, such as without its place: it has to be looked at closely.
_UNUSUAL_CELL = re.compile(rb"""<(?:[^\s<>:]+:c(?=[\s/>])|c(?=[\s/>])(?! r="[A-Z]{1,3}\d{1,7}"[ />]))""")


class SharedTexts:
    """How long the texts are that cells of all sheets name by number; looked up when a sheet may repeat them too often."""

    def __init__(self, parts: list[bytes]) -> None:
        self._parts = parts
        self.size = sum(map(len, parts))
        # The reader keeps every text, and 24 bytes for one that is empty.
        if self.size > FEW_BYTES:
            check_cells("共享文字表", sum(part.count(b"si") for part in parts) // 2)

    @cached_property
    def lengths(self) -> list[int]:
        """Characters of each text."""
        try:
            return [n for part in self._parts for n in text_lengths(part, "si")]
        except XmlError as error:
            raise damaged() from error


def check_extent(name: str, xml: bytes, texts: SharedTexts) -> int:
    """Refuse a sheet before the workbook reader puts every cell up to the last one, with all its text, into memory.

    The stated dimension is not asked: some programs write A1 there, and others count cells that are only formatted. Returns
    the number of cells, or 0 where there are few.
    """
    if xml.count(b"row") > 2 * MAX_ROWS + FEW_CELLS:
        raise Unreadable(f"工作表“{name}”的行数超过 {MAX_ROWS} 行", SAVE_AS)
    # An element that ends takes two of these; more cells with text there cannot be.
    many_texts = texts.size * xml.count(b"</") > MAX_CHARACTERS
    if many_texts and max(texts.lengths, default=0) * xml.count(b"</") <= MAX_CHARACTERS:
        many_texts = False
    if not many_texts and len(xml) < MAX_CHARACTERS // 2 and not _may_be_too_large(xml):
        return 0
    lengths = texts.lengths if many_texts else []
    rows, columns, characters = 0, 0, 0
    try:
        for row, column, text, kind, _ in sheet_cells(xml):
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
    except (XmlError, LookupError, ValueError) as error:
        raise damaged() from error
    check_size(name, rows, columns)
    return rows * columns


def _may_be_too_large(xml: bytes) -> bool:
    """Whether some reference, or the number of rows, points beyond a small sheet; quick, and never wrongly no."""
    if _UNUSUAL_CELL.search(xml):
        return True
    rows = max([xml.count(b"<row") + xml.count(b":row"), 1, *map(int, _ROW.findall(xml))])
    # A cell may name a row that its row does not.
    if re.search(_reference_below(rows), xml):
        return True
    columns = FEW_CELLS // rows
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


def sheet_cells(xml: bytes) -> Iterator[tuple[int, int, str | None, str, str]]:
    """Row and column (0-based), value as stored (None if only formatted), type and style of every cell."""
    reader = _CellReader()
    for _ in walk(xml, reader.start, reader.end, reader.text):
        yield from reader.found
        reader.found.clear()


class _CellReader:
    """Puts the cells of a sheet together from its elements."""

    def __init__(self) -> None:
        self.found: list[tuple[int, int, str | None, str, str]] = []
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
        elif tag == "c":
            reference = attributes.get("r")
            self.column = _column_index(reference) if reference else self.column + 1
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


def _column_index(reference: str) -> int:
    """0-based column of a reference such as AB12."""
    index = 0
    for letter in reference.rstrip("0123456789"):
        index = index * 26 + ord(letter) - 64
    return index - 1
