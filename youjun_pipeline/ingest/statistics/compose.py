"""Turns the cells of one delivery's statistics into rows of the datasets.

Belongs here: everything that needs more than one workbook. An all-through school is in several exports and counts once. Attached
classes and sites of several stages count with their school. A site of one stage is a campus of its school. Two workbooks must not
contradict each other. Keep out: how cells were found, the database, and what the contracts check afterwards.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from youjun_pipeline.contracts.model import Dataset, Failure
from youjun_pipeline.ingest.results import ReadResult
from youjun_pipeline.ingest.statistics.cells import ATTACHED, SCHOOL, SITE, Cell, figure, number
from youjun_pipeline.ingest.statistics.unfilled import without_unfilled
from youjun_pipeline.vocabulary import shortened

if TYPE_CHECKING:
    import pandas as pd

CONFLICT, ANOTHER_DISTRICT, PARENT_UNKNOWN, BLANK_CODE = (
    "statistics_conflict",
    "school_of_another_district",
    "parent_school_unknown",
    "blank_required",
)
PRIVATE_SPONSOR, PRIVATE = "999", "10"
# Separates the workbook from the sheet in a row that names both.
WITHIN = " › "

Key = tuple[str, str, str]  # school (for a campus: its school, `CAMPUS` and its name), stage, item
CAMPUS = "\0"


class Source(NamedTuple):
    """A cell and its delivered file (the path in the delivery; for a member of an archive, the archive's path too)."""

    file: str
    cell: Cell

    @property
    def sheet(self) -> str:
        return f"{self.file}{WITHIN}{self.cell.sheet}"


class Rejected(NamedTuple):
    """A school that is refused as a whole: one of its cells, and why."""

    source: Source
    school_code: str
    rule: str
    message: str


Origin = tuple[str, str, int, str, str, str, int, str, str]


@dataclass
class Composed:
    """What a delivery's statistics say: rows per dataset as text, the source of each value, and what was refused.

    `sources`: (dataset, sheet, row_number, column_name, file, sheet, row, column letter, label); the first four belong to the
    row, the others to the cell. `rejected` schools count with the first dataset.
    """

    results: dict[str, ReadResult]
    sources: list[Origin] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)


Row = dict[str, tuple[str | None, Source]]


@dataclass
class _Delivery:
    """A district's cells by dataset, key and column: the schools' own cells, and those of sites by site."""

    code: str
    name: str
    own: dict[tuple[str, Key, str], list[Source]] = field(default_factory=dict)
    sites: dict[tuple[str, Key, str], dict[str, list[Source]]] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)


def compose(
    cells: list[Source], notices: list[str], district: tuple[str, str], datasets: Sequence[Dataset]
) -> Composed:
    """Rows of `datasets` for a district (code, name), from the cells of all files of one delivery.

    Notices about the delivery as a whole are given with the first of the datasets.
    """
    given = _Delivery(*district, notices=list(notices))
    unfilled = without_unfilled(cells, _IDENTITY, given.notices)
    _sort([source for i, source in enumerate(cells) if i not in unfilled], given)
    conflicts: list[str] = []
    # A column that is not asked for comes from a plain file, whatever the workbooks say about it.
    values: dict[str, dict[Key, Row]] = {dataset.name: {} for dataset in datasets}
    for (name, key, column), sources in given.own.items():
        if name in values:
            values[name].setdefault(key, {})[column] = _agreed(sources, conflicts)
    for (name, key, column), parts in given.sites.items():
        if name not in values:
            continue
        row = values[name].setdefault(key, {})
        added = [_agreed(sources, conflicts) for sources in parts.values()]
        own = [row[column]] if column in row else []
        row[column] = (_sum([value for value, _ in (*own, *added)]), (own or added)[0][1])
    if conflicts:
        return failed(
            Failure(CONFLICT, f"同一数据在几处不一致，请核对后只保留正确的：{shortened(conflicts, 50)}"),
            datasets,
        )
    composed = Composed({}, rejected=given.rejected)
    composed.sources += [
        _origin(datasets[0].name, r.source.sheet, r.source.cell.row, "school_code", r.source)
        for r in given.rejected
    ]
    for dataset in datasets:
        frame = _frame(dataset, _rows(dataset.name, values), composed)
        composed.results[dataset.name] = ReadResult(frame, notices=[] if composed.results else given.notices)
    return composed


def failed(failure: Failure, datasets: Sequence[Dataset]) -> Composed:
    """The result of a delivery with an unusable workbook: no rows in any dataset."""
    return Composed({d.name: ReadResult(_text_frame(d, [], []), failure=failure) for d in datasets})


# ---------------------------------------------------------------------- whose figures


def _sort(cells: list[Source], given: _Delivery) -> None:
    """Assign cells to the schools they count with; refuse schools of other districts and sites without a parent."""
    identity = [
        source for source in cells if source.cell.column in ("school_code", "school_name", "authority")
    ]
    names = _codes_by_name(identity)
    schools = {source.cell.school_code for source in identity if source.cell.role == SCHOOL}
    foreign = _foreign_schools(identity, given)
    campuses = _campuses(cells)
    orphans: dict[str, Source] = {}
    nameless: dict[tuple[str, int], Source] = {}
    own = given.own
    for source in cells:
        cell = source.cell
        code, column = cell.school_code, cell.column
        if not code:
            nameless.setdefault((source.sheet, cell.row), source)
            continue
        if column == "authority" or code in foreign:
            continue
        place = (cell.dataset, (code, cell.stage, cell.item), column)
        if cell.role == SCHOOL:
            own.setdefault(place, []).append(source)
        elif cell.role == ATTACHED and not cell.parent:
            # The school itself reports its name and its buildings.
            if cell.dataset != "facilities" and not (code in schools and column in _IDENTITY):
                own.setdefault(place, []).append(source)
        elif not (parent := cell.parent if cell.parent in schools else names.get(cell.parent, "")):
            orphans.setdefault(code, source)
        elif cell.role == SITE and code in campuses:
            place = (cell.dataset, (f"{parent}{CAMPUS}{campuses[code]}", cell.stage, cell.item), column)
            if column != "school_code":
                own.setdefault(place, []).append(source)
        elif column not in _IDENTITY and not (cell.role == ATTACHED and cell.dataset == "facilities"):
            place = (cell.dataset, (parent, cell.stage, cell.item), column)
            given.sites.setdefault(place, {}).setdefault(code, []).append(source)
    for source in nameless.values():
        given.rejected.append(
            Rejected(source, "", BLANK_CODE, "学校标识码是必填项，此处为空，请补填；本行未计入")
        )
    for code, source in orphans.items():
        stated = f"“{source.cell.parent[:40]}”不在本次报表中" if source.cell.parent else "没有填写"
        message = (
            f"是不计校数的校点或附设班，其数据应并入所属学校，但所属学校{stated}；"
            "请在宽表中补上“所属学校标识码”一列并填写，本行未计入"
        )
        given.rejected.append(Rejected(source, code, PARENT_UNKNOWN, message))


_IDENTITY = frozenset({"school_code", "school_name", "school_type", "urban_rural", "authority", "sponsor"})


def _campuses(cells: list[Source]) -> dict[str, str]:
    """Names of the sites with one stage, by their codes; if two sites share a name, each name gets its code appended."""
    stages: dict[str, set[str]] = {}
    names: dict[str, str] = {}
    for _, cell in cells:
        if cell.role == SITE and cell.column.endswith("_students") and (number(cell.value) or 0) > 0:
            stages.setdefault(cell.school_code, set()).add(cell.column)
        elif cell.role == SITE and cell.column == "school_name":
            names[cell.school_code] = cell.value
    found = {code: names[code] for code, held in stages.items() if len(held) == 1 and names.get(code)}
    shared = Counter(found.values())
    return {code: name if shared[name] == 1 else f"{name}{code}" for code, name in found.items()}


def _codes_by_name(cells: list[Source]) -> dict[str, str]:
    """School codes by name, for names that only one school has."""
    codes: dict[str, set[str]] = {}
    for _, cell in cells:
        if cell.column == "school_name" and cell.role == SCHOOL:
            codes.setdefault(cell.value, set()).add(cell.school_code)
    return {name: next(iter(found)) for name, found in codes.items() if len(found) == 1}


def _foreign_schools(cells: list[Source], given: _Delivery) -> set[str]:
    """Schools that another district manages. In a city's export they are skipped; a workbook of such a school is refused."""
    foreign = {}
    for source in cells:
        cell = source.cell
        if cell.column != "authority" or not cell.value or cell.value[0] in "*＊-":
            continue
        if cell.value[:6].isdecimal():
            is_here = cell.value.startswith(given.code)
        else:
            # 武清 or 天津市武清区 for 武清区
            is_here = given.name in cell.value or cell.value in given.name
        if not is_here:
            foreign[cell.school_code] = source
    exports: dict[str, int] = {}
    for code, source in foreign.items():
        cell = source.cell
        if _is_export(source):
            exports[source.sheet] = exports.get(source.sheet, 0) + 1
            continue
        message = f"属地管理教育行政部门的代码是 {cell.value}，不是本区 {given.code}；请移走这个工作簿，或核对代码，本校未计入"
        given.rejected.append(Rejected(source, code, ANOTHER_DISTRICT, message))
    given.notices += [f"{sheet} 有 {count} 所学校不属于本区，没有读取" for sheet, count in exports.items()]
    return set(foreign)


def _is_export(source: Source) -> bool:
    """Whether a cell comes from a wide export; the sheets of a school's own workbook are named by form numbers."""
    return not source.cell.sheet.startswith(("教基", "基础基"))


# ---------------------------------------------------------------------- one value


def _agreed(sources: list[Source], conflicts: list[str]) -> tuple[str | None, Source]:
    """The value on which all places with a value agree; a contradiction is added to `conflicts`."""
    if len(sources) == 1:
        return _value(sources[0].cell), sources[0]
    given = [(_value(source.cell), source) for source in sources]
    reported = [(value, source) for value, source in given if value is not None]
    if not reported:
        return None, sources[0]
    if any(not _same(value, reported[0][0]) for value, _ in reported[1:]):
        places = "、".join(
            f"{s.sheet} {s.cell.letter}{s.cell.row} 是“{s.cell.value or '空（0）'}”" for _, s in reported
        )
        cell = reported[0][1].cell
        conflicts.append(f"{cell.school_code} {cell.label}：{places}")
    return reported[0]


def _value(cell: Cell) -> str | None:
    if cell.column not in _IDENTITY:
        return figure(cell.value)
    if cell.column == "sponsor":
        return PRIVATE if cell.value == PRIVATE_SPONSOR or "民办" in cell.value else None
    return cell.value if cell.value and cell.value[0] not in "*＊" else None


def _same(one: str, other: str) -> bool:
    if one == other:
        return True
    first, second = number(one), number(other)
    return first is not None and first == second


def _sum(values: list[str | None]) -> str | None:
    """A sum, unknown if one part is unknown. A part that is no number becomes the result, so that it is reported."""
    if any(value is None for value in values):
        return None
    numbers = [number(value or "") for value in values]
    odd = [value for value, n in zip(values, numbers, strict=True) if n is None]
    return odd[0] if odd else str(sum(n for n in numbers if n is not None))


# ---------------------------------------------------------------------- rows

_NAMES = {"sponsor": "sponsor_code"}


def _rows(name: str, values: dict[str, dict[Key, Row]]) -> list[Row]:
    """The rows of one dataset.

    A stage gets a row of teachers if its form is there. A form of backbone teachers without any makes no row, because every
    school has that form. Only class sizes that occur get a row; a stage without classes gets one for the smallest size.
    """
    rows = []
    occupied = {
        key[:2] for key, row in values[name].items() if "classes" in row and not _is_zero(row["classes"])
    }
    for (code, stage, item), row in values[name].items():
        first = next(iter(row.values()))[1]
        whole, _, campus = code.partition(CAMPUS)
        keys: Row = {"school_code": (whole, first), "campus": (campus or None, first)}
        if name == "schools":
            if "school_name" not in row:
                continue
        elif name == "teachers":
            backbone = row.get("backbone", (None, first))[0]
            if row.keys() <= {"backbone"} and number(backbone or "0") == 0:
                continue
            keys["stage"] = (stage, first)
        elif name == "class_bands":
            if not item or (
                _is_zero(row["classes"]) and ((code, stage) in occupied or not item.startswith("0-"))
            ):
                continue
            low, _, high = item.partition("-")
            keys |= {
                "stage": (stage, first),
                "students_from": (low, first),
                "students_to": (high or None, first),
            }
            total = values[name].get((code, stage, ""), {}).get("stage_classes")
            keys |= {"stage_classes": total} if total else {}
        rows.append({**row, **keys})
    return rows


def _is_zero(entry: tuple[str | None, Source]) -> bool:
    return entry[0] is not None and number(entry[0]) == 0


def _frame(dataset: Dataset, rows: list[Row], composed: Composed) -> pd.DataFrame:
    places = []
    # Of a row's key only the school counts as a figure with a place; the size of a band comes from its label.
    unplaced = {"schools": ("campus",), "class_bands": (*dataset.key, "students_to", "stage_classes")}.get(
        dataset.name, dataset.key
    )
    for row in rows:
        placed = row.get("full_time") or row.get("classes") or row["school_code"]
        sheet, at = placed[1].sheet, placed[1].cell.row
        if "classes" in row and _is_export(placed[1]):
            sheet += (
                f"{WITHIN}{placed[1].cell.letter} 列"  # the bands of a school stand side by side in its row
            )
        places.append((sheet, at))
        composed.sources += [
            (dataset.name, sheet, at, _NAMES.get(name, name), file, c.sheet, c.row, c.letter, c.label)
            for name, (_, (file, c)) in row.items()
            if name not in unplaced
        ]
    named = [{_NAMES.get(name, name): value for name, (value, _) in row.items()} for row in rows]
    return _text_frame(dataset, places, named)


def _origin(dataset: str, sheet: str, row: int, column: str, source: Source) -> Origin:
    cell = source.cell
    return dataset, sheet, row, column, source.file, cell.sheet, cell.row, cell.letter, cell.label


def _text_frame(
    dataset: Dataset, places: Sequence[tuple[str, int]], rows: Sequence[dict[str, str | None]]
) -> pd.DataFrame:
    """Rows as text, in the shape of the rows of any file."""
    import pandas as pd
    import pyarrow as pa

    columns = {"sheet": [sheet for sheet, _ in places]} | {
        n: [row.get(n) for row in rows] for n in dataset.columns
    }
    texts = {
        name: pd.array(pa.array(values, pa.large_string()), dtype="str") for name, values in columns.items()
    }
    return pd.DataFrame(
        {"sheet": texts.pop("sheet"), "row_number": pd.array([row for _, row in places], "int64"), **texts}
    )
