"""What must hold for every file, however dirty: no exception, no row gone, every refusal with its place and a remedy.

Belongs here: reading a file as the pipeline does and looking at what came of it. Keep out: what a certain file must come to
(cases.py).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from youjun_pipeline.contracts import Dataset
from youjun_pipeline.ingest.files import ReadResult, read_file
from youjun_pipeline.ingest.sheets import Unreadable
from youjun_pipeline.ingest.texts import sheet_texts
from youjun_pipeline.ingest.validate import Validated, validate
from youjun_pipeline_tests.dirty.cases import Case

# Words of a program, not of a message to a district.
PROGRAM = re.compile(r"Traceback|Exception|Error\b|panicked|NoneType|object at 0x|\bnan\b|\bNone\b")
REMEDY = re.compile("请|应")


@dataclass
class Outcome:
    """What came of one file."""

    result: ReadResult
    checked: Validated | None
    told: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def accepted(self) -> int:
        return self.checked.accepted.num_rows if self.checked else 0

    @property
    def failure(self) -> str | None:
        if self.result.failure:
            return self.result.failure.rule
        return next((f.rule for f in self.checked.failures.values()), None) if self.checked else None

    @property
    def rejections(self) -> list[dict[str, Any]]:
        return self.checked.rejections.to_dict("records") if self.checked else []


def look_at(path: Path, dataset: Dataset, header_row: int = 0) -> Outcome:
    """Read a file and check it; `faults` says what does not hold. Rows above and in `header_row` are no data."""
    result = read_file(path, dataset)
    checked = None if result.failure else validate(dataset, result.frame.assign(content_sha256="x"))
    outcome = Outcome(result, checked)
    failures = [result.failure] if result.failure else list(checked.failures.values()) if checked else []
    outcome.told = [f.message for f in failures] + result.notices
    outcome.told += [f"未识别的列已忽略：{header}" for header in result.ignored_headers]
    if checked:
        outcome.told += [row["message"] for row in outcome.rejections] + list(checked.warnings["message"])
    outcome.faults += [f"told in a program's words: {text}" for text in outcome.told if PROGRAM.search(text)]
    outcome.faults += [f"without a remedy: {f.message}" for f in failures if not REMEDY.search(f.message)]
    outcome.faults += _row_faults(outcome)
    if header_row and not result.failure:
        outcome.faults += _unaccounted(path, dataset, result, header_row)
    return outcome


def _row_faults(outcome: Outcome) -> list[str]:
    """Rows read are rows accepted and rejected, and every rejection names cell and remedy."""
    if outcome.checked is None:
        return [] if outcome.result.frame.empty else ["a file that failed has rows"]
    read = len(outcome.result.frame)
    lost = {(r["sheet"], r["row_number"]) for r in outcome.rejections if r["rejects_row"]}
    faults = []
    if read != outcome.accepted + len(lost):
        faults.append(f"{read} rows read, {outcome.accepted} accepted, {len(lost)} rejected")
    places = set(zip(outcome.result.frame["sheet"], outcome.result.frame["row_number"], strict=True))
    for r in outcome.rejections:
        if (r["sheet"], r["row_number"]) not in places:
            faults.append(f"a rejection of a row that was not read: {r}")
        if not REMEDY.search(r["message"]) or not r["message"]:
            faults.append(f"a rejection without a remedy: {r['message']}")
    return faults


def _unaccounted(path: Path, dataset: Dataset, result: ReadResult, header_row: int) -> list[str]:
    """Rows below the header that hold something, are no data, and were not named."""
    try:
        sheets = sheet_texts(path, dataset)
    except (Unreadable, OSError) as error:
        return [f"read, and yet cannot be shown: {error}"]
    used = {column.sheet for column in result.columns}
    read = set(zip(result.frame["sheet"], result.frame["row_number"], strict=True))
    named = {(place.sheet, row) for place in result.places.values() for row in place.rows}
    gone = [
        (sheet.name, number)
        for sheet in sheets
        if sheet.name in used
        for number, cells in sheet.rows.items()
        if number > header_row and any(cell.strip() for cell in cells)
    ]
    return [f"gone without a word: {place}" for place in gone if place not in read | named]


def check_case(case: Case, path: Path, dataset: Dataset) -> list[str]:
    """What does not hold for a case's file, beside what must hold for every file."""
    outcome = look_at(path, dataset, case.header_row)
    faults = outcome.faults
    if case.failure != outcome.failure and case.failure != "any":
        faults.append(f"failure {outcome.failure}, not {case.failure}")
    if case.rows is not None and outcome.accepted != case.rows:
        faults.append(f"{outcome.accepted} rows accepted, not {case.rows}")
    if case.rejected is not None and len(outcome.rejections) != case.rejected:
        faults.append(f"{len(outcome.rejections)} cells told, not {case.rejected}: {outcome.rejections}")
    told = "\n".join(outcome.told)
    faults += [f"not told: {words}" for words in case.says if words not in told]
    return [f"{fault}\n    told: {outcome.told}" for fault in faults]
