"""Opens what lies in a statistics folder: workbooks, and zip archives of workbooks, with limits against bombs.

Belongs here: bytes to sheets of cells, and the reasons why a file is refused. Archives are read in memory, member by
member, and nothing is ever written to disk. Keep out: what the sheets mean.
"""

from __future__ import annotations

import contextlib
import html
import io
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import python_calamine as calamine

from youjun_pipeline.ingest.archives import check_parts
from youjun_pipeline.ingest.extents import SharedTexts, check_extent
from youjun_pipeline.ingest.sheets import (
    OLE,
    SAVE_AS,
    SEND_AGAIN,
    Unreadable,
    check_count,
    damaged,
    protected,
)
from youjun_pipeline.ingest.xls_marks import xls_marks
from youjun_pipeline.ingest.xml_parts import check_prolog

WORKBOOKS = (".xlsx", ".xls")
MB = 1 << 20

# A province's archive of 2 000 workbooks has 60 MB, one workbook 30 KB, and 300 KB unpacked; a city's wide export of 1 000
# schools and 400 columns some 20 MB unpacked (generated ones, measured 2026-11). The limits leave a factor of ten or more.
MAX_MEMBERS, MAX_LISTED = 20_000, 300_000
MAX_ARCHIVE_BYTES = 2048 * MB
MAX_WORKBOOK_BYTES = 50 * MB
MAX_UNPACKED_BYTES = 200 * MB
# Above MB bytes unpacked. XML of repeated cells shrinks to a fortieth, a bomb to a thousandth.
MAX_RATIO = 200
# The reader puts every cell up to the last one into memory, so one stray cell at the far end would take all of it.
MAX_ROWS, MAX_COLUMNS = 9_999, 702
_FAR_CELL = re.compile(rb"""r\s*=\s*["'](?:[A-Z]{3,}\d|[A-Z]{0,2}\d{5,}["'])""")
# Never beyond the cell: a search that runs to the end of a sheet for each of its cells takes hours.
_ERROR_CELL = re.compile(
    rb'<c [^<>]{0,99}?r="([A-Z]{1,3})(\d{1,7})"[^<>]{0,99}?t="e"[^<>]{0,99}>'
    rb"(?:<f[^<>]{0,999}(?:/>|>[^<>]{0,9999}</f>))?\s{0,99}<v>([^<]{0,99})</v>"
)

_RELATION = re.compile(r"<(?:\w+:)?Relationship\b[^>]*>")
_SHEET = re.compile(r"<(?:\w+:)?sheet\b[^>]*>")
_ATTRIBUTE = re.compile(r"""([\w:]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")

# What the workbook reader looks into when it opens a file, beside the sheets that are asked for.
_PARTS = ("xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/styles.xml", "xl/sharedStrings.xml")


# What zipfile and zlib raise on damaged bytes.
_DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, struct.error),
    *(EOFError, OSError, ValueError, RuntimeError, NotImplementedError),
)


class Book(NamedTuple):
    """One workbook: `member` is its path inside the archive, "" for a file of its own."""

    member: str
    data: bytes


class Refused(NamedTuple):
    """A member of an archive that cannot be read, and why."""

    member: str
    message: str


@dataclass
class Sheets:
    """The sheets of one workbook, read when they are asked for."""

    names: list[str]
    read: Callable[[str], list[list[Any]]]
    errors: dict[str, dict[tuple[int, int], str]] = field(default_factory=dict)


def open_file(data: bytes, name: str) -> Iterator[Book | Refused]:
    """The workbooks of one delivered file, itself or the members of an archive.

    Raises:
        Unreadable: for an archive that is refused as a whole: damaged, too large, with a password, or with names that
            lead out of it.
    """
    if PurePosixPath(name).suffix.casefold() != ".zip":
        yield Book("", data)
        return
    # A stored workbook brings its own parts along.
    check_count(data, MAX_LISTED)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for info in _safe_members(archive, len(data)):
                member = member_name(info)
                if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    yield Refused(member, str(_packing()))
                    continue
                try:
                    # Not by zipfile, which unpacks all there is before it counts.
                    yield Book(member, _unpacked(data, info))
                except Unreadable as error:
                    yield Refused(member, str(error))
                except _DAMAGE:
                    yield Refused(member, str(damaged()))
    except _DAMAGE as error:
        raise damaged("压缩包") from error


def _packing() -> Unreadable:
    return Unreadable("压缩方法不支持", "请用 Windows 或常用压缩软件按 zip 格式重新压缩")


def member_name(info: zipfile.ZipInfo) -> str:
    """A member's path; Chinese Windows writes GB18030 without saying so, which Python takes for code page 437."""
    name = info.filename
    if not info.flag_bits & 0x800:
        with contextlib.suppress(UnicodeEncodeError, UnicodeDecodeError):
            name = name.encode("cp437").decode("gb18030")
    return name.replace("\\", "/")


def _safe_members(archive: zipfile.ZipFile, size: int) -> list[zipfile.ZipInfo]:
    """The workbooks in an archive. Directories, system files and other documents are passed over."""
    infos = archive.infolist()
    unpacked, packed = sum(i.file_size for i in infos), sum(i.compress_size for i in infos)
    if len(infos) > MAX_MEMBERS:
        raise Unreadable(f"压缩包里有 {len(infos)} 个文件，超过 {MAX_MEMBERS} 个", "请分成几个压缩包")
    if unpacked > MAX_ARCHIVE_BYTES or _is_bomb(unpacked, packed):
        raise Unreadable(f"压缩包解开后有 {unpacked // MB} MB，大得不合常理", SEND_AGAIN)
    if packed > size or len({i.filename for i in infos}) < len(infos):
        raise damaged("压缩包")
    unsafe = [name for i in infos if (name := member_name(i)) and _leads_out(name, i)]
    if unsafe:
        raise Unreadable(f"压缩包里的路径指向包外：{'、'.join(sorted(unsafe)[:5])}", "请重新压缩后再交付")
    if any(i.flag_bits & 0x1 for i in infos):
        raise protected()
    books = [i for i in infos if _is_workbook(member_name(i))]
    large = [member_name(i) for i in books if i.file_size > MAX_WORKBOOK_BYTES]
    if large:
        raise Unreadable(
            f"压缩包里的文件超过 {MAX_WORKBOOK_BYTES // MB} MB：{'、'.join(large[:5])}", SEND_AGAIN
        )
    if not books:
        raise Unreadable("压缩包里没有 .xlsx 或 .xls 文件", "请放入统计报表的工作簿（不要再套一层压缩包）")
    return sorted(books, key=member_name)


def _is_bomb(unpacked: int, packed: int) -> bool:
    return unpacked > MB and unpacked > MAX_RATIO * max(packed, 1)


def _leads_out(name: str, info: zipfile.ZipInfo) -> bool:
    path = PurePosixPath(name)
    is_link = stat.S_ISLNK(info.external_attr >> 16)
    return path.is_absolute() or ".." in path.parts or ":" in path.parts[0] or "\0" in name or is_link


def _is_workbook(name: str) -> bool:
    path = PurePosixPath(name)
    hidden = path.name.startswith((".", "~$")) or "__MACOSX" in path.parts
    return path.suffix.casefold() in WORKBOOKS and not hidden


def open_book(data: bytes, wanted: Callable[[str], bool]) -> Sheets:
    """The sheets of a workbook whose name is `wanted`; where none is, all may be read, checked as they are asked for.

    Raises:
        Unreadable: for what is no workbook, is damaged, has a password, or unpacks to a senseless size.
    """
    if len(data) > MAX_WORKBOOK_BYTES:
        raise Unreadable(f"文件有 {len(data) // MB} MB，大得不合常理", SEND_AGAIN)
    if data.startswith(b"PK"):
        return _xlsx(data, wanted)
    if data.startswith(OLE):
        return _xls(data)
    raise Unreadable("内容不是 Excel 工作簿", SAVE_AS)


def _xlsx(data: bytes, wanted: Callable[[str], bool]) -> Sheets:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            check_count(data)
            infos = archive.NameToInfo
            check_parts(archive.infolist(), len(data))
        # The reader tries these where it cannot read an .xlsx, and believes what they claim.
        if "xl/workbook.xml" not in infos or {"content.xml", "xl/workbook.bin"} & {
            n.casefold() for n in infos
        }:
            raise Unreadable("内容不是 .xlsx 工作簿", SAVE_AS)
        _check_size(infos)
        parts = {part: _unpacked(data, infos[part]) for part in _PARTS if part in infos}
        for part, xml in parts.items():
            check_prolog(part, xml)
        paths = _sheet_paths(
            parts["xl/workbook.xml"].decode(), parts.get("xl/_rels/workbook.xml.rels", b"").decode()
        )
    except _DAMAGE as error:
        raise damaged() from error
    book = _guarded(lambda: calamine.CalamineWorkbook.from_filelike(io.BytesIO(data)))
    errors: dict[str, dict[tuple[int, int], str]] = {}

    texts = SharedTexts([parts["xl/sharedStrings.xml"]] if "xl/sharedStrings.xml" in parts else [])

    def read(name: str) -> list[list[Any]]:
        if paths.get(name) not in infos:
            raise Unreadable(f"找不到工作表“{name}”的内容", SAVE_AS)
        errors[name] = _check_sheet(data, infos[paths[name]], name, texts)
        return _rows(book, name)

    names = [m.name for m in book.sheets_metadata if m.typ == calamine.SheetTypeEnum.WorkSheet]
    return Sheets([n for n in names if wanted(n)] or names, read, errors)


def _check_size(infos: Mapping[str, zipfile.ZipInfo]) -> None:
    """Refuse a workbook that unpacks to too much."""
    unpacked, packed = sum(i.file_size for i in infos.values()), sum(i.compress_size for i in infos.values())
    if unpacked > MAX_UNPACKED_BYTES or _is_bomb(unpacked, packed):
        raise Unreadable(f"文件解开后有 {unpacked // MB} MB，大得不合常理", SEND_AGAIN)


def _unpacked(data: bytes, info: zipfile.ZipInfo) -> bytes:
    """A part of the workbook, and not a byte more than its directory says: the reader would unpack a lie in full.

    By hand, because zipfile takes 70 µs for each of a workbook's dozen small parts, four times as long as this.
    """
    name, extra = struct.unpack_from("<HH", data, info.header_offset + 26)
    start = info.header_offset + 30 + name + extra
    packed = data[start : start + info.compress_size]
    if info.compress_type == zipfile.ZIP_DEFLATED:
        packed = zlib.decompressobj(-15).decompress(packed, info.file_size + 1)
    elif info.compress_type != zipfile.ZIP_STORED:
        raise Unreadable("压缩方法不支持", SAVE_AS)
    if len(packed) != info.file_size or zlib.crc32(packed) != info.CRC:
        raise damaged()
    return packed


@lru_cache(maxsize=200)
def _sheet_paths(workbook: str, relations: str) -> dict[str, str]:
    """Sheet name -> path of its part. Kept: workbooks with the same forms say the same."""
    if "<!" in workbook or "<!" in relations:
        raise damaged()
    targets = dict[str, str]()
    for found in _RELATION.finditer(relations):
        attributes = _attributes(found[0])
        if attributes.get("Id", "") in targets:
            raise damaged()
        targets[attributes.get("Id", "")] = attributes.get("Target", "")
    paths = dict[str, str]()
    for found in _SHEET.finditer(workbook):
        attributes = _attributes(found[0])
        named = [value for key, value in attributes.items() if key.endswith(":id")]
        # What the reader might understand otherwise would be read without having been checked.
        if len(named) > 1 or attributes.get("name", "") in paths:
            raise damaged()
        relation = next(iter(named), "")
        target = targets.get(relation, "")
        paths[attributes.get("name", "")] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    return paths


def _attributes(tag: str) -> dict[str, str]:
    return {name: html.unescape(double or single) for name, double, single in _ATTRIBUTE.findall(tag)}


def _check_sheet(
    data: bytes, info: zipfile.ZipInfo, name: str, texts: SharedTexts
) -> dict[tuple[int, int], str]:
    """Refuse a sheet with cells far out; returns the cells that show an error, which the reader gives as empty."""
    try:
        xml = _unpacked(data, info)
    except _DAMAGE as error:
        raise damaged() from error
    if _FAR_CELL.search(xml):
        raise Unreadable(
            f"工作表“{name}”在 {MAX_ROWS} 行或 {MAX_COLUMNS} 列以外还有单元格",
            "请删除表格以外多余的单元格后重新保存",
        )
    check_prolog(name, xml)
    check_extent(name, xml, texts)
    if b't="e"' not in xml:
        return {}
    return {
        (int(row) - 1, column_index(letters.decode())): shown.decode("utf-8", "replace")
        for letters, row, shown in _ERROR_CELL.findall(xml)
    }


def column_index(letters: str) -> int:
    """0-based index of a column's letters."""
    index = 0
    for letter in letters:
        index = index * 26 + ord(letter) - 64
    return index - 1


def _xls(data: bytes) -> Sheets:
    if "EncryptedPackage".encode("utf-16-le") in data:
        raise protected()
    try:
        marks = xls_marks(data)
    except (ValueError, IndexError):
        # An unusual file, which the workbook reader may well read; it decides.
        marks = {}
    book = _guarded(lambda: calamine.CalamineWorkbook.from_filelike(io.BytesIO(data)))
    errors = {
        name: {place: mark for place, mark in found.items() if mark.startswith("#")}
        for name, found in marks.items()
    }
    return Sheets(book.sheet_names, lambda name: _rows(book, name), errors)


def _rows(book: calamine.CalamineWorkbook, name: str) -> list[list[Any]]:
    rows: list[list[Any]] = _guarded(lambda: book.get_sheet_by_name(name).to_python(skip_empty_area=False))
    return rows


def _guarded(read: Callable[[], Any]) -> Any:
    try:
        return read()
    except calamine.PasswordError as error:
        raise protected() from error
    except (calamine.CalamineError, OSError, ValueError) as error:
        raise damaged() from error
    except BaseException as error:
        # The reader is compiled; where it gives up on a damaged file it raises a panic, which is no Exception.
        if type(error).__name__ != "PanicException":
            raise
        raise damaged() from error
