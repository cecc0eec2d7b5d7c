"""The parts of the archive that a workbook (.xlsx) is: each is unpacked only up to its stated size and compared with it.

The workbook reader unpacks completely what it needs, whatever the headers say, and uses the last of two parts with the same name.
So it gets no file before the parts that it opens were unpacked here. Belongs here: counts, sizes and names of the parts, and the
check that each part is what its header says. Keep out: the content of the parts, and archives of workbooks (archives.py).
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

from youjun_pipeline.ingest.formats.book import SAVE_AS, damaged
from youjun_pipeline.ingest.formats.limits import MAX_UNPACKED_BYTES, SMALLER, Unreadable, too_large
from youjun_pipeline.ingest.formats.xml_parts import check_prolog

# The start of an entry in an archive's directory; a workbook of 200 sheets has some 700 parts.
LISTED, MAX_PARTS = b"PK\x01\x02", 10_000
# The errors of zipfile and zlib for damaged bytes.
DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, struct.error),
    *(EOFError, OSError, ValueError, RuntimeError, NotImplementedError),
)


def check_count(data: bytes, most: int = MAX_PARTS) -> None:
    """Refuse an archive of more than `most` entries before they are listed: each entry takes a kilobyte of memory."""
    if (count := data.count(LISTED)) > most:
        raise Unreadable(f"文件里有 {count} 个部件，超过 {most} 个", SMALLER)


class Parts:
    """The parts of a workbook by name, ignoring case, as the workbook reader does.

    Raises:
        Unreadable: if a workbook would unpack to too much, is damaged, or is packed in an unknown way.
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
        # This finds entries that overlap or occur twice.
        if sum(info.compress_size for info in infos) > len(data) or len(self._infos) < len(infos):
            raise damaged()

    def __contains__(self, name: str) -> bool:
        return folded(name) in self._infos

    def read(self, name: str) -> bytes:
        """A part's bytes; KeyError if there is no part of that name."""
        info = self._infos[folded(name)]
        xml = unpacked(self._data, info)
        check_prolog(info.filename, xml)
        return xml


def folded(name: str) -> str:
    """A part's name in the form for comparison."""
    return name.replace("\\", "/").casefold()


def unpacked(data: bytes, info: zipfile.ZipInfo) -> bytes:
    """The bytes of an archive's entry, at most as many as the directory states: the real size may be larger by gigabytes.

    This is not done with zipfile: it takes 70 µs for each of a workbook's dozen small parts, four times as long, and it raises
    for flags that the workbook reader accepts.
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
