"""What reading one file leaves behind.

Belongs here: the result's shape. Keep out: imports that cost time; whoever only passes results on loads this alone.
"""

from __future__ import annotations

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


@dataclass(frozen=True)
class Place:
    """Where a notice is about: every row number, of which its text may name only the first, and Excel letters of columns.

    `is_harmless`: nothing is lost by what the notice tells, so a district may leave it as it is.
    """

    sheet: str = ""
    rows: tuple[int, ...] = ()
    columns: tuple[str, ...] = ()
    is_harmless: bool = False


@dataclass(frozen=True)
class ReadResult:
    """What a file holds.

    `frame` has the columns sheet, row_number (1-based, as Excel shows it; the line for .csv, the row for .parquet) and
    every contract column in declared order, as text and missing where the cell is empty. With a `failure` it has no
    rows. `ignored_headers` are headers that the contract does not know, `notices` is what else the district should
    hear, in Chinese and without the file's name; `places` has the place of those that are about one, by their text.
    """

    frame: pd.DataFrame
    columns: list[SourceColumn] = field(default_factory=list)
    ignored_headers: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    failure: Failure | None = None
    places: dict[str, Place] = field(default_factory=dict)
