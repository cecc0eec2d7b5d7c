"""A check before sending: finds everything that is wrong with a district's files before anybody else sees them.

The files are read, checked and compared in a database in memory, by the pipeline's own reader, contracts and models. The
warehouse does not change. Belongs here: the order of the work and its result. Keep out: which files (`target`), what is wrong
(`findings`, `models`), how it is shown (`text`, `book`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from youjun_pipeline.contracts import Dataset, load_datasets
from youjun_pipeline.ingest.districts import Delivered, DeliveredFile, Scan
from youjun_pipeline.ingest.files import ReadResult, read_file
from youjun_pipeline.ingest.seen import register
from youjun_pipeline.ingest.store import ingest
from youjun_pipeline.precheck.findings import (
    DOUBT,
    ERROR,
    GAP,
    LEVELS,
    NOTICE,
    PROBLEMS,
    TITLES,
    WARNING,
    Columns,
    Finding,
    contract_findings,
    reader_findings,
)
from youjun_pipeline.precheck.models import (
    can_be_evaluated,
    doubts,
    evaluate,
    failed_checks,
    missing_inputs,
    not_filled_in,
    rejected_across_files,
    roster_is_missing,
)
from youjun_pipeline.precheck.prices import capacity_findings, price_findings
from youjun_pipeline.precheck.scenarios import scenario_findings
from youjun_pipeline.precheck.statistics import STATISTICS, statistics_findings
from youjun_pipeline.precheck.target import Target, find_target
from youjun_pipeline.precheck.words import unusual_words
from youjun_pipeline.session import in_memory

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class CheckedFile:
    """A file that was checked: its path, its dataset, how many rows were read, accepted and rejected."""

    key: str
    path: Path
    dataset: Dataset | None
    rows_read: int
    rows_accepted: int
    rows_rejected: int


@dataclass
class Precheck:
    """The result of a check: the files, and every finding in the order of the files, levels and places."""

    title: str
    files: list[CheckedFile] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether the files can be sent as they are."""
        return not any(finding.level in PROBLEMS for finding in self.findings)

    @property
    def has_doubts(self) -> bool:
        """Whether the district should explain something in `suspicion_answers`, with this delivery or a later one."""
        return any(finding.level == DOUBT for finding in self.findings)

    @property
    def has_gaps(self) -> bool:
        """Whether a blank in a delivered file leaves a judgement open."""
        return any(finding.level == GAP for finding in self.findings)


def precheck(path: Path, today: dt.date, dataset: str | None = None) -> Precheck:
    """Check a district's folder, one delivery or a single file.

    Raises:
        TargetError: if there is nothing at `path` to check.
        OSError: if it cannot be read.
    """
    target = find_target(path, today, dataset)
    result = Precheck(path.resolve().name)
    result.findings += _folder_findings(target)
    with in_memory() as con:
        read: dict[Path, ReadResult] = {}

        def remember(file: Path, contract: Dataset) -> ReadResult:
            read[file] = read_file(file, contract)
            return read[file]

        delivered = register(con, Scan([target.district], []))
        ingest(con, delivered, read=remember)
        selected = [entry for entry in delivered if entry.file in target.files]
        result.findings += _unopened(con)
        result.files = [_checked_file(con, entry) for entry in selected]
        by_content = {
            (e.content_sha256, e.file.dataset): read[e.file.path] for e in delivered if e.file.path in read
        }
        columns: dict[str, Columns] = {}
        for entry in selected:
            found = by_content.get((entry.content_sha256, entry.file.dataset))
            columns[_key(entry.file)] = Columns(found)
            result.findings += _file_findings(con, entry, found, columns[_key(entry.file)])
        result.findings += _across_files(con, target, columns)
        result.findings += scenario_findings(con, path)
        result.findings += price_findings(con, path)
        result.findings += capacity_findings(con, columns)
    result.findings = _in_order(result)
    return result


def _key(file: DeliveredFile) -> str:
    """The name by which findings refer to a file; results of the check itself begin with the same words."""
    return f"{file.delivery}/{file.name}"


def _folder_findings(target: Target) -> list[Finding]:
    faults = [
        Finding(ERROR, "", "folder", "文件夹有误，不改正则全区不能评估", text) for text in target.faults
    ]
    notes = [
        Finding(WARNING, "", "folder_notice", "文件夹里有没有读取或没有填写的内容", f"{p}：{m}")
        for p, m in target.notes
    ]
    return faults + notes


def _unopened(con: duckdb.DuckDBPyConnection) -> list[Finding]:
    rows = con.execute("select message from raw.district_failure order by 1").fetchall()
    return [Finding(ERROR, "", "file_unreadable", "文件无法读取", message) for (message,) in rows]


def _checked_file(con: duckdb.DuckDBPyConnection, entry: Delivered) -> CheckedFile:
    rows = con.execute(
        "select rows_read, rows_accepted, rows_rejected from raw.content where content_sha256 = ? and dataset = ?",
        [entry.content_sha256, entry.file.dataset],
    ).fetchall()
    read, accepted, rejected = rows[0] if rows else (0, 0, 0)
    dataset = load_datasets().get(entry.file.dataset)
    return CheckedFile(_key(entry.file), entry.file.path, dataset, read or 0, accepted or 0, rejected or 0)


def _file_findings(
    con: duckdb.DuckDBPyConnection, entry: Delivered, result: ReadResult | None, columns: Columns
) -> Iterable[Finding]:
    """What is wrong within one file; faults of official statistics workbooks are those of the rows made from them."""
    key, dataset = _key(entry.file), load_datasets().get(entry.file.dataset)
    if result is not None:
        yield from reader_findings(key, result)
    if dataset is not None and (result is None or result.failure is None):
        yield from contract_findings(con, key, entry.content_sha256, dataset, columns)
        yield from unusual_words(con, key, entry.content_sha256, dataset, columns)
        refused = con.execute(
            "select failure_message from raw.content where content_sha256 = ? and dataset = ?"
            " and failure_rule = 'file_unreadable'",
            [entry.content_sha256, dataset.name],
        ).fetchall()
        for (message,) in refused if result and result.failure is None else ():
            yield Finding(ERROR, key, "file_unreadable", TITLES["file_unreadable"], message)
    if entry.file.dataset == STATISTICS:
        yield from statistics_findings(con, key, entry)


def _across_files(
    con: duckdb.DuckDBPyConnection, target: Target, columns: dict[str, Columns]
) -> list[Finding]:
    """What is found only by comparing files; reported for the files concerned, or for the whole district."""
    can_be_evaluated(con)
    as_of = max([file.delivery for file in target.files], default=dt.date.min)
    checks = evaluate(con, target.phases, as_of)
    bare = [finding for finding in not_filled_in(con) if finding.file in columns]
    if missing := roster_is_missing(con):
        level = ERROR if target.in_district else NOTICE
        detail = "没有学校名册（schools），没有核对学校标识码、校名和各表之间的关系"
        return [*bare, Finding(level, "", "schools_missing", "没有学校名册", detail)] if missing else bare
    found = [
        *rejected_across_files(con, columns),
        *missing_inputs(con, columns),
        *doubts(con, columns),
        *failed_checks(con, checks, columns),
    ]
    return bare + [finding for finding in found if not finding.file or finding.file in columns]


def _in_order(result: Precheck) -> list[Finding]:
    """Each finding once: a file that several deliveries use is found faulty in each of them."""
    order = {file.key: number for number, file in enumerate(result.files, 1)}
    unique = dict.fromkeys(result.findings)

    def place(finding: Finding) -> tuple[object, ...]:
        rows = [(cell.sheet, cell.row) for cell in finding.cells[:1]]
        return order.get(finding.file, 0), LEVEL_ORDER[finding.level], finding.rule, rows, finding.detail

    return sorted(unique, key=place)


LEVEL_ORDER = {level: number for number, level in enumerate(LEVELS)}
