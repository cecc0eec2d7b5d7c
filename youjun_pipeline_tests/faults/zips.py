"""Zip files written by hand, so that their headers can be wrong.

Belongs here: entries, deflated streams that repeat one block for gigabytes, and the directory. Keep out: what is in the entries.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

MB = 1 << 20
DEFLATED, STORED = 8, 0
UTF8 = 0x800
BLOCK = MB


@dataclass(frozen=True)
class Entry:
    """An entry with its headers: `packed` is what the file really has, the other fields are what the headers state."""

    name: str
    packed: bytes
    size: int
    crc: int
    method: int = DEFLATED
    attributes: int = 0
    flags: int = UTF8


def entry(name: str, content: bytes, *, says: int | None = None, attributes: int = 0) -> Entry:
    """A deflated entry; `says` is the size that its headers state, if it is to be wrong."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(content) + packer.flush()
    size = len(content) if says is None else says
    return Entry(name, packed, size, zlib.crc32(content), attributes=attributes)


def stored(name: str, content: bytes) -> Entry:
    """An entry that is not compressed."""
    return Entry(name, content, len(content), zlib.crc32(content), STORED)


def repeated(
    name: str, head: bytes, block: bytes, times: int, tail: bytes, *, says: int | None = None
) -> Entry:
    """An entry of `head`, repeated `block`, `tail`: gigabytes that take a thousandth of their size and a second or two to
    make.
    """
    # whole megabytes at once, else a full flush of each small block would keep it from shrinking
    together = max(1, BLOCK // len(block))
    large, rounds, rest = block * together, times // together, times % together
    packed = [_flushed(head), _flushed(large) * rounds, _flushed(block * rest)]
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed.append(packer.compress(tail) + packer.flush())
    crc = zlib.crc32(head)
    for _ in range(rounds):
        crc = zlib.crc32(large, crc)
    crc = zlib.crc32(tail, zlib.crc32(block * rest, crc))
    size = len(head) + len(block) * times + len(tail)
    return Entry(name, b"".join(packed), size if says is None else says, crc)


def _flushed(content: bytes) -> bytes:
    """A part of a deflated stream that refers to nothing before it, so that it can be repeated."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(content) + packer.flush(zlib.Z_FULL_FLUSH) if content else b""


def write_zip(path: Path, entries: Iterable[Entry], *, overlapping: int = 1) -> Path:
    """Write the entries; each is listed `overlapping` times in the directory, each time under another name."""
    listed: list[tuple[Entry, str, int]] = []
    with path.open("wb") as file:
        for item in entries:
            at = file.tell()
            file.write(_local(item, item.name))
            file.write(item.packed)
            listed += [(item, item.name + (str(n) if n else ""), at) for n in range(overlapping)]
        start = file.tell()
        for item, name, at in listed:
            file.write(_listed(item, name, at))
        length = file.tell() - start
        file.write(_end(len(listed), length, start))
    return path


def _facts(item: Entry) -> bytes:
    """Version, flags, method, time, date, checksum and sizes, in the order of both headers."""
    return struct.pack(
        "<HHHHHIII", 20, item.flags, item.method, 0, 0x21, item.crc, len(item.packed), item.size & 0xFFFFFFFF
    )


def _local(item: Entry, name: str) -> bytes:
    raw = name.encode()
    return b"PK\x03\x04" + _facts(item) + struct.pack("<HH", len(raw), 0) + raw


def _listed(item: Entry, name: str, at: int) -> bytes:
    raw = name.encode()
    more = struct.pack("<HHHHHII", len(raw), 0, 0, 0, 0, item.attributes & 0xFFFFFFFF, at)
    # made on Unix, which makes the attributes those of a file there
    return b"PK\x01\x02" + struct.pack("<H", 0x0314) + _facts(item) + more + raw


def _end(count: int, length: int, start: int) -> bytes:
    if count < 0xFFFF:
        return b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, count, count, length, start, 0)
    large = b"PK\x06\x06" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, count, count, length, start)
    where = b"PK\x06\x07" + struct.pack("<IQI", 0, start + length, 1)
    return large + where + b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 0xFFFF, 0xFFFF, length, start, 0)
