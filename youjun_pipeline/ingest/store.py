"""Puts delivered files into the warehouse: text as read (raw), and checked rows (accepted).

Content is identified by its hash, its dataset and the version of the reader: known content is not read again, however often it is
delivered. Keep out: which files there are (`seen`), how a file is read (`files`), how cells are judged (`validate`), what rows
mean (the models).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from youjun_pipeline.contracts import Dataset, load_datasets
from youjun_pipeline.contracts.model import HIDDEN_COLUMNS
from youjun_pipeline.ingest.bare import set_aside, without_bare_rows
from youjun_pipeline.ingest.districts import Delivered, DeliveredFile
from youjun_pipeline.ingest.files import READER_VERSION, read_file, read_safely
from youjun_pipeline.ingest.formats.limits import MAX_SLICE_BYTES
from youjun_pipeline.ingest.seen import SEEN_TABLES
from youjun_pipeline.ingest.statistics.store import (
    Composition,
    ensure_statistics,
    read_statistics_files,
    register_statistics,
)
from youjun_pipeline.sql import transaction

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
    # Contents that report nothing (`bare`).
    "bare_content": "content_sha256 VARCHAR, dataset VARCHAR, reason VARCHAR, rows_seen BIGINT",
}
# How many bytes of text are assumed for one byte of a packed file.
PACKED = 10


@dataclass(frozen=True)
class Ingested:
    """The result for one dataset's new contents; all counts are rows, except `files`."""

    dataset: str
    files: int
    rows_read: int
    rows_accepted: int
    rows_rejected: int
    failures: int

    def and_also(self, more: Ingested) -> Ingested:
        """The sum of both results."""
        return Ingested(
            self.dataset,
            self.files + more.files,
            self.rows_read + more.rows_read,
            self.rows_accepted + more.rows_accepted,
            self.rows_rejected + more.rows_rejected,
            self.failures + more.failures,
        )


def ensure_raw(con: duckdb.DuckDBPyConnection) -> None:
    """Create the raw and accepted tables; a dataset with a changed contract starts empty and is read again.

    This happens as a whole or not at all: if contents were forgotten while their rows remained, they would be read a second time.
    """
    with transaction(con):
        _ensure_raw(con)


def _ensure_raw(con: duckdb.DuckDBPyConnection) -> None:
    for name, columns in {**CONTENT_TABLES, **SEEN_TABLES}.items():
        con.execute(f"create table if not exists raw.{name} ({columns})")
        if name in SEEN_TABLES and _columns(con, name) != [c.split()[0] for c in columns.split(", ")]:
            # left by an older version; every run writes this table again
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
    """Changes with the reader and with the contract, so that no rows remain that would now be read differently."""
    return f"{READER_VERSION}-{hashlib.sha256(repr(dataset).encode()).hexdigest()[:12]}"


def ingest(
    con: duckdb.DuckDBPyConnection,
    delivered: Iterable[Delivered],
    report: Callable[[str], None] = lambda _: None,
    read: Callable[[Path, Dataset], ReadResult] = read_file,
) -> list[Ingested]:
    """Read all new content and store it; returns a line per dataset.

    A slice of a dataset's contents is one transaction, so memory stays limited for any number of contents. Small plain files are
    read together, unless the caller replaces `read_file` by its own `read` to observe the reading.
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
        done = Ingested(dataset.name, 0, 0, 0, 0, 0)
        composed = statistics.composed.get(name, Composition())
        for part in _slices(files) or ([{}] if composed.results else []):
            done = done.and_also(_ingest_slice(con, dataset, part, composed, read))
            composed = Composition()
        results.append(done)
    register_statistics(con, statistics)
    set_aside(con)
    return results


def _slices(files: dict[str, DeliveredFile]) -> list[dict[str, DeliveredFile]]:
    """The files in slices that are read and stored together; workbooks and Parquet files count with their unpacked size."""
    slices: list[dict[str, DeliveredFile]] = []
    size = 0
    for sha, file in files.items():
        own = 0
        with suppress(OSError):
            own = file.path.stat().st_size * (1 if file.path.suffix.casefold() == ".csv" else PACKED)
        if not slices or size + own > MAX_SLICE_BYTES:
            slices.append({})
            size = 0
        size += own
        slices[-1][sha] = file
    return slices


class _Read(NamedTuple):
    """What was read of a slice: its contents, rows as text, why some contents are unusable; rows for three tables of raw."""

    contents: list[str]
    text: pd.DataFrame
    failures: dict[str, tuple[str, str]]
    columns: list[tuple[object, ...]]
    notices: list[tuple[object, ...]]
    bare: Sequence[tuple[object, ...]]


def _read_slice(
    dataset: Dataset,
    files: dict[str, DeliveredFile],
    composed: dict[str, ReadResult],
    read_one: Callable[[Path, Dataset], ReadResult],
) -> _Read:
    import pandas as pd

    from youjun_pipeline.ingest.bulk import read_plain

    paths = {sha: file.path for sha, file in files.items()}
    together = list(read_plain(paths, dataset)) if read_one is read_file else []
    plain = {sha: None for rows in together for sha in rows.contents}
    whole = {sha: read_safely(path, dataset, read_one) for sha, path in paths.items() if sha not in plain}
    read, bare = _without_bare(dataset, whole | composed)
    frames = [rows.frame for rows in together]
    columns = [(sha, column) for rows in together for sha in rows.contents for column in rows.columns]
    notices: list[tuple[object, ...]] = []
    failures: dict[str, tuple[str, str]] = {}
    for sha, result in read.items():
        if result.failure is not None:
            failures[sha] = (result.failure.rule, result.failure.message)
        frames.append(result.frame.assign(content_sha256=sha))
        columns += [(sha, column) for column in result.columns]
        notices += [(sha, dataset.name, str(text)) for text in _notices(result)]
    placed = [(sha, dataset.name, c.sheet, c.column_name, c.source_column, c.header) for sha, c in columns]
    text = pd.concat(frames, ignore_index=True)
    return _Read([*plain, *read], text, failures, [*placed], notices, bare)


def _ingest_slice(
    con: duckdb.DuckDBPyConnection,
    dataset: Dataset,
    files: dict[str, DeliveredFile],
    statistics: Composition,
    read_one: Callable[[Path, Dataset], ReadResult],
) -> Ingested:
    import pandas as pd
    import pyarrow as pa

    from youjun_pipeline.ingest.validate import validate

    read = _read_slice(dataset, files, statistics.results, read_one)
    checked = validate(dataset, read.text)
    text = _without_refused(read.text, checked.failures)
    told = {sha: (f.rule, f.message) for sha, f in checked.failures.items()}
    failures = told | read.failures
    accepted = checked.accepted
    rejections = checked.rejections.assign(dataset=dataset.name)
    refused = _frame("rejection", statistics.refused)
    if len(refused):
        rejections = pd.concat([rejections, refused])
    kept = ["content_sha256", "dataset", "sheet", "row_number", "school_code"]
    hidden = pd.concat([checked.hidden, refused[kept]])
    rows_read = pd.concat([text["content_sha256"], refused["content_sha256"]])
    contents = _contents(
        dataset,
        read.contents,
        rows_read,
        accepted.column("content_sha256").to_pandas(),
        rejections,
        failures,
    )
    place = ["content_sha256", "sheet", "row_number"]
    with transaction(con):
        # Through Arrow, which takes half the time of a frame to pass text on.
        read_text = pa.Table.from_pandas(text[[*place, *dataset.columns]], preserve_index=False)  # noqa: F841
        con.execute(f"insert into raw.{dataset.name} by name select * from read_text")
        con.execute(f"insert into accepted.{dataset.name} by name select * from accepted")
        _insert(con, "raw.rejection", rejections)
        _insert(con, "raw.hidden_row", hidden)
        _insert(con, "raw.rule_result", checked.warnings.assign(dataset=dataset.name))
        _insert(con, "raw.source_column", _frame("source_column", read.columns))
        _insert(con, "raw.notice", _frame("notice", read.notices))
        _insert(con, "raw.bare_content", _frame("bare_content", read.bare))
        _insert(con, "raw.content", contents)
    total, good, turned_away = (
        int(n) for n in contents[["rows_read", "rows_accepted", "rows_rejected"]].sum()
    )
    return Ingested(dataset.name, len(contents), total, good, turned_away, len(failures))


def _without_bare(
    dataset: Dataset, read: dict[str, ReadResult]
) -> tuple[dict[str, ReadResult], Sequence[tuple[object, ...]]]:
    """What is left of each content, and a row of `bare_content` for contents that report nothing."""
    left = {sha: without_bare_rows(dataset, result) for sha, result in read.items()}
    bare = [(sha, dataset.name, why, len(read[sha].frame)) for sha, (_, why) in left.items() if why]
    return {sha: result for sha, (result, _) in left.items()}, bare


def _without_refused(text: pd.DataFrame, failures: dict[str, Failure]) -> pd.DataFrame:
    """The rows without those of contents that were later refused as a whole: like an unreadable file, such a content keeps no
    rows.
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
    # Counted, not subtracted: otherwise the check that rows reconcile could never fail.
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
