"""Opens a lake: DuckLake with its catalogue in PostgreSQL (or one DuckDB file) and Parquet in a folder or on S3.

Belongs here: loading the extensions, attaching, the tables of the lake, which snapshot is the last publication. Keep out: what is
published (`lake_publication`), and the removal of old snapshots (`lake_care`).

DuckLake has no locks. If two transactions replace rows of the same table, only one can be committed; the second gets an error and
tries again (`committed`).
"""

from __future__ import annotations

import importlib.util
import json
import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import duckdb

from youjun_pipeline.settings import Lake
from youjun_pipeline.sql import transaction
from youjun_pipeline.warehouse.connection import IN_MEMORY, connect
from youjun_pipeline.warehouse.contents import lay_out
from youjun_pipeline.warehouse.tables import declared_tables, sql_text

AUTHOR = "youjun"
# Sixteen workers that end in the same second wait for each other for some seconds.
TRIES = 40
CONFLICT = "conflict"
# One row for each share of the districts: what its worker published last, and whether a publication includes it.
_SHARD_TABLE = """
    create table if not exists lake.ops.shard (
        shard integer, shards integer, run_id varchar, as_of date, pushed_at timestamp, program_sha256 varchar,
        is_taken boolean, table_names varchar[], table_rows bigint[], content_sums varchar[]
    )
"""
T = TypeVar("T")


class LakeError(RuntimeError):
    """A lake that cannot be opened or written; the message is for its operator and contains no password."""


@contextmanager
def open_lake(
    lake: Lake, *, read_only: bool = False, snapshot: int | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection in memory with the lake attached as `lake`; with `snapshot`, in the state of that snapshot.

    Raises LakeError if an extension is missing or the catalogue does not answer.
    """
    with connect(IN_MEMORY) as con:
        attach_lake(con, lake, "lake", read_only=read_only, snapshot=snapshot)
        yield con


def attach_lake(
    con: duckdb.DuckDBPyConnection,
    lake: Lake,
    name: str,
    *,
    read_only: bool = False,
    snapshot: int | None = None,
) -> None:
    """Attach the lake as `name` to an open database, as `open_lake` does; raises LakeError."""
    for extension in _extensions(lake):
        _load(con, extension)
    if lake.data.startswith("s3://"):
        con.execute(_s3_secret())
    # Small inserts stored as rows of a catalogue in a DuckDB file would lose the last digit of a DOUBLE (DuckLake of 1.5.5).
    options = [f"data_path {sql_text(lake.data)}", "data_inlining_row_limit 0"]
    if snapshot is not None:
        options.append(f"snapshot_version {snapshot}")
    if read_only or snapshot is not None:
        options.append("read_only")
    if "://" not in lake.data and not read_only:
        Path(lake.data).mkdir(parents=True, exist_ok=True)
    _attach(con, lake, name, ", ".join(options))


def _attach(con: duckdb.DuckDBPyConnection, lake: Lake, name: str, options: str) -> None:
    """Attach the lake, or create it if it does not exist; if several workers create it at once, one of them is first."""
    for tried in range(TRIES):
        try:
            con.execute(f"attach {sql_text('ducklake:' + lake.catalogue)} as {name} ({options})")
            return
        except duckdb.Error as error:
            if not any(word in str(error) for word in _MADE_BY_ANOTHER) or tried == 4:
                raise LakeError(f"数据湖无法打开：{_without_password(str(error), lake)}") from None
        time.sleep(random.uniform(0.5, 2))


_MADE_BY_ANOTHER = ("already exists", "duplicate key")


def _extensions(lake: Lake) -> list[str]:
    needed = ["ducklake"]
    if lake.catalogue.startswith("postgres:"):
        needed.append("postgres_scanner")
    if lake.data.startswith("s3://"):
        needed.append("httpfs")
    return needed


def _load(con: duckdb.DuckDBPyConnection, name: str) -> None:
    """Load an extension from its wheel (the extra `scale`), or let DuckDB download it if there is a network."""
    found = importlib.util.find_spec(f"duckdb_extension_{name}")
    version = con.execute("select version()").fetchall()[0][0]
    for folder in (found and found.submodule_search_locations) or ():
        file = Path(folder) / "extensions" / version / f"{name}.duckdb_extension"
        if file.exists():
            con.execute(f"load {sql_text(str(file))}")
            return
    try:
        con.execute(f"install {name}")
        con.execute(f"load {name}")
    except duckdb.Error as error:
        raise LakeError(
            f"没有 DuckDB {version} 的扩展 {name}：请安装附加包 pip install 'youjun-pipeline[scale]'，或联网后再试"
        ) from error


def _s3_secret() -> str:
    """The access to S3, from the environment variables that every S3 client reads."""
    env = os.environ
    endpoint = env.get("AWS_ENDPOINT_URL_S3") or env.get("AWS_ENDPOINT_URL") or ""
    parts = {
        "key_id": env.get("AWS_ACCESS_KEY_ID", ""),
        "secret": env.get("AWS_SECRET_ACCESS_KEY", ""),
        "session_token": env.get("AWS_SESSION_TOKEN", ""),
        "region": env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or "us-east-1",
        "endpoint": endpoint.split("://")[-1].rstrip("/"),
        # a self-hosted server finds its buckets by the path
        "url_style": "path" if endpoint else "",
    }
    said = [f"{name} {sql_text(value)}" for name, value in parts.items() if value]
    if endpoint.startswith("http://"):
        said.append("use_ssl false")
    return f"create or replace secret lake_files (type s3, {', '.join(said)})"


def _without_password(message: str, lake: Lake) -> str:
    """The first line of DuckDB's message, without the address, which may contain a password."""
    return message.replace(lake.catalogue, "…").splitlines()[0]


def lay_out_lake(con: duckdb.DuckDBPyConnection) -> bool:
    """Create what is missing in the attached lake; returns whether existing tables had other columns.

    New columns are added, dropped columns are removed; the rows of other shares of the districts keep their other columns.
    """
    there: dict[str, dict[str, str]] = {}
    for schema, table, column, type_ in con.execute(
        "select schema_name, table_name, column_name, data_type from duckdb_columns() where database_name = 'lake'"
    ).fetchall():
        there.setdefault(f"{schema}.{table}", {})[column] = type_
    declared = declared_tables()
    changed = False
    if declared.keys() - there.keys() or "ops.shard" not in there:

        def lay_out_all() -> None:
            lay_out(con, "lake")
            con.execute(_SHARD_TABLE)

        committed(con, lay_out_all)
    for name in declared.keys() & there.keys():
        wanted = {column: type_ for column, (type_, _) in declared[name].columns.items()}
        changed |= reshape(con, f"lake.{name}", there[name], wanted)
    return changed


def reshape(con: duckdb.DuckDBPyConnection, name: str, there: dict[str, str], wanted: dict[str, str]) -> bool:
    """Give a table of the lake (`lake.<schema>.<table>`) the columns in `wanted`; returns whether it had other columns."""
    gone = [c for c in there if c not in wanted]
    come = [c for c in wanted if c not in there]
    if not gone and not come:
        return False
    with transaction(con):
        for column in gone:
            con.execute(f'alter table {name} drop column "{column}"')
        for column in come:
            con.execute(f'alter table {name} add column "{column}" {wanted[column]}')
    return True


def committed(con: duckdb.DuckDBPyConnection, work: Callable[[], T]) -> T:
    """Do `work` in one transaction of the lake; if another writer was first, repeat it from the start.

    Raises LakeError if other writers were first every time.
    """
    for tried in range(TRIES):
        try:
            with transaction(con):
                return work()
        except duckdb.Error as error:
            if CONFLICT not in str(error).lower():
                raise LakeError(f"数据湖无法写入：{str(error).splitlines()[0]}") from error
        # Half a second at first, which is the time to write a small share.
        time.sleep(random.uniform(0.2, 0.5) * min(tried + 1, 6))
    raise LakeError("数据湖一直被其他任务写入，没有发布")


@dataclass(frozen=True)
class Tagged:
    """A snapshot that is a publication: its number, its run, and the hash of its content."""

    snapshot: int
    run_id: str
    content: str


def publications(con: duckdb.DuckDBPyConnection) -> list[Tagged]:
    """The publications in the attached lake, the last one first, as far as their snapshots still exist."""
    found = con.execute(
        "select snapshot_id, commit_extra_info from lake.snapshots() "
        "where author = $1 and commit_message like 'publication %' order by snapshot_id desc",
        [AUTHOR],
    ).fetchall()
    told = [(snapshot, json.loads(extra)) for snapshot, extra in found]
    return [Tagged(snapshot, said["run_id"], said["content_sha256"]) for snapshot, said in told]


def last_publication(con: duckdb.DuckDBPyConnection) -> int | None:
    """The snapshot of the last publication in the attached lake; None if there is none yet."""
    found = publications(con)
    return found[0].snapshot if found else None
