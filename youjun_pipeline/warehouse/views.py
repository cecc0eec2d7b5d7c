"""Views and dictionary of the publication: a star schema for BI tools, Chinese names for people, the meaning of every column.

All of it comes from the same declarations as the tables. `bi` has dimensions and each district's latest phase
(`models/bi/*.sql`), `zh` has every mart table with Chinese column names and values, `meta.column_dictionary` has the comments as
rows. The columns of views have comments too, because some tools read nothing else. Keep out: rows. Views store none, so they cost
nothing and cannot disagree with their tables.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from pathlib import Path

import duckdb

from youjun_pipeline.contracts import load_datasets
from youjun_pipeline.contracts.model import NUMBER_TYPES
from youjun_pipeline.sql import transaction
from youjun_pipeline.vocabulary import vocabulary, words
from youjun_pipeline.warehouse.models import MODELS, tables_read
from youjun_pipeline.warehouse.run import floor_word
from youjun_pipeline.warehouse.tables import Table, declared_tables, sql_text

# The statuses of the strict verdict and of either phase have the same words.
_LABELLED = re.compile(
    r"^(?:cv_(?:primary|junior)_)?(status|state|stage|category|level|severity|cause|data_origin|result|refused_because)(?:_\w+)?$"
)


def display_names(table: Table) -> dict[str, str]:
    """A short Chinese name for each column: the beginning of its comment; if two names would be equal, the column's own name."""
    heads = {column: re.split("[：；，（]", text)[0].strip() for column, (_, text) in table.columns.items()}
    taken = Counter(heads.values())
    return {column: f"{head}（{column}）" if taken[head] > 1 else head for column, head in heads.items()}


def title(table: Table) -> str:
    """A short Chinese name for the table: the beginning of its comment."""
    return table.comment.split("：")[0]


def bi_views() -> dict[str, str]:
    """SELECT of every view of schema `bi`, by name, in an order in which each can be made."""
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(Path(MODELS / "bi").glob("*.sql"))}


def add_views(con: duckdb.DuckDBPyConnection, catalog: str) -> None:
    """Create the views and the dictionary in the attached database `catalog`, which has the tables already."""
    home = con.execute("select current_database()").fetchall()[0][0]
    floor = floor_word(con)
    # A view stores its text. Created from inside the database, it names its tables without the catalogue's name, which will
    # differ.
    con.execute(f"use {catalog}")
    try:
        # In one transaction: otherwise each of a thousand comments would wait for the disk.
        with transaction(con):
            _add_all(con, floor)
    finally:
        con.execute(f"use {home}")


def _add_all(con: duckdb.DuckDBPyConnection, floor: str) -> None:
    for schema in ("bi", "zh", "meta"):
        con.execute(f"create schema if not exists {schema}")
    _add_inputs(con)
    for name, sql in bi_views().items():
        con.execute(f"create or replace view bi.{name} as {sql}")
        con.execute(
            f"comment on view bi.{name} is {sql_text(sql.splitlines()[0].removeprefix('--').strip())}"
        )
        _comment_columns(con, f"bi.{name}", _column_comments(tables_read(sql)))
    for table in declared_tables().values():
        if table.schema == "mart":
            select = _chinese_select(table, floor)
            view = f"zh.{_quoted(title(table))}"
            con.execute(f"create or replace view {view} as {select}")
            con.execute(f"comment on view {view} is {sql_text(table.comment)}")
            texts = [text for _, text in table.columns.values()]
            _comment_columns(con, view, dict(zip(display_names(table).values(), texts, strict=True)))
    _add_dictionary(con)


def _comment_columns(con: duckdb.DuckDBPyConnection, view: str, comments: dict[str, str]) -> None:
    """Comment each column of a view."""
    columns = [column for (column,) in con.execute(f"select column_name from (describe {view})").fetchall()]
    commented = [
        f"comment on column {view}.{_quoted(column)} is {sql_text(comments[column])}"
        for column in columns
        if column in comments
    ]
    if commented:
        con.execute(";".join(commented))


def _column_comments(tables: frozenset[str]) -> dict[str, str]:
    """The meaning of the columns of a view of `bi`: as in the tables that it reads, otherwise as in `bi/columns.toml`."""
    known = tomllib.loads((MODELS / "bi" / "columns.toml").read_text(encoding="utf-8"))["columns"]
    declared = declared_tables()
    comments = {
        column: text
        for table in sorted(tables & declared.keys())
        for column, (_, text) in declared[table].columns.items()
    }
    return comments | known


def _chinese_select(table: Table, floor: str) -> str:
    columns = ", ".join(
        f"{_labelled(column, type_, floor)} as {_quoted(name)}"
        for (column, (type_, _)), name in zip(
            table.columns.items(), display_names(table).values(), strict=True
        )
        if column != "run_id"
    )
    return f"select {columns} from {table.full_name}"


def _labelled(column: str, type_: str, floor: str) -> str:
    found = _LABELLED.match(column)
    if type_ != "VARCHAR" or not found or found[1] not in vocabulary():
        return _quoted(column)
    cases = " ".join(
        f"when {sql_text(code)} then {sql_text(word)}" for code, word in words(found[1], floor).items()
    )
    return f"case {_quoted(column)} {cases} else {_quoted(column)} end"


def _add_dictionary(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        "create or replace table meta.column_dictionary (table_name VARCHAR, table_title VARCHAR, column_name VARCHAR, "
        "data_type VARCHAR, display_name VARCHAR, comment VARCHAR, is_key BOOLEAN, position INTEGER, "
        "since VARCHAR)"
    )
    rows = [
        [
            *(t.full_name, title(t), column, type_, names[column], text),
            *(column in t.key, position, t.since[column]),
        ]
        for t in declared_tables().values()
        for names in [display_names(t)]
        for position, (column, (type_, text)) in enumerate(t.columns.items(), start=1)
    ]
    # by column, because executemany, which goes row by row, takes 0.3 s
    values = ", ".join(f"unnest(${n})" for n in range(1, len(rows[0]) + 1))
    con.execute(
        f"insert into meta.column_dictionary select {values}",
        [list(column) for column in zip(*rows, strict=True)],
    )
    con.execute("comment on table meta.column_dictionary is '数据字典：每张发布表每一列的含义'")


def _add_inputs(con: duckdb.DuckDBPyConnection) -> None:
    """Add the names and units of the values in `mart.input`, from the contracts and for values counted from rows."""
    reported = [
        [f"{dataset.name}.{name}", dataset.name, dataset.title, column.zh, column.unit, column.comment]
        for dataset in load_datasets().values()
        for name, column in dataset.columns.items()
        if column.type in NUMBER_TYPES
    ]
    counted = [
        ["classes.classes", "classes", "班级名册", "班级数", "个", "按名册逐班计数"],
        ["special_rooms.rooms", "special_rooms", "专用教室", "教室间数", "间", "按逐间报送的行计数"],
    ]
    columns = ("input", "dataset", "dataset_title", "input_name", "unit", "comment")
    con.execute(
        f"create or replace table meta.input_dictionary ({', '.join(f'{c} VARCHAR' for c in columns)})"
    )
    values = ", ".join(f"unnest(${n})" for n in range(1, len(columns) + 1))
    con.execute(
        f"insert into meta.input_dictionary select {values}",
        [list(column) for column in zip(*(reported + counted), strict=True)],
    )
    con.execute("comment on table meta.input_dictionary is '填报项字典：mart.input 中每个填报项的名称和单位'")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
