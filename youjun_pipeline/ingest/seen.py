"""Records what the data folder contains before any of it is read: districts, phases, deliveries and their hashes.

Belongs here: the tables that every run writes again, and the hashes of files. Keep out: what is in the files (`store`).
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from youjun_pipeline.contracts import load_datasets
from youjun_pipeline.ingest.bare import declared_none
from youjun_pipeline.ingest.beside import planning_files
from youjun_pipeline.ingest.districts import Delivered, Scan
from youjun_pipeline.ingest.files import content_hash
from youjun_pipeline.ingest.formats.limits import why_unread
from youjun_pipeline.sql import transaction
from youjun_pipeline.standard import usable_comparisons

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

SEEN_TABLES = {
    "dataset": "dataset VARCHAR, title VARCHAR, kind VARCHAR, empty_means VARCHAR",
    "dataset_column": "dataset VARCHAR, column_name VARCHAR, title VARCHAR",
    "plausible_range": "dataset VARCHAR, column_name VARCHAR, title VARCHAR, unit VARCHAR, low DOUBLE, high DOUBLE",
    "district": "district_code VARCHAR, slug VARCHAR, district_name VARCHAR, standard_id VARCHAR, data_origin VARCHAR, "
    "plan_title VARCHAR, document_number VARCHAR, issued_on DATE",
    "district_option": "district_code VARCHAR, option VARCHAR, value VARCHAR",
    "phase": "district_code VARCHAR, phase_id VARCHAR, phase_name VARCHAR, phase_order INTEGER, starts DATE, ends DATE",
    "delivered_file": "district_code VARCHAR, delivery DATE, dataset VARCHAR, file VARCHAR, content_sha256 VARCHAR",
    "bare_file": "district_code VARCHAR, delivery DATE, dataset VARCHAR, file VARCHAR, content_sha256 VARCHAR, "
    "reason VARCHAR, rows_seen BIGINT",
    "declared_none": "district_code VARCHAR, delivery DATE, dataset VARCHAR, reason VARCHAR",
    "district_failure": "district_code VARCHAR, dataset VARCHAR, rule VARCHAR, message VARCHAR",
    "district_notice": "district_code VARCHAR, message VARCHAR",
    # Scenarios and prices are no deliveries, but what was made from them is valid only as long as they exist.
    "planning_file": "district_code VARCHAR, file VARCHAR, content_sha256 VARCHAR",
    # The mark shows whether a file has changed since it was hashed.
    "hashed_file": "path VARCHAR, mark VARCHAR, content_sha256 VARCHAR",
}
# A file that is written twice between two ticks of the file system's clock has the same time after both writes. So a file that
# was this young when it was hashed is hashed again by the next run.
TICK_NS = 2_000_000_000
# The content of a district.toml.
IDENTITY_TABLES = ("district", "district_option", "phase")


def register(con: duckdb.DuckDBPyConnection, found: Scan, *, verify: bool = False) -> list[Delivered]:
    """Record the present content of the data folder, replacing the old record; returns every delivered file with its hash.

    A file with unchanged size, times and inode keeps its hash, unless `verify` asks for all files to be hashed. A district with a
    fault in its folder keeps its former name, options and phases: an unreadable district.toml must not remove its last good rows
    from the publication.
    """
    known = con.execute("select path, mark, content_sha256 from raw.hashed_file").fetchall()
    hashed = _Hashed({} if verify else {(path, mark): sha for path, mark, sha in known})
    delivered, unreadable = _delivered(found, hashed)
    kept = _known_districts(con) & {d.code for d in found.districts if d.failures}
    rows = _seen_rows(found, delivered)
    rows["district_failure"] += unreadable
    rows["hashed_file"] = [(*place, sha) for place, sha in hashed.now.items()]
    with transaction(con):
        for name, values in rows.items():
            if name in IDENTITY_TABLES:
                con.execute(
                    f"delete from raw.{name} where not list_contains($1::varchar[], district_code)",
                    [list(kept)],
                )
                values = [row for row in values if row[0] not in kept]
            else:
                con.execute(f"delete from raw.{name}")
            _insert_seen(con, name, values)
    return delivered


class _Hashed:
    """Hashes of files by path and mark: those of earlier runs, and those of this run."""

    def __init__(self, before: dict[tuple[str, str], str]) -> None:
        self.before = before
        self.now: dict[tuple[str, str], str] = {}

    def __call__(self, path: Path) -> str:
        """The file's hash; raises as `content_hash` does."""
        found = os.stat(path)
        mark = f"{found.st_size} {found.st_mtime_ns} {found.st_ctime_ns} {found.st_ino} {found.st_mode}"
        sha = self.before.get((str(path), mark)) or content_hash(path)
        if time.time_ns() - max(found.st_mtime_ns, found.st_ctime_ns) > TICK_NS:
            self.now[str(path), mark] = sha
        return sha


def _delivered(found: Scan, hashed: _Hashed) -> tuple[list[Delivered], list[tuple[object, ...]]]:
    """Every delivered file with its hash, and a row of `district_failure` for each file that cannot be opened."""
    delivered, unreadable = [], list[tuple[object, ...]]()
    for district in found.districts:
        for file in district.files:
            try:
                delivered.append(Delivered(district.code, file, hashed(file.path)))
            except Exception as error:
                message = f"{file.relative}：{why_unread(error)}"
                unreadable.append((district.code, file.dataset, "file_unreadable", message))
    return delivered, unreadable


def _known_districts(con: duckdb.DuckDBPyConnection) -> set[str]:
    return {code for (code,) in con.execute("select distinct district_code from raw.phase").fetchall()}


def _seen_rows(found: Scan, delivered: list[Delivered]) -> dict[str, list[tuple[object, ...]]]:
    """The rows of the `SEEN_TABLES`, by table."""
    # Two folders with the same code are both failures; the tables still have one row per district.
    districts = list({d.code: d for d in found.districts}.values())
    return {
        "dataset": [(d.name, d.title, d.kind, d.empty_means) for d in load_datasets().values()],
        "dataset_column": [
            (d.name, c.name, c.zh) for d in load_datasets().values() for c in d.columns.values()
        ],
        "plausible_range": _plausible_ranges(),
        "district": [
            (
                d.code,
                d.slug,
                d.name,
                d.standard,
                d.data_origin,
                d.plan.title,
                d.plan.document_number,
                d.plan.issued_on,
            )
            for d in districts
        ],
        "district_option": [
            (d.code, key, option_text(value)) for d in districts for key, value in d.options.items()
        ],
        "phase": [(d.code, p.id, p.name, p.order, p.starts, p.ends) for d in districts for p in d.phases],
        "delivered_file": [
            (e.district_code, e.file.delivery, e.file.dataset, e.file.name, e.content_sha256)
            for e in delivered
        ]
        + [row for d in districts for row in declared_none(d)],
        "bare_file": [],
        "declared_none": [(d.code, n.delivered_on, n.dataset, n.reason) for d in districts for n in d.nones],
        "district_failure": [(d.code, "", f.rule, f.message) for d in found.districts for f in d.failures],
        "planning_file": [(d.code, *file) for d in districts for file in planning_files(d.folder)],
        "district_notice": [
            *((notice.district_code, str(notice)) for notice in found.notices),
            *((None, fault) for fault in usable_comparisons()[1]),
        ],
    }


def _plausible_ranges() -> list[tuple[object, ...]]:
    """The declared plausible ranges of figures per pupil."""
    return [
        (d.name, c.name, c.zh, c.unit, *(None if bound is None else float(bound) for bound in c.per_student))
        for d in load_datasets().values()
        for c in d.columns.values()
        if c.per_student
    ]


def _insert_seen(con: duckdb.DuckDBPyConnection, table: str, rows: list[tuple[object, ...]]) -> None:
    import pandas as pd

    if rows:
        columns = [c.split()[0] for c in SEEN_TABLES[table].split(", ")]
        # DuckDB finds the frame by its name
        frame = pd.DataFrame(rows, columns=columns, dtype=object)  # noqa: F841
        con.execute(f"insert into raw.{table} select * from frame")


def option_text(value: object) -> str:
    """An option as text in the spelling of the catalogue's defaults: true/false, lists joined by commas."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return ",".join(str(item) for item in value)
    return str(value)
