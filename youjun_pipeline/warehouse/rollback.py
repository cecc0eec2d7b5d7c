"""Rolls the publication back to the previous one.

Belongs here: the swap of the two files, the note in the manifest, and putting the working database aside. It contains the
withdrawn publication (its as-of date, the phases it closed), so the next refresh makes a new one from the files and from the
current publication. Keep out: publishing (`publication`).
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from youjun_pipeline.warehouse.connection import WarehouseBusyError, connect
from youjun_pipeline.warehouse.inputs import change_back
from youjun_pipeline.warehouse.manifest import Publication, note_rollback, write_manifest
from youjun_pipeline.warehouse.parquet_copies import write_parquet
from youjun_pipeline.warehouse.swap import FILE_NAME, PREVIOUS_NAME, mend, sync


class RollbackError(RuntimeError):
    """There is no previous publication, or it cannot be read; the publication stays as it is."""


def roll_back(warehouse: Path, published: Path, as_of: str | None = None) -> Publication:
    """Swap publication and inputs with the previous ones, remake the Parquet copies, put the working database aside.

    A second call swaps them back. With `as_of` it rolls back only to a publication as of that day.

    No refresh may publish meanwhile, so an existing working database is locked; a damaged one does not prevent the rollback.
    Raises RollbackError, or WarehouseBusyError if a refresh is running.
    """
    with ExitStack() as stack:
        if warehouse.exists():
            try:
                stack.enter_context(connect(warehouse)).execute("checkpoint")
            except WarehouseBusyError:
                raise
            except duckdb.Error:
                pass
        mend(published)
        current, spare = published / FILE_NAME, published / f".{PREVIOUS_NAME}"
        earlier = _described(published / PREVIOUS_NAME, current)
        if as_of and as_of != earlier.as_of.isoformat():
            raise RollbackError(f"上一次发布的截止日期是 {earlier.as_of}，不是 {as_of}，没有回退")
        later = _run_of(current)
        # Readers find a complete file at any moment. A crash between the two steps leaves the later file under its spare name,
        # where `mend` finds it.
        if current.exists():
            os.link(current, spare)
        os.replace(published / PREVIOUS_NAME, current)
        if spare.exists():
            os.replace(spare, published / PREVIOUS_NAME)
        sync(published)
        write_manifest(published, earlier)
        change_back(published)
        note_rollback(published, datetime.now(UTC).replace(tzinfo=None, microsecond=0), later)
        write_parquet(published)
        # This happens under the lock, so that no process has begun to write into it. A damaged database may have left a
        # write-ahead log, which goes too.
        for suffix in ("", ".wal"):
            if Path(f"{warehouse}{suffix}").exists():
                os.replace(f"{warehouse}{suffix}", f"{aside(warehouse)}{suffix}")
    return earlier


def aside(warehouse: Path) -> Path:
    """Where a rollback puts the working database of the withdrawn publication."""
    return warehouse.with_name(f"{warehouse.name}.before-rollback")


def _described(path: Path, becomes: Path) -> Publication:
    """The description of a publication in the file at `path`; raises RollbackError if it cannot be read."""
    if not path.exists():
        raise RollbackError(f"没有上一次的发布库 {path}，无法回退；请从备份恢复，或重新运行 make run")
    try:
        with connect(path, read_only=True) as con:
            found = con.execute(
                "select run_id, published_at, as_of, rows, content_sha256 from ops.publication "
                "order by published_at desc, run_id limit 1"
            ).fetchall()
    except duckdb.Error as error:
        raise RollbackError(f"上一次的发布库 {path} 无法读取，没有回退：{error}") from error
    if not found:
        raise RollbackError(f"上一次的发布库 {path} 中没有发布记录，没有回退")
    run_id, published_at, as_of, rows, digest = found[0]
    return Publication(becomes, run_id, published_at, as_of, rows, digest)


def _run_of(path: Path) -> str:
    """The run of the withdrawn publication; empty if the file cannot be read, which may be the reason for the rollback."""
    try:
        return _described(path, path).run_id
    except RollbackError:
        return ""
