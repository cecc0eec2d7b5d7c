"""Declared tables: what readers of mart, quality and ops can rely on.

One declaration (`models/tables/*.toml`) gives a table's columns, types, key and Chinese comments; DDL, the published comments,
checks and documentation all come from it. Keep out: how a table is filled (its SQL file).
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Annotated

import duckdb
from pydantic import Field

from youjun_pipeline.sql import transaction
from youjun_pipeline.standard.model import Entry, Text

DECLARATIONS = Path(__file__).parents[1] / "models" / "tables"
EVALUATION_KEY = ("district_code", "phase_id")
# The version of tables and columns whose declaration names no version, and the version of the single-column keys.
FIRST_VERSION, SINGLE_KEYS_SINCE = "0.1.0", "0.2.0"
# The columns that every fact of an evaluation has besides its composite key, for tools that join by one column: the column that
# each needs, its comment, and its expression for a row `t` and its evaluation `e`.
SINGLE_KEYS: dict[str, tuple[str, str, str]] = {
    "evaluation_id": (
        "phase_id",
        "评估键：区划代码/阶段编号，单列连接用",
        "e.district_code || '/' || e.phase_id",
    ),
    "standard_id": ("phase_id", "所用标准目录的编号", "e.standard_id"),
    "school_id": (
        "school_code",
        "学校键：区划代码/学校标识码，单列连接用",
        "t.district_code || '/' || t.school_code",
    ),
    "indicator_id": (
        "indicator_code",
        "指标键：标准目录编号/指标编号，单列连接用",
        "e.standard_id || '/' || t.indicator_code",
    ),
}


# Evaluations that were made before the single-column keys existed.
WITHOUT_KEYS = "select * from mart.evaluation where evaluation_id is null"


class Declaration(Entry):
    """A table as in its TOML file: for each column type and comment, and its version if it is later than the table's."""

    comment: Text
    key: list[str]
    since: Text = FIRST_VERSION
    columns: dict[str, Annotated[list[Text], Field(min_length=2, max_length=3)]]


@dataclass(frozen=True)
class Table:
    """A declared table; `columns` maps each name to (DuckDB type, Chinese comment) in published order.

    `since` maps the names to the version of this package that published the column first.
    """

    schema: str
    name: str
    comment: str
    key: tuple[str, ...]
    columns: dict[str, tuple[str, str]]
    since: dict[str, str] = field(default_factory=dict)

    @property
    def full_name(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def is_per_evaluation(self) -> bool:
        """Whether the rows belong to one district in one phase each."""
        return set(EVALUATION_KEY) <= self.columns.keys()

    def create_sql(self, name: str | None = None, *, replace: bool = False) -> str:
        """The CREATE TABLE statement, without constraints, because a shared catalogue has none."""
        columns = ", ".join(f'"{column}" {type_}' for column, (type_, _) in self.columns.items())
        how = "create or replace table" if replace else "create table if not exists"
        return f"{how} {name or self.full_name} ({columns})"

    def comment_sql(self, catalog: str) -> list[str]:
        """COMMENT statements for the table and each of its columns in the attached database `catalog`."""
        name = f"{catalog}.{self.full_name}"
        return [
            f"comment on table {name} is {sql_text(self.comment)}",
            *(f'comment on column {name}."{c}" is {sql_text(text)}' for c, (_, text) in self.columns.items()),
        ]


def sql_text(value: str) -> str:
    """A string as an SQL literal, for statements that take no parameters."""
    return "'" + value.replace("'", "''") + "'"


@cache
def declared_tables() -> dict[str, Table]:
    """Every declared table by its full name (`mart.school`), in the order of the declarations."""
    tables: dict[str, Table] = {}
    for path in sorted(DECLARATIONS.glob("*.toml")):
        schema = path.stem.split("_")[0]
        for name, entry in tomllib.loads(path.read_text(encoding="utf-8")).items():
            table = _declared(schema, name, Declaration.model_validate(entry))
            tables[table.full_name] = table
    return tables


def _declared(schema: str, name: str, entry: Declaration) -> Table:
    given = {column: (type_, comment) for column, (type_, comment, *_) in entry.columns.items()}
    columns = _with_single_keys(schema, given)
    if unknown := set(entry.key) - columns.keys():
        raise ValueError(f"{schema}.{name}: key: {', '.join(sorted(unknown))}: no column")
    since = dict.fromkeys(columns, SINGLE_KEYS_SINCE)
    since |= {column: rest[0] if rest else entry.since for column, (_, _, *rest) in entry.columns.items()}
    return Table(schema, name, entry.comment, tuple(entry.key), columns, since)


def _with_single_keys(schema: str, columns: dict[str, tuple[str, str]]) -> dict[str, tuple[str, str]]:
    """The columns with the single-column keys before `run_id` in a mart fact; unchanged for any other table."""
    if schema != "mart" or not set(EVALUATION_KEY) <= columns.keys():
        return columns
    keys = {
        name: ("VARCHAR", comment)
        for name, (needed, comment, _) in SINGLE_KEYS.items()
        if needed in columns and name not in columns
    }
    last = {name: columns[name] for name in ("run_id",) if name in columns}
    return {name: entry for name, entry in columns.items() if name not in last} | keys | last


def ensure_tables(con: duckdb.DuckDBPyConnection) -> None:
    """Create missing declared tables; if a declaration has changed, the rows are kept by column name."""
    for table in declared_tables().values():
        existing = describe(con, table.full_name)
        if existing and list(existing) != list(table.columns):
            _reshape(con, table, [c for c in table.columns if c in existing])
        else:
            con.execute(table.create_sql())
    if con.execute(f"from ({WITHOUT_KEYS}) limit 1").fetchall():
        with transaction(con):
            for table in declared_tables().values():
                fill_single_keys(con, table)


def fill_single_keys(con: duckdb.DuckDBPyConnection, table: Table, catalog: str = "") -> None:
    """Fill the single-column keys of older rows: rows of closed phases are never made again.

    `catalog` is the table's catalogue, followed by a point. The evaluations must be filled before.
    """
    if table.schema != "mart" or "evaluation_id" not in table.columns:
        return
    made = ", ".join(f"{name} = {sql}" for name, (_, _, sql) in SINGLE_KEYS.items() if name in table.columns)
    con.execute(
        f"update {catalog}{table.full_name} t set {made} from {catalog}mart.evaluation e where t.evaluation_id is null "
        "and t.district_code = e.district_code and t.phase_id = e.phase_id"
    )


def describe(con: duckdb.DuckDBPyConnection, full_name: str) -> dict[str, str]:
    """Columns and types of a table of the working database; empty if there is no such table.

    Never call it in a transaction: DuckDB 2 aborts the whole transaction if the table is missing.
    """
    try:
        # duckdb_columns() would read the columns of every attached database, which takes 5 ms each time
        return {column: type_ for column, type_, *_ in con.execute(f"describe {full_name}").fetchall()}
    except duckdb.CatalogException:
        return {}


def _reshape(con: duckdb.DuckDBPyConnection, table: Table, kept: list[str]) -> None:
    columns = ", ".join(f'"{c}"' for c in kept)
    with transaction(con):
        con.execute(f"create temp table reshaped as select {columns} from {table.full_name}")
        con.execute(table.create_sql(replace=True))
        con.execute(f"insert into {table.full_name} by name select * from reshaped")
        con.execute("drop table reshaped")
