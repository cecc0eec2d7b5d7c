"""Publishes to a lake: the content of a published file goes to the lake, and a snapshot becomes the publication.

A worker pushes its share of the districts (`push`) in one transaction, completely or not at all. The publication is a snapshot
that contains all shares, tagged with the run. Readers use the tagged snapshot and see nothing of the next night until it is
tagged. The published file decides which rows are published (`publication`). Keep out: opening a lake (`lake`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb

from youjun_pipeline.settings import Lake, Shard
from youjun_pipeline.warehouse.contents import Content, fingerprint, note_contents
from youjun_pipeline.warehouse.inputs import FOLDER as INPUTS
from youjun_pipeline.warehouse.lake import AUTHOR, committed, lay_out_lake, open_lake
from youjun_pipeline.warehouse.lake_inputs import (
    find_changed_inputs,
    lay_out_inputs,
    put_inputs,
    source_tables,
)
from youjun_pipeline.warehouse.manifest import folder_run
from youjun_pipeline.warehouse.swap import FILE_NAME
from youjun_pipeline.warehouse.tables import Table, declared_tables, sql_text

WHOLE = Shard(1, 1)
_TOLD = ("ops.publication", "ops.published_table")


@dataclass(frozen=True)
class Pushed:
    """The result of a push: the number of replaced evaluations and tables, and the publication that it completed, if any."""

    evaluations: int
    tables: int
    published: str | None


def push(published: Path, lake: Lake, shard: Shard | None = None, as_of: date | None = None) -> Pushed:
    """Bring the lake up to the published file in the folder `published`, which has all districts or those of `shard`.

    `as_of` is the day of the run. A share without changes publishes no file, but counts as complete for that day too. Evaluations
    that the lake has from the same run stay as they are. Tags a publication if one is due (`Lake.wait`). Raises LakeError.
    """
    share = shard or WHOLE
    with open_lake(lake) as con:
        con.execute(f"attach {sql_text(str(published / FILE_NAME))} as source (read_only)")
        run_id = con.execute(
            "select run_id from source.ops.publication order by published_at desc, run_id limit 1"
        ).fetchall()[0][0]
        was_other = lay_out_lake(con)
        # inputs that a crash left beside another publication are not pushed
        sources = source_tables(published / INPUTS) if folder_run(published, INPUTS) == run_id else {}
        if sources:
            was_other |= lay_out_inputs(con, sources)

        def work() -> Pushed:
            if _is_in(con, share, run_id) and not was_other:
                made = 0, 0
                if share.of > 1 and as_of:
                    _note_day(con, share, as_of)
            else:
                made = _replace_share(con, share, was_other)
                if sources and find_changed_inputs(con, sources):
                    put_inputs(con, sources)
                _note_share(con, share, run_id)
            return Pushed(*made, _tag(con, share, lake.wait))

        pushed = committed(con, work)
        if pushed.published is None and share.of > 1:
            # two workers may have ended at the same time, and neither saw the other's share
            tagged = committed(con, lambda: _tag(con, share, lake.wait))
            return Pushed(pushed.evaluations, pushed.tables, tagged)
        return pushed


def is_of_one_share(lake: Lake) -> bool:
    """Whether everything in the lake comes from runs for all districts, so that one file is the whole; raises LakeError."""
    with open_lake(lake, read_only=True) as con:
        there = con.execute(
            "select 1 from duckdb_tables() where database_name = 'lake' and table_name = 'shard'"
        ).fetchall()
        return not there or not con.execute("select 1 from lake.ops.shard where shards > 1").fetchall()


def _is_in(con: duckdb.DuckDBPyConnection, share: Shard, run_id: str) -> bool:
    found = con.execute(
        "select 1 from lake.ops.shard where shard = $1 and shards = $2 and run_id = $3",
        [share.number, share.of, run_id],
    )
    return bool(found.fetchall())


def _note_day(con: duckdb.DuckDBPyConnection, share: Shard, as_of: date) -> None:
    """Record that a share had no changes up to a day: it has no district, or all its phases are closed."""
    behind = "shard = $1 and shards = $2 and as_of < $3::date"
    mine = [share.number, share.of, as_of]
    if con.execute(f"select 1 from lake.ops.shard where {behind}", mine).fetchall():
        con.execute(
            f"update lake.ops.shard set as_of = $3::date, is_taken = false, pushed_at = $4::timestamp where {behind}",
            [*mine, _now()],
        )


def _replace_share(con: duckdb.DuckDBPyConnection, share: Shard, anew: bool) -> tuple[int, int]:
    """Replace the differing rows of the share's districts; returns how many evaluations and tables differed."""
    _find_scope(con, share)
    program = "select program_sha256 from {} limit 1"
    ours = con.execute(program.format("source.ops.published_table")).fetchall()
    theirs = con.execute(
        "select program_sha256 from lake.ops.shard where shard = $1 and shards = $2",
        [share.number, share.of],
    ).fetchall()
    # Rows of the same run and time are equal in file and lake if the same program wrote them.
    same = "false" if anew or ours != theirs else "s.run_id = l.run_id and s.evaluated_at = l.evaluated_at"
    con.execute(
        f"""
        create or replace temp table push_evaluation as
        select coalesce(s.district_code, l.district_code) as district_code, coalesce(s.phase_id, l.phase_id) as phase_id
        from source.mart.evaluation s
        full join (from lake.mart.evaluation semi join push_scope using (district_code)) l
            on s.district_code = l.district_code and s.phase_id = l.phase_id
        where s.phase_id is null or l.phase_id is null or not ({same})
        """
    )
    evaluations = con.execute("select count(*) from push_evaluation").fetchall()[0][0]
    tables = 0
    for table in declared_tables().values():
        if table.full_name in _TOLD:
            continue
        if table.schema == "mart" and table.is_per_evaluation and table.full_name != "mart.evaluation":
            if evaluations:
                _put(con, table, "push_evaluation", ("district_code", "phase_id"))
        elif _find_differing(con, table, share):
            _put(con, table, "push_district", ("district_code",) if _has_district(table) else ())
            tables += 1
    return evaluations, tables


def _has_district(table: Table) -> bool:
    return "district_code" in table.columns


def _find_scope(con: duckdb.DuckDBPyConnection, share: Shard) -> None:
    """`push_scope`: the share's districts, also those removed from the file. The first share has rows without district."""
    known = " union ".join(
        f"select district_code from {catalog}.{table.full_name}"
        for table in declared_tables().values()
        # a district with rows in any table has evaluations, files, checks or closures
        if table.full_name
        in ("mart.evaluation", "ops.source_file", "quality.check_result", "ops.phase_closure")
        for catalog in ("source", "lake")
    )
    codes = [code for (code,) in con.execute(known).fetchall() if code is not None and share.takes(code)]
    con.execute(
        "create or replace temp table push_scope as select unnest($1::varchar[]) as district_code", [codes]
    )


def _find_differing(con: duckdb.DuckDBPyConnection, table: Table, share: Shard) -> int:
    """`push_district`: the districts of the share whose rows of a table differ between file and lake; returns how many."""
    code = "coalesce(district_code, '')" if _has_district(table) else "''"
    cells = ", ".join(f'coalesce("{c}"::varchar, chr(30))' for c in table.columns)
    scope = "district_code in (from push_scope)" + (" or district_code is null" if share.number == 1 else "")
    only = f"where {scope}" if _has_district(table) else ""

    def side(catalog: str) -> str:
        return (
            f"select {code} as code, count(*) as n, sum(md5_number(concat_ws(chr(31), {cells}))::varint) as total "
            f"from {catalog}.{table.full_name} {only} group by 1"
        )

    con.execute(
        f"""
        create or replace temp table push_district as
        select coalesce(s.code, l.code) as district_code
        from ({side("source")}) s full join ({side("lake")}) l using (code)
        where s.n is distinct from l.n or s.total is distinct from l.total
        """
    )
    return int(con.execute("select count(*) from push_district").fetchall()[0][0])


def _put(con: duckdb.DuckDBPyConnection, table: Table, changed: str, by: tuple[str, ...]) -> None:
    """Replace the rows that match `changed` in the columns `by`, or all rows if there are no columns."""
    condition = " and ".join(f"coalesce(t.{c}, '') = p.{c}" for c in by)
    where = f"where exists (from {changed} p where {condition})" if by else ""
    name = f"lake.{table.full_name}"
    # Even a DELETE that finds no rows would conflict with every other writer to the table.
    if con.execute(f"select 1 from {name} t {where} limit 1").fetchall():
        con.execute(f"delete from {name} t {where}")
    columns = ", ".join(f'"{c}"' for c in table.columns)
    order = ", ".join(f'"{c}"' for c in table.key) or "all"
    con.execute(
        f"insert into {name} ({columns}) select {columns} from source.{table.full_name} t {where} order by {order}"
    )


def _note_share(con: duckdb.DuckDBPyConnection, share: Shard, run_id: str) -> None:
    """Record in the lake what the share has now. Once all shares are in, records of another number of shares become invalid."""
    mine = [share.number, share.of]
    if con.execute("select 1 from lake.ops.shard where shard = $1 and shards = $2", mine).fetchall():
        con.execute("delete from lake.ops.shard where shard = $1 and shards = $2", mine)
    con.execute(
        """
        insert into lake.ops.shard by name
        select $1 as shard, $2 as shards, run_id, as_of, $4::timestamp as pushed_at, t.program_sha256, false as is_taken,
            t.table_names, t.table_rows, t.content_sums
        from source.ops.publication,
            (select any_value(program_sha256) as program_sha256, list(table_name) as table_names, list(rows) as table_rows,
                list(content_sum) as content_sums from source.ops.published_table) t
        where run_id = $3
        """,
        [*mine, run_id, _now()],
    )


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0)


def _tag(con: duckdb.DuckDBPyConnection, share: Shard, wait: bool) -> str | None:
    """Make this transaction's snapshot the publication if one is due; returns its run.

    It is due if a share has something new, and either all shares are in as of the newest day or nobody waits for them.
    """
    shares = con.execute(
        "select shard, run_id, as_of, is_taken from lake.ops.shard where shards = $1 order by pushed_at, shard",
        [share.of],
    ).fetchall()
    newest = max((as_of for _, _, as_of, _ in shares), default=None)
    late = set(range(1, share.of + 1)) - {number for number, _, as_of, _ in shares if as_of == newest}
    if newest is None or all(taken for *_, taken in shares) or (late and wait):
        return None
    run_id: str = shares[-1][1]
    con.execute("update lake.ops.shard set is_taken = true where shards = $1 and not is_taken", [share.of])
    if con.execute("select 1 from lake.ops.shard where shards <> $1", [share.of]).fetchall() and not late:
        con.execute("delete from lake.ops.shard where shards <> $1", [share.of])
    if share.of == 1:
        _copy_told(con)
        rows, digest = con.execute(
            "select rows, content_sha256 from source.ops.publication where run_id = $1", [run_id]
        ).fetchall()[0]
    else:
        _mark_late(con, share.of, late)
        rows, digest = _note_whole(con, share.of)
        entry = [_later(con), run_id, rows, digest, newest]
        con.execute(f"delete from lake.ops.publication where run_id = {sql_text(run_id)}")
        con.execute(
            "insert into lake.ops.publication by name select $1::timestamp as published_at, $2 as run_id, "
            "$3::bigint as rows, $4 as content_sha256, $5::date as as_of",
            entry,
        )
    told = {
        "run_id": run_id,
        "as_of": str(newest),
        "rows": rows,
        "content_sha256": digest,
        "late": sorted(late),
    }
    con.execute(
        "call lake.set_commit_message($1, $2, extra_info => $3)",
        [AUTHOR, f"publication {run_id}", json.dumps(told)],
    )
    return run_id


def _copy_told(con: duckdb.DuckDBPyConnection) -> None:
    """If one file has all districts, it is the publication: its own history holds for the lake too, including a rollback."""
    for name in _TOLD:
        con.execute(f"delete from lake.{name}")
        columns = ", ".join(f'"{c}"' for c in declared_tables()[name].columns)
        con.execute(f"insert into lake.{name} ({columns}) select {columns} from source.{name}")


def _later(con: duckdb.DuckDBPyConnection) -> datetime:
    """Now; or a second after the last publication if the clock is behind, because readers take the latest as the newest."""
    last = con.execute("select max(published_at) from lake.ops.publication").fetchall()[0][0]
    return max(_now(), last + timedelta(seconds=1)) if last else _now()


def _mark_late(con: duckdb.DuckDBPyConnection, shares: int, late: set[int]) -> None:
    """Mark open evaluations of late shares as stale."""
    codes = con.execute("select distinct district_code from lake.mart.evaluation").fetchall()
    behind = [code for (code,) in codes if any(Shard(number, shares).takes(code) for number in late)]
    stale = "list_contains($1::varchar[], district_code) and not is_closed and not is_stale"
    if behind and con.execute(f"select 1 from lake.mart.evaluation where {stale}", [behind]).fetchall():
        con.execute(f"update lake.mart.evaluation set is_stale = true where {stale}", [behind])


def _note_whole(con: duckdb.DuckDBPyConnection, shares: int) -> tuple[int, str]:
    """Rows and hash of the whole: the sums over the shares, which have only rows of dimensions in common."""
    told: dict[str, list[Content]] = {}
    programs = [""]
    for program, names, rows, sums in con.execute(
        "select program_sha256, table_names, table_rows, content_sums from lake.ops.shard where shards = $1 order by pushed_at",
        [shares],
    ).fetchall():
        programs.append(program)
        for name, n, total in zip(names, rows, sums, strict=True):
            told.setdefault(name, []).append(Content(n, int(total)))
    contents = {}
    for name, table in declared_tables().items():
        if table.schema == "ops":
            continue
        parts = told.get(name, [])
        if name == "mart.evaluation" or not parts:
            contents[name] = fingerprint(con, table, catalog="lake")
        elif _has_district(table):
            contents[name] = Content(sum(p.rows for p in parts), sum(p.total for p in parts))
        else:
            contents[name] = parts[-1]
    return note_contents(con, contents, programs[-1], "lake")
