"""What the cells of an .xls file show beyond their values; see cell_marks.py for the reason.

Belongs here: as much of the BIFF8 records as finds number formats, error cells, hidden rows, a password ([MS-XLS]), and places
and counts that no workbook has. Keep out: the file around them (compound.py), values and text, which the workbook reader gives.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from youjun_pipeline.ingest.cell_marks import HIDDEN, MAX_SHEETS, WHOLE_ROW, Marks, mark_of_format
from youjun_pipeline.ingest.compound import workbook_stream
from youjun_pipeline.ingest.limits import MAX_CELLS, MAX_CHARACTERS, check_cells, check_characters
from youjun_pipeline.ingest.sheets import check_size, damaged, protected
from youjun_pipeline.ingest.xls_texts import text_lengths

ERRORS = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
}
BIFF8 = 0x0600

# Record types
BOF, EOF, FILEPASS, FORMAT, XF, SHEET = 0x0809, 0x000A, 0x002F, 0x041E, 0x00E0, 0x0085
NUMBER, RK, MULTIPLE_RK, FORMULA, ERROR = 0x0203, 0x027E, 0x00BD, 0x0006, 0x0205

LABEL, SHARED_LABEL, BLANK, MULTIPLE_BLANK, DIMENSIONS = 0x0204, 0x00FD, 0x0201, 0x00BE, 0x0200
ROW, ROW_IS_HIDDEN = 0x0208, 0x20
CELLS = {NUMBER, RK, MULTIPLE_RK, FORMULA, ERROR, LABEL, SHARED_LABEL, BLANK, MULTIPLE_BLANK}
MAX_ROWS, MAX_COLUMNS = 65_536, 256

# The workbook's texts, and the records they go on in; a text takes three bytes at least.
TEXTS, MORE = 0x00FC, 0x003C
LEAST_TEXT = 3
# Sheets that begin in the middle of a record: none, but where a byte is wrong.
MOST_ELSEWHERE, FEW_RECORDS = 8, 100_000


def xls_marks(data: bytes) -> dict[str, Marks]:
    """Marks of every sheet of an .xls file, by sheet name; sheets without any are left out, and so is a file before BIFF8.

    Raises:
        Unreadable: for an encrypted workbook, a damaged compound file, and what would make the workbook reader ask for
            memory without end.
        ValueError: for another damage.
    """
    stream = workbook_stream(data)
    try:
        _check_records(stream)
    except (struct.error, IndexError, ValueError) as error:
        raise damaged() from error
    try:
        return _marks_of_stream(stream)
    except (struct.error, IndexError) as error:
        raise ValueError("damaged workbook stream") from error


def _records(stream: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """Records from one BOF to the end of its substream, without the substreams (charts) inside it."""
    depth = 0
    while at + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, at)
        depth += (kind == BOF) - (kind == EOF)
        if depth <= 0:
            return
        if depth == 1:
            yield kind, stream[at + 4 : at + 4 + length]
        at += 4 + length


def _check_records(stream: bytes) -> None:
    """Refuse what the workbook reader would ask memory for without end: cells far out, texts without number.

    Every record that follows another is looked at, whatever the structure says, and once more from wherever the list of
    sheets leads, if that is the middle of a record.
    """
    seen, sheets, names, texts = _walk(stream, 0)
    elsewhere = set(sheets) - seen
    if len(sheets) > MAX_SHEETS or len(set(sheets)) < len(sheets) or len(elsewhere) > MOST_ELSEWHERE:
        raise damaged("工作表的目录")
    for start in elsewhere:
        _walk(stream, start)
    lengths: list[int] | None = None
    cells = characters = 0
    left = len(seen) + FEW_RECORDS
    for start, name in zip(sheets, names, strict=True):
        rows, columns, named = _extent(stream, start, left)
        left -= len(named)
        check_size(name, rows, columns)
        cells += rows * columns
        check_cells("各工作表共", cells)
        if lengths is None and len(named) * sum(map(len, texts)) > MAX_CHARACTERS:
            lengths = _lengths(texts)
        characters += sum(lengths[n] for n in named if n < len(lengths)) if lengths else 0
        check_characters("各工作表", characters)


def _lengths(texts: list[bytes]) -> list[int]:
    try:
        return text_lengths(texts)
    except (struct.error, IndexError) as error:
        raise damaged("共享文字表") from error


def _extent(stream: bytes, start: int, most: int) -> tuple[int, int, list[int]]:
    """Rows and columns up to a sheet's last cell, and the numbers of the workbook's texts that its cells name."""
    rows = columns = 0
    named = []
    for kind, record in _records(stream, start):
        most -= 1
        if most < 0:
            # Sheets that lie in one another, each to be read anew.
            raise damaged("工作表的目录")
        if kind in CELLS and len(record) >= 4:
            row, column = struct.unpack_from("<HH", record)
            more = (len(record) - 6) // 6 if kind == MULTIPLE_RK else 0
            rows, columns = max(rows, row + 1), max(columns, column + 1 + more)
            if kind == SHARED_LABEL and len(record) >= 10:
                named.append(struct.unpack_from("<I", record, 6)[0])
    return rows, columns, named


def _walk(stream: bytes, at: int) -> tuple[set[int], list[int], list[str], list[bytes]]:
    """Check the records from a place on; returns where records begin, where sheets are said to and their names, the texts."""
    seen, sheets, names, texts = set[int](), list[int](), list[str](), list[bytes]()
    stated = 0
    while at + 4 <= len(stream):
        seen.add(at)
        if len(seen) > MAX_CELLS:
            check_cells("文件", len(seen))
        kind, length = struct.unpack_from("<HH", stream, at)
        record = stream[at + 4 : at + 4 + length]
        _check_place(kind, record)
        if kind == SHEET and len(record) >= 4:
            sheets.append(struct.unpack_from("<I", record)[0])
            names.append(record[8:].decode("utf-16-le" if record[7:8] == b"\x01" else "latin-1", "replace"))
        elif kind == TEXTS and len(record) >= 8:
            (stated,) = struct.unpack_from("<I", record, 4)
            texts = [record]
        elif kind == MORE and texts:
            texts.append(record)
        at += 4 + length
    size = sum(map(len, texts))
    if stated * LEAST_TEXT > size + LEAST_TEXT:
        raise damaged()
    return seen, sheets, names, texts


def _marks_of_stream(stream: bytes) -> dict[str, Marks]:
    codes: dict[int, str] = {}
    formats: list[int] = []
    sheets: list[tuple[str, int]] = []
    for kind, record in _records(stream, 0):
        if kind == FILEPASS:
            raise protected()
        if kind == BOF and struct.unpack_from("<H", record)[0] != BIFF8:
            return {}
        if kind == FORMAT:
            number, length, wide = struct.unpack_from("<HHB", record)
            codes[number] = _string(record[5:], length, wide)
        elif kind == XF:
            formats.append(struct.unpack_from("<H", record, 2)[0])
        elif kind == SHEET:
            start, _, length, wide = struct.unpack_from("<IHBB", record)
            sheets.append((_string(record[8:], length, wide), start))
    styles = {i: mark for i, n in enumerate(formats) if (mark := mark_of_format(n, codes.get(n)))}
    found = {name: _sheet_marks(stream, start, styles) for name, start in sheets}
    return {name: marks for name, marks in found.items() if marks}


def _string(raw: bytes, length: int, wide: int) -> str:
    return raw[: length * 2].decode("utf-16-le") if wide & 1 else raw[:length].decode("latin-1")


def _sheet_marks(stream: bytes, start: int, styles: dict[int, str]) -> Marks:
    marks: Marks = {}
    for kind, record in _records(stream, start):
        if kind == MULTIPLE_RK:
            row, first = struct.unpack_from("<HH", record)
            for i in range((len(record) - 6) // 6):
                (style,) = struct.unpack_from("<H", record, 4 + 6 * i)
                if style in styles:
                    marks[row, first + i] = styles[style]
        elif kind == ROW and len(record) >= 16 and record[12] & ROW_IS_HIDDEN:
            marks[struct.unpack_from("<H", record)[0], WHOLE_ROW] = HIDDEN
        elif kind in (NUMBER, RK, FORMULA, ERROR):
            row, column, style = struct.unpack_from("<HHH", record)
            # A formula whose result is no number says so in the last two bytes of the result, and of which kind in the first.
            is_error = record[7] == 1 if kind == ERROR else record[6] == 2 and record[12:14] == b"\xff\xff"
            is_error &= kind in (ERROR, FORMULA)
            if is_error:
                marks[row, column] = ERRORS.get(record[6] if kind == ERROR else record[8], "#ERROR!")
            elif kind != ERROR and style in styles:
                marks[row, column] = styles[style]
    return marks


def _check_place(kind: int, record: bytes) -> None:
    """Refuse places that no .xls has: the workbook reader would ask for memory up to there, and end the program."""
    if kind == DIMENSIONS and len(record) < 12:
        return
    if kind == DIMENSIONS:
        _, rows, _, columns = struct.unpack_from("<IIHH", record)
    elif kind in CELLS and len(record) >= 4:
        rows, columns = (last + 1 for last in struct.unpack_from("<HH", record))
    else:
        return
    if rows > MAX_ROWS or columns > MAX_COLUMNS:
        raise damaged()
