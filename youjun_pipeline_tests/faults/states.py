"""Conditions of a data folder that hold at any moment, and after an undisturbed run; each function returns the faults.

Content is compared by hashes that are computed here from the rows; the publication's own statements are not used. Keep out:
causing faults (`kills`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from youjun_pipeline.contracts import load_datasets
from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline.warehouse.contents import NOT_CONTENT
from youjun_pipeline.warehouse.manifest import MANIFEST_NAME
from youjun_pipeline.warehouse.swap import FILE_NAME, PREVIOUS_NAME

FOLDERS = ("parquet", "official", "papers", "schools", "data_docs", "site")
# The deliveries that a publication and the one before it were made from lie beside them.
LEGITIMATE = {FILE_NAME, PREVIOUS_NAME, MANIFEST_NAME, *FOLDERS, "inputs", "inputs.previous"}


@dataclass(frozen=True)
class Content:
    """A publication: the hash of its rows, and its own statements."""

    digest: str
    stated: str
    rows: int


def read_content(file: Path) -> Content:
    """The content of a publication, from all its rows; raises AssertionError if it contradicts its own statements."""
    with connect(file, read_only=True) as con:
        stated, said = con.execute(
            "select content_sha256, rows from ops.publication order by published_at desc, run_id limit 1"
        ).fetchall()[0]
        tables = con.execute(
            "select schema_name || '.' || table_name from duckdb_tables() "
            "where database_name = current_database() and schema_name in ('mart', 'quality') order by 1"
        ).fetchall()
        found = {name: _table(con, name) for (name,) in tables}
        con.execute("select count(*) from bi.dim_district")
    rows = sum(count for count, _ in found.values())
    if rows != said:
        raise AssertionError(f"{file.name}: {rows} rows, but it says {said}")
    return Content(_digest({name: digest for name, (_, digest) in found.items()}), stated, rows)


def read_copies(folder: Path) -> tuple[str, set[str]]:
    """The hash of the rows of `parquet/`, comparable to a publication's, and the runs that its rows name."""
    with duckdb.connect(":memory:") as con:
        found = {
            file.parent.name: _table(con, f"'{file}'")[1]
            for file in folder.glob("*/*.parquet")
            if file.parent.name.startswith(("mart.", "quality."))
        }
        runs = con.execute(f"select run_id from '{folder}/ops.publication/publication.parquet'").fetchall()
    return _digest(found), {run for (run,) in runs}


def _table(con: duckdb.DuckDBPyConnection, source: str) -> tuple[int, str]:
    columns = [name for name, *_ in con.execute(f"describe from {source}").fetchall()]
    picked = ", ".join(f'"{c}"' for c in columns if c not in NOT_CONTENT)
    count, digest = con.execute(
        f"select count(*), sha256(string_agg(h, '' order by h)) "
        f"from (select sha256(r::varchar) as h from (select {picked} from {source}) r)"
    ).fetchall()[0]
    return int(count), str(digest)


def _digest(tables: dict[str, str]) -> str:
    return hashlib.sha256(json.dumps(tables, sort_keys=True).encode()).hexdigest()


def always(published: Path, allowed: Collection[Content], known: Collection[Content], had: bool) -> list[str]:
    """The faults of the publication: it must be one of `allowed`, and exist if it `had` existed; a copy must be one of
    `known`.
    """
    faults: list[str] = []
    file = published / FILE_NAME
    if not file.exists():
        return [f"{FILE_NAME} is missing"] if had else []
    for path, contents in ((file, allowed), (published / PREVIOUS_NAME, known)):
        if path.exists():
            try:
                if read_content(path) not in contents:
                    faults.append(f"{path.name} holds what no run has published")
            except (duckdb.Error, AssertionError) as error:
                faults.append(f"{path.name}: {error}")
    return faults + _beside(published, {content.digest for content in known})


def _beside(published: Path, known: set[str]) -> list[str]:
    """Faults of the manifest and of the folders: they must be complete, and belong to the publication in the manifest."""
    faults, manifest = [], dict[str, Any]()
    if (published / MANIFEST_NAME).exists():
        try:
            manifest = json.loads((published / MANIFEST_NAME).read_text("utf-8"))
        except ValueError as error:
            return [f"{MANIFEST_NAME} is torn: {error}"]
    claimed: dict[str, str] = manifest.get("folders", {})
    faults += [
        f"{MANIFEST_NAME} names {n}/, which is missing" for n in claimed if not (published / n).is_dir()
    ]
    if (published / "parquet").is_dir():
        try:
            digest, runs = read_copies(published / "parquet")
            if digest not in known:
                faults.append("parquet/ holds what no run has published")
            if claimed.get("parquet") and claimed["parquet"] not in runs:
                faults.append(f"parquet/ is not of run {claimed['parquet']}, which the manifest names")
        except duckdb.Error as error:
            faults.append(f"parquet/ is torn: {error}")
    for name in ("official", "schools"):
        faults += _report_faults(published / name)
    for name in ("site", "data_docs"):
        if (published / name).is_dir() and not (published / name / "index.html").is_file():
            faults.append(f"{name}/ has no index.html")
    return faults


def _report_faults(folder: Path) -> list[str]:
    """A folder of reports lists its content; every file must be there, equal to the byte."""
    if not folder.is_dir():
        return []
    try:
        files = json.loads((folder / "contents.json").read_text("utf-8"))["files"]
    except (OSError, ValueError) as error:
        return [f"{folder.name}/contents.json: {error}"]
    return [
        f"{folder.name}/{name} is not what was written"
        for name, entry in files.items()
        if not (folder / name).is_file()
        or hashlib.sha256((folder / name).read_bytes()).hexdigest() != entry["sha256"]
    ]


def after_a_run(data: Path, expected: Content, known: Collection[Content], reports: bool) -> list[str]:
    """The faults after a successful run: its content, leftover files, rows that do not add up."""
    published = data / "published"
    faults = always(published, [expected], known, True)
    content = read_content(published / FILE_NAME)
    if content != expected:
        faults.append(f"published {content}, an undisturbed run in a fresh folder {expected}")
    manifest = json.loads((published / MANIFEST_NAME).read_text("utf-8"))
    if manifest["publication"]["content_sha256"] != expected.stated:
        faults.append(f"{MANIFEST_NAME} is not about what was published")
    run = manifest["publication"]["run_id"]
    of_run = {name for name, named in manifest["folders"].items() if named == run}
    if not of_run >= (set(FOLDERS) if reports else {"parquet"}):
        faults.append(f"of this run are only {sorted(of_run)}")
    if read_copies(published / "parquet")[0] != expected.digest:
        faults.append("parquet/ is not what was published")
    faults += [f"left over: {p.name}" for p in published.iterdir() if p.name not in LEGITIMATE]
    faults += [f"left over: {p.name}" for p in (data / ".work").iterdir() if p.name not in _WORKING]
    return faults + _rows_faults(data / ".work" / "warehouse.duckdb")


_WORKING = ("warehouse.duckdb", "dagster")


def _rows_faults(warehouse: Path) -> list[str]:
    """Contents whose rows do not add up, rows of unknown content, deliveries not read. If it opens at all, no lock is left."""
    faults = []
    with connect(warehouse, read_only=True) as con:
        faults += [
            f"raw.content: {row}"
            for row in con.execute(
                "select content_sha256, dataset, count(*), sum(rows_read), sum(rows_accepted), sum(rows_rejected) "
                "from raw.content group by all "
                "having count(*) > 1 or sum(rows_read) <> sum(rows_accepted) + sum(rows_rejected)"
            ).fetchall()
        ]
        for dataset in load_datasets():
            for schema, counted in (("raw", "rows_read"), ("accepted", "rows_accepted")):
                faults += [
                    f"{schema}.{dataset}: {row}"
                    for row in con.execute(
                        f"select * from (select content_sha256, count(*) as found from {schema}.{dataset} group by 1) "
                        f"full join (select content_sha256, {counted} as said from raw.content where dataset = '{dataset}') "
                        "using (content_sha256) where coalesce(found, 0) <> coalesce(said, 0)"
                    ).fetchall()
                ]
        faults += [
            f"delivered, not read: {row}"
            for row in con.execute(
                "select district_code, dataset, file from raw.delivered_file "
                "anti join raw.content using (content_sha256, dataset)"
            ).fetchall()
        ]
    return faults
