"""The whole content of a file as text, each cell in its place, for code that shows the file to people.

Belongs here: reading every cell. Keep out: headers, contracts and what counts as data (file_rows.py). Nothing is left out here
except what has no row and column.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from youjun_pipeline.contracts.model import Dataset
from youjun_pipeline.ingest.formats.book import HEAD_ROWS, Sheet
from youjun_pipeline.ingest.formats.delimited import DELIMITERS, decode, records
from youjun_pipeline.ingest.formats.kinds import kind_of
from youjun_pipeline.ingest.formats.limits import check_cells, check_characters, read_bytes
from youjun_pipeline.ingest.formats.opening import open_book
from youjun_pipeline.ingest.headers import score


@dataclass(frozen=True)
class SheetText:
    """One sheet: its name ("" for files without sheets) and its rows by the row numbers that messages use."""

    name: str
    rows: dict[int, list[str]]


def sheet_texts(path: Path, dataset: Dataset) -> list[SheetText]:
    """Every sheet of a file that can be opened.

    A text table is split into cells even if it cannot be read as data, so that the places of its faults can be shown.

    Raises:
        Unreadable, OSError: if the file cannot be opened.
    """
    data = read_bytes(path)
    if kind_of(data) == "csv":
        return [SheetText("", _records(decode(data), dataset))]
    return [SheetText(sheet.name, _rows(sheet)) for sheet in open_book(data).sheets]


def _rows(sheet: Sheet) -> dict[int, list[str]]:
    content = sheet.content
    return dict(enumerate(content.rows(), content.numbers[0])) if content.numbers else {}


def _records(text: str, dataset: Dataset) -> dict[int, list[str]]:
    """Records by the line on which they begin, split by the delimiter that gives the best header."""
    check_characters("文件", len(text))
    heads = {d: records(text, d, HEAD_ROWS, strict=False)[0] for d in DELIMITERS}
    best = max(heads, key=lambda d: (score(heads[d], dataset), max(map(len, heads[d]), default=0)))
    check_cells("文件", text.count(best) + text.count("\n") + text.count("\r"))
    found, lines = records(text, best, strict=False)
    return dict(zip(lines, found, strict=True))
