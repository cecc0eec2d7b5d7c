"""The publication: which evaluations' rows it contains, and the file with these rows.

An evaluation is published from the working database if all its rows come from one run and no blocking check failed in that run;
otherwise its rows in the previous publication stay. A reader that has the old file open keeps reading it. A new publication
begins as a copy of the previous one, in which the differing evaluations are replaced. If most of them differ, or another program
wrote the previous one, the new one begins empty. Keep out: the swap (`swap`), the manifest (`manifest`), the copies in Parquet
(`parquet_copies`), the reports beside the file (`reports`).
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb

from youjun_pipeline.sql import transaction
from youjun_pipeline.warehouse.closing import (
    close_due,
    forget_unpublished,
    has_unpublished,
    mark_kept,
    restate,
)
from youjun_pipeline.warehouse.connection import refuse_damaged
from youjun_pipeline.warehouse.contents import Content, fingerprint, lay_out, note_contents
from youjun_pipeline.warehouse.inputs import write_inputs
from youjun_pipeline.warehouse.manifest import (
    MANIFEST_NAME,
    Publication,
    folder_run,
    last_published,
    write_manifest,
)
from youjun_pipeline.warehouse.parquet_copies import write_parquet
from youjun_pipeline.warehouse.run import refuse_earlier
from youjun_pipeline.warehouse.standing import program_hash
from youjun_pipeline.warehouse.swap import FILE_NAME, mend, swap_in
from youjun_pipeline.warehouse.tables import Table, declared_tables, describe, fill_single_keys, sql_text
from youjun_pipeline.warehouse.views import add_views

# Every 1.x client opens files of this version; without it 1.5 could write a file that 1.0 cannot read.
STORAGE_VERSION = "v1.0.0"


class PublicationBusyError(RuntimeError):
    """A program has opened the published file for writing; readers do not block a publication."""


class PublishedInPartError(RuntimeError):
    """The file was replaced, but not everything beside it: readers have the new publication all the same."""


def recover_history(con: duckdb.DuckDBPyConnection, published: Path) -> None:
    """Fill a new working database from the publication: closed phases, the history of findings, the last as-of date.

    Everything else can be computed again. A closed phase cannot, because its files may no longer exist. A working database that
    has its history forgets what it noted for a publication that a crash prevented.
    """
    if con.execute("select count(*) from ops.publication").fetchall()[0][0]:
        if has_unpublished(con):
            with attached_previous(con, published) as previous:
                remember_previous(con, previous)
            forget_unpublished(con)
        return
    with attached_previous(con, published) as previous:
        if not previous:
            return
        there = [table for table in declared_tables().values() if _exists(con, table.full_name)]
        with transaction(con):
            for table in there:
                con.execute(f"delete from {table.full_name}")
                _copy(con, table, [f"previous.{table.full_name}"], "")


def publish(
    con: duckdb.DuckDBPyConnection, published: Path, run_id: str, as_of: date, *, unless_same: bool = False
) -> Publication:
    """Build the new file beside the old, swap it in, then make the Parquet copies; a fault before the swap keeps the old file.

    `con` is the working database with an open run (`run.begin_run`). With `unless_same` a file with the same content is not
    swapped in, because it would replace the publication to roll back to. Raises PublishedInPartError for a fault after the swap.
    """
    published.mkdir(parents=True, exist_ok=True)
    mend(published)
    building = published / f".{FILE_NAME}-{run_id}"
    try:
        with attached_previous(con, published) as previous:
            remember_previous(con, previous)
            published_at = _later_than_all(con)
            # The start of the run checked this too, but a crash may have prevented the notes that it relied on.
            refuse_earlier(con, as_of)
            _choose_sources(con, previous, as_of)
            close_due(con, as_of, published_at)
            restate(con, previous, published_at)
            carried_over = previous and _carries_over(con)
            if carried_over:
                shutil.copyfile(published / FILE_NAME, building)
            con.execute(
                f"attach {sql_text(str(building))} as publication (storage_version '{STORAGE_VERSION}')"
            )
            try:
                rows, digest = _fill(con, previous, carried_over)
                if unless_same and previous and (standing := _standing(con, published, digest)):
                    write_inputs(con, published, is_new=False)
                    return standing
                entry = [published_at, run_id, rows, digest, as_of]
                con.execute("delete from publication.ops.publication")
                con.execute("insert into publication.ops.publication from ops.publication")
                con.execute("insert into publication.ops.publication by name " + _ENTRY, entry)
                if not carried_over:
                    add_views(con, "publication")
                con.execute("checkpoint publication")
            finally:
                con.execute("detach publication")
        swap_in(building, published)
    finally:
        for leftover in published.glob(f".{FILE_NAME}-{run_id}*"):
            leftover.unlink()
    publication = Publication(published / FILE_NAME, run_id, published_at, as_of, rows, digest)
    try:
        write_manifest(published, publication)
        con.execute("insert into ops.publication by name " + _ENTRY, entry)
        write_parquet(published)
        write_inputs(con, published)
    except (OSError, duckdb.Error) as error:
        raise PublishedInPartError(
            f"发布库已更新，但它旁边的 {MANIFEST_NAME} 或 parquet/ 没有写成，仍是上一次的；排除原因后请再运行 make run：{error}"
        ) from error
    return publication


def _standing(con: duckdb.DuckDBPyConnection, published: Path, digest: str) -> Publication | None:
    """The current publication, if it has the same content as the one being built and lists the same files.

    None if a crash prevented its manifest or its Parquet copies: a new publication makes them.
    """
    entry = con.execute(
        "select run_id, published_at, as_of, rows, content_sha256 from previous.ops.publication "
        "order by published_at desc, run_id limit 1"
    ).fetchall()
    files = declared_tables()["ops.source_file"]
    known = describe(con, f"previous.{files.full_name}")
    if not entry or entry[0][-1] != digest or list(known) != list(files.columns):
        return None
    if fingerprint(con, files) != fingerprint(con, files, catalog="previous"):
        return None
    run_id, published_at, as_of, rows, content = entry[0]
    told = last_published(published)
    if told is None or told.run_id != run_id or folder_run(published, "parquet") != run_id:
        return None
    return Publication(published / FILE_NAME, run_id, published_at, as_of, rows, content, is_new=False)


def _later_than_all(con: duckdb.DuckDBPyConnection) -> datetime:
    """Now; or a second after the last publication if the clock was set back, because readers take the latest as the newest."""
    now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    last = con.execute("select max(published_at) from ops.publication").fetchall()[0][0]
    return max(now, last + timedelta(seconds=1)) if last else now


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
        refuse_damaged(path, error, read_only=True)
        if "lock" not in str(error).lower():
            raise
        raise PublicationBusyError(
            f"发布库正被另一个程序以可写方式打开，无法读取：{path}。请关闭它，或让它以只读方式打开后再试"
        ) from error
    try:
        yield True
    finally:
        con.execute("detach previous")


def remember_previous(con: duckdb.DuckDBPyConnection, previous: bool) -> None:
    """If a crash came between the swap of the file and the working database's note of it, write that note now."""
    if previous:
        con.execute(
            "insert into ops.publication by name from previous.ops.publication anti join ops.publication using (run_id)"
        )


def _choose_sources(con: duckdb.DuckDBPyConnection, previous: bool, as_of: date) -> None:
    """`publish_source`: the source of the rows of every evaluation whose district and phase still exist and which has begun."""
    marts = [t for t in declared_tables().values() if t.schema == "mart" and t.is_per_evaluation]
    con.execute(
        "create or replace temp table publish_doubtful as select district_code, phase_id from ops.passed_evaluation "
        "anti join raw.standing using (district_code, phase_id, run_id)"
    )
    doubtful = con.execute("from publish_doubtful limit 1").fetchall()
    # filtering 14 million rows takes time, so it is done only if needed
    runs = " union ".join(
        f"select district_code, phase_id, run_id from {t.full_name} semi join publish_doubtful using (district_code, phase_id)"
        for t in (marts if doubtful else marts[:1])
    )
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
            union
            select district_code, phase_id from ops.passed_evaluation
            semi join raw.standing using (district_code, phase_id, run_id)
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


def _carries_over(con: duckdb.DuckDBPyConnection) -> bool:
    """Whether most of the publication attached as `previous` can be reused; `publish_kept` lists the evaluations to reuse.

    Rows never change after they are made: rows of the same run and time are equal in every database.
    """
    columns = "select schema_name, table_name, column_name, data_type from duckdb_columns() where database_name = 'previous'"
    found: dict[str, dict[str, str]] = {}
    for schema, table, column, type_ in con.execute(columns).fetchall():
        found.setdefault(f"{schema}.{table}", {})[column] = type_
    for table in declared_tables().values():
        if list(found.get(table.full_name, ())) != list(table.columns):
            return False
    told = dict(
        con.execute(
            "select table_name, rows from previous.ops.published_table where program_sha256 = ?",
            [program_hash()],
        ).fetchall()
    )
    there = dict(
        con.execute(
            " union all ".join(f"select '{name}', count(*) from previous.{name}" for name in _counted())
        ).fetchall()
    )
    if told != there:
        return False
    con.execute(
        """
        create or replace temp table publish_kept as
        select s.district_code, s.phase_id
        from publish_source s
        join previous.mart.evaluation p using (district_code, phase_id)
        left join mart.evaluation w using (district_code, phase_id)
        where s.source = 'previous' or w.run_id = p.run_id and w.evaluated_at = p.evaluated_at
        """
    )
    kept, published, free, blocks = con.execute(
        """
        select (select count(*) from publish_kept), (select count(*) from publish_source), free_blocks, total_blocks
        from pragma_database_size() where database_name = 'previous'
        """
    ).fetchall()[0]
    # deleted rows leave free space in the file, which only a new file removes
    return bool(2 * kept >= published and 2 * free <= blocks)


def _counted() -> list[str]:
    """Full names of the tables that make up the publication's number of rows and hash."""
    return [name for name, table in declared_tables().items() if table.schema != "ops"]


def _fill(con: duckdb.DuckDBPyConnection, previous: bool, carried_over: bool) -> tuple[int, str]:
    """Fill every declared table of `publication`; returns rows and hash of all but `ops`."""
    if not carried_over:
        con.execute(f"create or replace temp table publish_kept as {_NOTHING}")
        with transaction(con):
            lay_out(con)
    contents = {}
    for table in declared_tables().values():
        if table.full_name in ("ops.publication", "ops.published_table"):
            continue
        content = _replace(con, table, previous, carried_over)
        if table.schema != "ops":
            contents[table.full_name] = content
    return note_contents(con, contents, program_hash())


def _replace(con: duckdb.DuckDBPyConnection, table: Table, previous: bool, carried_over: bool) -> Content:
    """Bring one table of `publication` up to date: rows of evaluations that are not in `publish_kept` are replaced."""
    name = f"publication.{table.full_name}"
    # a reused evaluation may have been closed since, and its as-of day may have changed
    by_evaluation = (
        table.schema == "mart" and table.is_per_evaluation and table.full_name != "mart.evaluation"
    )
    if not (carried_over and by_evaluation):
        con.execute(f"delete from {name}")
        _copy(con, table, _sources(con, table, previous), "publication.")
        mark_kept(con, table)
        return fingerprint(con, table, "")
    others = "anti join publish_kept using (district_code, phase_id)"
    before = con.execute(
        "select rows, content_sum from previous.ops.published_table where table_name = ?", [table.full_name]
    ).fetchall()[0]
    gone = fingerprint(con, table, others)
    if gone.rows:
        con.execute(
            f"delete from {name} t where not exists (from publish_kept k "
            "where k.district_code = t.district_code and k.phase_id = t.phase_id)"
        )
    _copy(con, table, _sources(con, table, previous), "publication.", others)
    come = fingerprint(con, table, others)
    return Content(before[0] - gone.rows + come.rows, int(before[1]) - gone.total + come.total)


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
            # some checks are about the data folder itself and about removed districts
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
    """Whether the previous publication has a table; an older version may have written it."""
    return bool(describe(con, f"previous.{full_name}"))


def _copy(con: duckdb.DuckDBPyConnection, table: Table, sources: list[str], to: str, only: str = "") -> None:
    """Insert the union of `sources` in the order of the key, so that equal content gives equal files."""
    union = " union all by name ".join(f"from {source}" for source in sources)
    # a publication of an older version may lack a column, even a column that is now part of the key
    known = {row[0] for row in con.execute(f"describe {union}").fetchall()}
    order = ", ".join(f'"{c}"' for c in table.key if c in known) or "all"
    columns = ", ".join(f'"{c}"' for c in table.columns if c in known)
    rows = f"select {columns} from ({union}) {only} order by {order}"
    con.execute(f"insert into {to}{table.full_name} ({columns}) {rows}")
    fill_single_keys(con, table, to)
