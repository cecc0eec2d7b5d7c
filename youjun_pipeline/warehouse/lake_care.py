"""Keeps a lake small: removes old snapshots and unused files, and merges small files.

A night writes a file for each changed table and shard, and records which rows of older files are deleted. A file is removed only
after it has been out of use for a day, so a reader keeps its files during a query. Keep out: what is published.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import duckdb

from youjun_pipeline.settings import Lake
from youjun_pipeline.warehouse.lake import LakeError, last_publication, open_lake

GRACE = timedelta(days=1)


@dataclass(frozen=True)
class Tidied:
    """How many snapshots were removed, and how many files were merged, removed as unused, and removed as orphans."""

    snapshots: int
    merged: int
    removed: int
    orphans: int


def tidy(lake: Lake, *, grace: timedelta = GRACE) -> Tidied:
    """Remove snapshots older than the lake's `keep_days`, merge small files, remove files that have been unused for `grace`.

    The last publication and the newest snapshot stay, however old. With a `grace` of zero no worker may be writing: a file that
    is not committed yet looks like an orphan. Raises LakeError.
    """
    with open_lake(lake) as con:
        try:
            expired = _expire(con, lake.keep_days)
            merged = _count(con, "call ducklake_rewrite_data_files('lake', delete_threshold => 0.3)")
            merged += _count(con, "call ducklake_merge_adjacent_files('lake')")
            # the removed snapshots may have been the last users of files that were merged
            when = f"now() - interval {int(grace.total_seconds())} seconds"
            removed = _count(con, f"call ducklake_cleanup_old_files('lake', older_than => {when})")
            orphans = _count(con, f"call ducklake_delete_orphaned_files('lake', older_than => {when})")
        except duckdb.Error as error:
            raise LakeError(f"数据湖整理没有完成：{str(error).splitlines()[0]}") from error
    return Tidied(expired, merged, removed, orphans)


def _expire(con: duckdb.DuckDBPyConnection, keep_days: int) -> int:
    published = last_publication(con)
    old = [
        snapshot
        for (snapshot,) in con.execute(
            "select snapshot_id from lake.snapshots() where snapshot_time < now() - to_days($1::integer) "
            "and snapshot_id < (select max(snapshot_id) from lake.snapshots())",
            [keep_days],
        ).fetchall()
        if snapshot != published
    ]
    if old:
        con.execute(f"call ducklake_expire_snapshots('lake', versions => {old})")
    return len(old)


def _count(con: duckdb.DuckDBPyConnection, call: str) -> int:
    return len(con.execute(call).fetchall())
