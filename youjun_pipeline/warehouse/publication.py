"""The publication: a gated copy of the declared tables in one DuckDB file, swapped in whole.

An evaluation is published from the working database when all its rows come from one run and no blocking check failed
for that run; otherwise its rows of the previous publication stay. A reader that has the old file open keeps reading it.
Keep out: the reports that stand beside the file (`reports`).
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb

from youjun_pipeline.warehouse.closing import close_due, restate
from youjun_pipeline.warehouse.connection import transaction
from youjun_pipeline.warehouse.tables import Table, declared_tables, describe, sql_text
from youjun_pipeline.warehouse.views import add_views

FILE_NAME = "youjun.duckdb"
PREVIOUS_NAME = "youjun.previous.duckdb"
MANIFEST_NAME = "manifest.json"
# Files of this version are opened by every 1.x client; 1.5 would otherwise be free to write what 1.0 cannot read.
STORAGE_VERSION = "v1.0.0"
NOT_CONTENT = ("run_id", "evaluated_at", "checked_at", "published_at", "restated_at")


class PublicationBusyError(RuntimeError):
    """A program has opened the published file for writing; whoever only reads stands in nobody's way."""


@dataclass(frozen=True)
class Publication:
    """What was published: the file, when, by which run, its rows and the hash of its content."""

    path: Path
    run_id: str
    published_at: datetime
    as_of: date
    rows: int
    content_sha256: str


def recover_history(con: duckdb.DuckDBPyConnection, published: Path) -> None:
    """Fill a new working database from the publication: closed phases, the history of findings, the last as-of date.

    What can be computed again will be; what is closed could not, its files may be long gone.
    """
    if con.execute("select count(*) from ops.publication").fetchall()[0][0]:
        return
    with attached_previous(con, published) as previous:
        if not previous:
            return
        with transaction(con):
            for table in declared_tables().values():
                if _exists(con, table.full_name):
                    con.execute(f"delete from {table.full_name}")
                    _copy(con, table, [f"previous.{table.full_name}"], "")


def publish(con: duckdb.DuckDBPyConnection, published: Path, run_id: str, as_of: date) -> Publication:
    """Build the new file beside the old, swap it in, then the Parquet copies; on any fault the old file stays.

    `con` is the working database with the run begun in it (`run.begin_run`).
    """
    published.mkdir(parents=True, exist_ok=True)
    for leftover in published.glob(f".{FILE_NAME}-*"):
        leftover.unlink()
    building = published / f".{FILE_NAME}-{run_id}"
    published_at = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    try:
        with attached_previous(con, published) as previous:
            _remember_previous(con, previous)
            _choose_sources(con, previous, as_of)
            close_due(con, as_of, published_at)
            restate(con, previous, published_at)
            con.execute(
                f"attach {sql_text(str(building))} as publication (storage_version '{STORAGE_VERSION}')"
            )
            try:
                rows, digest = _fill(con, previous)
                entry = [published_at, run_id, rows, digest, as_of]
                con.execute("insert into publication.ops.publication from ops.publication")
                con.execute("insert into publication.ops.publication by name " + _ENTRY, entry)
                add_views(con, "publication")
                con.execute("checkpoint publication")
            finally:
                con.execute("detach publication")
        _swap_in(building, published)
        con.execute("insert into ops.publication by name " + _ENTRY, entry)
    finally:
        for leftover in published.glob(f".{FILE_NAME}-{run_id}*"):
            leftover.unlink()
    publication = Publication(published / FILE_NAME, run_id, published_at, as_of, rows, digest)
    write_parquet(publication, published)
    return publication


_ENTRY = "select $1::timestamp as published_at, $2 as run_id, $3::bigint as rows, $4 as content_sha256, $5::date as as_of"


@contextmanager
def attached_previous(con: duckdb.DuckDBPyConnection, published: Path) -> Iterator[bool]:
    """Attach the current publication read-only as `previous` for the block; yields whether there is one."""
    path = published / FILE_NAME
    if not path.exists():
        yield False
        return
    try:
        con.execute(f"attach {sql_text(str(path))} as previous (read_only)")
    except duckdb.IOException as error:
        if "lock" not in str(error).lower():
            raise
        raise PublicationBusyError(
            f"发布库正被另一个程序以可写方式打开，无法读取：{path}。请关闭它，或让它以只读方式打开后再试"
        ) from error
    try:
        yield True
    finally:
        con.execute("detach previous")


def _remember_previous(con: duckdb.DuckDBPyConnection, previous: bool) -> None:
    """Make up for a crash between the swap of the file and the working database's note of it."""
    if previous:
        con.execute(
            "insert into ops.publication by name from previous.ops.publication anti join ops.publication using (run_id)"
        )


def _choose_sources(con: duckdb.DuckDBPyConnection, previous: bool, as_of: date) -> None:
    """`publish_source`: for every evaluation whose district and phase still stand and have begun, where its rows come from."""
    marts = [t for t in declared_tables().values() if t.schema == "mart" and t.is_per_evaluation]
    runs = " union ".join(f"select district_code, phase_id, run_id from {t.full_name}" for t in marts)
    kept = "select district_code, phase_id from previous.mart.evaluation" if previous else _NOTHING
    con.execute(
        f"""
        create or replace temp table publish_source as
        with one_run as (
            select district_code, phase_id, any_value(run_id) as run_id from ({runs})
            group by district_code, phase_id having count(*) = 1
        ), good as (
            -- a crash or a partial selection leaves rows that are not those of the run that passed
            select district_code, phase_id from one_run
            semi join ops.passed_evaluation using (district_code, phase_id, run_id)
        ), candidate as (
            select district_code, phase_id, 'working' as source from good
            union all by name
            select district_code, phase_id, 'previous' as source from ({kept}) anti join good using (district_code, phase_id)
        )
        from candidate semi join (from raw.phase where starts <= $1::date) using (district_code, phase_id)
        """,
        [as_of],
    )


_NOTHING = "select null::varchar as district_code, null::varchar as phase_id where false"


def _fill(con: duckdb.DuckDBPyConnection, previous: bool) -> tuple[int, str]:
    """Create and fill every declared table of `publication`; returns rows and hash of all but `ops`."""
    rows, hashes = 0, []
    for schema in dict.fromkeys(t.schema for t in declared_tables().values()):
        con.execute(f"create schema publication.{schema}")
    for table in declared_tables().values():
        name = f"publication.{table.full_name}"
        con.execute(table.create_sql(name))
        if table.full_name != "ops.publication":
            _copy(con, table, _sources(con, table, previous), "publication.")
        con.execute(";".join(table.comment_sql("publication")))
        if table.schema != "ops":
            count, digest = _fingerprint(con, table)
            rows += count
            hashes.append(f"{table.full_name}:{digest}")
    whole = con.execute(
        "select sha256(string_agg(h, ';')) from (select unnest($1::varchar[]) as h)", [hashes]
    )
    return rows, whole.fetchall()[0][0]


def _sources(con: duckdb.DuckDBPyConnection, table: Table, previous: bool) -> list[str]:
    """The SELECTs whose union is the published table."""
    if not (table.schema == "mart" and table.is_per_evaluation):
        if "district_code" not in table.columns:
            return [table.full_name]
        stands = "district_code in (select district_code from raw.district)"
        if table.schema == "quality" and "phase_id" in table.columns:
            phases = "select district_code, phase_id from raw.phase"
            stands += f" and (phase_id is null or (district_code, phase_id) in ({phases}))"
        if "check_name" in table.columns:
            # checks also speak of the data folder itself and of what is gone from it
            stands += " or district_code is null or check_name = 'folder_is_present'"
        return [f"(from {table.full_name} where {stands})"]
    picked = (
        "(from {}{} t semi join publish_source s"
        " on t.district_code = s.district_code and t.phase_id = s.phase_id and s.source = '{}')"
    )
    sources = [picked.format("", table.full_name, "working")]
    if previous and _exists(con, table.full_name):
        sources.append(picked.format("previous.", table.full_name, "previous"))
    return sources


def _exists(con: duckdb.DuckDBPyConnection, full_name: str) -> bool:
    """Whether the previous publication, which may be of an older version, has a table."""
    return bool(describe(con, f"previous.{full_name}"))


def _copy(con: duckdb.DuckDBPyConnection, table: Table, sources: list[str], catalog: str) -> None:
    """Insert the union of `sources` in the order of the key, so that equal content is stored equally."""
    union = " union all by name ".join(f"from {source}" for source in sources)
    # a publication of an older version may lack a column, even one that is part of the key by now
    known = {row[0] for row in con.execute(f"describe {union}").fetchall()}
    order = ", ".join(f'"{c}"' for c in table.key if c in known) or "all"
    columns = ", ".join(f'"{c}"' for c in table.columns if c in known)
    con.execute(
        f"insert into {catalog}{table.full_name} ({columns}) select {columns} from ({union}) order by {order}"
    )


def _fingerprint(con: duckdb.DuckDBPyConnection, table: Table) -> tuple[int, str]:
    """Row count and hash of a published table's rows in order, without run ids and timestamps."""
    columns = ", ".join(f'"{c}"' for c in table.columns if c not in NOT_CONTENT)
    return con.execute(f"""
        select count(*), coalesce(sha256(string_agg(h, '' order by h)), '')
        from (select sha256(r::varchar) as h from (select {columns} from publication.{table.full_name}) r)
    """).fetchall()[0]


def _swap_in(building: Path, published: Path) -> None:
    """Make `building` the publication in one step that survives a crash; the one before it is kept."""
    current, spare = published / FILE_NAME, published / f".{PREVIOUS_NAME}"
    sync(building)
    if current.exists():
        spare.unlink(missing_ok=True)
        os.link(current, spare)
        os.replace(spare, published / PREVIOUS_NAME)
    os.replace(building, current)
    sync(published)


def sync(path: Path) -> None:
    """Have the disk hold what was written to a file, or to a folder by renaming."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_parquet(publication: Publication, published: Path) -> None:
    """One folder per table under `parquet/`, written beside and swapped whole, then named in the manifest."""
    building = published / ".parquet-new"
    shutil.rmtree(building, ignore_errors=True)
    con = duckdb.connect(str(publication.path), read_only=True)
    try:
        for table in declared_tables().values():
            folder = building / table.full_name
            folder.mkdir(parents=True)
            target = sql_text(str(folder / f"{table.name}.parquet"))
            con.execute(f"copy {table.full_name} to {target} (format parquet, compression zstd)")
    finally:
        con.close()
    swap_folder(building, published / "parquet")
    write_manifest(published, publication, ["parquet"])


def swap_folder(building: Path, target: Path) -> None:
    """Put the finished folder `building` in the place of `target`."""
    retired = target.with_name(f".{target.name}-old")
    shutil.rmtree(retired, ignore_errors=True)
    if target.exists():
        os.rename(target, retired)
    os.rename(building, target)
    shutil.rmtree(retired, ignore_errors=True)


def write_manifest(published: Path, publication: Publication, folders: list[str]) -> None:
    """Describe the publication and name it as the one that each of `folders` belongs to; others keep theirs."""
    manifest = _manifest(published)
    manifest.pop("rolled_back", None)
    manifest["publication"] = {
        "file": FILE_NAME,
        "run_id": publication.run_id,
        "published_at": publication.published_at.isoformat(),
        "as_of": publication.as_of.isoformat(),
        "rows": publication.rows,
        "content_sha256": publication.content_sha256,
    }
    _replace_manifest(published, manifest, folders)


def name_folders(published: Path, folders: list[str]) -> None:
    """Name the standing publication as the one that each of `folders` belongs to."""
    _replace_manifest(published, _manifest(published), folders)


def note_rollback(published: Path, at: datetime, from_run: str) -> None:
    """Say in the manifest when the publication was rolled back and from which run; the next publication drops the note."""
    note = {"rolled_back": {"at": at.isoformat(), "from_run_id": from_run}}
    _replace_manifest(published, _manifest(published) | note, [])


def _manifest(published: Path) -> dict[str, Any]:
    path = published / MANIFEST_NAME
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def _replace_manifest(published: Path, manifest: dict[str, Any], folders: list[str]) -> None:
    """Write `manifest` with each of `folders` under the run of its publication."""
    run_id = manifest.get("publication", {}).get("run_id")
    manifest["folders"] = manifest.get("folders", {}) | dict.fromkeys(folders, run_id)
    path = published / MANIFEST_NAME
    building = path.with_name(f".{MANIFEST_NAME}")
    building.write_text(json.dumps(manifest, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    os.replace(building, path)
