"""The content of a publication: its empty tables, and the rows and the hash of each table.

A publication is a DuckDB file or a lake; both are attached under a name, `catalog`. Keep out: which rows a publication contains
(`publication`), and how it replaces the old one (`swap`, `lake_publication`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

from youjun_pipeline.warehouse.tables import Table, declared_tables

NOT_CONTENT = ("run_id", "evaluated_at", "checked_at", "published_at", "restated_at")


@dataclass(frozen=True)
class Content:
    """A number of rows and the sum of their hashes; the content of a whole is the sum of the contents of its parts."""

    rows: int
    total: int


def lay_out(con: duckdb.DuckDBPyConnection, catalog: str = "publication") -> None:
    """Create every declared table, empty and with its comments, in the attached database `catalog`. Call it in a transaction.

    Otherwise each of a thousand comments would be a transaction of its own and wait for the disk.
    """
    for table in declared_tables().values():
        con.execute(f"create schema if not exists {catalog}.{table.schema}")
        con.execute(table.create_sql(f"{catalog}.{table.full_name}"))
        con.execute(";".join(table.comment_sql(catalog)))


def note_contents(
    con: duckdb.DuckDBPyConnection,
    contents: Mapping[str, Content],
    program: str,
    catalog: str = "publication",
) -> tuple[int, str]:
    """Record the content of every table of `catalog`, in the order of declaration; returns rows and hash of the whole."""
    con.execute(f"delete from {catalog}.ops.published_table")
    con.execute(
        f"insert into {catalog}.ops.published_table by name select unnest($1::varchar[]) as table_name, "
        "unnest($2::bigint[]) as rows, unnest($3::varchar[]) as content_sum, $4 as program_sha256",
        [
            list(contents),
            [c.rows for c in contents.values()],
            [str(c.total) for c in contents.values()],
            program,
        ],
    )
    hashes = [f"{name}:{content.total}" for name, content in contents.items()]
    whole = con.execute(
        "select sha256(string_agg(h, ';')) from (select unnest($1::varchar[]) as h)", [hashes]
    )
    return sum(content.rows for content in contents.values()), whole.fetchall()[0][0]


def fingerprint(
    con: duckdb.DuckDBPyConnection, table: Table, only: str = "", catalog: str = "publication"
) -> Content:
    """Number of rows and hash of a published table's rows in any order, without run ids and timestamps."""
    # Sums need no sorting: a table of the whole country has 14 million rows. The separators do not occur in typed text.
    row = ", ".join(f'coalesce("{c}"::varchar, chr(30))' for c in table.columns if c not in NOT_CONTENT)
    rows, total = con.execute(
        f"select count(*), coalesce(sum(md5_number(concat_ws(chr(31), {row}))::varint), 0)::varchar"
        f" from {catalog}.{table.full_name} {only}"
    ).fetchall()[0]
    return Content(rows, int(total))
