"""What every format is reduced to: sheets with a head to look for headers in and a body of text columns.

Belongs here: the common shape, the way from bytes to it by content, and the reason why a file cannot be read. Keep out:
the formats themselves (workbooks.py, delimited.py, parquet_files.py) and contracts.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from youjun_pipeline.ingest import limits
from youjun_pipeline.ingest.limits import Unreadable as Unreadable

# Rows in which a header is looked for: official forms have up to 8 rows above it, and 30 leaves room for a preamble.
HEAD_ROWS = 30

ZIP, OLE, PARQUET_MAGIC = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"PAR1"
# What begins an entry in an archive's directory; a workbook of 200 sheets has some 700 parts.
LISTED, MAX_PARTS = b"PK\x01\x02", 10_000
SUFFIXES = {".xlsx": "xlsx", ".xls": "xls", ".csv": "csv", ".parquet": "parquet"}
KIND_NAMES = {
    "xlsx": "Excel 工作簿（.xlsx）",
    "xls": "旧版 Excel 工作簿（.xls）",
    "csv": "文本表格（.csv）",
    "parquet": "Parquet 文件（.parquet）",
}
# Other things that come under a table's name, by their first bytes.
FOREIGN = {
    b"%PDF": "PDF 文件",
    b"Rar!": "RAR 压缩包",
    b"7z\xbc\xaf": "7z 压缩包",
    b"\x1f\x8b": "gzip 压缩包",
    b"\x89PNG": "图片",
    b"\xff\xd8\xff": "图片",
}
SAVE_AS = "请用 Excel 或 WPS 打开后另存为 .xlsx 再交付"
SEND_AGAIN = "请核对原文件能否正常打开，然后重新导出、重新交付"


def damaged(what: str = "文件") -> Unreadable:
    """The error for a file that ends early or holds nonsense."""
    return Unreadable(f"{what}不完整或已损坏（可能没有传完）", SEND_AGAIN)


def protected() -> Unreadable:
    """The error for a file that asks for a password."""
    return Unreadable("文件有打开密码", "请取消密码后重新保存再交付")


def check_size(sheet: str, rows: int, columns: int) -> None:
    """Raise Unreadable for a sheet that is too large to be one.

    A stray cell in Excel's last row or column makes a sheet of billions of cells, which the workbook reader puts into memory.
    """
    if rows * columns > limits.MAX_CELLS:
        raise Unreadable(
            f"工作表“{sheet}”有 {rows} 行 × {columns} 列",
            "请删除表格以外多余的单元格（Ctrl+End 可以看到最末一个）后重新保存",
        )


class Body(NamedTuple):
    """The rows below a header: their row numbers and, per column of the sheet, text (null where the cell is empty)."""

    row_numbers: np.ndarray
    columns: list[pa.ChunkedArray]
    notices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sheet:
    """One table of a file.

    `head` is the text of the first rows and `numbers` are their row numbers. `body(index, months)` gives what stands below
    head row `index`; in the columns `months` a date shown as year and month only is given so (`2024-12`). `merged`
    are merged cells as (first row, first column, last row, last column): rows 1-based, columns 0-based. `hidden_rows`
    are the numbers of rows that are not shown.
    """

    name: str
    head: list[list[str]]
    numbers: list[int]
    body: Callable[[int, frozenset[int]], Body]
    is_hidden: bool = False
    hidden_rows: frozenset[int] = frozenset()
    merged: tuple[tuple[int, int, int, int], ...] = ()

    @property
    def label(self) -> str:
        """How a message refers to the sheet; a file without sheets is just the file."""
        return f"工作表“{self.name}”" if self.name else "文件"


def text_column(values: Sequence[str | None]) -> pa.ChunkedArray:
    """One column of text from Python strings; pandas keeps its text as large_string, so no copy is made later."""
    return pa.chunked_array([pa.array(values, pa.large_string())])


def some(items: Sequence[object], most: int = 20) -> str:
    """Items as a message lists them; of many, the first ones and how many there are."""
    shown = "、".join(str(item) for item in items[:most])
    return shown if len(items) <= most else f"{shown} 等 {len(items)} 处"


def column_letter(index: int) -> str:
    """Excel's letter of a 0-based column: A, B, … Z, AA."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def kind_of(data: bytes) -> str:
    """Tell the format by content: xlsx, xls, parquet or csv.

    Raises:
        Unreadable: for what is none of them, or is protected by a password.
    """
    if not data.strip(b"\x00\r\n\t "):
        raise Unreadable("文件是空的", SEND_AGAIN)
    for magic, name in FOREIGN.items():
        if data.startswith(magic):
            raise Unreadable(f"内容其实是{name}，不是表格", "请交付 .xlsx、.xls、.csv 或 .parquet 文件")
    if data.startswith(b"PK"):
        return _kind_of_zip(data)
    if data.startswith(OLE):
        return _kind_of_ole(data)
    if data.startswith(PARQUET_MAGIC):
        return "parquet"
    start = data[:2000].lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if start.startswith((b"<!doctype", b"<html", b"<table", b"<?xml", b"<meta", b"<style")):
        raise Unreadable("内容其实是网页（HTML/XML）格式的表格", SAVE_AS)
    return "csv"


def check_count(data: bytes, most: int = MAX_PARTS) -> None:
    """Refuse an archive of more entries than `most` before they are listed: each takes a kilobyte of memory."""
    if (count := data.count(LISTED)) > most:
        raise Unreadable(f"文件里有 {count} 个部件，超过 {most} 个", limits.SMALLER)


def _kind_of_zip(data: bytes) -> str:
    check_count(data)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = {name.replace("\\", "/").casefold() for name in archive.namelist()}
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, RuntimeError) as error:
        raise damaged() from error
    # The reader knows these two as well, and tries them where an .xlsx cannot be read: it takes the number of repeated or
    # far-out cells as it is stated.
    if "xl/workbook.bin" in names:
        raise Unreadable("内容其实是 Excel 二进制工作簿（.xlsb）", SAVE_AS)
    if "content.xml" in names:
        raise Unreadable("内容其实是 OpenDocument 表格（.ods）", SAVE_AS)
    if any(name.startswith("xl/") for name in names):
        return "xlsx"
    if any(name.startswith("word/") for name in names):
        raise Unreadable("内容其实是 Word 文档，不是表格", "请把表格存入 .xlsx 文件再交付")
    raise Unreadable("内容其实是压缩包，不是表格", "请解压后逐个交付其中的表格文件")


def _kind_of_ole(data: bytes) -> str:
    def holds(stream: str) -> bool:
        return stream.encode("utf-16-le") in data

    if holds("EncryptedPackage"):
        raise protected()
    if holds("Workbook") or holds("Book"):
        return "xls"
    if holds("WordDocument"):
        raise Unreadable("内容其实是 Word 文档，不是表格", "请把表格存入 .xlsx 文件再交付")
    raise Unreadable("文件不完整或已损坏，其中找不到工作簿", SEND_AGAIN)


def wrong_suffix_notice(kind: str, suffix: str) -> str | None:
    """Say that a file is not what its name says, though it can be read."""
    if SUFFIXES.get(suffix.lower()) == kind:
        return None
    return f"扩展名是 {suffix or '（无）'}，内容其实是{KIND_NAMES[kind]}：已按内容读取，请改正扩展名"
