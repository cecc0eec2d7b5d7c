"""The result of reading one file.

Belongs here: the shape of the result. Keep out: slow imports. Code that only passes results on imports nothing but this module.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from youjun_pipeline.contracts.model import Failure

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class SourceColumn:
    """Where a contract column was found: sheet ("" for files without sheets), Excel letter, header as written."""

    sheet: str
    column_name: str
    source_column: str
    header: str


@dataclass(frozen=True)
class Place:
    """The place that a notice is about: every row number (the notice's text may name only the first), and the columns' Excel
    letters.

    `is_harmless`: the notice reports no loss, so a district may leave the matter as it is.
    """

    sheet: str = ""
    rows: tuple[int, ...] = ()
    columns: tuple[str, ...] = ()
    is_harmless: bool = False


@dataclass(frozen=True)
class ReadResult:
    """The content of a file.

    `frame` has the columns sheet, row_number (1-based, as Excel shows it; for .csv the line, for .parquet the row) and every
    contract column in declared order, as text, missing where the cell is empty. With a `failure` it has no rows.
    `ignored_headers` are headers that the contract does not know. `notices` are other things that the district should know, in
    Chinese and without the file's name. `places` gives the place of each notice that has one, by its text.
    """

    frame: pd.DataFrame
    columns: list[SourceColumn] = field(default_factory=list)
    ignored_headers: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    failure: Failure | None = None
    places: dict[str, Place] = field(default_factory=dict)
