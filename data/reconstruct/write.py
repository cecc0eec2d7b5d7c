"""Writers of the delivered files, in the forms districts really send.

Belongs here: file formats only. Keep out: what the rows say. Every writer gives the same bytes for the same
rows: workbooks carry a fixed creation date, text files fixed line ends.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import xlsxwriter

Rows = Sequence[Sequence[Any]]


def xlsx(path: Path, title: str, unit_line: str, headers: Sequence[str], rows: Rows) -> None:
    """A workbook with a merged title row, a row with reporter and unit, headers, and typed cells.

    Texts stay texts (codes keep their zeros), dates become date cells.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    day = dt.datetime.strptime(path.parent.name, "%Y-%m-%d")
    with xlsxwriter.Workbook(str(path), {"strings_to_numbers": False}) as book:
        book.set_properties({"title": title, "created": day})
        sheet = book.add_worksheet("Sheet1")
        big = book.add_format({"bold": True, "font_size": 14, "align": "center", "valign": "vcenter"})
        head = book.add_format({"bold": True, "border": 1, "text_wrap": True, "align": "center"})
        date = book.add_format({"num_format": "yyyy-mm-dd"})
        sheet.merge_range(0, 0, 0, len(headers) - 1, title, big)
        sheet.write_string(1, 0, unit_line)
        for column, header in enumerate(headers):
            sheet.write_string(2, column, header, head)
            sheet.set_column(column, column, 14)
        for number, row in enumerate(rows, 3):
            for column, value in enumerate(row):
                if isinstance(value, dt.date):
                    sheet.write_datetime(
                        number, column, dt.datetime(value.year, value.month, value.day), date
                    )
                elif isinstance(value, str):
                    sheet.write_string(number, column, value)
                elif value is not None:
                    sheet.write_number(number, column, value)
        sheet.freeze_panes(3, 2)


def text(path: Path, headers: Sequence[str], rows: Rows, encoding: str = "utf-8") -> None:
    """A CSV file; `gb18030` and `utf-8-sig` are what Excel saves, with its line ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    end = "\n" if encoding == "utf-8" else "\r\n"
    with path.open("w", encoding=encoding, newline="") as handle:
        writer = csv.writer(handle, lineterminator=end)
        writer.writerow(headers)
        writer.writerows([["" if value is None else value for value in row] for row in rows])


def parquet(path: Path, headers: Sequence[str], rows: Rows) -> None:
    """A Parquet file with English column names; types follow the values."""
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = list(zip(*rows, strict=True))
    pq.write_table(pa.table(dict(zip(headers, map(list, columns), strict=True))), path, compression="zstd")
