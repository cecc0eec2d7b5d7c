"""One published evaluation as reports use it, and the access to its rows.

Keep out: how a report uses the rows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from youjun_pipeline.reports.words import RECONSTRUCTED, STALE
from youjun_pipeline.standard import Catalogue, catalogue_of

if TYPE_CHECKING:
    import duckdb

Row = dict[str, Any]

_COLUMNS = (
    "district_code, phase_id, district_name, phase_name, starts, ends, effective_on, standard_id, data_origin, plan_title, "
    "document_number, active_waivers, district_waivers, include_private, music_art_rule, is_stale"
)


@dataclass(frozen=True)
class Evaluation:
    """One district in one phase: the facts that every report states (columns of `mart.evaluation`).

    `texts` is the folder with the district's own running text, if it has one.
    """

    district_code: str
    phase_id: str
    district_name: str
    phase_name: str
    starts: date
    ends: date
    effective_on: date
    standard_id: str
    data_origin: str
    plan_title: str | None
    document_number: str | None
    active_waivers: list[str]
    district_waivers: list[str]
    include_private: bool
    music_art_rule: str
    is_stale: bool
    texts: Path | None = None

    def notice(self, paper: str = "本表") -> str:
        """The warning that must precede the first figure of `paper` (the paper's name for itself); empty if there is none."""
        told = [RECONSTRUCTED] if self.data_origin == "reconstructed" else []
        told += [STALE] if self.is_stale else []
        return paper + "；".join(told) if told else ""

    @property
    def catalogue(self) -> Catalogue:
        """The standard by which the evaluation was judged, with the limits of its day."""
        return catalogue_of(self.standard_id, self.effective_on)

    @property
    def resources(self) -> list[str]:
        """Codes of the resource indicators, in the order of the catalogue."""
        return [code for code, entry in self.catalogue.indicators.items() if entry.category == "resource"]

    @property
    def stages(self) -> list[str]:
        """The stages that are evaluated, in the order of the catalogue."""
        return [stage for stage, entry in self.catalogue.stages.items() if entry.is_evaluated]

    def rows(self, con: duckdb.DuckDBPyConnection, table: str, columns: str, order: str) -> list[Row]:
        """Rows of this evaluation in `table`: `columns` (SQL) by name, in `order` (SQL)."""
        cursor = con.execute(
            f"select {columns} from {table} where district_code = ? and phase_id = ? order by {order}",
            [self.district_code, self.phase_id],
        )
        names = [column[0] for column in cursor.description or []]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def published_evaluations(con: duckdb.DuckDBPyConnection, data: Path | None = None) -> list[Evaluation]:
    """Every evaluation of the publication that `con` has open, by district and phase.

    In `data`, the districts' folder, `<code>-<name>/texts/` has a district's own running text.
    """
    found = con.execute(
        f"select {_COLUMNS} from mart.evaluation order by district_code, phase_order, phase_id"
    )
    return [replace(Evaluation(*row), texts=_texts(data, row[0])) for row in found.fetchall()]


def _texts(data: Path | None, district_code: str) -> Path | None:
    """The folder of a district's own texts; if there is no folder of this name, the standard texts are used."""
    folders = sorted(data.glob(f"{district_code}-*/texts")) if data else []
    return folders[0] if folders else None
