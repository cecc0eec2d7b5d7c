"""A whole refresh without Dagster, for tests of its result: the same functions in the same order.

Keep out: assertions, and generated data (`generate`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import duckdb

from youjun_pipeline.ingest.store import Ingested
from youjun_pipeline.session import Session, open_session
from youjun_pipeline.settings import Settings
from youjun_pipeline.warehouse.manifest import Publication


def places(folder: Path, as_of: date = date(2026, 1, 1)) -> Settings:
    """Settings for the districts in `folder`; everything else is inside it too."""
    return Settings(folder, folder / ".work" / "warehouse.duckdb", folder / "published", as_of)


@contextmanager
def working(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """The working database, ready for a run."""
    with open_session(settings) as session:
        yield session.con


def read_all(con: duckdb.DuckDBPyConnection, settings: Settings) -> list[Ingested]:
    """Register and read everything in the data folder."""
    return Session(con, settings).ingest()


def compute(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    run_id: str = "run-1",
    phases: tuple[str, ...] | None = None,
    districts: tuple[str, ...] | None = None,
) -> None:
    """Open a run (all phases by default), build every table and run the checks."""
    session = Session(con, settings)
    session.begin(run_id, phases, districts)
    session.build()
    session.check()


def refresh(settings: Settings, run_id: str = "run-1", **scope: tuple[str, ...]) -> Publication:
    """Files to publication."""
    with open_session(settings) as session:
        session.ingest()
        session.begin(run_id, **scope)
        session.build()
        session.check()
        return session.publish()
