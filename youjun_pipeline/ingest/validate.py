"""Applies a dataset's contract to the rows of all its new files at once.

Cells are parsed, ranges and required columns are checked with one pandera schema, then keys and the rules between cells are
checked. Every cell that cannot be kept is reported: a bad key cell rejects its row, any other bad cell loses only its value.
Accepted rows plus rejected rows are always the rows that came in. Belongs here: the way from text rows to accepted rows,
rejections, failures and warnings. Keep out: reading files, and checks that need a second dataset.

The check runs once on the concatenated frame and not on each file: pandera takes milliseconds for a small frame, and a country's
files are thousands of small frames.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from youjun_pipeline.contracts.model import HIDDEN_COLUMNS, ROW_COLUMNS, SNAPSHOT, Column, Dataset, Failure
from youjun_pipeline.ingest.campus import apart
from youjun_pipeline.ingest.cells import ARROW_TYPES, STRING, cell_message, flat, parse_cells
from youjun_pipeline.ingest.formats.limits import unforeseen
from youjun_pipeline.ingest.readings import OUT_OF_RANGE
from youjun_pipeline.ingest.row_checks import (
    RowWarning,
    broken_rules,
    conflicting_reports,
    duplicate_keys,
    repeated_keys,
)

BLANK_REQUIRED = "blank_required"
FILE_UNREADABLE = "file_unreadable"
# Each rejection is reported with place, value and reason, which takes 600 bytes and 50 µs on the way: two million of them, which
# fit into 4 MB of text, took 1.2 GB and minutes (measured 2026-11). A county's largest table has some 30 000 cells in all.
MAX_REJECTIONS = 100_000

REJECTION_COLUMNS = {
    "content_sha256": object,
    "dataset": object,
    "sheet": object,
    "row_number": "int64",
    "column_name": object,
    "value": object,
    "rule": object,
    "message": object,
    "rejects_row": bool,
    "school_code": object,
}


@dataclass(frozen=True)
class Validated:
    """The result for the rows of one dataset.

    `accepted`: content_sha256, sheet, row_number and every contract column, typed (cells.ARROW_TYPES); it includes the rows of a
    content with a failure. `rejections`: one row per bad cell, columns as raw.rejection; a row with two bad key cells is one
    rejected row with two rejections. `hidden`: one row per rejected row, columns as raw.hidden_row, with the readable parts of
    its key. `failures`: contents that are unusable as a whole. `warnings`: broken rules per content; a rule's severity `blocking`
    is only passed on here.
    """

    accepted: Any
    rejections: pd.DataFrame
    hidden: pd.DataFrame
    failures: dict[str, Failure]
    warnings: pd.DataFrame


@dataclass(frozen=True)
class _Faults:
    """Bad cells of one column: position, kind of fault, message; three arrays of equal length."""

    column: str
    positions: np.ndarray
    rules: np.ndarray
    messages: np.ndarray


def validate(dataset: Dataset, text: pd.DataFrame) -> Validated:
    """Apply the contract to rows as read: content_sha256, sheet, row_number and every contract column as text.

    If this fails for an unforeseen reason, the contents are tried one by one, and only contents that fail alone become failures.

    Raises ValueError if the frame lacks a column of the contract (the message names both sides): the reader must give them all.
    """
    raw = _arrow(dataset, text)
    try:
        return _validated(dataset, text, raw)
    except Exception as error:
        contents = text["content_sha256"].unique().tolist()
        nothing = text.iloc[:0]
        if not contents:
            raise
        if len(contents) == 1:
            failure = Failure(FILE_UNREADABLE, str(unforeseen(error, f"核对“{dataset.title}”时，")))
            return replace(validate(dataset, nothing), failures={contents[0]: failure})
        each = text.groupby("content_sha256", sort=False)
        return _together([validate(dataset, rows.reset_index(drop=True)) for _, rows in each])


def _together(parts: list[Validated]) -> Validated:
    return Validated(
        pa.concat_tables([part.accepted for part in parts]),
        pd.concat([part.rejections for part in parts], ignore_index=True),
        pd.concat([part.hidden for part in parts], ignore_index=True),
        {content: failure for part in parts for content, failure in part.failures.items()},
        pd.concat([part.warnings for part in parts], ignore_index=True),
    )


def _validated(dataset: Dataset, text: pd.DataFrame, raw: Any) -> Validated:
    typed: dict[str, Any] = {}
    faults: list[_Faults] = []
    for name, column in dataset.columns.items():
        cells = parse_cells(raw[name], column)
        typed[name] = cells.values
        if len(cells.bad):
            faults.append(_Faults(name, cells.bad, cells.rules, cells.messages))
    if crowded := _crowded(dataset, raw, typed, faults):
        rest = validate(dataset, text[~text["content_sha256"].isin(list(crowded))].reset_index(drop=True))
        return Validated(rest.accepted, rest.rejections, rest.hidden, rest.failures | crowded, rest.warnings)
    typed = apart(typed)
    for fault in _row_faults(dataset, raw, pa.table(typed), faults):
        faults.append(fault)
        typed[fault.column] = _without(typed[fault.column], fault.positions)

    keeps = np.ones(len(text), dtype=bool)
    for fault in faults:
        if fault.column in dataset.key:
            keeps[fault.positions] = False
    kept = np.flatnonzero(keeps)
    everything = pa.table({name: raw[name] for name in ROW_COLUMNS} | typed)
    accepted = everything if keeps.all() else everything.take(kept)
    raw_kept = raw if keeps.all() else raw.take(kept)
    repeats = repeated_keys(dataset, accepted)
    is_snapshot = dataset.kind == SNAPSHOT
    warnings = [] if is_snapshot else conflicting_reports(dataset, accepted, raw_kept, repeats)
    warnings += broken_rules(dataset, accepted, raw_kept)
    return Validated(
        accepted,
        _rejections(dataset, everything, raw, faults),
        _hidden(dataset, everything, np.flatnonzero(~keeps)),
        duplicate_keys(dataset, raw_kept, repeats) if is_snapshot else {},
        pd.DataFrame(warnings, columns=list(RowWarning._fields)),
    )


def _crowded(dataset: Dataset, raw: Any, typed: dict[str, Any], faults: list[_Faults]) -> dict[str, Failure]:
    """Contents with so many bad or missing cells that nobody would go through the reports."""
    if not raw.num_rows:
        return {}
    contents = raw["content_sha256"].combine_chunks().dictionary_encode()
    codes = contents.indices.to_numpy()
    counts = np.zeros(len(contents.dictionary), dtype=np.int64)
    for fault in faults:
        counts += np.bincount(codes[fault.positions], minlength=len(counts))
    for name in dataset.required:
        blank = raw[name].is_null().to_numpy(zero_copy_only=False)
        counts += np.bincount(codes[blank], minlength=len(counts))
    return {
        str(contents.dictionary[i]): Failure(
            FILE_UNREADABLE,
            f"无法读取：有 {counts[i]} 处错误，超过 {MAX_REJECTIONS} 处，多半不是“{dataset.title}”，或列放错了位置。"
            "请核对表头和数据后重新交付。",
        )
        for i in np.flatnonzero(counts > MAX_REJECTIONS).tolist()
    }


def _arrow(dataset: Dataset, text: pd.DataFrame) -> Any:
    needed = [*ROW_COLUMNS, *dataset.columns]
    missing = [name for name in needed if name not in text.columns]
    if missing:
        raise ValueError(
            f"{dataset.name}: rows without {', '.join(missing)}; they have {', '.join(map(str, text.columns))}"
        )
    return pa.table(
        {
            name: flat(pa.array(text[name], pa.int64() if name == "row_number" else STRING, from_pandas=True))
            for name in needed
        }
    )


@lru_cache
def row_schema(dataset: Dataset) -> Any:
    """The pandera schema of a dataset's typed rows: types, required columns, ranges.

    Types are checked and not converted: parsing has set them, so another type is a fault of the program. Coded values are not
    checked again, because parsing stores only declared values.
    """
    import pandera.pandas as pandera

    columns = {}
    for name, column in dataset.columns.items():
        checks = []
        low, high = (_bound(column, bound) for bound in (column.low, column.high))
        if low is not None:
            checks.append(pandera.Check.ge(low, error=OUT_OF_RANGE))
        if high is not None:
            checks.append(pandera.Check.le(high, error=OUT_OF_RANGE))
        dtype = pd.ArrowDtype(ARROW_TYPES[column.type])
        columns[name] = pandera.Column(dtype, checks=checks, nullable=not column.required, coerce=False)
    return pandera.DataFrameSchema(columns, strict=True, coerce=False, name=dataset.name)


def _bound(column: Column, bound: Any) -> Any:
    """The bound in the type of the column's values: pandas compares int64 with a Decimal only cell by cell."""
    return bound if bound is None or pa.types.is_decimal(ARROW_TYPES[column.type]) else int(bound)


def _row_faults(dataset: Dataset, raw: Any, typed: Any, known: list[_Faults]) -> list[_Faults]:
    """Cells that were read but break the contract, found by pandera; a cell already known as bad is not reported twice."""
    import pandera.errors

    frame = typed.to_pandas(types_mapper=pd.ArrowDtype)
    try:
        row_schema(dataset).validate(frame, lazy=True, inplace=True)
    except pandera.errors.SchemaErrors as errors:
        cases = errors.failure_cases
    else:
        return []
    unplaced = cases[cases["index"].isna()]
    if len(unplaced):
        raise TypeError(f"{dataset.name}: parsed rows do not fit their schema:\n{unplaced.to_string()}")
    unreadable = {fault.column: fault.positions for fault in known}
    faults = []
    for (name, check), group in cases.groupby(["column", "check"], sort=False):
        positions = np.setdiff1d(group["index"].to_numpy(dtype=np.int64), unreadable.get(name, []))
        if not len(positions):
            continue
        column = dataset.columns[name]
        rule = BLANK_REQUIRED if check == "not_nullable" else check
        messages = _each_distinct(raw[name], positions, partial(_fault_message, column, rule))
        faults.append(_Faults(name, positions, np.full(len(positions), rule, dtype=object), messages))
    return faults


def _each_distinct(raw: Any, positions: np.ndarray, make: Callable[[str | None], str]) -> np.ndarray:
    """`make` applied to the text at each position; it is called once per distinct text."""
    encoded = flat(raw).take(pa.array(positions)).dictionary_encode("encode")
    made = np.array([make(text) for text in encoded.dictionary.to_pylist()], dtype=object)
    return made[encoded.indices.to_numpy()]


def _fault_message(column: Column, rule: str, text: str | None) -> str:
    if rule == BLANK_REQUIRED:
        return f"{column.zh}是必填项，此处为空，请补填"
    lowest = "" if column.low is None else f"不小于 {column.low}"
    highest = "" if column.high is None else f"不大于 {column.high}"
    bounds = "、".join(filter(None, (lowest, highest)))
    hint = "，比率请填小数（如 0.123）或带百分号（如 12.3%）" if column.type == "rate" else ""
    return cell_message(column, text or "", f"超出范围，应{bounds}{hint}；没有数据请留空")


def _without(values: Any, positions: np.ndarray) -> Any:
    gone = np.zeros(len(values), dtype=bool)
    gone[positions] = True
    return pc.if_else(pa.array(gone), pa.scalar(None, values.type), values)


def _hidden(dataset: Dataset, typed: Any, positions: np.ndarray) -> pd.DataFrame:
    """The readable parts of the rejected rows' keys; null for unreadable parts and for keys that the dataset lacks."""
    at = pa.array(positions)
    columns = {name: typed[name].take(at) for name in ROW_COLUMNS} | {
        told: typed[dataset.hides[told]].take(at) if told in dataset.hides else pa.nulls(len(positions))
        for told in HIDDEN_COLUMNS
    }
    # Objects, because a missing year would turn the other years into floating-point numbers.
    frame = pd.DataFrame({name: column.to_pylist() for name, column in columns.items()}, dtype=object)
    return frame.assign(dataset=dataset.name)


def _rejections(dataset: Dataset, typed: Any, raw: Any, faults: list[_Faults]) -> pd.DataFrame:
    if not faults:
        return pd.DataFrame({name: pd.Series(dtype=dtype) for name, dtype in REJECTION_COLUMNS.items()})
    order = {name: n for n, name in enumerate(dataset.columns)}
    parts = []
    for fault in faults:
        at, size = pa.array(fault.positions), len(fault.positions)
        part = {name: raw[name].take(at).to_numpy() for name in ROW_COLUMNS} | {
            "dataset": dataset.name,
            "column_name": fault.column,
            "value": raw[fault.column].take(at).to_numpy(),
            "rule": fault.rules,
            "message": fault.messages,
            "rejects_row": fault.column in dataset.key,
            "school_code": typed["school_code"].take(at).to_numpy()
            if "school_code" in order
            else np.full(size, None),
        }
        # Objects, because a column of strings would turn a missing string into NaN.
        parts.append(pd.DataFrame(part, columns=list(REJECTION_COLUMNS), dtype=object))
    positions = np.concatenate([fault.positions for fault in faults])
    columns = np.concatenate([np.full(len(fault.positions), order[fault.column]) for fault in faults])
    found = pd.concat(parts, ignore_index=True).take(np.lexsort((columns, positions)))
    return found.reset_index(drop=True).astype(REJECTION_COLUMNS)
