"""The catalogues of the standard as tables of the warehouse, so that SQL can join its numbers instead of naming them."""

from __future__ import annotations

from collections.abc import Iterable

import duckdb

from youjun_pipeline.sql import transaction
from youjun_pipeline.standard import (
    CATALOGUE_TABLES,
    Catalogue,
    catalogue_tables,
    usable_catalogues,
)


def load_standard(con: duckdb.DuckDBPyConnection) -> int:
    """Replace the `standard` tables by the catalogues on file that can be used; returns how many there are.

    The districts that name an unusable catalogue are told what is wrong with it.
    """
    catalogues = usable_catalogues()
    with transaction(con):
        for table, columns in CATALOGUE_TABLES.items():
            body = ", ".join(f'"{name}" {type_}' for name, type_ in columns.items())
            con.execute(f"create or replace table standard.{table} ({body})")
        insert_catalogues(con, catalogues)
    return len(catalogues)


def insert_catalogues(con: duckdb.DuckDBPyConnection, catalogues: Iterable[Catalogue]) -> None:
    """Add catalogues to the `standard` tables of the current database, which do not hold them yet."""
    rows = catalogue_tables(catalogues)
    for table, columns in CATALOGUE_TABLES.items():
        if rows[table]:
            # By column: row by row, executemany takes 0.1 s a table.
            values = ", ".join(f"unnest(${n}::{type_}[])" for n, type_ in enumerate(columns.values(), 1))
            con.execute(
                f"insert into standard.{table} select {values}",
                [[row[name] for row in rows[table]] for name in columns],
            )
