"""The archive that a workbook (.xlsx) lies in: checked as a whole before the workbook reader sees it.

The reader unpacks what it wants in full, whatever the headers say, and goes by the last of two parts of one name. Belongs
here: counts, sizes and names of the parts, and that each is what its header says. Keep out: what the parts hold
(cell_marks.py), and archives of statistics (statistics/packages.py).
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator

from youjun_pipeline.ingest.limits import MAX_UNPACKED_BYTES, MB, Unreadable, too_large
from youjun_pipeline.ingest.sheets import SAVE_AS, check_count, damaged
from youjun_pipeline.ingest.xml_parts import CHUNK, check_prolog


def check_workbook(data: bytes) -> None:
    """Refuse a workbook that unpacks to too much, or whose parts are not what the archive says.

    Raises:
        Unreadable: for such a workbook.
        zipfile.BadZipFile, zlib.error, struct.error: for a damaged one.
    """
    check_count(data)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        infos = archive.infolist()
    check_parts(infos, len(data))
    for info in infos:
        check_part(data, info)


def check_parts(infos: list[zipfile.ZipInfo], packed: int) -> None:
    """Refuse a workbook by its directory: too large once unpacked, entries that overlap or come twice."""
    unpacked = sum(info.file_size for info in infos)
    if unpacked > MAX_UNPACKED_BYTES:
        raise too_large("文件解开后", unpacked, MAX_UNPACKED_BYTES)
    names = [info.filename.replace("\\", "/").casefold() for info in infos]
    if sum(info.compress_size for info in infos) > packed or len(set(names)) < len(names):
        raise damaged()


def check_part(data: bytes, info: zipfile.ZipInfo) -> None:
    """Unpack a part without keeping it, and not further than it is long by its header."""
    first, length, checksum = b"", 0, 0
    for piece in _unpacked(data, info):
        first = first or piece
        length, checksum = length + len(piece), zlib.crc32(piece, checksum)
        if length > info.file_size:
            raise damaged()
    if length != info.file_size or checksum != info.CRC:
        raise damaged()
    if info.filename.casefold().endswith((".xml", ".rels")):
        check_prolog(info.filename, first)


def read_part(data: bytes, info: zipfile.ZipInfo) -> bytes:
    """A part that was checked. Not by zipfile, which raises for flags that the workbook reader does not mind."""
    return b"".join(_unpacked(data, info))


def _unpacked(data: bytes, info: zipfile.ZipInfo) -> Iterator[bytes]:
    name, extra = struct.unpack_from("<HH", data, info.header_offset + 26)
    start = info.header_offset + 30 + name + extra
    packed, method = memoryview(data)[start : start + info.compress_size], info.compress_type
    if method == zipfile.ZIP_STORED:
        yield bytes(packed)
        return
    if method != zipfile.ZIP_DEFLATED:
        raise Unreadable("压缩方法不支持", SAVE_AS)
    stream = zlib.decompressobj(-15)
    for at in range(0, len(packed), CHUNK):
        rest = bytes(packed[at : at + CHUNK])
        while rest and not stream.eof:
            yield stream.decompress(rest, MB)
            rest = stream.unconsumed_tail
    yield stream.flush()
