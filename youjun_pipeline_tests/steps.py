"""A whole refresh without Dagster, for tests that look at its result: the same functions in the same order.

Keep out: assertions, and generated data (`generate`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import duckdb

from youjun_pipeline.ingest.districts import scan
from youjun_pipeline.ingest.store import Ingested, ensure_raw, ingest, register
from youjun_pipeline.settings import Settings
from youjun_pipeline.warehouse.catalogues import load_standard
from youjun_pipeline.warehouse.checks import run_checks
from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline.warehouse.manifest import Publication
from youjun_pipeline.warehouse.models import build, load_models
from youjun_pipeline.warehouse.projection import build_projection
from youjun_pipeline.warehouse.publication import publish, recover_history
from youjun_pipeline.warehouse.rule_impact import build_rule_impact
from youjun_pipeline.warehouse.run import RunScope, begin_run, refuse_earlier
from youjun_pipeline.warehouse.tables import ensure_tables


def places(folder: Path, as_of: date = date(2026, 1, 1)) -> Settings:
    """Settings for the districts in `folder`, everything else inside it too."""
    return Settings(folder, folder / ".work" / "warehouse.duckdb", folder / "published", as_of)


@contextmanager
def working(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """The working database, ready for a run."""
    with connect(settings.warehouse) as con:
        ensure_tables(con)
        ensure_raw(con)
        load_standard(con)
        recover_history(con, settings.published)
        refuse_earlier(con, settings.as_of)
        yield con


def read_all(con: duckdb.DuckDBPyConnection, settings: Settings) -> list[Ingested]:
    """Register and read everything in the data folder."""
    return ingest(con, register(con, scan(settings.data)))


def compute(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    run_id: str = "run-1",
    phases: tuple[str, ...] | None = None,
    districts: tuple[str, ...] | None = None,
) -> None:
    """Begin a run (all phases by default), build every model and run the checks."""
    known = tuple(p for (p,) in con.execute("select distinct phase_id from raw.phase order by 1").fetchall())
    begin_run(con, RunScope(run_id, phases or known, settings.as_of, districts))
    for model in load_models().values():
        build(con, model)
    build_projection(con)
    build_rule_impact(con)
    run_checks(con)


def refresh(settings: Settings, run_id: str = "run-1", **scope: tuple[str, ...]) -> Publication:
    """Files to publication."""
    with working(settings) as con:
        read_all(con, settings)
        compute(con, settings, run_id, **scope)
        return publish(con, settings.published, run_id, settings.as_of)
