"""What a publication holds: its tables laid out empty, and the rows and the hash of each.

A publication is a DuckDB file or a lake; both are attached under a name, `catalog`. Keep out: which rows it takes
(`publication`), and how it is put in its place (`swap`, `lake_publication`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

from youjun_pipeline.warehouse.tables import Table, declared_tables

NOT_CONTENT = ("run_id", "evaluated_at", "checked_at", "published_at", "restated_at")


@dataclass(frozen=True)
class Content:
    """Rows and the sum of their hashes: that of a whole is the sum of those of its parts."""

    rows: int
    total: int


def lay_out(con: duckdb.DuckDBPyConnection, catalog: str = "publication") -> None:
    """Create every declared table with its comments in the attached database `catalog`, empty; to be called in a transaction.

    A thousand comments, each in a transaction of its own, would each wait for the disk.
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
    """Note what every table of `catalog` has now, by full name in the order of the declarations; rows and hash of the whole."""
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
    """Row count and hash of a published table's rows, whatever their order, without run ids and timestamps."""
    # Sums need no sorting: a table of the whole country has 14 million rows. The separators are characters nobody types.
    row = ", ".join(f'coalesce("{c}"::varchar, chr(30))' for c in table.columns if c not in NOT_CONTENT)
    rows, total = con.execute(
        f"select count(*), coalesce(sum(md5_number(concat_ws(chr(31), {row}))::varint), 0)::varchar"
        f" from {catalog}.{table.full_name} {only}"
    ).fetchall()[0]
    return Content(rows, int(total))
