"""The compound file that an .xls lies in: checked as a whole before the workbook reader sees it, and its workbook stream.

The reader follows the tables of the file as they stand and takes the lengths they state. One flipped bit makes a chain of
sectors go in a circle, or a length of two gigabytes: the program then ends for want of memory, and no exception tells of it.
So every chain is walked here first. Belongs here: [MS-CFB]. Keep out: the records of the workbook (xls_marks.py).
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from youjun_pipeline.ingest.sheets import damaged

SECTOR_SHIFTS, SMALL_SHIFT = (9, 12), 6
SMALL_SECTOR = 1 << SMALL_SHIFT
END_OF_CHAIN = 0xFFFFFFFA  # this and above: no sector
FREE, LAST = 0xFFFFFFFF, 0xFFFFFFFE
UNUSED_ENTRY, STREAM, ROOT = 0, 2, 5
HEADER_LISTED, ENTRY = 109, 128


class Entry(NamedTuple):
    """An entry of the directory: name, kind, first sector, length in bytes."""

    name: str
    kind: int
    start: int
    length: int


def workbook_stream(data: bytes) -> bytes:
    """The stream `Workbook` (`Book` before Excel 97) of a compound file, empty if it has none.

    Raises Unreadable for a file whose tables contradict each other or itself.
    """
    try:
        return _Compound(data).workbook()
    except (struct.error, IndexError, UnicodeDecodeError, ValueError) as error:
        raise damaged() from error


class _Compound:
    """A compound file with all its tables; building it walks every chain of every stream."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        shift, small_shift = struct.unpack_from("<HH", data, 0x1E)
        if shift not in SECTOR_SHIFTS or small_shift != SMALL_SHIFT:
            raise ValueError("sectors of an unknown size")
        self.size = 1 << shift
        # The last sector may be short; one that begins beyond the end is none.
        self.sectors = -(-len(data) // self.size) - 1
        first_directory, self.small_limit, first_small = (
            struct.unpack_from("<I", data, at)[0] for at in (0x30, 0x38, 0x3C)
        )
        self.fat = self._allocation()
        directory = self._joined(self._chain(first_directory))
        if len(directory) % ENTRY:
            raise ValueError("the directory ends early")
        self.entries = [self._entry(directory, at) for at in range(0, len(directory), ENTRY)]
        roots = [entry for entry in self.entries if entry.kind == ROOT]
        if not roots:
            raise ValueError("no root")
        self.small = self._joined(self._chain(roots[0].start)) if roots[0].length else b""
        self.small_fat = [n for sector in self._chain(first_small) for n in self._numbers(sector)]
        self._streams = {e.name: self._content(e) for e in self.entries if e.kind == STREAM}

    def workbook(self) -> bytes:
        return self._streams.get("Workbook") or self._streams.get("Book", b"")

    def _sector(self, number: int) -> bytes:
        if number >= self.sectors:
            raise ValueError(f"no sector {number}")
        return self.data[(number + 1) * self.size : (number + 2) * self.size]

    def _numbers(self, number: int) -> tuple[int, ...]:
        sector = self._sector(number)
        return struct.unpack(f"<{len(sector) // 4}I", sector[: len(sector) // 4 * 4])

    def _allocation(self) -> list[int]:
        """Sector -> the next one of its chain."""
        listed = list(struct.unpack_from(f"<{HEADER_LISTED}I", self.data, 0x4C))
        (more,) = struct.unpack_from("<I", self.data, 0x44)
        seen = set()
        while more < END_OF_CHAIN:
            if more in seen:
                raise ValueError("the list of tables goes in a circle")
            seen.add(more)
            *numbers, more = self._numbers(more)
            listed += numbers
        return [n for sector in listed if sector < END_OF_CHAIN for n in self._numbers(sector)]

    def _chain(self, number: int) -> list[int]:
        """Sectors from one to the end of its chain."""
        chain = []
        while number < END_OF_CHAIN:
            chain.append(number)
            if len(chain) > self.sectors:
                raise ValueError("sectors go in a circle")
            if number >= self.sectors:
                raise ValueError(f"no sector {number}")
            number = self.fat[number]
        return chain

    def _joined(self, chain: list[int]) -> bytes:
        return b"".join(self._sector(number) for number in chain)

    @staticmethod
    def _entry(directory: bytes, at: int) -> Entry:
        name_length, kind = struct.unpack_from("<HB", directory, at + 64)
        start, length = struct.unpack_from("<II", directory, at + 116)
        if kind == UNUSED_ENTRY:
            return Entry("", kind, FREE, 0)
        return Entry(
            directory[at : at + min(max(name_length - 2, 0), 64)].decode("utf-16-le"), kind, start, length
        )

    def _content(self, entry: Entry) -> bytes:
        if entry.length > len(self.data):
            raise ValueError(f"{entry.name} is longer than the file")
        if entry.length >= self.small_limit:
            content = self._joined(self._chain(entry.start))
        else:
            content = self._small_content(entry.start) if entry.length else b""
        if len(content) < entry.length and len(content) + self.size <= entry.length:
            raise ValueError(f"{entry.name} ends early")
        return content[: entry.length]

    def _small_content(self, number: int) -> bytes:
        parts: list[bytes] = []
        while number < END_OF_CHAIN:
            at = number * SMALL_SECTOR
            if len(parts) > len(self.small_fat) or at >= len(self.small):
                raise ValueError("small sectors go in a circle, or beyond the end")
            parts.append(self.small[at : at + SMALL_SECTOR])
            number = self.small_fat[number]
        return b"".join(parts)
