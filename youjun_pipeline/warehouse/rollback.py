"""Rolling the publication back to the one before it.

Belongs here: the swap of the two files, the note of it in the manifest, and putting the working database aside: it knows of
the publication that was withdrawn (its as-of date, the phases it closed), and the next refresh makes it anew from the files
and from the publication that stands. Keep out: publishing (`publication`).
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
    """There is nothing to go back to, or what there is cannot be read; the publication stays as it is."""


def roll_back(warehouse: Path, published: Path, as_of: str | None = None) -> Publication:
    """Swap publication and inputs with those before, remake the Parquet copies, put the working database aside.

    Called again it swaps them back. With `as_of` only to a publication as of that day.

    A refresh must not publish meanwhile, so the working database is held where there is one; a broken one does not prevent it.
    Raises RollbackError, or WarehouseBusyError while a refresh runs.
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
        # Readers find a whole file at any moment. A crash between the two leaves the later one under its spare name,
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
        # While the lock is held, so that nobody can have begun to write into it; with its write-ahead log, if a
        # broken one has left it.
        for suffix in ("", ".wal"):
            if Path(f"{warehouse}{suffix}").exists():
                os.replace(f"{warehouse}{suffix}", f"{aside(warehouse)}{suffix}")
    return earlier


def aside(warehouse: Path) -> Path:
    """Where a rollback puts the working database of the publication that was withdrawn."""
    return warehouse.with_name(f"{warehouse.name}.before-rollback")


def _described(path: Path, becomes: Path) -> Publication:
    """What the file at `path` says of itself; raises RollbackError if it cannot be read."""
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
    """The run that made the publication rolled back from, empty when it cannot say: it may be the reason for going back."""
    try:
        return _described(path, path).run_id
    except RollbackError:
        return ""
