"""Puts statistics into the raw tables: the cells of each file, by content, and the datasets of each delivery.

A workbook with known content is not opened again. A delivery's statistics become one content per dataset, named `statistics`. Its
hash is the hash of all files and of everything else that decides the rows. Keep out: reading files (reading.py), making rows of
cells (compose.py), and storing the rows (ingest.store does that as for any file).
"""

from __future__ import annotations

import gc
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from youjun_pipeline.contracts import Failure, load_datasets
from youjun_pipeline.ingest.formats.limits import unforeseen
from youjun_pipeline.ingest.statistics.cells import Cell
from youjun_pipeline.sql import transaction

if TYPE_CHECKING:
    import datetime as dt

    import duckdb

    from youjun_pipeline.ingest.districts import Delivered
    from youjun_pipeline.ingest.results import ReadResult
    from youjun_pipeline.ingest.statistics.compose import Composed

STATISTICS = "statistics"
DATASETS = ("schools", "class_bands", "teachers", "facilities")
# A file's cells are one text, a list of lists in the order of `Cell`, because they are always needed together. One database row
# for each cell would take as long to store as the workbook takes to read. source: the cell behind a composed row's column.
TABLES = {
    "statistics_file": "content_sha256 VARCHAR, cells VARCHAR",
    "statistics_source": "content_sha256 VARCHAR, dataset VARCHAR, sheet VARCHAR, row_number BIGINT, column_name VARCHAR, "
    "source_file VARCHAR, source_sheet VARCHAR, source_row BIGINT, source_column VARCHAR, header VARCHAR",
}
SHOWN_FAILURES = 20
# How many files may have their cells in memory at once: the 60 cells of a workbook take some 25 KB as Python objects.
BATCH = 2_000


@dataclass(frozen=True)
class Part:
    """One delivery's statistics of one district: its files by name with their hashes, and the datasets they fill."""

    district_code: str
    district_name: str
    delivery: dt.date
    files: tuple[tuple[str, str], ...]
    datasets: tuple[str, ...]
    content_sha256: str


@dataclass
class Composition:
    """New contents of one dataset from statistics, and the refused schools (rows as raw.rejection)."""

    results: dict[str, ReadResult] = field(default_factory=dict)
    refused: list[tuple[object, ...]] = field(default_factory=list)


@dataclass
class Statistics:
    """The deliveries with statistics, and their new contents by dataset."""

    parts: list[Part] = field(default_factory=list)
    composed: dict[str, Composition] = field(default_factory=dict)


def ensure_statistics(con: duckdb.DuckDBPyConnection) -> None:
    """Create the tables; remove what an older reader stored."""
    from youjun_pipeline.ingest.statistics.layouts import load_layouts

    for name, columns in TABLES.items():
        con.execute(f"create table if not exists raw.{name} ({columns})")
    stale = con.execute(
        "select content_sha256 from raw.content where dataset = ? and reader_version <> ?",
        [STATISTICS, load_layouts().version],
    ).fetchall()
    for (content,) in stale:
        con.execute("delete from raw.statistics_file where content_sha256 = ?", [content])
        con.execute("delete from raw.notice where content_sha256 = ? and dataset = ?", [content, STATISTICS])
        con.execute("delete from raw.content where content_sha256 = ? and dataset = ?", [content, STATISTICS])


def read_statistics_files(
    con: duckdb.DuckDBPyConnection, delivered: Sequence[Delivered], report: Callable[[str], None]
) -> Statistics:
    """Read the new statistics workbooks, and compose the deliveries that are new or changed."""
    files = [entry for entry in delivered if entry.file.dataset == STATISTICS]
    if not files:
        return Statistics()
    known = {
        c
        for (c,) in con.execute(
            "select content_sha256 from raw.content where dataset = ?", [STATISTICS]
        ).fetchall()
    }
    fresh = list(
        {entry.content_sha256: entry for entry in files if entry.content_sha256 not in known}.values()
    )
    if fresh:
        report(f"读取教育事业统计报表：{len(fresh)} 个新文件")
    read: dict[str, list[Cell]] = {}
    with _no_collection():
        for start in range(0, len(fresh), BATCH):
            read = _read(con, fresh[start : start + BATCH])
        found = Statistics(_parts(con, delivered, files))
        composed = {
            (c, d) for c, d in con.execute("select content_sha256, dataset from raw.content").fetchall()
        }
        new = {
            p.content_sha256: p
            for p in found.parts
            if any((p.content_sha256, d) not in composed for d in p.datasets)
        }
        for batch in _batches(list(new.values())):
            _compose(con, batch, read, found, composed)
    return found


@contextmanager
def _no_collection() -> Iterator[None]:
    """Pause Python's search for cycles: it takes an eighth of the time, and no cell is in a cycle."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _batches(parts: list[Part]) -> list[list[Part]]:
    """Deliveries in groups of about BATCH files."""
    batches: list[list[Part]] = []
    size = BATCH
    for part in parts:
        if size >= BATCH:
            batches.append([])
            size = 0
        batches[-1].append(part)
        size += len(part.files)
    return batches


def _read(con: duckdb.DuckDBPyConnection, fresh: list[Delivered]) -> dict[str, list[Cell]]:
    """Read files and store their cells; returns the cells by content."""
    from youjun_pipeline.ingest.statistics.layouts import load_layouts
    from youjun_pipeline.ingest.statistics.reading import read_statistics

    found: dict[str, list[Cell]] = {}
    contents: list[tuple[object, ...]] = []
    notices: list[tuple[object, ...]] = []
    for entry in fresh:
        content = entry.content_sha256
        read = read_statistics(entry.file.path, entry.file.name)
        found[content] = read.cells
        rows = sum(cell.column == "school_code" for cell in read.cells)
        rule, message = (read.failure.rule, read.failure.message) if read.failure else (None, None)
        contents.append((content, STATISTICS, load_layouts().version, rows, rows, 0, rule, message))
        notices += [(content, STATISTICS, text) for text in read.notices]
    texts = [(content, json.dumps(cells, ensure_ascii=False)) for content, cells in found.items()]
    with transaction(con):
        _insert(con, "statistics_file", _columns("statistics_file"), texts)
        _insert(con, "content", _CONTENT, contents)
        _insert(con, "notice", ["content_sha256", "dataset", "message"], notices)
    return found


_CONTENT = [
    *("content_sha256", "dataset", "reader_version", "rows_read", "rows_accepted", "rows_rejected"),
    *("failure_rule", "failure_message"),
]


def _insert(
    con: duckdb.DuckDBPyConnection, table: str, names: list[str], rows: Sequence[tuple[object, ...]]
) -> None:
    """Insert rows through Arrow: this takes a fifth of the time of a data frame of Python objects."""
    import pyarrow as pa

    if rows:
        arrow = pa.table([pa.array(column) for column in zip(*rows, strict=True)], names=names)  # noqa: F841, DuckDB sees it
        con.execute(f"insert into raw.{table} by name select * from arrow")


def _columns(table: str) -> list[str]:
    return [column.split()[0] for column in TABLES[table].split(", ")]


def _parts(
    con: duckdb.DuckDBPyConnection, delivered: Sequence[Delivered], files: list[Delivered]
) -> list[Part]:
    """The deliveries with statistics. A plain dataset file in the same delivery takes precedence over them."""
    from youjun_pipeline.ingest.statistics.layouts import load_layouts

    names = dict(
        con.execute("select district_code, coalesce(district_name, '') from raw.district").fetchall()
    )
    plain = {(e.district_code, e.file.delivery, e.file.dataset) for e in delivered}
    by_delivery: dict[tuple[str, dt.date], list[tuple[str, str]]] = {}
    for entry in files:
        place = (entry.district_code, entry.file.delivery)
        by_delivery.setdefault(place, []).append((entry.file.name, entry.content_sha256))
    parts = []
    for (code, delivery), entries in by_delivery.items():
        datasets = tuple(name for name in DATASETS if (code, delivery, name) not in plain)
        decisive = (load_layouts().version, code, names.get(code, ""), datasets, tuple(sorted(entries)))
        content = hashlib.sha256(repr(decisive).encode()).hexdigest()
        parts.append(Part(code, names.get(code, ""), delivery, tuple(sorted(entries)), datasets, content))
    return parts


def _compose(
    con: duckdb.DuckDBPyConnection,
    parts: list[Part],
    read: dict[str, list[Cell]],
    found: Statistics,
    known: set[tuple[str, str]],
) -> None:
    """Compose deliveries; `read` has the cells of files that were just read."""
    from youjun_pipeline.ingest.statistics.compose import Source, compose, failed

    stored = _stored(con, {content for part in parts for _, content in part.files}, read)
    sources: list[tuple[object, ...]] = []
    for part in parts:
        datasets = [load_datasets()[name] for name in part.datasets]
        faulty = [
            (name, stored.failures[content]) for name, content in part.files if content in stored.failures
        ]
        if faulty:
            result = failed(_failure(faulty), datasets)
        else:
            given = [
                Source(f"{name}/{cell.member}" if cell.member else name, cell)
                for name, content in part.files
                for cell in stored.cells.get(content, [])
            ]
            readings = [
                f"{name}：{text}" for name, content in part.files for text in stored.notices.get(content, [])
            ]
            try:
                result = compose(given, readings, (part.district_code, part.district_name), datasets)
            except Exception as error:
                result = failed(Failure("file_unreadable", f"统计报表：{unforeseen(error)}"), datasets)
        _keep(part, result, found, known)
        sources += [(part.content_sha256, *source) for source in result.sources]
    with transaction(con):
        for part in parts:
            con.execute("delete from raw.statistics_source where content_sha256 = ?", [part.content_sha256])
        _insert(con, "statistics_source", _columns("statistics_source"), sources)


def _keep(part: Part, result: Composed, found: Statistics, known: set[tuple[str, str]]) -> None:
    """Add the datasets of a delivery that are not stored yet."""
    content = part.content_sha256
    for index, name in enumerate(part.datasets):
        if (content, name) in known:
            continue
        composition = found.composed.setdefault(name, Composition())
        composition.results[content] = result.results[name]
        if index == 0:
            composition.refused += [
                (
                    content,
                    name,
                    r.source.sheet,
                    r.source.cell.row,
                    "school_code",
                    r.school_code,
                    r.rule,
                    r.message,
                    True,
                    r.school_code,
                )
                for r in result.rejected
            ]


def _failure(faulty: list[tuple[str, tuple[str, str]]]) -> Failure:
    """One failure for a delivery with unusable files; it names all files, or the first of many."""
    rules = [rule for _, (rule, _) in faulty]
    failures_shown = "；".join(f"{name}：{message}" for name, (_, message) in faulty[:SHOWN_FAILURES])
    more = f"；等共 {len(faulty)} 个文件" if len(faulty) > SHOWN_FAILURES else ""
    rule = "statistics_form_unexpected" if "statistics_form_unexpected" in rules else rules[0]
    return Failure(rule, failures_shown + more)


@dataclass
class _Stored:
    """Cells, notices and failures of files, by content."""

    cells: dict[str, list[Cell]] = field(default_factory=dict)
    notices: dict[str, list[str]] = field(default_factory=dict)
    failures: dict[str, tuple[str, str]] = field(default_factory=dict)


def _stored(con: duckdb.DuckDBPyConnection, contents: set[str], read: dict[str, list[Cell]]) -> _Stored:
    found = _Stored(cells={content: read[content] for content in contents & read.keys()})
    wanted = (
        "create or replace temp table statistics_wanted as select unnest($1::varchar[]) as content_sha256"
    )
    con.execute(wanted, [list(contents - read.keys())])
    texts = con.execute(
        "from raw.statistics_file semi join statistics_wanted using (content_sha256)"
    ).fetchall()
    found.cells |= {content: [Cell(*values) for values in json.loads(cells)] for content, cells in texts}
    con.execute(wanted, [list(contents)])
    notices = con.execute(
        "select content_sha256, message from raw.notice semi join statistics_wanted using (content_sha256) "
        "where dataset = ? order by rowid",
        [STATISTICS],
    )
    for content, message in notices.fetchall():
        found.notices.setdefault(content, []).append(message)
    failures = con.execute(
        "select content_sha256, failure_rule, failure_message from raw.content "
        "semi join statistics_wanted using (content_sha256) where dataset = ? and failure_rule is not null",
        [STATISTICS],
    )
    found.failures = {content: (rule, message) for content, rule, message in failures.fetchall()}
    return found


def register_statistics(con: duckdb.DuckDBPyConnection, found: Statistics) -> None:
    """Register the statistics of deliveries as delivered files; a dataset that they do not mention counts as not delivered."""
    entries = [
        (part.district_code, part.delivery, name, STATISTICS, part.content_sha256)
        for part in found.parts
        for name in part.datasets
    ]
    stated = {
        (content, name)
        for content, name in con.execute(
            "select content_sha256, dataset from raw.content where rows_read > 0 or failure_rule is not null"
        ).fetchall()
    }
    _insert(con, "delivered_file", _DELIVERED, [entry for entry in entries if (entry[4], entry[2]) in stated])


_DELIVERED = ["district_code", "delivery", "dataset", "file", "content_sha256"]
