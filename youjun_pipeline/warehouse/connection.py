"""Opening DuckDB files, and nothing else.

Everybody gets a connection from here, so that settings, the single-writer error and closing are in one place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

# The default of 16 MB makes whichever table happens to cross it pay 0.3-0.8 s for a checkpoint in the midst of a run
# (measured on the sample districts, 2026-11); closing the connection writes one at the end anyway.
WAL_BEFORE_CHECKPOINT = "256MB"
# A database for one question, gone with its connection.
IN_MEMORY = Path(":memory:")
SCHEMAS = ("standard", "raw", "accepted", "core", "rule", "mart", "quality", "ops")


class WarehouseBusyError(RuntimeError):
    """Another process holds the working database: one refresh runs at a time."""


@contextmanager
def connect(path: Path, *, read_only: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the DuckDB file at `path` (created with its folder when missing) and close it whatever happens.

    `IN_MEMORY` opens a database of its own that leaves no trace.

    Raises WarehouseBusyError when another process is writing to it.
    """
    if not read_only and path != IN_MEMORY:
        path.parent.mkdir(parents=True, exist_ok=True)
    try:
        con = duckdb.connect(str(path), read_only=read_only)
    except duckdb.IOException as error:
        if "lock" in str(error).lower():
            raise WarehouseBusyError(
                f"工作库正被另一个刷新占用{_holder(error)}，请等它结束后再试 (working database is in use): {path}"
            ) from error
        raise
    try:
        if not read_only:
            con.execute(f"set wal_autocheckpoint = '{WAL_BEFORE_CHECKPOINT}'")
            for schema in SCHEMAS:
                con.execute(f"create schema if not exists {schema}")
        yield con
    finally:
        con.close()


def _holder(error: duckdb.IOException) -> str:
    """The process that holds the lock, as far as DuckDB knows it."""
    found = re.search(r"PID (\d+)", str(error))
    return f"（进程 {found[1]}）" if found else ""


@contextmanager
def transaction(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """All or nothing: commit at the end of the block, roll back when it raises."""
    con.begin()
    try:
        yield
    except BaseException:
        con.rollback()
        raise
    con.commit()
