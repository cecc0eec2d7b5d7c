"""The publication's tables as Parquet files, one folder for each table, for programs that do not read DuckDB.

Large tables have a file for each province (the first two digits of the district's code). A file of the previous publication with
rows of the same runs is reused by a hard link: each file records in its metadata whose rows it has.
Keep out: what is published (`publication`).
"""

from __future__ import annotations

import os
from pathlib import Path

import duckdb

from youjun_pipeline.warehouse.manifest import put_folder
from youjun_pipeline.warehouse.standing import program_hash
from youjun_pipeline.warehouse.swap import FILE_NAME, building_folder, sync
from youjun_pipeline.warehouse.tables import Table, declared_tables, sql_text

# From this number of rows on a table gets a file for each province: writing a file takes a second for 800 000 rows (measured
# 2026-11).
PROVINCES_FROM_ROWS = 400_000


def write_parquet(published: Path) -> int:
    """Write the folder `parquet/` of the current publication and swap it in; returns how many files had to be written."""
    building, standing = building_folder(published, "parquet"), published / "parquet"
    written = 0
    con = duckdb.connect(str(published / FILE_NAME), read_only=True)
    try:
        made = dict(con.execute(_MADE, [program_hash()]).fetchall())
        known = _known(con, standing)
        for table in declared_tables().values():
            (building / table.full_name).mkdir(parents=True)
            for name, condition, content in _files(con, table, made):
                place = f"{table.full_name}/{name}"
                if (
                    content is None
                    or known.get(place) != content
                    or not _linked(standing / place, building / place)
                ):
                    con.execute(
                        f"copy (from {table.full_name} where {condition}) to {sql_text(str(building / place))} "
                        f"(format parquet, compression zstd, kv_metadata {{{_CONTENT}: {sql_text(content or '')}}})"
                    )
                    # later publications reuse the file, so a power cut must not leave half of it
                    sync(building / place)
                    written += 1
    finally:
        con.close()
    put_folder(building, published, "parquet")
    return written


_CONTENT = "youjun_content"
# By province, and for all provinces together (null): which runs made the rows of the evaluations, and when.
_MADE = """
    select left(district_code, 2) as province,
        sha256($1 || string_agg(concat_ws(' ', district_code, phase_id, run_id, evaluated_at), ';'
            order by district_code, phase_id)) as content
    from mart.evaluation
    group by grouping sets ((province), ())
"""


def _files(
    con: duckdb.DuckDBPyConnection, table: Table, made: dict[str | None, str]
) -> list[tuple[str, str, str | None]]:
    """Name, condition of the rows, and content of each file of a table; no content if the file must be written every time."""
    if not (table.schema == "mart" and table.is_per_evaluation and table.full_name != "mart.evaluation"):
        return [(f"{table.name}.parquet", "true", None)]
    rows = con.execute(f"select count(*) from {table.full_name}").fetchall()[0][0]
    provinces = sorted(province for province in made if province)
    if rows < PROVINCES_FROM_ROWS or len(provinces) < 2:
        return [(f"{table.name}.parquet", "true", made.get(None))]
    return [
        (
            f"{table.name}-{province}.parquet",
            f"starts_with(district_code, {sql_text(province)})",
            made[province],
        )
        for province in provinces
    ]


def _known(con: duckdb.DuckDBPyConnection, standing: Path) -> dict[str, str]:
    """The content recorded in the present files, by their path in the folder."""
    files = [str(path) for path in standing.glob("*/*.parquet")]
    if not files:
        return {}
    try:
        found = con.execute(
            "select file_name, decode(value) from parquet_kv_metadata($1::varchar[]) where decode(key) = $2",
            [files, _CONTENT],
        ).fetchall()
    except duckdb.Error:
        # one of the files is damaged: all are written again
        return {}
    return {Path(name).relative_to(standing).as_posix(): content for name, content in found}


def _linked(old: Path, new: Path) -> bool:
    """Reuse a file by a hard link, if the file system allows it."""
    try:
        os.link(old, new)
    except OSError:
        return False
    return True
