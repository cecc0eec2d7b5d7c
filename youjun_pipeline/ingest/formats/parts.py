"""The parts of an archive that a workbook (.xlsx) is: each is unpacked no further than the archive says, and compared with it.

The workbook reader unpacks what it wants in full, whatever the headers say, and goes by the last of two parts of one name.
So nothing is given to it before the parts that it opens were unpacked here. Belongs here: counts, sizes and names of the
parts, and that each is what its header says. Keep out: what the parts hold, and archives of workbooks (archives.py).
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

from youjun_pipeline.ingest.formats.book import SAVE_AS, damaged
from youjun_pipeline.ingest.formats.limits import MAX_UNPACKED_BYTES, SMALLER, Unreadable, too_large
from youjun_pipeline.ingest.formats.xml_parts import check_prolog

# What begins an entry in an archive's directory; a workbook of 200 sheets has some 700 parts.
LISTED, MAX_PARTS = b"PK\x01\x02", 10_000
# What zipfile and zlib raise on damaged bytes.
DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, struct.error),
    *(EOFError, OSError, ValueError, RuntimeError, NotImplementedError),
)


def check_count(data: bytes, most: int = MAX_PARTS) -> None:
    """Refuse an archive of more entries than `most` before they are listed: each takes a kilobyte of memory."""
    if (count := data.count(LISTED)) > most:
        raise Unreadable(f"文件里有 {count} 个部件，超过 {most} 个", SMALLER)


class Parts:
    """The parts of a workbook, by name whatever its case: the workbook reader does not ask.

    Raises:
        Unreadable: for a workbook that would unpack to too much, is damaged, or is packed in an unknown way.
    """

    def __init__(self, data: bytes) -> None:
        check_count(data)
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                infos = archive.infolist()
        except DAMAGE as error:
            raise damaged() from error
        unpacked = sum(info.file_size for info in infos)
        if unpacked > MAX_UNPACKED_BYTES:
            raise too_large("文件解开后", unpacked, MAX_UNPACKED_BYTES)
        self._data = data
        self._infos = {folded(info.filename): info for info in infos}
        # Entries that overlap, or come twice.
        if sum(info.compress_size for info in infos) > len(data) or len(self._infos) < len(infos):
            raise damaged()

    def __contains__(self, name: str) -> bool:
        return folded(name) in self._infos

    def read(self, name: str) -> bytes:
        """A part's bytes; KeyError if there is none of the name."""
        info = self._infos[folded(name)]
        xml = unpacked(self._data, info)
        check_prolog(info.filename, xml)
        return xml


def folded(name: str) -> str:
    """A part's name as it is compared."""
    return name.replace("\\", "/").casefold()


def unpacked(data: bytes, info: zipfile.ZipInfo) -> bytes:
    """The bytes of an archive's entry, not one more than the directory states: the statement may be wrong by
    gigabytes.

    By hand, because zipfile takes 70 µs for each of a workbook's dozen small parts, four times as long as this, and raises
    for flags that the workbook reader does not mind.
    """
    try:
        name, extra = struct.unpack_from("<HH", data, info.header_offset + 26)
        start = info.header_offset + 30 + name + extra
        content: bytes | memoryview = memoryview(data)[start : start + info.compress_size]
        if info.compress_type == zipfile.ZIP_DEFLATED:
            content = zlib.decompressobj(-15).decompress(content, info.file_size + 1)
        elif info.compress_type != zipfile.ZIP_STORED:
            raise Unreadable("压缩方法不支持", SAVE_AS)
        if len(content) != info.file_size or zlib.crc32(content) != info.CRC:
            raise damaged()
    except DAMAGE as error:
        raise damaged() from error
    return bytes(content)
