"""How long the texts of an .xls are that its cells name by number.

Belongs here: the table of shared texts ([MS-XLS] 2.4.265) and how it goes on in further records. Keep out: the other records
(xls_marks.py); the texts themselves, which the workbook reader gives.
"""

from __future__ import annotations

import struct

WIDE, EXTENDED, RICH = 1, 4, 8


def text_lengths(pieces: list[bytes]) -> list[int]:
    """Characters of each text in the payloads of the table's record and of those it goes on in.

    Raises struct.error or IndexError where they end early.
    """
    first = pieces[0]
    (count,) = struct.unpack_from("<I", first, 4)
    lengths: list[int] = []
    index, at = 0, 8
    while len(lengths) < count:
        if at >= len(pieces[index]):
            index, at = index + 1, 0
        length, flags = struct.unpack_from("<HB", pieces[index], at)
        at += 3
        after = 0
        if flags & RICH:
            after += 4 * struct.unpack_from("<H", pieces[index], at)[0]
            at += 2
        if flags & EXTENDED:
            after += struct.unpack_from("<I", pieces[index], at)[0]
            at += 4
        lengths.append(length)
        index, at = _past_characters(pieces, index, at, length, flags & WIDE)
        index, at = _past_bytes(pieces, index, at, after)
    return lengths


def _past_characters(pieces: list[bytes], index: int, at: int, length: int, wide: int) -> tuple[int, int]:
    """Where characters end; where they go on in the next record, that begins with their width."""
    while length:
        here = min(length, (len(pieces[index]) - at) >> wide)
        length -= here
        at += here << wide
        if length:
            index += 1
            wide, at = pieces[index][0] & WIDE, 1
    return index, at


def _past_bytes(pieces: list[bytes], index: int, at: int, count: int) -> tuple[int, int]:
    while count > len(pieces[index]) - at:
        count -= len(pieces[index]) - at
        index, at = index + 1, 0
    return index, at + count
