"""The inputs of a publication in the lake: the tables of `inputs/` as `lake.inputs.<schema>__<table>`.

With them a district can be judged again (`inputs.open_inputs`) on a machine that has only the lake. Every row names its district,
because contents of files do not name one. A district's rows are replaced if its deliveries, their readings or its settings
change. Belongs here: writing the inputs to the lake and reading them from it. Keep out: which tables these are (`inputs`).
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import duckdb

from youjun_pipeline.warehouse.lake import committed, reshape
from youjun_pipeline.warehouse.tables import describe, sql_text

_FOR = "for_district"
_STATE = "lake.inputs.state"
# The district of rows that belong to no district, such as the contracts.
_ALL = "''"


def source_tables(folder: Path) -> dict[str, str]:
    """The tables in a folder of inputs by name, each as text for a FROM clause; empty if the folder does not exist."""
    files = sorted(folder.glob("*.parquet"))
    return {path.stem: f"read_parquet({sql_text(str(path))})" for path in files}


def lake_name(table: str, catalog: str = "lake") -> str:
    """The name in the lake of an input table such as `raw.phase`."""
    return f"{catalog}.inputs.{table.replace('.', '__')}"


def lay_out_inputs(con: duckdb.DuckDBPyConnection, sources: dict[str, str]) -> bool:
    """Create missing tables in the lake, give existing ones the columns of `sources`; returns whether these had others."""
    there: dict[str, dict[str, str]] = {}
    for name, column, type_ in con.execute(
        "select table_name, column_name, data_type from duckdb_columns() "
        "where database_name = 'lake' and schema_name = 'inputs'"
    ).fetchall():
        there.setdefault(name, {})[column] = type_
    wanted = {
        lake_name(table): {_FOR: "VARCHAR"} | describe(con, f"(from {source})")
        for table, source in sources.items()
    }
    wanted[_STATE] = {_FOR: "VARCHAR", "digest": "VARCHAR"}
    missing = {name: columns for name, columns in wanted.items() if name.rpartition(".")[2] not in there}

    def create() -> None:
        con.execute("create schema if not exists lake.inputs")
        for name, columns in missing.items():
            said = ", ".join(f'"{c}" {type_}' for c, type_ in columns.items())
            con.execute(f"create table if not exists {name} ({said})")

    if missing:
        committed(con, create)
    changed = bool(missing)
    for name in wanted.keys() - missing.keys():
        changed |= reshape(con, name, there[name.rpartition(".")[2]], wanted[name])
    return changed


def find_changed_inputs(con: duckdb.DuckDBPyConnection, sources: dict[str, str]) -> int:
    """`push_input`: districts of `push_scope` whose inputs in `sources` differ from the lake; returns how many there are.

    Districts without inputs in `sources` are included: their rows will be deleted.
    """
    parts = []
    for table, source in sources.items():
        columns = describe(con, f"(from {source})")
        if "district_code" in columns:
            parts.append(
                f"select district_code as {_FOR}, {sql_text(table)} as t, hash(x) as h from {source} x"
            )
        elif "content_sha256" not in columns:
            parts.append(f"select {_ALL}, {sql_text(table)}, hash(x) from {source} x")
    # the key under which a file was read contains the reader's version
    parts.append(
        f"select d.district_code, 'content', hash(c) from {sources['raw.content']} c "
        f"join {sources['raw.delivered_file']} d using (content_sha256)"
    )
    shapes = sql_text(str({table: describe(con, f"(from {source})") for table, source in sources.items()}))
    con.execute(
        f"""
        create or replace temp table push_input as
        with ours as (
            select {_FOR}, md5(concat({shapes}, sum(hash(t, h)))) as digest
            from ({" union all ".join(parts)}) group by all
        )
        select coalesce(o.{_FOR}, l.{_FOR}) as {_FOR}, o.digest
        from ours o full join {_STATE} l using ({_FOR})
        where o.digest is distinct from l.digest
            and coalesce(o.{_FOR}, l.{_FOR}) in (select district_code from push_scope union all select {_ALL})
        """
    )
    return int(con.execute("select count(*) from push_input").fetchall()[0][0])


def put_inputs(con: duckdb.DuckDBPyConnection, sources: dict[str, str]) -> None:
    """Replace the rows of the districts that `push_input` names."""
    _replace(con, _STATE, "from push_input where digest is not null")
    for table, source in sources.items():
        _replace(con, lake_name(table), _rows_of(con, table, source, sources["raw.delivered_file"]))


def _rows_of(con: duckdb.DuckDBPyConnection, table: str, source: str, delivered: str) -> str:
    columns = describe(con, f"(from {source})")
    if "district_code" in columns:
        return f"select x.district_code as {_FOR}, x.* from {source} x join push_input p on p.{_FOR} = x.district_code"
    if "content_sha256" in columns:
        return (
            f"select d.{_FOR}, x.* from {source} x join (select distinct district_code as {_FOR}, content_sha256 "
            f"from {delivered}) d using (content_sha256) semi join push_input using ({_FOR})"
        )
    return f"select p.{_FOR}, x.* from {source} x, push_input p where p.{_FOR} = {_ALL}"


def _replace(con: duckdb.DuckDBPyConnection, name: str, rows: str) -> None:
    # Even a DELETE that finds no rows would conflict with every other writer to the table.
    theirs = f"where {_FOR} in (select {_FOR} from push_input)"
    if con.execute(f"select 1 from {name} {theirs} limit 1").fetchall():
        con.execute(f"delete from {name} {theirs}")
    if con.execute(f"select 1 from ({rows}) limit 1").fetchall():
        con.execute(f"insert into {name} by name {rows}")


def inputs_in_lake(con: duckdb.DuckDBPyConnection, catalog: str) -> list[str]:
    """Names of the input tables in the lake attached as `catalog`; empty if nothing with inputs was ever pushed to it."""
    found = con.execute(
        "select table_name from duckdb_tables() where database_name = $1 and schema_name = 'inputs' and table_name <> 'state'",
        [catalog],
    ).fetchall()
    return sorted(name.replace("__", ".", 1) for (name,) in found)


def rows_for(con: duckdb.DuckDBPyConnection, table: str, districts: Collection[str], catalog: str) -> str:
    """A query for the rows of an input table that some districts need, in the shape of `inputs/`."""
    name = lake_name(table, catalog)
    codes = ", ".join(map(sql_text, ["", *sorted(districts)]))
    columns = describe(con, name)
    # if two of the districts deliver the same content, the lake has it twice
    is_content = "content_sha256" in columns and "district_code" not in columns
    once = f"qualify {_FOR} = min({_FOR}) over (partition by content_sha256)" if is_content else ""
    return f"select * exclude ({_FOR}) from {name} where {_FOR} in ({codes}) {once}"
