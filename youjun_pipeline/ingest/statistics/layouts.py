"""layouts.toml as typed objects: which figure of which form fills which column, and how the figure is found.

Belongs here: reading that declaration, once. Keep out: sheets and cells.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache, cached_property
from pathlib import Path
from typing import Literal

from pydantic import ConfigDict, TypeAdapter
from pydantic.dataclasses import dataclass

from youjun_pipeline.ingest.statistics.labels import fold_label

DECLARATION = Path(__file__).with_name("layouts.toml")
# Raise this number when a change makes the reader take other cells from the same workbook.
READER_VERSION = "5"

STAGE_NAMES = {"primary": "小学", "junior": "初中", "senior": "高中"}
Stage = Literal["primary", "junior", "senior", ""]

# One level of a header: its folded spellings. A path leads down to the cell directly above the figures.
Level = frozenset[str]
HeaderPath = tuple[Level, ...]
# The same as declared, with the spellings of a level separated by |.
Header = tuple[str, ...]

_STRICT = ConfigDict(extra="forbid")


def _folded(spellings: Iterable[str]) -> Level:
    return frozenset(fold_label(spelling) for spelling in spellings)


def _path(header: Header) -> HeaderPath:
    return tuple(_folded(level.split("|")) for level in header)


def _words(header: Header) -> str:
    """A header as a message names it, by its first spellings."""
    return "→".join(level.split("|")[0] for level in header)


@dataclass(frozen=True, config=_STRICT)
class At:
    """One way to name a column: by its header, by the number below it, or by both."""

    header: Header = ()
    number: int | None = None

    @cached_property
    def path(self) -> HeaderPath:
        return _path(self.header)

    @cached_property
    def words(self) -> str:
        return _words(self.header)


@dataclass(frozen=True, config=_STRICT)
class Merged:
    """The row that holds a figure together with another; `value` is the figure's value then (None: the row's own value)."""

    row: tuple[str, ...]
    value: str | None = None


@dataclass(frozen=True, config=_STRICT)
class Figure:
    """One figure of a form, as layouts.toml describes it; `column` is dataset.column, and the rows are labels."""

    column: str
    row: tuple[str, ...]
    at: tuple[At, ...]
    stage: Stage = ""
    number: int | None = None
    cells: tuple[str, ...] = ()
    unit: str | None = None
    or_row: tuple[str, ...] = ()
    merged: Merged | None = None

    @cached_property
    def rows(self) -> Level:
        return _folded(self.row)

    @cached_property
    def or_rows(self) -> Level:
        return _folded(self.or_row)

    @cached_property
    def merged_rows(self) -> Level:
        return _folded(self.merged.row if self.merged else ())

    def of_stage(self, stage: Stage) -> Figure:
        """The figure on a form of this stage. Pupils and buildings are the school's own; their column names their stage."""
        staged = self.column.split(".")[0] in ("teachers", "class_bands")
        return self if self.stage or not staged else replace(self, stage=stage)


@dataclass(frozen=True, config=_STRICT)
class Bands:
    """The row with all classes and, below it, one row for each class size."""

    row: tuple[str, ...]
    at: tuple[At, ...]
    cells: tuple[str, ...] = ()

    @property
    def classes(self) -> Figure:
        """The number of all classes."""
        return Figure("class_bands.stage_classes", self.row, self.at, cells=self.cells[:1])

    @property
    def first_band(self) -> str:
        """The cell of the smallest classes, where it is documented."""
        return self.cells[1] if self.cells else ""


@dataclass(frozen=True, config=_STRICT)
class Form:
    """A form, under one or several numbers; `stages` gives the stage of each number."""

    numbers: tuple[str, ...]
    title: str
    stage: Stage = ""
    stages: tuple[Stage, ...] = ()
    figure: tuple[Figure, ...] = ()
    bands: Bands | None = None

    def numbered(self) -> dict[str, Form]:
        """The form by number; every figure has the stage that belongs to the number."""
        stages = self.stages or (self.stage,) * len(self.numbers)
        return {
            number: replace(self, stage=stage, figure=tuple(f.of_stage(stage) for f in self.figure))
            for number, stage in zip(self.numbers, stages, strict=True)
        }


@dataclass(frozen=True, config=_STRICT)
class Total:
    """A column that holds a figure together with others, and the columns to subtract."""

    path: Header
    less: tuple[str, ...]


@dataclass(frozen=True, config=_STRICT)
class WideColumn:
    """One column of a wide export: `paths` in order of preference; `total` if only a sum with other figures is given."""

    name: str
    paths: tuple[Header, ...] = ()
    required: bool = False
    group: str = ""
    without: tuple[str, ...] = ()
    total: Total | None = None
    stage_paths: Mapping[str, Header] | None = None

    @property
    def words(self) -> str:
        return _words(self.paths[0])

    @cached_property
    def ways(self) -> tuple[tuple[HeaderPath, tuple[str, ...]], ...]:
        """The folded paths, each with the columns whose figures must be subtracted."""
        total = [(_path(self.total.path), self.total.less)] if self.total else []
        return (*((_path(path), ()) for path in self.paths), *total)

    @cached_property
    def left_out(self) -> tuple[str, ...]:
        """Folded words that no header of the column may contain."""
        return tuple(fold_label(word) for word in self.without)

    def of_stage(self, stage: str, students: str) -> WideColumn | None:
        """The column in an export of this stage. Of 高中 only pupils and buildings count: no indicator uses its teachers."""
        if self.stage_paths is not None:
            return (
                replace(self, paths=(self.stage_paths[stage],), stage_paths=None)
                if stage in self.stage_paths
                else None
            )
        if stage == "senior" and self.name.startswith("teachers."):
            return None
        return replace(self, name=students) if self.name == "students" else self


@dataclass(frozen=True, config=_STRICT)
class WideBands:
    """Where class sizes are in a wide export: below this level, one column for each band."""

    path: Header


@dataclass(frozen=True, config=_STRICT)
class Wide:
    """The columns of a wide export; `students` names the column of pupils by stage."""

    students: Mapping[str, str]
    column: tuple[WideColumn, ...]
    bands: WideBands


@dataclass(frozen=True, config=_STRICT)
class Identity:
    """The labels of a school's identity: the value is one row below the label (`labels`) or in the row 代码 (`coded`)."""

    forms: frozenset[str]
    labels: Mapping[str, tuple[str, ...]]
    coded: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, config=_STRICT)
class Declaration:
    """layouts.toml as written."""

    identity: Identity
    form: tuple[Form, ...]
    wide: Wide


@dataclass(frozen=True)
class Layouts:
    """The declaration in the form that the readers need: labels folded, forms by number, columns of wide exports by stage."""

    version: str
    identity_forms: frozenset[str]
    identity: Mapping[str, Level]
    coded: Mapping[str, Level]
    forms: Mapping[str, Form]
    wide: Mapping[str, tuple[WideColumn, ...]]
    wide_students: Mapping[str, str]
    wide_bands: Level

    @cached_property
    def identity_labels(self) -> Level:
        """Every folded label that belongs to a school's identity."""
        return Level().union(*self.identity.values(), *self.coded.values())


@cache
def load_layouts() -> Layouts:
    """Read the declaration; an unknown word in it is refused (pydantic's ValidationError names it)."""
    text = DECLARATION.read_bytes()
    declared = TypeAdapter(Declaration).validate_python(tomllib.loads(text.decode("utf-8")))
    wide = declared.wide
    columns = {
        stage: tuple(c for column in wide.column if (c := column.of_stage(stage, students)))
        for stage, students in wide.students.items()
    }
    return Layouts(
        version=f"{READER_VERSION}-{hashlib.sha256(text).hexdigest()[:12]}",
        identity_forms=declared.identity.forms,
        identity={name: _folded(labels) for name, labels in declared.identity.labels.items()},
        coded={name: _folded(labels) for name, labels in declared.identity.coded.items()},
        forms={number: f for form in declared.form for number, f in form.numbered().items()},
        wide=columns,
        wide_students=wide.students,
        wide_bands=_path(wide.bands.path)[0],
    )
