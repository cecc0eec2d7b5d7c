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
SCHEMAS = ("standard", "raw", "accepted", "core", "rule", "mart", "plan", "quality", "ops")


# What DuckDB says of a file that is torn, overwritten, cut short, or whose write-ahead log is (1.5.5, each tried).
DAMAGE = (
    "not a valid DuckDB database file",
    "Corrupt database file",
    "Could not read enough bytes",
    "replaying WAL",
    "Corrupt WAL",
)

# What stands before the first block of a DuckDB file: its header and two of the database.
FILE_HEADERS = 3 * 4096


class DatabaseDamagedError(duckdb.IOException):
    """A file that is no whole DuckDB database; the message says what helps."""


class WarehouseBusyError(RuntimeError):
    """Another process holds the working database: one refresh runs at a time."""


@contextmanager
def connect(path: Path, *, read_only: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the DuckDB file at `path` (created with its folder when missing) and close it whatever happens.

    `IN_MEMORY` opens a database of its own that leaves no trace.

    Raises WarehouseBusyError when another process is writing to it, DatabaseDamagedError when the file is not a whole database.
    """
    if not read_only and path != IN_MEMORY:
        path.parent.mkdir(parents=True, exist_ok=True)
    before = _inode(path)
    try:
        con = duckdb.connect(str(path), read_only=read_only)
    except duckdb.IOException as error:
        # first: DuckDB's words for damage tell of a "block"
        refuse_damaged(path, error, read_only=read_only)
        if "lock" in str(error).lower():
            raise WarehouseBusyError(
                f"工作库正被另一个刷新占用{_holder(error)}，请等它结束后再试 (working database is in use): {path}"
            ) from error
        raise
    try:
        if before == _inode(path) and _is_cut_short(con, path):
            raise DatabaseDamagedError(damaged(path, read_only=read_only))
        if not read_only:
            con.execute(f"set wal_autocheckpoint = '{WAL_BEFORE_CHECKPOINT}'")
            for schema in SCHEMAS:
                con.execute(f"create schema if not exists {schema}")
        yield con
    finally:
        con.close()


def refuse_damaged(path: Path, error: duckdb.IOException, *, read_only: bool) -> None:
    """Raise DatabaseDamagedError where `error`, of opening the file at `path`, tells of damage.

    Only then: a torn file taken for one in use would be waited for.
    """
    if any(words in str(error) for words in DAMAGE):
        raise DatabaseDamagedError(damaged(path, read_only=read_only)) from error


def damaged(path: Path, *, read_only: bool) -> str:
    """What is said of a file that is no whole database, and what helps."""
    remedy = (
        "若是发布库，请用 youjun rollback 退回上一次，或从备份恢复"
        if read_only
        else "请把它移开（mv）后运行 make run，它会由交付文件和发布库重新生成"
    )
    return f"数据库文件已损坏：{path}；{remedy} (the database file is damaged)"


def _inode(path: Path) -> int | None:
    """Which file is at `path`: a publication may be replaced while it is opened."""
    return path.stat().st_ino if path.exists() else None


def _is_cut_short(con: duckdb.DuckDBPyConnection, path: Path) -> bool:
    """Whether the file has fewer blocks than are in use: DuckDB opens it, and fails only where it reads what is gone.

    Free blocks may be missing at the end of a sound file. Not asked while there is a write-ahead log: its blocks are not
    in the file yet.
    """
    if path == IN_MEMORY or path.with_name(path.name + ".wal").exists():
        return False
    blocks, size = con.execute(
        "select used_blocks, block_size from pragma_database_size() where database_name = current_database()"
    ).fetchall()[0]
    return path.stat().st_size < FILE_HEADERS + blocks * size


def _holder(error: duckdb.IOException) -> str:
    """The process that holds the lock, as far as DuckDB knows it."""
    found = re.search(r"PID (\d+)", str(error))
    return f"（进程 {found[1]}）" if found else ""
