"""Archives (.zip) of workbooks: their members, with limits against bombs.

Archives are read in memory, member by member; nothing is written to disk. Belongs here: which members there are, and why one
member or all are refused. Keep out: the workbooks themselves.
"""

from __future__ import annotations

import contextlib
import io
import stat
import zipfile
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import NamedTuple

from youjun_pipeline.ingest.formats.book import SEND_AGAIN, Unreadable, damaged, protected
from youjun_pipeline.ingest.formats.limits import MAX_FILE_BYTES, MB
from youjun_pipeline.ingest.formats.parts import DAMAGE, check_count, unpacked

WORKBOOKS = (".xlsx", ".xls")

# A province's archive of 2 000 workbooks has 60 MB; one workbook has 30 KB, and 300 KB unpacked. A city's wide export of 1 000
# schools and 400 columns has some 20 MB unpacked (generated files, measured 2026-11). The limits allow ten times as much or more.
MAX_MEMBERS, MAX_LISTED = 20_000, 300_000
MAX_UNPACKED_BYTES = 2048 * MB
# This ratio is checked above MB bytes unpacked. XML of repeated cells shrinks to a fortieth, a bomb to a thousandth.
MAX_RATIO = 200


class Member(NamedTuple):
    """One workbook: `name` is its path inside the archive, "" if it was not in an archive."""

    name: str
    data: bytes


class Refused(NamedTuple):
    """A member of an archive that cannot be read, and why."""

    name: str
    message: str


class PassedOver(NamedTuple):
    """Members of an archive that are not workbooks."""

    names: list[str]


def open_archive(data: bytes, name: str) -> Iterator[Member | Refused | PassedOver]:
    """The workbooks of one delivered file: the file itself, or the members of an archive.

    Raises:
        Unreadable: if an archive is refused as a whole: damaged, too large, with a password, or with names that
            lead out of it.
    """
    if PurePosixPath(name).suffix.casefold() != ".zip":
        yield Member("", data)
        return
    # A workbook that is stored uncompressed adds its own parts to the count.
    check_count(data, MAX_LISTED)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            books = _safe_members(archive, len(data))
            names = [member_name(info) for info in archive.infolist() if not info.is_dir()]
            if others := [n for n in names if not (_is_workbook(n) or _is_system_file(n))]:
                yield PassedOver(others)
            for info in books:
                member = member_name(info)
                if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    yield Refused(member, str(_packing()))
                    continue
                try:
                    # zipfile is not used here: it unpacks everything before it counts.
                    yield Member(member, unpacked(data, info))
                except Unreadable as error:
                    yield Refused(member, str(error))
    except DAMAGE as error:
        raise damaged("压缩包") from error


def _packing() -> Unreadable:
    return Unreadable("压缩方法不支持", "请用 Windows 或常用压缩软件按 zip 格式重新压缩")


def member_name(info: zipfile.ZipInfo) -> str:
    """A member's path; Chinese Windows writes GB18030 without marking it, and Python reads it as code page 437."""
    name = info.filename
    if not info.flag_bits & 0x800:
        with contextlib.suppress(UnicodeEncodeError, UnicodeDecodeError):
            name = name.encode("cp437").decode("gb18030")
    return name.replace("\\", "/")


def _safe_members(archive: zipfile.ZipFile, size: int) -> list[zipfile.ZipInfo]:
    """The workbooks in an archive. Directories, system files and other documents are skipped."""
    infos = archive.infolist()
    unpacked, packed = sum(i.file_size for i in infos), sum(i.compress_size for i in infos)
    if len(infos) > MAX_MEMBERS:
        raise Unreadable(f"压缩包里有 {len(infos)} 个文件，超过 {MAX_MEMBERS} 个", "请分成几个压缩包")
    if unpacked > MAX_UNPACKED_BYTES or _is_bomb(unpacked, packed):
        raise Unreadable(f"压缩包解开后有 {unpacked // MB} MB，大得不合常理", SEND_AGAIN)
    if packed > size or len({i.filename for i in infos}) < len(infos):
        raise damaged("压缩包")
    unsafe = [name for i in infos if (name := member_name(i)) and _leads_out(name, i)]
    if unsafe:
        raise Unreadable(f"压缩包里的路径指向包外：{'、'.join(sorted(unsafe)[:5])}", "请重新压缩后再交付")
    if any(i.flag_bits & 0x1 for i in infos):
        raise protected()
    books = [i for i in infos if _is_workbook(member_name(i))]
    large = [member_name(i) for i in books if i.file_size > MAX_FILE_BYTES]
    if large:
        raise Unreadable(f"压缩包里的文件超过 {MAX_FILE_BYTES // MB} MB：{'、'.join(large[:5])}", SEND_AGAIN)
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
    return PurePosixPath(name).suffix.casefold() in WORKBOOKS and not _is_system_file(name)


def _is_system_file(name: str) -> bool:
    path = PurePosixPath(name)
    return path.name.startswith((".", "~$")) or "__MACOSX" in path.parts
