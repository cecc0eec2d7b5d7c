"""layouts.toml as typed objects: which figure of which form fills which column, and how to find it.

Belongs here: reading that declaration, once. Keep out: sheets and cells.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from youjun_pipeline.ingest.statistics.labels import fold_label

DECLARATION = Path(__file__).with_name("layouts.toml")
# Raise it when the same workbook would be read into other cells than before.
READER_VERSION = "3"

STAGE_NAMES = {"primary": "小学", "junior": "初中", "senior": "高中"}

# One level of a header: its folded spellings. A path leads down to the cell right above the figures.
Level = frozenset[str]
HeaderPath = tuple[Level, ...]


@dataclass(frozen=True)
class At:
    """One way to name a column: by its header, by the number below it, or by both."""

    header: HeaderPath = ()
    number: int | None = None
    words: str = ""


@dataclass(frozen=True)
class Figure:
    """One figure of a form. `rows` and `or_rows` are folded labels; see layouts.toml for the rest."""

    dataset: str
    column: str
    stage: str
    rows: Level
    row_words: str
    at: tuple[At, ...]
    number: int | None = None
    cells: tuple[str, ...] = ()
    unit: str | None = None
    or_rows: Level = frozenset()
    merged_rows: Level = frozenset()
    merged_value: str | None = None


@dataclass(frozen=True)
class Form:
    """One form: its figures, and for class sizes the row with all classes and where the first band stands."""

    number: str
    title: str
    figures: tuple[Figure, ...]
    classes: Figure | None = None
    first_band: str = ""


@dataclass(frozen=True)
class WideColumn:
    """One column of a wide export; `paths` in order of preference, `total` where only a sum with others is given."""

    name: str
    paths: tuple[HeaderPath, ...]
    words: str
    required: bool = False
    group: str = ""
    without: tuple[str, ...] = ()
    total: HeaderPath = ()
    less: tuple[str, ...] = ()


@dataclass(frozen=True)
class Layouts:
    """The whole declaration. `identity` maps what to the folded labels with it below, `coded` to those with a 代码 row."""

    version: str
    identity_forms: frozenset[str]
    identity_labels: Level
    identity: Mapping[str, Level]
    coded: Mapping[str, Level]
    forms: Mapping[str, Form]
    wide: Mapping[str, tuple[WideColumn, ...]]
    wide_students: Mapping[str, str]
    wide_bands: Level


@cache
def load_layouts() -> Layouts:
    """Read the declaration."""
    text = DECLARATION.read_bytes()
    raw = tomllib.loads(text.decode("utf-8"))
    forms = {}
    for entry in raw["form"]:
        for index, number in enumerate(entry["numbers"]):
            stage = entry["stages"][index] if "stages" in entry else entry.get("stage", "")
            figures = tuple(_figure(f, stage) for f in entry.get("figure", ()))
            classes, first_band = None, ""
            if bands := entry.get("bands"):
                documented = bands.get("cells", [])
                classes = _figure(
                    {**bands, "column": "class_bands.stage_classes", "cells": documented[:1]}, stage
                )
                first_band = documented[1] if documented else ""
            forms[number] = Form(number, entry["title"], figures, classes, first_band)
    wide = raw["wide"]
    return Layouts(
        version=f"{READER_VERSION}-{hashlib.sha256(text).hexdigest()[:12]}",
        identity_forms=frozenset(raw["identity"]["forms"]),
        identity_labels=frozenset(
            fold_label(label)
            for kind in ("labels", "coded")
            for labels in raw["identity"][kind].values()
            for label in labels
        ),
        identity={name: _folded(labels) for name, labels in raw["identity"]["labels"].items()},
        coded={name: _folded(labels) for name, labels in raw["identity"]["coded"].items()},
        forms=forms,
        wide={
            stage: tuple(
                _wide_column(c, stage, wide["students"]) for c in wide["column"] if _is_for(c, stage)
            )
            for stage in STAGE_NAMES
        },
        wide_students=wide["students"],
        wide_bands=_level(wide["bands"]["path"][0]),
    )


def _folded(labels: list[str]) -> Level:
    return frozenset(fold_label(label) for label in labels)


def _level(words: str) -> Level:
    return _folded(words.split("|"))


def _path(levels: list[str]) -> HeaderPath:
    return tuple(_level(level) for level in levels)


def _words(levels: list[str]) -> str:
    """A path as a message names it, by its first spellings."""
    return "→".join(level.split("|")[0] for level in levels)


def _figure(raw: Mapping[str, Any], stage: str) -> Figure:
    dataset, column = raw["column"].split(".")
    merged = raw.get("merged", {})
    return Figure(
        dataset=dataset,
        column=column,
        # Pupils and buildings are the school's own; their column says which stage they are of.
        stage=raw.get("stage", stage if dataset in ("teachers", "class_bands") else ""),
        rows=_folded(raw["row"]),
        row_words=raw["row"][0],
        at=tuple(
            At(_path(a.get("header", [])), a.get("number"), _words(a.get("header", []))) for a in raw["at"]
        ),
        number=raw.get("number"),
        cells=tuple(raw.get("cells", ())),
        unit=raw.get("unit"),
        or_rows=_folded(raw.get("or_row", [])),
        merged_rows=_folded(merged.get("row", [])),
        merged_value=merged.get("value"),
    )


def _is_for(raw: Mapping[str, Any], stage: str) -> bool:
    """Of the senior stage only pupils and buildings count: teachers of 高中 are in no indicator."""
    if "stage_paths" in raw:
        return stage in raw["stage_paths"]
    return stage != "senior" or not raw["name"].startswith("teachers.")


def _wide_column(raw: Mapping[str, Any], stage: str, students: Mapping[str, str]) -> WideColumn:
    paths = [raw["stage_paths"][stage]] if "stage_paths" in raw else raw["paths"]
    total = raw.get("total", {})
    return WideColumn(
        name=students[stage] if raw["name"] == "students" else raw["name"],
        paths=tuple(_path(path) for path in paths),
        words=_words(paths[0]),
        required=raw.get("required", False),
        group=raw.get("group", ""),
        without=tuple(fold_label(word) for word in raw.get("without", ())),
        total=_path(total.get("path", [])),
        less=tuple(total.get("less", ())),
    )
