"""CSV copies of the published tables, for programs that read neither DuckDB nor Parquet; written if the settings ask for them.

UTF-8 with the byte-order mark that Excel needs, lists joined with 、, unknown values left blank.
Keep out: Parquet (`parquet_copies`).
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from youjun_pipeline.warehouse.manifest import put_folder
from youjun_pipeline.warehouse.swap import FILE_NAME, building_folder
from youjun_pipeline.warehouse.tables import Table, declared_tables, sql_text

FOLDER = "csv"
_MARK = "\ufeff"


def write_csv(published: Path) -> int:
    """Write the folder `csv/` of the current publication, replacing the old one: `<schema>.<table>.csv`; returns the files."""
    building = building_folder(published, FOLDER)
    con = duckdb.connect(str(published / FILE_NAME), read_only=True)
    try:
        for table in declared_tables().values():
            target = sql_text(str(building / f"{table.full_name}.csv"))
            con.execute(
                f"copy (select {_columns(table)} from {table.full_name}) to {target} (format csv, header)"
            )
    finally:
        con.close()
    put_folder(building, published, FOLDER)
    return len(declared_tables())


def _columns(table: Table) -> str:
    """The columns to write; the first heading begins with the byte-order mark, because COPY does not write it."""
    picked = [
        (f"array_to_string(\"{name}\", '、')" if type_.endswith("[]") else f'"{name}"', name)
        for name, (type_, _) in table.columns.items()
    ]
    return ", ".join(
        f'{sql} as "{_MARK if place == 0 else ""}{name}"' for place, (sql, name) in enumerate(picked)
    )
