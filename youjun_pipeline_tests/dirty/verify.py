"""The conditions for every file, however dirty: no exception, no row lost, every refusal with its place and a remedy.

Belongs here: reading files as the pipeline does, many at a time, and checking each result. Keep out: the result that a certain
file must have (cases.py).
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from youjun_pipeline.contracts import load_datasets
from youjun_pipeline.ingest.bulk import read_plain
from youjun_pipeline.ingest.files import ReadResult, read_file
from youjun_pipeline.ingest.formats.book import Unreadable, visible
from youjun_pipeline.ingest.texts import sheet_texts
from youjun_pipeline.ingest.validate import validate
from youjun_pipeline_tests.dirty.cases import Case

# Words of a program, not of a message to a district.
PROGRAM = re.compile(r"Traceback|Exception|Error\b|panicked|NoneType|object at 0x|\bnan\b|\bNone\b")
REMEDY = re.compile("请")


class Specimen(NamedTuple):
    """A file to check; rows up to `header_row` are not data (0: not known which)."""

    name: str
    path: Path
    dataset: str
    header_row: int = 0


@dataclass
class Outcome:
    """The result of one file, and its violations of the conditions (`faults`)."""

    specimen: Specimen
    result: ReadResult | None = None
    accepted: int = 0
    failure: str | None = None
    rejections: list[dict[str, Any]] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def look_at(
    specimens: Iterable[Specimen], begin: Callable[[Specimen], None] = lambda _: None
) -> list[Outcome]:
    """Read every file, check the files of a dataset together as a refresh does, and judge each result.

    `begin` is called with each file before it is read, because a reader that ends the program reports nothing afterwards.
    """
    outcomes = []
    for specimen in specimens:
        begin(specimen)
        outcomes.append(_read(specimen))
    for name in dict.fromkeys(outcome.specimen.dataset for outcome in outcomes):
        _check([o for o in outcomes if o.specimen.dataset == name and o.result and not o.result.failure])
        _read_together([o for o in outcomes if o.specimen.dataset == name and o.result])
    for outcome in outcomes:
        if outcome.result is not None:
            _judge(outcome, outcome.result)
    return outcomes


def _read(specimen: Specimen) -> Outcome:
    outcome = Outcome(specimen)
    try:
        outcome.result = read_file(specimen.path, load_datasets()[specimen.dataset])
    except Exception:
        outcome.faults.append(f"read_file raised:\n{traceback.format_exc()}")
        return outcome
    if failure := outcome.result.failure:
        outcome.failure = failure.rule
        outcome.told.append(failure.message)
    outcome.told += outcome.result.notices
    outcome.told += [f"未识别的列已忽略：{header}" for header in outcome.result.ignored_headers]
    return outcome


def _read_together(outcomes: list[Outcome]) -> None:
    """Read the files of a dataset in one pass too; the files that it takes must be the same as when read alone, without
    messages.
    """
    by_name = {outcome.specimen.name: outcome for outcome in outcomes}
    paths = {name: outcome.specimen.path for name, outcome in by_name.items()}
    for rows in read_plain(paths, load_datasets()[outcomes[0].specimen.dataset]) if outcomes else []:
        for name, frame in rows.frame.groupby("content_sha256", sort=False):
            result = by_name[str(name)].result
            together = frame.drop(columns="content_sha256").reset_index(drop=True)
            if result is None or result.notices or result.ignored_headers or result.columns != rows.columns:
                by_name[str(name)].faults.append(
                    "read with others, although there is something to say about it"
                )
            elif not together.equals(result.frame):
                by_name[str(name)].faults.append("read with others, it has other rows")
        for name in set(rows.contents) - set(rows.frame["content_sha256"]):
            by_name[name].faults.append("read with others, it has no rows")


def _check(outcomes: list[Outcome]) -> None:
    """Apply the contract to all rows at once, and give each file its part of the result."""
    frames = [o.result.frame.assign(content_sha256=o.specimen.name) for o in outcomes if o.result]
    if not frames:
        return
    checked = validate(load_datasets()[outcomes[0].specimen.dataset], pd.concat(frames, ignore_index=True))
    accepted = checked.accepted.column("content_sha256").to_pandas().value_counts()
    rejections: dict[str, list[dict[str, Any]]] = {}
    for row in checked.rejections.to_dict("records"):
        rejections.setdefault(row["content_sha256"], []).append(row)
    for outcome in outcomes:
        name = outcome.specimen.name
        outcome.accepted = int(accepted.get(name, 0))
        outcome.rejections = rejections.get(name, [])
        if failure := checked.failures.get(name):
            outcome.failure = failure.rule
            outcome.told.append(failure.message)
        outcome.told += [row["message"] for row in outcome.rejections]
        outcome.told += list(checked.warnings.loc[checked.warnings["content_sha256"] == name, "message"])


def _judge(outcome: Outcome, result: ReadResult) -> None:
    outcome.faults += [f"told in a program's words: {text}" for text in outcome.told if PROGRAM.search(text)]
    if outcome.failure and not any(REMEDY.search(text) for text in outcome.told):
        outcome.faults.append("a failure without a remedy")
    if result.failure:
        if len(result.frame):
            outcome.faults.append("a file that failed has rows")
        return
    lost = {(r["sheet"], r["row_number"]) for r in outcome.rejections if r["rejects_row"]}
    if len(result.frame) != outcome.accepted + len(lost):
        outcome.faults.append(
            f"{len(result.frame)} rows read, {outcome.accepted} accepted, {len(lost)} rejected"
        )
    read = set(zip(result.frame["sheet"], result.frame["row_number"], strict=True))
    for r in outcome.rejections:
        if (r["sheet"], r["row_number"]) not in read:
            outcome.faults.append(f"a rejection of a row that was not read: {r}")
        if not REMEDY.search(r["message"]):
            outcome.faults.append(f"a rejection without a remedy: {r['message']}")
    if outcome.specimen.header_row:
        outcome.faults += _unaccounted(outcome.specimen, result, read)


def _unaccounted(specimen: Specimen, result: ReadResult, read: set[tuple[str, int]]) -> list[str]:
    """Rows below the header that have visible content, are not data, and were not reported.

    A row with nothing but the headers that were read is no loss: together with a row above that lacks one of them it is the
    header.
    """
    try:
        sheets = sheet_texts(specimen.path, load_datasets()[specimen.dataset])
    except (Unreadable, OSError) as error:
        return [f"read, and yet cannot be shown: {error}"]
    headers: dict[str, set[str]] = {}
    for column in result.columns:
        headers.setdefault(column.sheet, set()).add(column.header.strip())
    known = read | {(place.sheet, row) for place in result.places.values() for row in place.rows}
    below = [
        (sheet.name, number)
        for sheet in sheets
        if sheet.name in headers
        for number, cells in sheet.rows.items()
        if number > specimen.header_row
        and not {text for cell in cells if (text := visible(cell).strip())} <= headers[sheet.name]
    ]
    return [f"gone without a word: {place}" for place in below if place not in known]


def case_faults(case: Case, outcome: Outcome) -> list[str]:
    """The differences between the result of a case's file and its required result."""
    faults = list(outcome.faults)
    if case.failure not in ("any", outcome.failure):
        faults.append(f"failure {outcome.failure}, not {case.failure}")
    if case.rows is not None and outcome.accepted != case.rows:
        faults.append(f"{outcome.accepted} rows accepted, not {case.rows}")
    if case.rejected is not None and len(outcome.rejections) != case.rejected:
        faults.append(f"{len(outcome.rejections)} cells told, not {case.rejected}")
    told = "\n".join(outcome.told)
    faults += [f"not told: {words}" for words in case.says if words not in told]
    return [f"{case.name}: {fault}; told: {told or 'nothing'}" for fault in faults]
