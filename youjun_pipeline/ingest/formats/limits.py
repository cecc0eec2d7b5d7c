"""The most that reading a delivered file may cost: limits that no real file comes near, checked before memory grows.

Anybody can send any file: a few kilobytes can claim a sheet of billions of cells, unpack to gigabytes, or never end. Every format
states or hides this in its own way, but all formats keep to the limits in this module. Belongs here: the limits, and opening a
file. Keep out: the formats, which find out what a file claims.
"""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path

LOG = logging.getLogger(__name__)

MB = 1 << 20

# A province's 200 000 classes are 10 MB of text and 50 MB of XML in a 6 MB workbook, with a million cells. Reading a file at any
# of these limits takes less than a gigabyte in all (`make faults HARNESS=bombs`, 2026-11).
MAX_FILE_BYTES = 50 * MB
MAX_ARCHIVE_BYTES = 300 * MB
MAX_UNPACKED_BYTES = 200 * MB
MAX_CELLS = 3_000_000
MAX_COLUMNS = 16_384
MAX_ROWS = 1_048_576
# Characters of all cells together; any number of cells may refer to one text.
MAX_CHARACTERS = 40_000_000
# Each rejected cell is reported with place, value and reason, which takes some 2 KB on the way; a file with more rejected cells
# is not the expected table.
MAX_DISTRICT_FILE_BYTES = MB
# Small text files are read together, larger files are read alone. A slice of new files is read, checked and stored together: its
# text takes some fifteen times its bytes on the way, however many files a night brings.
MAX_PLAIN_BYTES = MB
MAX_SLICE_BYTES = 32 * MB

SMALLER = "请核对是不是这张表；确有这么多内容的，请联系维护人员"


class Unreadable(Exception):
    """The file cannot be read at all; the message, in Chinese, gives the reason and the remedy."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(f"无法读取：{reason}。{remedy}。")


def unforeseen(error: Exception, where: str = "") -> Unreadable:
    """The error for an unforeseen failure while a file is read: it makes only this file fail."""
    LOG.error("a delivered file could not be read: %s", where, exc_info=error)
    return Unreadable(
        f"{where}读取时出现没有预料到的错误（{type(error).__name__}）",
        "请用 Excel 或 WPS 打开后另存为 .xlsx 再交付；仍然不行的，请把文件交给维护人员",
    )


def why_unread(error: Exception) -> str:
    """Why a file was not read, in Chinese, for any kind of error."""
    if isinstance(error, OSError):
        return f"无法读取：{error.strerror or error}。请检查文件是否存在、是否有读取权限。"
    return str(error if isinstance(error, Unreadable) else unforeseen(error))


def too_large(what: str, size: int, most: int) -> Unreadable:
    """The error for a thing with too many bytes to be what it should be."""
    return Unreadable(f"{what}有 {-(-size // MB)} MB，超过 {most // MB} MB", SMALLER)


def open_regular(path: Path, most: int) -> int:
    """A descriptor of a regular file: a pipe would wait for a writer for ever, and a device never ends.

    Raises:
        Unreadable: if the path is not a file, or the file is larger than `most` bytes.
        OSError: if it cannot be opened.
    """
    # Without O_NONBLOCK, opening a pipe would wait. Windows has neither that flag nor pipes as files, but it needs O_BINARY.
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
    """A file's bytes; raises like `open_regular`, also if a file grows while it is read."""
    with open(open_regular(path, most), "rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise too_large("文件", len(data), most)
    return data


class Total:
    """Counts the cells and characters of all sheets of a file that were read."""

    cells = characters = 0

    def add(self, rows: int, columns: int, characters: int = 0) -> None:
        """Count a sheet; raises Unreadable if all sheets together have too many cells or characters."""
        self.cells += rows * columns
        self.characters += characters
        check_cells("各工作表共", self.cells)
        check_characters("各工作表", self.characters)


def check_cells(where: str, cells: int) -> None:
    """Raise Unreadable for more cells than a table may have."""
    if cells > MAX_CELLS:
        raise Unreadable(f"{where}有 {cells} 个单元格，超过 {MAX_CELLS} 个", SMALLER)


def check_characters(where: str, characters: int) -> None:
    """Raise Unreadable for more text than a table may have."""
    if characters > MAX_CHARACTERS:
        raise Unreadable(f"{where}的文字共有 {characters} 个字，超过 {MAX_CHARACTERS} 个", SMALLER)
