"""What kind of file it is, by its content: one of the kinds that can be read, or another kind, which is named.

Belongs here: the first bytes, and the directory of an archive. Keep out: reading.
"""

from __future__ import annotations

import io
import zipfile

from youjun_pipeline.ingest.formats.book import SAVE_AS, SEND_AGAIN, Unreadable, damaged, protected
from youjun_pipeline.ingest.formats.parts import check_count

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
SUFFIXES = {".xlsx": "xlsx", ".xls": "xls", ".csv": "csv", ".parquet": "parquet"}
KIND_NAMES = {
    "xlsx": "Excel 工作簿（.xlsx）",
    "xls": "旧版 Excel 工作簿（.xls）",
    "csv": "文本表格（.csv）",
    "parquet": "Parquet 文件（.parquet）",
}
DELIVER_TABLES = "请交付 .xlsx、.xls、.csv 或 .parquet 文件"
# Other kinds of files that may have a table's file name, by their first bytes.
FOREIGN = {
    b"%PDF": "PDF 文件",
    b"%!PS": "PostScript 文件",
    b"Rar!": "RAR 压缩包",
    b"7z\xbc\xaf": "7z 压缩包",
    b"\x1f\x8b": "gzip 压缩包",
    b"BZh": "bzip2 压缩包",
    b"\xfd7zXZ": "xz 压缩包",
    b"\x28\xb5\x2f\xfd": "zstd 压缩包",
    b"\x89PNG": "图片",
    b"\xff\xd8\xff": "图片",
    b"GIF8": "图片",
    b"BM": "图片",
    b"II*\x00": "图片",
    b"MM\x00*": "图片",
    b"RIFF": "图片、声音或视频",
    b"ID3": "声音",
    b"MZ": "程序",
    b"\x7fELF": "程序",
    b"{\\rtf": "RTF 文档",
    b"SQLite format 3": "SQLite 数据库",
    b"ORC": "ORC 文件",
    b"ARROW1": "Arrow 文件",
    b"Obj\x01": "Avro 文件",
    b"\x00\x01\x00\x00Standard": "Access 数据库",
    b"L\x00\x00\x00\x01\x14\x02\x00": "快捷方式，不是文件本身",
}
# A text may begin with these letters too, but a binary file also has bytes that do not occur in text.
LETTERS_TOO = (b"BM", b"MZ", b"ID3", b"BZh", b"ORC")
# A workbook older than Excel 97: its first record, on its own or (BIFF5) in a compound file.
OLD_EXCEL = (b"\x09\x00\x04\x00", b"\x09\x02\x06\x00", b"\x09\x04\x06\x00", b"\x09\x08\x08\x00")
MARKUP = (
    b"<!doctype",
    b"<html",
    b"<table",
    b"<?xml",
    b"<meta",
    b"<style",
    b"<head",
    b"<body",
    b"<script",
    b"<!--",
)


def kind_of(data: bytes) -> str:
    """Tell the format by content: xlsx, xls, parquet or csv.

    Raises:
        Unreadable: if the content is of another kind, or protected by a password.
    """
    if not data.strip(b"\x00\r\n\t \x1a"):
        raise Unreadable("文件是空的", SEND_AGAIN)
    for magic, name in FOREIGN.items():
        if data.startswith(magic) and not (magic in LETTERS_TOO and b"\x00" not in data[:512]):
            raise Unreadable(f"内容其实是{name}，不是表格", DELIVER_TABLES)
    if data[4:8] == b"ftyp":
        raise Unreadable("内容其实是声音或视频，不是表格", DELIVER_TABLES)
    if data.startswith(b"PK"):
        return _kind_of_zip(data)
    if data.startswith(OLE):
        return _kind_of_ole(data)
    if data.startswith(OLD_EXCEL):
        raise old_excel()
    if data.startswith(b"PAR1"):
        return "parquet"
    start = data[:2000].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if start.startswith(MARKUP) or (start.startswith(b"mime-version:") and b"html" in start):
        raise Unreadable("内容其实是网页（HTML/XML）格式的表格", SAVE_AS)
    if start.startswith((b"{", b"[{", b"[[")) and start.rstrip(b"\x00")[1:].lstrip()[:1] in (
        b'"',
        b"{",
        b"[",
    ):
        raise Unreadable("内容其实是 JSON，不是表格", DELIVER_TABLES)
    if start.startswith((b"id;p", b"table\r\n0,1")):
        raise Unreadable("内容其实是 SYLK 或 DIF 格式的表格", SAVE_AS)
    return "csv"


def old_excel() -> Unreadable:
    """The error for a workbook written by Excel 95 or an older version."""
    return Unreadable("是 Excel 95 或更早的旧格式", SAVE_AS)


def _kind_of_zip(data: bytes) -> str:
    check_count(data)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = {name.replace("\\", "/").casefold() for name in archive.namelist()}
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, RuntimeError) as error:
        raise damaged() from error
    # The workbook reader also knows these two kinds, but trusts the stated number of repeated or distant cells.
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
    if holds("Workbook"):
        return "xls"
    if holds("WordDocument"):
        raise Unreadable("内容其实是 Word 文档，不是表格", "请把表格存入 .xlsx 文件再交付")
    if holds("Book"):
        raise old_excel()
    if holds("PowerPoint Document"):
        raise Unreadable("内容其实是演示文稿，不是表格", DELIVER_TABLES)
    raise Unreadable("文件不完整或已损坏，其中找不到工作簿", SEND_AGAIN)


def wrong_suffix_notice(kind: str, suffix: str) -> str | None:
    """The notice that a file can be read although it has the suffix of another format."""
    if SUFFIXES.get(suffix.lower()) == kind:
        return None
    return f"扩展名是 {suffix or '（无）'}，内容其实是{KIND_NAMES[kind]}：已按内容读取，请改正扩展名"
