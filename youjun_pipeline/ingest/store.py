"""Delivered files into the warehouse: what was seen (raw), what was read as text (raw), what passed (accepted).

Content is known by its hash, its dataset and the version of the reader: a known file is not read again, however often
it is delivered. Keep out: how a file is read (`files`), how cells are judged (`validate`), what rows mean (the models).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from youjun_pipeline.contracts import Dataset, load_datasets
from youjun_pipeline.contracts.model import HIDDEN_COLUMNS
from youjun_pipeline.ingest.bare import declared_none, set_aside, without_bare_rows
from youjun_pipeline.ingest.beside import planning_files
from youjun_pipeline.ingest.districts import Delivered, DeliveredFile, Scan
from youjun_pipeline.ingest.files import READER_VERSION, content_hash, read_file, read_safely
from youjun_pipeline.ingest.formats.limits import why_unread
from youjun_pipeline.ingest.statistics.store import (
    Composition,
    ensure_statistics,
    read_statistics_files,
    register_statistics,
)
from youjun_pipeline.sql import transaction
from youjun_pipeline.standard import usable_comparisons

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb
    import pandas as pd

    from youjun_pipeline.contracts import Failure
    from youjun_pipeline.ingest.results import ReadResult

CONTENT_TABLES = {
    "content": "content_sha256 VARCHAR, dataset VARCHAR, reader_version VARCHAR, rows_read BIGINT, "
    "rows_accepted BIGINT, rows_rejected BIGINT, failure_rule VARCHAR, failure_message VARCHAR",
    "source_column": "content_sha256 VARCHAR, dataset VARCHAR, sheet VARCHAR, column_name VARCHAR, "
    "source_column VARCHAR, header VARCHAR",
    "rejection": "content_sha256 VARCHAR, dataset VARCHAR, sheet VARCHAR, row_number BIGINT, column_name VARCHAR, "
    "value VARCHAR, rule VARCHAR, message VARCHAR, rejects_row BOOLEAN, school_code VARCHAR",
    "hidden_row": "content_sha256 VARCHAR, dataset VARCHAR, sheet VARCHAR, row_number BIGINT, "
    + ", ".join(f"{name} {type_}" for name, type_ in HIDDEN_COLUMNS.items()),
    "rule_result": "content_sha256 VARCHAR, dataset VARCHAR, rule VARCHAR, severity VARCHAR, failed_rows BIGINT, "
    "message VARCHAR",
    "notice": "content_sha256 VARCHAR, dataset VARCHAR, message VARCHAR",
    # Contents that say nothing (`bare`).
    "bare_content": "content_sha256 VARCHAR, dataset VARCHAR, reason VARCHAR, rows_seen BIGINT",
}
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
    # Scenarios and prices are no deliveries, but what is made of them stands only as long as they do.
    "planning_file": "district_code VARCHAR, file VARCHAR, content_sha256 VARCHAR",
}
# What a district.toml says.
IDENTITY_TABLES = ("district", "district_option", "phase")


@dataclass(frozen=True)
class Ingested:
    """What became of one dataset's new contents; all counts are rows but `files`."""

    dataset: str
    files: int
    rows_read: int
    rows_accepted: int
    rows_rejected: int
    failures: int


def ensure_raw(con: duckdb.DuckDBPyConnection) -> None:
    """Create the raw and accepted tables; a dataset whose contract changed starts empty and is read anew.

    All or nothing: contents forgotten whose rows are still there would be read a second time beside them.
    """
    with transaction(con):
        _ensure_raw(con)


def _ensure_raw(con: duckdb.DuckDBPyConnection) -> None:
    for name, columns in {**CONTENT_TABLES, **SEEN_TABLES}.items():
        con.execute(f"create table if not exists raw.{name} ({columns})")
        if name in SEEN_TABLES and _columns(con, name) != [c.split()[0] for c in columns.split(", ")]:
            # of an older version; it is written anew by every run
            con.execute(f"create or replace table raw.{name} ({columns})")
    for dataset in load_datasets().values():
        version = reader_version(dataset)
        stale = con.execute(
            "select count(*) from raw.content where dataset = ? and reader_version <> ?",
            [dataset.name, version],
        ).fetchall()[0][0]
        how = "create or replace table" if stale else "create table if not exists"
        if stale:
            for name in CONTENT_TABLES:
                con.execute(f"delete from raw.{name} where dataset = ?", [dataset.name])
        place = "content_sha256 VARCHAR, sheet VARCHAR, row_number BIGINT"
        text = ", ".join(f'"{c}" VARCHAR' for c in dataset.columns)
        typed = ", ".join(f'"{c.name}" {c.duckdb_type}' for c in dataset.columns.values())
        con.execute(f"{how} raw.{dataset.name} ({place}, {text})")
        con.execute(f"{how} accepted.{dataset.name} ({place}, {typed})")
    ensure_statistics(con)


def _columns(con: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    return [row[0] for row in con.execute(f"describe raw.{table}").fetchall()]


def reader_version(dataset: Dataset) -> str:
    """Changes with the reader and with the contract, so that neither leaves rows behind that it would read otherwise."""
    return f"{READER_VERSION}-{hashlib.sha256(repr(dataset).encode()).hexdigest()[:12]}"


def register(con: duckdb.DuckDBPyConnection, found: Scan) -> list[Delivered]:
    """Write down what the data folder holds now, whole; returns every delivered file with its hash.

    A district with a fault in its folder keeps the name, options and phases it had: an unreadable district.toml must not
    take its last good rows out of the publication.
    """
    delivered, unreadable = _hashed(found)
    kept = _known_districts(con) & {d.code for d in found.districts if d.failures}
    rows = _seen_rows(found, delivered)
    rows["district_failure"] += unreadable
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


def _hashed(found: Scan) -> tuple[list[Delivered], list[tuple[object, ...]]]:
    """Every delivered file with its hash, and a row of `district_failure` for each that cannot be opened."""
    delivered, unreadable = [], list[tuple[object, ...]]()
    for district in found.districts:
        for file in district.files:
            try:
                delivered.append(Delivered(district.code, file, content_hash(file.path)))
            except Exception as error:
                message = f"{file.relative}：{why_unread(error)}"
                unreadable.append((district.code, file.dataset, "file_unreadable", message))
    return delivered, unreadable


def _known_districts(con: duckdb.DuckDBPyConnection) -> set[str]:
    return {code for (code,) in con.execute("select distinct district_code from raw.phase").fetchall()}


def _seen_rows(found: Scan, delivered: list[Delivered]) -> dict[str, list[tuple[object, ...]]]:
    """The rows of the `SEEN_TABLES`, by table."""
    # Two folders of one code are both failures; the tables keep one row per district all the same.
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
    """What figures per pupil lie between, as the contracts declare it."""
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
    """An option as the text the catalogue's defaults are written in: true/false, lists joined by commas."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return ",".join(str(item) for item in value)
    return str(value)


def ingest(
    con: duckdb.DuckDBPyConnection,
    delivered: Iterable[Delivered],
    report: Callable[[str], None] = lambda _: None,
    read: Callable[[Path, Dataset], ReadResult] = read_file,
) -> list[Ingested]:
    """Read every content not read before and store it, one transaction per dataset; returns a line per dataset.

    `read` stands in for `read_file` for whoever wants to see what is read.
    """
    delivered = list(delivered)
    statistics = read_statistics_files(con, delivered, report)
    known = set(con.execute("select content_sha256, dataset from raw.content").fetchall())
    fresh: dict[str, dict[str, DeliveredFile]] = {}
    for entry in delivered:
        if (entry.content_sha256, entry.file.dataset) not in known:
            fresh.setdefault(entry.file.dataset, {})[entry.content_sha256] = entry.file
    results = []
    for name, dataset in load_datasets().items():
        files = fresh.get(name, {})
        if files:
            report(f"读取 {dataset.title}：{len(files)} 个新文件")
        results.append(
            _ingest_dataset(con, dataset, files, statistics.composed.get(name, Composition()), read)
        )
    register_statistics(con, statistics)
    set_aside(con)
    return results


def _ingest_dataset(
    con: duckdb.DuckDBPyConnection,
    dataset: Dataset,
    files: dict[str, DeliveredFile],
    statistics: Composition,
    read_one: Callable[[Path, Dataset], ReadResult],
) -> Ingested:
    if not files and not statistics.results:
        return Ingested(dataset.name, 0, 0, 0, 0, 0)
    import pandas as pd

    from youjun_pipeline.ingest.validate import validate

    frames: list[pd.DataFrame] = []
    columns: list[tuple[object, ...]] = []
    notices: list[tuple[object, ...]] = []
    failures: dict[str, tuple[str, str]] = {}
    whole = {
        sha: read_safely(file.path, dataset, read_one) for sha, file in files.items()
    } | statistics.results
    read, bare = _without_bare(dataset, whole)
    for sha, result in read.items():
        if result.failure is not None:
            failures[sha] = (result.failure.rule, result.failure.message)
        frames.append(result.frame.assign(content_sha256=sha))
        columns += [
            (sha, dataset.name, c.sheet, c.column_name, c.source_column, c.header) for c in result.columns
        ]
        notices += [(sha, dataset.name, str(text)) for text in _notices(result)]
    text = pd.concat(frames, ignore_index=True)
    checked = validate(dataset, text)
    text = _without_refused(text, checked.failures)
    failures |= {sha: (f.rule, f.message) for sha, f in checked.failures.items() if sha not in failures}
    accepted = checked.accepted
    rejections = checked.rejections.assign(dataset=dataset.name)
    refused = _frame("rejection", statistics.refused)
    if len(refused):
        rejections = pd.concat([rejections, refused])
    kept = ["content_sha256", "dataset", "sheet", "row_number", "school_code"]
    hidden = pd.concat([checked.hidden, refused[kept]])
    rows_read = pd.concat([text["content_sha256"], refused["content_sha256"]])
    contents = _contents(
        dataset, list(read), rows_read, accepted.column("content_sha256").to_pandas(), rejections, failures
    )
    place = ["content_sha256", "sheet", "row_number"]
    with transaction(con):
        _insert(con, f"raw.{dataset.name}", text[[*place, *dataset.columns]])
        con.execute(f"insert into accepted.{dataset.name} by name select * from accepted")
        _insert(con, "raw.rejection", rejections)
        _insert(con, "raw.hidden_row", hidden)
        _insert(con, "raw.rule_result", checked.warnings.assign(dataset=dataset.name))
        _insert(con, "raw.source_column", _frame("source_column", columns))
        _insert(con, "raw.notice", _frame("notice", notices))
        _insert(con, "raw.bare_content", _frame("bare_content", bare))
        _insert(con, "raw.content", contents)
    total, good, turned_away = (
        int(n) for n in contents[["rows_read", "rows_accepted", "rows_rejected"]].sum()
    )
    return Ingested(dataset.name, len(read), total, good, turned_away, len(failures))


def _without_bare(
    dataset: Dataset, read: dict[str, ReadResult]
) -> tuple[dict[str, ReadResult], Sequence[tuple[object, ...]]]:
    """What is left of each content, and a row of `bare_content` for those that say nothing."""
    left = {sha: without_bare_rows(dataset, result) for sha, result in read.items()}
    bare = [(sha, dataset.name, why, len(read[sha].frame)) for sha, (_, why) in left.items() if why]
    return {sha: result for sha, (result, _) in left.items()}, bare


def _without_refused(text: pd.DataFrame, failures: dict[str, Failure]) -> pd.DataFrame:
    """The rows without those of contents that were refused as a whole later: like an unreadable file, such a content
    keeps no row.
    """
    refused = [sha for sha, failure in failures.items() if failure.rule == "file_unreadable"]
    return text[~text["content_sha256"].isin(refused)] if refused else text


def _contents(
    dataset: Dataset,
    files: list[str],
    rows_read: pd.Series[str],
    accepted: pd.Series[str],
    rejections: pd.DataFrame,
    failures: dict[str, tuple[str, str]],
) -> pd.DataFrame:
    """One row per content: what was read, accepted and rejected, and why it is unusable if it is."""
    import pandas as pd

    rows = rejections[rejections["rejects_row"].astype(bool)]
    rejected = (
        rows.drop_duplicates(["content_sha256", "sheet", "row_number"]).groupby("content_sha256").size()
    )
    frame = pd.DataFrame({"content_sha256": files})
    frame["dataset"] = dataset.name
    frame["reader_version"] = reader_version(dataset)
    frame["rows_read"] = frame["content_sha256"].map(rows_read.value_counts()).fillna(0).astype(int)
    frame["rows_rejected"] = frame["content_sha256"].map(rejected).fillna(0).astype(int)
    # counted, not subtracted: the check that rows reconcile must be able to fail
    frame["rows_accepted"] = frame["content_sha256"].map(accepted.value_counts()).fillna(0).astype(int)
    frame["failure_rule"] = [failures.get(sha, (None, None))[0] for sha in files]
    frame["failure_message"] = [failures.get(sha, (None, None))[1] for sha in files]
    return frame.astype({"failure_rule": object, "failure_message": object})


def _notices(result: object) -> list[str]:
    ignored = getattr(result, "ignored_headers", [])
    notices = list(getattr(result, "notices", []))
    if ignored:
        notices.append(f"未识别的列已忽略：{'、'.join(ignored)}")
    return notices


def _frame(table: str, rows: Sequence[tuple[object, ...]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(rows, columns=[c.split()[0] for c in CONTENT_TABLES[table].split(", ")], dtype=object)


def _insert(con: duckdb.DuckDBPyConnection, table: str, frame: pd.DataFrame) -> None:
    if len(frame):
        con.execute(f"insert into {table} by name select * from frame")
