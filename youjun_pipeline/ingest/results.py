"""What reading one file leaves behind.

Belongs here: the result's shape. Keep out: imports that cost time; whoever only passes results on loads this alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from youjun_pipeline.contracts.model import Failure

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class SourceColumn:
    """Where a contract column stood: sheet ("" for files without sheets), Excel letter, header as written."""

    sheet: str
    column_name: str
    source_column: str
    header: str


class Notice(str):
    """What the district should hear about a file: a text, which also knows the place it is about.

    `sheet` is "" where the file has none or the notice is about the whole file; `rows` are all row numbers it is about, of which
    the text may name only the first; `columns` are Excel letters.
    """

    sheet: str
    rows: tuple[int, ...]
    columns: tuple[str, ...]

    def __new__(
        cls, text: str, sheet: str = "", rows: Iterable[int] = (), columns: Iterable[str] = ()
    ) -> Notice:
        """The text with its place."""
        made = super().__new__(cls, text)
        made.sheet, made.rows, made.columns = sheet, tuple(rows), tuple(columns)
        return made


@dataclass(frozen=True)
class ReadResult:
    """What a file holds.

    `frame` has the columns sheet, row_number (1-based, as Excel shows it; the line for .csv, the row for .parquet) and
    every contract column in declared order, as text and missing where the cell is empty. With a `failure` it has no
    rows. `ignored_headers` are headers that the contract does not know, `notices` is what else the district should
    hear, in Chinese and without the file's name; those about a place are a `Notice`.
    """

    frame: pd.DataFrame
    columns: list[SourceColumn] = field(default_factory=list)
    ignored_headers: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    failure: Failure | None = None
