"""Declarations to contracts: read the TOML files, check what they declare, keep the result.

A declaration is checked once, when it is loaded, and all its faults are reported together with the file. Belongs here:
reading and checking of declarations. Keep out: what a contract can say (model.py) and what districts deliver (ingest).
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from youjun_pipeline.contracts.model import (
    DUCKDB_TYPES,
    HIDDEN_COLUMNS,
    KINDS,
    NUMBER_TYPES,
    ROW_COLUMNS,
    SEVERITIES,
    TESTS,
    TYPE_RANGES,
    UNIT_SPELLINGS,
    WORD_TYPES,
    AtMost,
    Column,
    Dataset,
    Known,
    NotBetween,
    Rule,
    Within,
    fold_word,
    header_names,
)
from youjun_pipeline.standard.items import reported_items

DECLARATIONS = Path(__file__).parent / "datasets"


class DeclarationError(ValueError):
    """A declaration says something a contract can't hold; the message lists every fault with its file."""


@cache
def load_datasets() -> dict[str, Dataset]:
    """Every declared dataset by name, in the order of the names. Raises DeclarationError for all faulty files at once."""
    return read_datasets(sorted(DECLARATIONS.glob("*.toml")))


def find_dataset(file_stem: str) -> str | None:
    """The dataset that a file of this name (without extension) delivers, or None.

    The English name, the Chinese title and its declared aliases count; case, blanks and full-width characters don't.
    """
    return _datasets_by_stem().get(fold_word(file_stem))


@cache
def _datasets_by_stem() -> dict[str, str]:
    return {
        fold_word(stem): dataset.name
        for dataset in load_datasets().values()
        for stem in (dataset.name, dataset.title, *dataset.aliases)
    }


def read_datasets(paths: Iterable[Path]) -> dict[str, Dataset]:
    """Read declarations; file stems are the datasets' names. Raises DeclarationError listing all faults."""
    datasets: dict[str, Dataset] = {}
    faults: list[str] = []
    stems: dict[str, str] = {}
    for path in paths:
        try:
            raw = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
            dataset = parse_dataset(_filled(raw, reported_items()))
        except (DeclarationError, tomllib.TOMLDecodeError) as error:
            faults += [f"{path.name}: {line}" for line in str(error).splitlines()]
            continue
        if dataset.name != path.stem:
            faults.append(f"{path.name}: declares {dataset.name}; the file is named as its dataset")
        for stem in {fold_word(word) for word in (dataset.name, dataset.title, *dataset.aliases)}:
            if stem in stems:
                faults.append(f"{path.name}: the file name {stem} already means {stems[stem]}")
            stems[stem] = dataset.name
        datasets[dataset.name] = dataset
    if faults:
        raise DeclarationError("\n".join(faults))
    return datasets


def _filled(entry: Any, words: Mapping[str, object]) -> Any:
    """The declaration with the catalogues' words in the place of `@items` and the like."""
    if isinstance(entry, dict):
        return {key: _filled(value, words) for key, value in entry.items()}
    if isinstance(entry, list):
        return [_filled(value, words) for value in entry]
    if isinstance(entry, str) and entry.startswith("@"):
        if entry[1:] not in words:
            raise DeclarationError(f"{entry} is none of {', '.join('@' + word for word in words)}")
        return words[entry[1:]]
    return entry


def parse_dataset(raw: Mapping[str, Any]) -> Dataset:
    """One declaration as a Dataset. Raises DeclarationError with one line per fault."""
    try:
        dataset = _DATASET.validate_python(_named(raw))
    except ValidationError as error:
        faults = [_field_fault(raw, e) for e in error.errors(include_url=False)]
        raise DeclarationError("\n".join(faults)) from None
    faults = [fault for column in dataset.columns.values() for fault in _column_faults(column)]
    faults += [fault for rule in dataset.rules for fault in _rule_faults(rule, dataset.columns)]
    faults += _dataset_faults(dataset)
    if faults:
        raise DeclarationError("\n".join(faults))
    return dataset


_DATASET = TypeAdapter(Dataset)


def _named(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The declaration with what its columns need not say: their names, and the bounds of their types."""
    columns = {}
    for name, entry in raw.get("columns", {}).items():
        low, high = TYPE_RANGES.get(entry.get("type"), (None, None))
        columns[name] = {"name": name, "min": low, "max": high} | entry
    return {**raw, "columns": columns} if "columns" in raw else dict(raw)


def _field_fault(raw: Mapping[str, Any], error: ErrorDetails) -> str:
    """One finding of pydantic, with the place as whoever wrote the declaration calls it."""
    match error["loc"]:
        case ("columns", name, *rest):
            where = f"column {name}"
        case ("rules", int(number), *rest):
            where = f"rule {raw['rules'][number].get('name', '?')}"
        case _:
            where, rest = "dataset", list(error["loc"])
    *within, field = rest or [""]
    where = ", ".join(map(str, (where, *within)))
    reasons = {"missing": "is missing", "unexpected_keyword_argument": "is unknown"}
    return f"{where}: field {field} {reasons.get(error['type'], error['msg'])}"


def _column_faults(column: Column) -> list[str]:
    is_choice, is_number = column.type == "choice", column.type in NUMBER_TYPES
    spellings = [fold_word(word) for stored, words in column.values.items() for word in {stored, *words}]
    checks = [
        (column.type in DUCKDB_TYPES, f"type {column.type} is none of {', '.join(DUCKDB_TYPES)}"),
        (bool(column.values) == is_choice, "a choice, and only a choice, lists its values"),
        (is_choice or not column.is_open, "only a choice can be open"),
        (is_number or not column.words, "only a number column has words for numbers"),
        (is_number or (column.low is None and column.high is None), "only a number column has a range"),
        (column.type == "date" or not column.month_means_end, "only a date can stand for a month's end"),
        (column.type == "code" or not (column.latin or column.is_day), "only a code is latin or a day"),
        (
            column.per_student is None or column.type in ("count", "amount"),
            "only a count or an amount is compared with pupils",
        ),
        (column.unit is None or column.unit in UNIT_SPELLINGS, f"unit {column.unit} has no spellings"),
        (column.name not in ROW_COLUMNS, "the name is taken by a column that every row carries"),
        (
            column.low is None or column.high is None or column.low <= column.high,
            f"min {column.low} is above max {column.high}",
        ),
        *(
            (spellings.count(word) == 1, f"the spelling {word} stands for several values")
            for word in sorted(set(spellings))
        ),
    ]
    return [f"column {column.name}: {fault}" for holds, fault in checks if not holds]


def _dataset_faults(dataset: Dataset) -> list[str]:
    faults = []
    if dataset.kind not in KINDS:
        faults.append(f"kind {dataset.kind} is none of {', '.join(KINDS)}")
    unknown = [name for name in dataset.key if name not in dataset.columns]
    faults += [f"key: {name} is no column" for name in unknown]
    faults += [f"prefilled: {name} is no column" for name in dataset.prefilled if name not in dataset.columns]
    if not unknown and not dataset.required_key:
        faults.append("key: at least one of its columns is required")
    for told, name in dataset.hides.items():
        if told not in HIDDEN_COLUMNS:
            faults.append(f"hides: {told} is none of {', '.join(HIDDEN_COLUMNS)}")
        elif name not in dataset.key:
            faults.append(f"hides: {name} is not in the key")
        elif name in dataset.columns and dataset.columns[name].duckdb_type != HIDDEN_COLUMNS[told]:
            faults.append(f"hides: {name} cannot be {told}, which is {HIDDEN_COLUMNS[told]}")
    owners: dict[str, str] = {}
    for column in dataset.columns.values():
        for header in {fold_word(name) for name in header_names(column)}:
            if header in owners:
                faults.append(f"the header {header} means {owners[header]} and {column.name}")
            owners[header] = column.name
    faults += [
        f"informational: {header} means the column {owners[fold_word(header)]}"
        for header in dataset.informational
        if fold_word(header) in owners
    ]
    names = [rule.name for rule in dataset.rules]
    return faults + [
        f"rule {name} is declared twice" for name in sorted({n for n in names if names.count(n) > 1})
    ]


def _rule_faults(rule: Rule, columns: Mapping[str, Column]) -> list[str]:
    if len(rule.tests) != 1:
        return [f"rule {rule.name}: exactly one of {', '.join(TESTS)}, not {len(rule.tests)}"]
    unknown = [name for name in rule.columns if name not in columns]
    if unknown:
        return [f"rule {rule.name}: {name} is no column" for name in unknown]
    tested = [columns[name] for name in rule.test.columns]
    faults = []
    if rule.severity not in SEVERITIES:
        faults.append(f"severity {rule.severity} is none of {', '.join(SEVERITIES)}")
    if isinstance(rule.test, AtMost | Within | NotBetween):
        faults += [f"{column.name} is no number" for column in tested if column.type not in NUMBER_TYPES]
    if isinstance(rule.test, AtMost) and len({column.unit for column in tested}) > 1:
        faults.append(f"compares different units: {', '.join(f'{c.name} {c.unit}' for c in tested)}")
    if isinstance(rule.test, AtMost) and len(rule.test.sum) > 1:
        summed = [columns[name] for name in rule.test.sum]
        faults += [
            f"{c.name} may be negative, so a sum without it says nothing" for c in summed if c.low is None
        ]
    if isinstance(rule.test, Known) and not tested[0].is_open:
        faults.append(f"{rule.test.column} is no open choice")
    for name, values in rule.when.items():
        column = columns[name]
        if column.type not in WORD_TYPES:
            faults.append(f"when: {name} holds no words")
        elif column.values:
            faults += [f"when: {v} is no value of {name}" for v in values if v not in column.values]
    return [f"rule {rule.name}: {fault}" for fault in faults]
