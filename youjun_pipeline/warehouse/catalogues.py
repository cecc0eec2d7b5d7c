"""The catalogues of the standard as tables of the warehouse, so that SQL joins their numbers instead of containing them."""

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
    """Replace the `standard` tables by all usable catalogues on file; returns how many there are.

    If a catalogue is unusable, the districts that name it get a message with its faults.
    """
    catalogues = usable_catalogues()
    with transaction(con):
        for table, columns in CATALOGUE_TABLES.items():
            body = ", ".join(f'"{name}" {type_}' for name, type_ in columns.items())
            con.execute(f"create or replace table standard.{table} ({body})")
        insert_catalogues(con, catalogues)
    return len(catalogues)


def insert_catalogues(con: duckdb.DuckDBPyConnection, catalogues: Iterable[Catalogue]) -> None:
    """Add catalogues to the `standard` tables of the current database; the tables must not have them yet."""
    rows = catalogue_tables(catalogues)
    for table, columns in CATALOGUE_TABLES.items():
        if rows[table]:
            # by column, because executemany, which goes row by row, takes 0.1 s for each table
            values = ", ".join(f"unnest(${n}::{type_}[])" for n, type_ in enumerate(columns.values(), 1))
            con.execute(
                f"insert into standard.{table} select {values}",
                [[row[name] for row in rows[table]] for name in columns],
            )
