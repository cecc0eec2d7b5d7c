"""What can leave each school, so that no school gives away what it does not have.

A section's amount may count things that cannot leave: visiting teachers under a waiver, or a share of what another stage uses.
Only delivered figures move, column by column. Keep out: what a donor needs itself (`district`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from youjun_pipeline.planning.least_cost.cones import Vector
from youjun_pipeline.planning.least_cost.prices import LeverKind, lever_kinds

if TYPE_CHECKING:
    import duckdb

    from youjun_pipeline.standard import Catalogue


@dataclass(frozen=True)
class Donors:
    """`columns`: for each lever, what each site has in every column of its indicator, in the order in which the columns leave.

    `people`: how many teachers of each section can leave it, shape (sections,). A teacher who leaves counts in both sums of
    people and has a degree that counts. If a mark of teachers does not move, the section keeps at least as many teachers as
    have it. Unknown figures are 0: nothing moves.
    """

    columns: Mapping[str, Mapping[str, Vector]]
    people: Vector

    def most(self, lever: str) -> Vector:
        """How many units of a lever each site has to give."""
        return np.asarray(sum(self.columns[lever].values()))

    def copies(self) -> dict[str, dict[str, Vector]]:
        """A copy of the columns; the lines subtract what leaves."""
        return {
            lever: {column: have.copy() for column, have in columns.items()}
            for lever, columns in self.columns.items()
        }


def read_donors(
    con: duckdb.DuckDBPyConnection,
    key: list[str],
    keys: Sequence[tuple[str, str]],
    schools: Sequence[str],
    catalogue: Catalogue,
) -> Donors:
    """The donors of one evaluation; `keys` are the sections, `schools` their schools."""
    columns = {}
    for name, kind in lever_kinds().items():
        if kind.can_move and kind.indicator in catalogue.indicators:
            sites = list(schools) if kind.by_school else list(keys)
            columns[name] = _columns(con, key, kind, sites, catalogue)
    return Donors(columns, _people(con, key, keys, columns))


def _people(
    con: duckdb.DuckDBPyConnection,
    key: list[str],
    keys: Sequence[tuple[str, str]],
    columns: Mapping[str, Mapping[str, Vector]],
) -> Vector:
    full_time, staff = (_figures(con, key, "teachers", column, keys) for column in ("full_time", "staff"))
    people = np.fmin(full_time, staff)  # an unreported number of staff sets no limit
    for name, kind in lever_kinds().items():
        if kind.dataset != "teachers" or name not in columns:
            continue
        counted = np.asarray(sum(columns[name].values()))
        everyone_has_it = any(name == other.carries for other in lever_kinds().values())
        people = np.fmin(people, counted if everyone_has_it else full_time - counted)
    return np.maximum(np.nan_to_num(people), 0)


def _columns(
    con: duckdb.DuckDBPyConnection,
    key: list[str],
    kind: LeverKind,
    sites: Sequence[str | tuple[str, str]],
    catalogue: Catalogue,
) -> dict[str, Vector]:
    """The columns of the indicator's numerator without waivers; the column that the lever adds to comes first.

    A column is 0 in stages where it does not count.
    """
    found = {}
    for part in catalogue.indicators[kind.indicator].inputs:
        dataset, column = part.input.split(".")
        if part.waiver is not None or dataset != kind.dataset:
            continue
        have = np.nan_to_num(_figures(con, key, dataset, column, sites))
        if part.stages:
            have = have * np.array([site[1] in part.stages for site in sites])
        found[column] = have
    return dict(sorted(found.items(), key=lambda entry: entry[0] != kind.adds[0]))


def _figures(
    con: duckdb.DuckDBPyConnection,
    key: list[str],
    dataset: str,
    column: str,
    sites: Sequence[str | tuple[str, str]],
) -> Vector:
    """A delivered column by site; nan where it was not reported."""
    by_section = bool(sites) and not isinstance(sites[0], str)
    stage = "a.stage" if by_section else "null"
    rows = con.execute(
        f'select a.school_code, {stage}, a."{column}"::double from core.chosen_file f '
        f"join accepted.{dataset} a using (content_sha256) "
        "where f.district_code = ? and f.phase_id = ? and f.dataset = ?",
        [*key, dataset],
    ).fetchall()
    known = {(school, stage) if by_section else school: value for school, stage, value in rows}
    return np.array([np.nan if known.get(site) is None else known[site] for site in sites], dtype=float)
