"""Checks on accepted rows, reported per file: repeated keys and broken rules, with the rows concerned.

Belongs here: finding these rows and reporting them to the district. Keep out: single cells (validate.py) and how a rule is
tested (row_rules.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from youjun_pipeline.contracts.model import WARNING, Dataset, Failure
from youjun_pipeline.ingest.cells import flat
from youjun_pipeline.ingest.row_rules import rule_breaks

DUPLICATE_KEY, CONFLICTING_REPORTS = "duplicate_key", "conflicting_reports"

# More examples of a broken rule than this are rarely needed. Repeated keys are all listed, unless the file contains everything
# twice.
MAX_OFFENDERS = 20
MAX_KEYS = 1000


class RowWarning(NamedTuple):
    """A rule broken in one content: how often, and a message with the first rows that break it."""

    content_sha256: str
    rule: str
    severity: str
    failed_rows: int
    message: str


class _Offenders(NamedTuple):
    """Groups of faulty rows in one content: how many groups, and the first of them as text."""

    total: int
    shown: list[list[dict[str, Any]]]


def repeated_keys(dataset: Dataset, rows: Any) -> list[np.ndarray]:
    """Positions of the rows with the same content and key as another row, one array per key, in row order.

    Two blanks in a key count as equal.
    """
    codes = _row_codes([rows[name] for name in ("content_sha256", *dataset.key)])
    repeated = np.flatnonzero(pd.Series(codes).duplicated(keep=False))
    by_code = repeated[np.argsort(codes[repeated], kind="stable")]
    groups = np.split(by_code, np.flatnonzero(np.diff(codes[by_code])) + 1) if len(by_code) else []
    return sorted(groups, key=lambda group: group[0])


def duplicate_keys(dataset: Dataset, raw: Any, repeats: Sequence[np.ndarray]) -> dict[str, Failure]:
    """The contents of a snapshot in which a key occurs more than once, with all those keys and their rows."""
    failures = {}
    for content, groups in _by_content(raw, repeats, dataset.key, MAX_KEYS):
        # Few districts have campuses; in other districts the message does not mention them.
        has_campus = any(rows[0].get("campus") for rows in groups.shown)
        key = [name for name in dataset.key if name != "campus" or has_campus]
        titles = "、".join(dataset.columns[name].zh for name in key)
        examples = (f"{_key(key, rows[0], '（空）')}（{_places(rows)}）" for rows in groups.shown)
        rest = f"；等共 {groups.total} 个" if groups.total > MAX_KEYS else ""
        failures[content] = Failure(
            DUPLICATE_KEY,
            f"{titles}相同的行只能有一行，请删去或更正多余的行。重复的有 {groups.total} 个：{'；'.join(examples)}{rest}",
        )
    return failures


def conflicting_reports(
    dataset: Dataset, rows: Any, raw: Any, repeats: Sequence[np.ndarray]
) -> list[RowWarning]:
    """Events of one file with the same key that contradict each other; equal reports count once."""
    if not repeats:
        return []
    suspects = rows.take(pa.array(np.concatenate(repeats)))
    content_codes = _row_codes([suspects[name] for name in dataset.columns])
    ends = np.cumsum([len(group) for group in repeats])
    differing = [
        group
        for group, codes in zip(repeats, np.split(content_codes, ends[:-1]), strict=True)
        if (codes != codes[0]).any()
    ]
    titles = "、".join(dataset.columns[name].zh for name in dataset.key)
    message = f"{titles}相同的几行内容不一致，请只保留正确的一行"
    positions = np.sort(np.concatenate(differing)) if differing else np.empty(0, dtype=np.int64)
    return _warnings(dataset, raw, CONFLICTING_REPORTS, WARNING, message, (), positions)


def broken_rules(dataset: Dataset, rows: Any, raw: Any) -> list[RowWarning]:
    """Every rule of the contract that accepted rows break; one warning per rule and content."""
    return [
        warning
        for rule in dataset.rules
        for warning in _warnings(
            dataset,
            raw,
            rule.name,
            rule.severity,
            rule.message,
            rule.columns,
            rule_breaks(rule, rows, dataset),
        )
    ]


def _warnings(
    dataset: Dataset,
    raw: Any,
    rule: str,
    severity: str,
    message: str,
    columns: Iterable[str],
    positions: np.ndarray,
) -> list[RowWarning]:
    shown = [name for name in columns if name not in dataset.key]
    warnings = []
    rows_alone = np.split(positions, np.arange(1, len(positions))) if len(positions) else []
    for content, offenders in _by_content(raw, rows_alone, (*dataset.key, *shown), MAX_OFFENDERS):
        examples = []
        for (row,) in offenders.shown:
            values = "，".join(f"{dataset.columns[name].zh} {row[name] or '空'}" for name in shown)
            examples.append(
                f"{_places([row])} {_key(dataset.key, row)}" + (f"（{values}）" if values else "")
            )
        rest = "等" if offenders.total > MAX_OFFENDERS else ""
        text = f"{message}。{'；'.join(examples)}；{rest}共 {offenders.total} 行"
        warnings.append(RowWarning(content, rule, severity, offenders.total, text))
    return warnings


def _by_content(
    raw: Any, groups: Sequence[np.ndarray], columns: Iterable[str], limit: int
) -> Iterator[tuple[str, _Offenders]]:
    """Groups of rows, each group within one content, by content in the order of first occurrence.

    The first `limit` groups of a content are fetched as text, those of all contents together: fetching rows from a table costs
    the same for one row as for thousands.
    """
    if not groups:
        return
    contents = raw["content_sha256"].take(pa.array([int(group[0]) for group in groups])).to_pylist()
    found: dict[str, list[np.ndarray]] = {}
    for content, group in zip(contents, groups, strict=True):
        found.setdefault(content, []).append(group)
    shown = {content: offenders[:limit] for content, offenders in found.items()}
    wanted = np.concatenate([group for offenders in shown.values() for group in offenders])
    rows = iter(raw.select(["sheet", "row_number", *columns]).take(pa.array(wanted)).to_pylist())
    for content, offenders in found.items():
        yield (
            content,
            _Offenders(len(offenders), [list(islice(rows, len(group))) for group in shown[content]]),
        )


def _key(names: Sequence[str], row: dict[str, Any], blank: str = "") -> str:
    return "、".join(filter(None, (row[name] or blank for name in names)))


def _places(rows: Sequence[dict[str, Any]]) -> str:
    """Where rows are: 第 2、5 行, with the sheet before it if there is one."""
    sheets = [
        (sheet, "、".join(str(row["row_number"]) for row in found))
        for sheet, found in groupby(rows, key=lambda row: row["sheet"])
    ]
    return "，".join(f"{sheet} 第 {numbers} 行" if sheet else f"第 {numbers} 行" for sheet, numbers in sheets)


def _row_codes(columns: Sequence[Any]) -> np.ndarray:
    """One number per row; rows with equal values, blanks included, get the same number."""
    codes = np.zeros(len(columns[0]), dtype=np.int64)
    count = 1
    for column in columns:
        encoded = flat(column).dictionary_encode("encode")
        if count * len(encoded.dictionary) >= 2**62:
            codes, distinct = pd.factorize(codes)
            count = len(distinct)
        codes = codes * len(encoded.dictionary) + encoded.indices.to_numpy()
        count *= max(len(encoded.dictionary), 1)
    return codes
