"""What the cells of an .xls file show beyond their values; see cell_marks.py for the reason.

Belongs here: as much of the compound file and of the BIFF8 records as finds number formats, error cells, hidden rows, a password
([MS-CFB], [MS-XLS]). Keep out: values and text, which the workbook reader gives.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from youjun_pipeline.ingest.cell_marks import HIDDEN, WHOLE_ROW, Marks, mark_of_format
from youjun_pipeline.ingest.sheets import damaged, protected

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

END_OF_CHAIN = 0xFFFFFFFA  # this and above: no sector


def xls_marks(data: bytes) -> dict[str, Marks]:
    """Marks of every sheet of an .xls file, by sheet name; sheets without any are left out, and so is a file before BIFF8.

    Raises:
        Unreadable: for an encrypted workbook, and for cells where .xls has none.
        ValueError: for another damage.
    """
    try:
        stream = _workbook_stream(data)
        return _marks_of_stream(stream)
    except (struct.error, IndexError) as error:
        raise ValueError("damaged compound file") from error


def _workbook_stream(data: bytes) -> bytes:
    """The stream `Workbook` of the compound file."""
    size = 1 << struct.unpack_from("<H", data, 0x1E)[0]
    first_directory, small_limit, first_small = (
        struct.unpack_from("<I", data, at)[0] for at in (0x30, 0x38, 0x3C)
    )
    (next_fat_list,) = struct.unpack_from("<I", data, 0x44)

    def sector(number: int) -> bytes:
        return data[(number + 1) * size : (number + 2) * size]

    fat_sectors = list(struct.unpack_from("<109I", data, 0x4C))
    while next_fat_list < END_OF_CHAIN and len(fat_sectors) * size < len(data):
        *more, next_fat_list = struct.unpack(f"<{size // 4}I", sector(next_fat_list))
        fat_sectors += more
    fat = [n for s in fat_sectors if s < END_OF_CHAIN for n in struct.unpack(f"<{size // 4}I", sector(s))]

    directory = b"".join(sector(n) for n in _chain(first_directory, fat))
    streams = {}
    for at in range(0, len(directory), 128):
        (length,) = struct.unpack_from("<H", directory, at + 64)
        name = directory[at : at + max(length - 2, 0)].decode("utf-16-le")
        streams[name] = struct.unpack_from("<II", directory, at + 116)
    if "Workbook" not in streams:
        return b""
    start, length = streams["Workbook"]
    if length >= small_limit:
        return b"".join(sector(n) for n in _chain(start, fat))[:length]
    small = b"".join(sector(n) for n in _chain(streams["Root Entry"][0], fat))
    small_fat = [n for s in _chain(first_small, fat) for n in struct.unpack(f"<{size // 4}I", sector(s))]
    return b"".join(small[n * 64 : n * 64 + 64] for n in _chain(start, small_fat))[:length]


def _chain(number: int, fat: list[int]) -> Iterator[int]:
    for _ in range(len(fat) + 1):
        if number >= END_OF_CHAIN:
            return
        yield number
        number = fat[number]
    raise ValueError("sectors go in a circle")


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
        _check_place(kind, record)
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
    if kind == DIMENSIONS:
        _, rows, _, columns = struct.unpack_from("<IIHH", record)
    elif kind in CELLS:
        rows, columns = (last + 1 for last in struct.unpack_from("<HH", record))
    else:
        return
    if rows > MAX_ROWS or columns > MAX_COLUMNS:
        raise damaged()
