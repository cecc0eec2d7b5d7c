"""What reading a delivered file may cost: sizes and counts that no district's files come near, checked before anything grows.

A file is whatever somebody sends: a few kilobytes can claim a sheet of billions of cells, unpack to gigabytes, or never end.
Every format states or hides that in its own way; the figures all hold to are here. Belongs here: the figures, and opening a
file. Keep out: the formats, which find out what a file claims.
"""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path

LOG = logging.getLogger(__name__)

MB = 1 << 20

# A province's 200 000 classes are 10 MB of text and 50 MB of XML in a 6 MB workbook, a million cells. With a file at any of
# these limits, reading stays below a gigabyte in all (`make faults HARNESS=bombs`, 2026-11).
MAX_FILE_BYTES = 50 * MB
MAX_ARCHIVE_BYTES = 300 * MB
MAX_UNPACKED_BYTES = 200 * MB
MAX_CELLS = 3_000_000
MAX_COLUMNS = 16_384
MAX_ROWS = 1_048_576
# Characters of all cells together; one text may be named by any number of cells.
MAX_CHARACTERS = 40_000_000
# A cell that was rejected is told with place, value and reason, some 2 KB on the way: beyond this it is no such table.
MAX_DISTRICT_FILE_BYTES = MB
# Small text files are read together; what is larger is read alone. A slice of new files is read, checked and stored at once:
# its text takes some fifteen times its bytes on the way, whatever number of files a night brings.
MAX_PLAIN_BYTES = MB
MAX_SLICE_BYTES = 32 * MB

SMALLER = "请核对是不是这张表；确有这么多内容的，请联系维护人员"


class Unreadable(Exception):
    """The file cannot be read at all; the message, in Chinese, gives the reason and what to do."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(f"无法读取：{reason}。{remedy}。")


def unforeseen(error: Exception, where: str = "") -> Unreadable:
    """The error for what nobody foresaw while a file was read: it is that file's failure, and no other's."""
    LOG.error("a delivered file could not be read: %s", where, exc_info=error)
    return Unreadable(
        f"{where}读取时出现没有预料到的错误（{type(error).__name__}）",
        "请用 Excel 或 WPS 打开后另存为 .xlsx 再交付；仍然不行的，请把文件交给维护人员",
    )


def why_unread(error: Exception) -> str:
    """Why a file was not read, in Chinese, whatever it was that went wrong."""
    if isinstance(error, OSError):
        return f"无法读取：{error.strerror or error}。请检查文件是否存在、是否有读取权限。"
    return str(error if isinstance(error, Unreadable) else unforeseen(error))


def too_large(what: str, size: int, most: int) -> Unreadable:
    """The error for so many bytes of something that it cannot be what it should."""
    return Unreadable(f"{what}有 {-(-size // MB)} MB，超过 {most // MB} MB", SMALLER)


def open_regular(path: Path, most: int) -> int:
    """A descriptor of a file that is one: a pipe would wait for a writer for ever, a device never end.

    Raises:
        Unreadable: for what is no file, or larger than `most` bytes.
        OSError: if it cannot be opened.
    """
    # Without O_NONBLOCK opening a pipe already waits. Windows has neither it nor such files, but tells text from bytes.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    found = path.stat()
    if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
        raise Unreadable("不是普通文件，而是管道、设备或套接字", "请换成文件本身再交付")
    handle = os.open(path, flags)
    try:
        found = os.fstat(handle)
        if stat.S_ISDIR(found.st_mode):
            raise IsADirectoryError(21, "Is a directory", str(path))
        if not stat.S_ISREG(found.st_mode):
            raise Unreadable("不是普通文件，而是管道、设备或套接字", "请换成文件本身再交付")
        if found.st_size > most:
            raise too_large("文件", found.st_size, most)
    except BaseException:
        os.close(handle)
        raise
    return handle


def read_bytes(path: Path, most: int = MAX_FILE_BYTES) -> bytes:
    """A file's bytes; raises as `open_regular` does, also for a file that grows while it is read."""
    with open(open_regular(path, most), "rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise too_large("文件", len(data), most)
    return data


class Total:
    """The cells and characters of all sheets of a file that were read."""

    cells = characters = 0

    def add(self, rows: int, columns: int, characters: int = 0) -> None:
        """Count a sheet; raises Unreadable where all together are too many."""
        self.cells += rows * columns
        self.characters += characters
        check_cells("各工作表共", self.cells)
        check_characters("各工作表", self.characters)


def check_cells(where: str, cells: int) -> None:
    """Raise Unreadable for more cells than a table has."""
    if cells > MAX_CELLS:
        raise Unreadable(f"{where}有 {cells} 个单元格，超过 {MAX_CELLS} 个", SMALLER)


def check_characters(where: str, characters: int) -> None:
    """Raise Unreadable for more text than a table has."""
    if characters > MAX_CHARACTERS:
        raise Unreadable(f"{where}的文字共有 {characters} 个字，超过 {MAX_CHARACTERS} 个", SMALLER)
