"""The tables from which a publication's numbers were computed, as Parquet beside it: `inputs/<schema>.<table>.parquet`.

With them a publication alone can be judged again under other figures or rules, on any machine and without a lock (`planning`).
The inputs of the previous publication are in `inputs.previous/`, for a rollback. Belongs here: writing these files, opening them
and exchanging them. Keep out: the declared tables (`publication`).
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from youjun_pipeline.settings import Lake
from youjun_pipeline.sql import transaction
from youjun_pipeline.warehouse.catalogues import load_standard
from youjun_pipeline.warehouse.connection import IN_MEMORY, connect
from youjun_pipeline.warehouse.manifest import folder_run, name_folder, put_folder
from youjun_pipeline.warehouse.models import load_models, tables_read
from youjun_pipeline.warehouse.published import NoPublicationError, attach_publication
from youjun_pipeline.warehouse.run import RUN_TABLES, run_sql
from youjun_pipeline.warehouse.swap import building_folder
from youjun_pipeline.warehouse.tables import declared_tables, describe, ensure_tables, sql_text

FOLDER, PREVIOUS = "inputs", "inputs.previous"
_STATE = "state.json"


class NoInputsError(FileNotFoundError):
    """There is no publication, or it was made without its inputs; the message gives a remedy."""


def input_tables(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Full names of the tables of deliveries that a run and its models read and that the database has."""
    read = {t for m in load_models().values() for t in m.reads}
    read |= {t for name in RUN_TABLES for t in tables_read(run_sql(name))}
    return sorted(t for t in read if t.startswith(("raw.", "accepted.")) and describe(con, t))


def write_inputs(con: duckdb.DuckDBPyConnection, published: Path, *, is_new: bool = True) -> bool:
    """Bring `published/inputs` up to the state of the working database; returns whether anything was written.

    Rows of contents that are no longer delivered are left out. Unchanged files stay. With a publication that `is_new` the
    previous publication's files are kept beside them.
    """
    if is_new:
        _keep(published)
    tables = input_tables(con)
    digest = con.execute(
        "select coalesce(md5(string_agg(told, ',' order by told)), '') from ("
        "select concat_ws('|', district_code, delivery, dataset, file, content_sha256) as told from raw.delivered_file)"
    ).fetchall()[0][0]
    shapes = {t: describe(con, t) for t in tables}
    small = {
        t: con.execute(f"select coalesce(sum(hash(x)), 0)::varchar from {t} x").fetchall()[0][0]
        for t in tables
        if "content_sha256" not in shapes[t]
    }
    state = {"delivered": digest, "shapes": shapes, "small": small}
    written = published / FOLDER / _STATE
    if written.exists() and json.loads(written.read_text(encoding="utf-8")) == state:
        name_folder(published, FOLDER)
        return False
    building = building_folder(published, FOLDER)
    for table in tables:
        # without a semi join, which COPY drops (DuckDB 1.5.5)
        used = (
            " where content_sha256 in (select content_sha256 from raw.delivered_file)"
            if "content_sha256" in shapes[table]
            else ""
        )
        con.execute(
            f"copy (select * from {table}{used}) to {sql_text(str(building / f'{table}.parquet'))} (format parquet)"
        )
    (building / _STATE).write_text(json.dumps(state), encoding="utf-8")
    put_folder(building, published, FOLDER)
    return True


def _keep(published: Path) -> None:
    """Keep the present files as those of the previous publication.

    Hard links are enough, because files are replaced and never written to.
    """
    shutil.rmtree(published / PREVIOUS, ignore_errors=True)
    if (published / FOLDER).exists():
        shutil.copytree(published / FOLDER, published / PREVIOUS, copy_function=_link)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # a file system without links
        shutil.copy2(source, target)


def change_back(published: Path) -> None:
    """Exchange the inputs with those of the previous publication, after the publications were exchanged."""
    current, previous = published / FOLDER, published / PREVIOUS
    spare = building_folder(published, PREVIOUS)
    spare.rmdir()
    if current.exists():
        os.rename(current, spare)
    if previous.exists():
        os.rename(previous, current)
        name_folder(published, FOLDER)
    if spare.exists():
        os.rename(spare, previous)


@contextmanager
def open_inputs(
    published: Path, districts: Sequence[str], lake: Lake | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A working database in memory with some districts of a publication: their published rows and the inputs of these rows.

    The publication is the file in the folder `published`, or the last one of `lake`. Nothing on disk is locked or written. Raises
    NoInputsError, LakeError.
    """
    with connect(IN_MEMORY) as con:
        ensure_tables(con)
        load_standard(con)
        con.execute(
            "create temp table wanted as select unnest($1::varchar[]) as district_code", [list(districts)]
        )
        try:
            is_file = attach_publication(con, "publication", published, lake)
        except NoPublicationError as error:
            raise NoInputsError(str(error)) from error
        if is_file:
            _refuse_others(con, published)
        with transaction(con):
            if is_file:
                files = (published / FOLDER).glob("*.parquet")
                for path in sorted(files, key=lambda p: p.stem != "raw.delivered_file"):
                    _load(con, path)
            else:
                _load_from_lake(con, districts)
            for table in declared_tables().values():
                # nothing is closed in this database, so that closed phases can be tried too
                if table.schema == "mart" and "district_code" in table.columns:
                    source = f"publication.{table.full_name}"
                    if describe(con, source):
                        con.execute(
                            f"insert into {table.full_name} by name select {_common(con, table.full_name, source)} "
                            f"from {source} semi join wanted using (district_code)"
                        )
        con.execute("detach publication")
        yield con


def _load_from_lake(con: duckdb.DuckDBPyConnection, districts: Sequence[str]) -> None:
    from youjun_pipeline.warehouse.lake_inputs import inputs_in_lake, rows_for

    tables = inputs_in_lake(con, "publication")
    if not tables:
        raise NoInputsError("数据湖中没有发布所依据的交付数据（旧版本写入）：请再运行一次 make run")
    for table in tables:
        rows = rows_for(con, table, districts, "publication")
        con.execute(f"create or replace table {table} as {rows}")


def _refuse_others(con: duckdb.DuckDBPyConnection, published: Path) -> None:
    """Refuse inputs that a crash left beside another publication: they would judge it by figures that it never had."""
    if not (published / FOLDER).exists():
        raise NoInputsError(f"发布库旁没有 {FOLDER}/（旧版本生成的发布）：请再运行一次 make run")
    run_id = con.execute(
        "select run_id from publication.ops.publication order by published_at desc, run_id limit 1"
    ).fetchall()[0][0]
    if folder_run(published, FOLDER) not in (None, run_id):
        raise NoInputsError(f"{FOLDER}/ 不是当前发布（{run_id}）的：请再运行一次 make run")


def _common(con: duckdb.DuckDBPyConnection, target: str, source: str) -> str:
    there = describe(con, source)
    return ", ".join(f'"{c}"' for c in describe(con, target) if c in there)


def _load(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Load the part of a table of deliveries that the wanted districts need."""
    source = f"read_parquet({sql_text(str(path))})"
    columns = {name for name, *_ in con.execute(f"describe from {source}").fetchall()}
    if "district_code" in columns:
        wanted = " semi join wanted using (district_code)"
    elif "content_sha256" in columns:
        wanted = " semi join raw.delivered_file using (content_sha256)"
    else:
        wanted = ""
    con.execute(f"create or replace table {path.stem} as from {source}{wanted}")
