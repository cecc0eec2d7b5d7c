"""Opens DuckDB files, and nothing else.

All code gets its connections here, so that settings, the single-writer error and closing are in one place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

# With the default of 16 MB the table that crosses this limit takes 0.3-0.8 s longer for a checkpoint in the middle of a run
# (measured on the sample districts, 2026-11); closing the connection writes a checkpoint in any case.
WAL_BEFORE_CHECKPOINT = "256MB"
# A temporary database that ends with its connection.
IN_MEMORY = Path(":memory:")
SCHEMAS = ("standard", "raw", "accepted", "core", "rule", "mart", "plan", "quality", "ops")


# DuckDB's messages for a file that is torn, overwritten or cut short, or has such a write-ahead log (1.5.5, each one tried).
DAMAGE = (
    "not a valid DuckDB database file",
    "Corrupt database file",
    "Could not read enough bytes",
    "replaying WAL",
    "Corrupt WAL",
)

# The bytes before the first block of a DuckDB file: the file's header and two headers of the database.
FILE_HEADERS = 3 * 4096


class DatabaseDamagedError(duckdb.IOException):
    """A file that is not a complete DuckDB database; the message gives a remedy."""


class WarehouseBusyError(RuntimeError):
    """Another process holds the working database: one refresh runs at a time."""


@contextmanager
def connect(path: Path, *, read_only: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the DuckDB file at `path` (created with its folder if missing) and close it in any case.

    `IN_MEMORY` opens a temporary database.

    Raises WarehouseBusyError if another process is writing to it, DatabaseDamagedError if it is not a complete database.
    """
    if not read_only and path != IN_MEMORY:
        path.parent.mkdir(parents=True, exist_ok=True)
    before = _inode(path)
    try:
        con = duckdb.connect(str(path), read_only=read_only)
    except duckdb.IOException as error:
        # damage is checked first, because DuckDB's words for damage contain "block"
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
    """Raise DatabaseDamagedError if `error`, raised while opening the file at `path`, reports damage.

    Other errors pass: a damaged file must not be mistaken for a file in use, because callers wait for a file in use.
    """
    if any(words in str(error) for words in DAMAGE):
        raise DatabaseDamagedError(damaged(path, read_only=read_only)) from error


def damaged(path: Path, *, read_only: bool) -> str:
    """The message for a file that is not a complete database, with a remedy."""
    remedy = (
        "若是发布库，请用 youjun rollback 退回上一次，或从备份恢复"
        if read_only
        else "请把它移开（mv）后运行 make run，它会由交付文件和发布库重新生成"
    )
    return f"数据库文件已损坏：{path}；{remedy} (the database file is damaged)"


def _inode(path: Path) -> int | None:
    """Identifies the file at `path`, because a publication may be replaced while it is opened."""
    return path.stat().st_ino if path.exists() else None


def _is_cut_short(con: duckdb.DuckDBPyConnection, path: Path) -> bool:
    """Whether the file lacks blocks that are in use. DuckDB opens such a file and fails only when it reads the missing part.

    A sound file may lack free blocks at its end. False while there is a write-ahead log: its blocks are not in the file yet.
    """
    if path == IN_MEMORY or path.with_name(path.name + ".wal").exists():
        return False
    blocks, size = con.execute(
        "select used_blocks, block_size from pragma_database_size() where database_name = current_database()"
    ).fetchall()[0]
    return path.stat().st_size < FILE_HEADERS + blocks * size


def _holder(error: duckdb.IOException) -> str:
    """The process that holds the lock, if DuckDB names it."""
    found = re.search(r"PID (\d+)", str(error))
    return f"（进程 {found[1]}）" if found else ""
