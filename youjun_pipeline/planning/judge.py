"""Judges many sets of changed figures, of one or many districts, in one pass through the models that judge deliveries.

Belongs here: reading figures from a database, and putting changed figures into a scenario. Keep out: what changed the figures
(`actions`), what follows from the verdicts (`what_if`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa

from youjun_pipeline.planning.figures import DATASETS, Figures
from youjun_pipeline.warehouse.scenario import VERDICTS, Variant, scenario
from youjun_pipeline.warehouse.tables import describe

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Case:
    """One set of figures and rules by which an evaluation is judged; `name` tells the cases of an evaluation apart."""

    name: str
    district_code: str
    phase_id: str
    figures: Figures | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    standard_id: str | None = None


def figures_of(con: duckdb.DuckDBPyConnection, district_code: str, phase_id: str) -> Figures:
    """The delivered figures of an evaluation of the run that is open in `con`."""
    frames = {}
    for dataset in DATASETS:
        frames[dataset] = con.execute(
            f"select a.* exclude (content_sha256) from accepted.{dataset} a semi join (from temp.run_chosen_file "
            "where district_code = $1 and phase_id = $2 and dataset = $3) using (content_sha256) order by all",
            [district_code, phase_id, dataset],
        ).df()
    return Figures(frames)


@contextmanager
def judged(
    con: duckdb.DuckDBPyConnection, cases: Sequence[Case], tables: Iterable[str] = VERDICTS
) -> Iterator[None]:
    """Judge every case. Inside the block its rows are in `youjun_scenario.mart`, listed in `youjun_scenario.main.evaluation`.

    `con` has an open run whose evaluations include those of the cases; no table of the run needs to be built. All cases go
    through each model in one statement, so that a hundred cases cost little more than one.
    """
    wanted = pd.DataFrame(
        {"district_code": [c.district_code for c in cases], "phase_id": [c.phase_id for c in cases]}
    ).drop_duplicates()
    changed = {
        dataset: _rows(con, dataset, [c for c in cases if c.figures and dataset in c.figures.changed])
        for dataset in DATASETS
    }
    variants = [
        Variant(c.name, c.standard_id, c.options, district_code=c.district_code, phase_id=c.phase_id)
        for c in cases
    ]
    con.execute("create or replace temp table planning_whole as from temp.run_evaluation")
    con.register("planning_wanted", pa.Table.from_pandas(wanted, preserve_index=False))
    registered = {dataset: rows for dataset, rows in changed.items() if rows is not None}
    for dataset, rows in registered.items():
        con.register(f"planning_{dataset}", rows)
    try:
        con.execute(
            "create or replace temp table run_evaluation as from temp.planning_whole "
            "semi join planning_wanted using (district_code, phase_id)"
        )
        files = {dataset: _select(con, dataset) for dataset in registered}
        with scenario(con, variants, tables=tables, files=files):
            con.execute("create or replace temp table run_evaluation as from temp.planning_whole")
            yield
    finally:
        con.execute("create or replace temp table run_evaluation as from temp.planning_whole")
        con.execute("drop table temp.planning_whole")
        for dataset in registered:
            con.unregister(f"planning_{dataset}")
        con.unregister("planning_wanted")


def _rows(con: duckdb.DuckDBPyConnection, dataset: str, cases: Sequence[Case]) -> pa.Table | None:
    """The rows of a dataset for all cases that change the dataset."""
    if not cases:
        return None
    frames = [
        c.figures.frames[dataset].assign(
            case_name=c.name, case_district=c.district_code, case_phase=c.phase_id
        )
        for c in cases
        if c.figures
    ]
    together = pd.concat(frames, ignore_index=True)
    for column, type_ in describe(con, f"accepted.{dataset}").items():
        if column in together and type_ == "BOOLEAN":
            together[column] = together[column].astype(object).where(together[column].notna(), None)
    return pa.Table.from_pandas(together, preserve_index=False)


def _select(con: duckdb.DuckDBPyConnection, dataset: str) -> str:
    columns = {c: t for c, t in describe(con, f"accepted.{dataset}").items() if c != "content_sha256"}
    picked = ", ".join(f'r."{c}"::{t} as "{c}"' for c, t in columns.items())
    return (
        f"select e.district_code, e.phase_id, {picked} from planning_{dataset} r join main.evaluation e "
        "on e.variant = r.case_name and e.district_code = r.case_district and e.base_phase_id = r.case_phase"
    )
