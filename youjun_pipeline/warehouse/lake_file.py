"""From the lake to a file: the complete publication for readers, or a share of the districts for the machine that computes it.

Belongs here: filling a published file from a lake, and whether a worker's own file agrees with the lake's state of its share.
Keep out: the other direction (`lake_publication`). The tables of deliveries (`inputs/`) are not copied here.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb

from youjun_pipeline.settings import Lake, Shard
from youjun_pipeline.sql import transaction
from youjun_pipeline.warehouse.catalogues import load_standard
from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline.warehouse.contents import fingerprint, lay_out, note_contents
from youjun_pipeline.warehouse.lake import LakeError, last_publication, open_lake, publications
from youjun_pipeline.warehouse.manifest import Publication, last_published, write_manifest
from youjun_pipeline.warehouse.parquet_copies import write_parquet
from youjun_pipeline.warehouse.publication import STORAGE_VERSION
from youjun_pipeline.warehouse.rollback import aside
from youjun_pipeline.warehouse.swap import FILE_NAME, mend, swap_in
from youjun_pipeline.warehouse.tables import Table, declared_tables, ensure_tables, sql_text
from youjun_pipeline.warehouse.views import add_views

_NEWEST = "select run_id, published_at, as_of, rows, content_sha256 from {} order by published_at desc, run_id limit 1"


def pull(lake: Lake, published: Path) -> Publication:
    """Make the last publication of the lake the published file in the folder `published`; the previous file is kept.

    Its manifest and Parquet copies are made too; the folders of reports stay as they are. Raises LakeError if there is no
    publication, or if the rows do not have its hash.
    """
    with open_lake(lake, read_only=True) as con:
        snapshot = last_publication(con)
    if snapshot is None:
        raise LakeError("数据湖中还没有发布")
    with open_lake(lake, snapshot=snapshot) as con:
        program = _one(con, "select any_value(program_sha256) from lake.ops.published_table")
        entry = con.execute(_NEWEST.format("lake.ops.publication")).fetchall()[0]
        _fill(con, published, "true", str(program), "from lake.ops.publication", entry)
    made = Publication(published / FILE_NAME, *entry)
    write_manifest(published, made)
    write_parquet(published)
    return made


def pull_when_new(lake: Lake, warehouse: Path, published: Path) -> Publication:
    """`pull`, unless the present file is this publication already; a working database of another publication is put aside.

    Raises LakeError, or WarehouseBusyError if a refresh holds the working database.
    """
    with open_lake(lake, read_only=True) as con:
        found = publications(con)
    if not found:
        raise LakeError("数据湖中还没有发布")
    standing = last_published(published)
    if standing and standing.run_id == found[0].run_id and standing.path.exists():
        return replace(standing, is_new=False)
    with connect(warehouse):
        made = pull(lake, published)
        put_aside(warehouse)
    return made


def ready_share(lake: Lake, shard: Shard, warehouse: Path, published: Path) -> None:
    """Let a worker continue from the lake's state of its share if another machine or other shares made that state.

    Then its own working database and file are deleted: they are older, and a phase that was closed since would open again.
    """
    # not read-only, so that a missing lake is created
    with open_lake(lake) as con:
        if not con.execute(
            "select 1 from duckdb_tables() where database_name = 'lake' and table_name = 'shard'"
        ).fetchall():
            return
        told = con.execute(
            "select run_id, pushed_at, as_of, program_sha256 from lake.ops.shard where shard = $1 and shards = $2",
            [shard.number, shard.of],
        ).fetchall()
        if _has(published, told[0][0] if told else None):
            return
        codes = [
            code
            for (code,) in con.execute("select distinct district_code from lake.mart.evaluation").fetchall()
            if shard.takes(code)
        ]
        if not told and not codes:
            return
        for leftover in (warehouse, Path(f"{warehouse}.wal")):
            leftover.unlink(missing_ok=True)
        shutil.rmtree(published, ignore_errors=True)
        of_share = f"district_code in ({', '.join(map(sql_text, codes)) or 'null'})"
        if shard.number == 1:
            of_share += " or district_code is null"
        run_id, pushed_at, as_of, program = told[0] if told else (None, None, None, "")
        history = "from lake.ops.publication"
        if run_id is not None:
            history = _with_share(run_id, pushed_at, as_of)
        _fill(con, published, of_share, program, history, None)


def _with_share(run_id: str, pushed_at: datetime, as_of: date) -> str:
    """The publications of the lake, with the last push of the share as the newest one."""
    return (
        f"from lake.ops.publication where run_id <> {sql_text(run_id)} union all by name select "
        f"timestamp '{pushed_at}' as published_at, {sql_text(run_id)} as run_id, 0::bigint as rows, "
        f"'' as content_sha256, date '{as_of}' as as_of"
    )


def _has(published: Path, run_id: str | None) -> bool:
    """Whether a worker's file exists and contains the last run of its share in the lake, if the lake has such a run."""
    path = published / FILE_NAME
    if not path.exists():
        return False
    if run_id is None:
        return True
    with connect(path, read_only=True) as con:
        # An older run of the file will do: then the file was published later, and the lake could not be reached.
        return bool(con.execute("select 1 from ops.publication where run_id = $1", [run_id]).fetchall())


def _one(con: duckdb.DuckDBPyConnection, sql: str) -> Any:
    return con.execute(sql).fetchall()[0][0]


def _fill(
    con: duckdb.DuckDBPyConnection,
    published: Path,
    only: str,
    program: str,
    history: str,
    expected: tuple[str, datetime, date, int, str] | None,
) -> None:
    """Build the file from the lake's rows that meet the condition `only`, and swap it in."""
    published.mkdir(parents=True, exist_ok=True)
    mend(published)
    building = published / f".{FILE_NAME}-from-lake"
    ensure_tables(con)
    con.execute("create schema if not exists standard")
    load_standard(con)
    try:
        con.execute(f"attach {sql_text(str(building))} as publication (storage_version '{STORAGE_VERSION}')")
        with transaction(con):
            lay_out(con)
        contents = {}
        # The transaction reads one state of the lake, even if others write. It writes only to the file: DuckDB allows one
        # database.
        with transaction(con):
            for name, table in declared_tables().items():
                if name != "ops.published_table":
                    _copy(con, table, only, history)
        for name, table in declared_tables().items():
            if table.schema != "ops":
                contents[name] = fingerprint(con, table)
        found = note_contents(con, contents, program)
        if expected and found != (expected[3], expected[4]):
            raise LakeError(
                f"数据湖中的内容与发布记录不符：{found[0]} 行，应为 {expected[3]} 行；没有写成文件"
            )
        add_views(con, "publication")
        con.execute("checkpoint publication")
        con.execute("detach publication")
        swap_in(building, published)
    finally:
        for leftover in published.glob(f".{FILE_NAME}-from-lake*"):
            leftover.unlink()


def _copy(con: duckdb.DuckDBPyConnection, table: Table, only: str, history: str) -> None:
    columns = ", ".join(f'"{c}"' for c in table.columns)
    order = ", ".join(f'"{c}"' for c in table.key) or "all"
    where = f"where {only}" if "district_code" in table.columns else ""
    source = f"({history})" if table.full_name == "ops.publication" else f"lake.{table.full_name}"
    con.execute(
        f"insert into publication.{table.full_name} ({columns}) select {columns} from {source} t {where} order by {order}"
    )


def put_aside(warehouse: Path) -> None:
    """Move the working database away: it belongs to another publication than the pulled one."""
    for suffix in ("", ".wal"):
        if Path(f"{warehouse}{suffix}").exists():
            os.replace(f"{warehouse}{suffix}", f"{aside(warehouse)}{suffix}")
