"""The only way to a file's content: `open_book`.

Belongs here: which reader reads which kind. Keep out: the readers, and files on disk (limits.py).
"""

from __future__ import annotations

from collections.abc import Callable

from youjun_pipeline.ingest.formats.book import Book, Sheet
from youjun_pipeline.ingest.formats.delimited import delimited_sheet
from youjun_pipeline.ingest.formats.kinds import kind_of
from youjun_pipeline.ingest.formats.parquet import parquet_sheet
from youjun_pipeline.ingest.formats.xls import xls_sheets
from youjun_pipeline.ingest.formats.xlsx import xlsx_sheets


def open_book(data: bytes, score: Callable[[list[list[str]]], int] = lambda _: 0) -> Book:
    """A file's content as a book; its content decides the reader, not its name.

    `score` says how many headers are recognised in some first rows; a text table is split by the delimiter with most of them.

    Raises:
        Unreadable: if the content is not a table, is damaged or protected, or would cost too much to read. The sheets of a
        workbook may also raise it at their first use.
    """
    kind = kind_of(data)
    sheets: list[Sheet]
    if kind == "csv":
        sheets = [delimited_sheet(data, score)]
    elif kind == "parquet":
        sheets = [parquet_sheet(data)]
    else:
        sheets = xlsx_sheets(data) if kind == "xlsx" else xls_sheets(data)
    return Book(kind, sheets)
