"""Opens the publication for reading: the file, or the lake if the settings name one. No other module knows which.

A reader gets a connection in which `mart.school` is the table of the last publication, and can attach the previous publication as
`before`. If the local file is the lake's last publication, the file is read, because it is nearer. Belongs here: which
publication, and opening it. Keep out: making it (`publication`, `lake_publication`), and the folders beside it (`manifest`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from youjun_pipeline.settings import Lake
from youjun_pipeline.warehouse.connection import DatabaseDamagedError, connect, damaged
from youjun_pipeline.warehouse.manifest import last_published
from youjun_pipeline.warehouse.swap import FILE_NAME, PREVIOUS_NAME
from youjun_pipeline.warehouse.tables import describe, sql_text

if TYPE_CHECKING:
    from youjun_pipeline.warehouse.lake import Tagged

BEFORE = "before"


class NoPublicationError(FileNotFoundError):
    """There is no publication where the settings say; the message names the place and the command that publishes."""


@contextmanager
def open_publication(published: Path, lake: Lake | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the last publication read-only: of `lake` if one is given, otherwise the file in the folder `published`.

    Raises NoPublicationError if there is none, LakeError if the lake does not answer, DatabaseDamagedError.
    """
    place = _place(published, lake)
    if isinstance(place, Path):
        with connect(place, read_only=True) as con:
            # no publication of any version lacks this table; DuckDB may open a torn file as an empty database
            if not describe(con, "mart.evaluation"):
                raise DatabaseDamagedError(damaged(place, read_only=True))
            yield con
        return
    from youjun_pipeline.warehouse.lake import attach_lake, open_lake

    newest, *earlier = place
    assert lake
    with open_lake(lake, snapshot=newest.snapshot) as con:
        if earlier:
            attach_lake(con, lake, BEFORE, read_only=True, snapshot=earlier[0].snapshot)
        con.execute("use lake")
        # in one transaction the catalogue is read only once, not for every query
        con.begin()
        yield con
        con.rollback()


def _place(published: Path, lake: Lake | None) -> Path | list[Tagged]:
    """The file to read, or the lake's publications, the last one first."""
    path = published / FILE_NAME
    if lake is None:
        if not path.exists():
            raise NoPublicationError(f"还没有发布库 {path}：请先运行 make run")
        return path
    # a run without a lake imports nothing from it
    from youjun_pipeline.warehouse.lake import open_lake, publications

    with open_lake(lake, read_only=True) as con:
        found = publications(con)
    if not found:
        raise NoPublicationError("数据湖中还没有发布：请先运行 make run（见 docs/scale.md）")
    here = last_published(published)
    if here and path.exists() and (here.run_id, here.content_sha256) == (found[0].run_id, found[0].content):
        return path
    return found


def attach_publication(
    con: duckdb.DuckDBPyConnection, name: str, published: Path, lake: Lake | None = None
) -> bool:
    """Attach the last publication read-only as `name` to an open database; returns whether it is the file.

    Raises NoPublicationError, LakeError.
    """
    place = _place(published, lake)
    if isinstance(place, Path):
        con.execute(f"attach {sql_text(str(place))} as {name} (read_only)")
        return True
    from youjun_pipeline.warehouse.lake import attach_lake

    assert lake
    attach_lake(con, lake, name, read_only=True, snapshot=place[0].snapshot)
    return False


def is_published(published: Path, lake: Lake | None = None) -> bool:
    """Whether there is a publication; raises LakeError if the lake does not answer."""
    return mark_of(published, lake) is not None


def mark_of(published: Path, lake: Lake | None = None) -> str | None:
    """A mark that changes with every publication, rollback and restore; None if nothing is published."""
    try:
        place = _place(published, lake)
    except NoPublicationError:
        return None
    if isinstance(place, Path):
        stat = place.stat()
        return f"{stat.st_mtime_ns}/{stat.st_ino}"
    return f"lake/{place[0].snapshot}"


@contextmanager
def attached_before(
    con: duckdb.DuckDBPyConnection, published: Path, tables: Sequence[str] = ("mart.district_verdict",)
) -> Iterator[bool]:
    """Attach the publication before the one that `con` reads as `before`; yields whether it can be compared.

    It cannot be compared if there is none, if it cannot be read, or if an older version wrote it and it lacks one of `tables`.
    After a rollback the previous file is the later publication.
    """
    is_in_lake = _is_attached(con, "lake")
    path = published / PREVIOUS_NAME
    if not is_in_lake and path.exists():
        try:
            con.execute(f"attach {sql_text(str(path))} as {BEFORE} (read_only)")
        except duckdb.Error:
            yield False
            return
    if not _is_attached(con, BEFORE):
        yield False
        return
    try:
        yield all(describe(con, f"{BEFORE}.{t}").keys() >= describe(con, t).keys() for t in tables)
    finally:
        if not is_in_lake:
            con.execute(f"detach {BEFORE}")


def _is_attached(con: duckdb.DuckDBPyConnection, name: str) -> bool:
    found = con.execute("select 1 from duckdb_databases() where database_name = $1", [name])
    return bool(found.fetchall())
