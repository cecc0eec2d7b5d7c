"""What is known of a district's schools, and the shape of their judgements.

Keep out: the judging (``sections``, ``rooms``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from youjun_pipeline_tests.oracle import figures as f
from youjun_pipeline_tests.oracle.hidden import Lost
from youjun_pipeline_tests.oracle.schools import Options, Row, School, Tables


@dataclass(frozen=True)
class SchoolIndicator:
    """One judgement. The plain fields are with waivers, the ``_strict`` fields without.

    ``waiver`` names the waiver that changes the status, ``applied`` all waivers of the school. With ``no_data`` all figures
    except the limits are None. ``partial`` marks a ``below`` that is certain although parts are missing: its value and gap are of
    the known parts.
    """

    school_code: str
    stage: str
    indicator: str
    status: str
    status_strict: str
    students: int | None = None
    numerator: Fraction | None = None
    numerator_strict: Fraction | None = None
    value: Fraction | None = None
    value_strict: Fraction | None = None
    threshold: Fraction | None = None
    threshold_strict: Fraction | None = None
    floor: Fraction | None = None
    gap: Fraction | None = None
    waiver: str | None = None
    applied: tuple[str, ...] = ()
    partial: bool = False
    rounding_sensitive: bool = False


@dataclass(frozen=True)
class SchoolVerdict:
    """The school rule for one section; None means open."""

    school_code: str
    stage: str
    students: int | None
    resource_met: int
    resource_near: int
    resource_below: int
    resource_no_data: int
    passes_resource_rule: bool | None
    passes_strict: bool | None
    failing_indicators: tuple[str, ...]


@dataclass(frozen=True)
class SchoolData:
    """The delivered rows of a district, found by school."""

    teachers: Mapping[tuple[str, str], Row]
    facilities: Mapping[str, Row]
    classes: Mapping[tuple[str, str], list[Row]]
    rooms: Mapping[str, list[Row]] | None
    lost: tuple[Lost, ...] = ()

    @classmethod
    def of(cls, tables: Tables, lost: tuple[Lost, ...] = ()) -> SchoolData:
        """Index the rows; ``rooms`` stays None if ``special_rooms`` was not delivered."""
        classes: dict[tuple[str, str], list[Row]] = defaultdict(list)
        for row in tables.get("classes") or ():
            classes[str(row["school_code"]), row["stage"]].append(row)
        rooms: dict[str, list[Row]] | None = None
        delivered = tables.get("special_rooms")
        if delivered is not None:
            rooms = defaultdict(list)
            for row in delivered:
                rooms[str(row["school_code"])].append(row)
        return cls(
            teachers={(str(r["school_code"]), r["stage"]): r for r in tables.get("teachers") or ()},
            facilities={str(r["school_code"]): r for r in tables.get("facilities") or ()},
            classes=classes,
            rooms=rooms,
            lost=lost,
        )


def with_waiver(strict: str, waived: str) -> str:
    """The status with waivers: ``met_by_waiver`` if only waivers make it met."""
    return f.BY_WAIVER if waived == f.MET and strict != f.MET else waived


def total(row: Row | None, columns: Iterable[str]) -> Fraction | None:
    """Sum of the columns, None if the row or any of the columns is missing."""
    if row is None:
        return None
    parts = [f.maybe(row.get(column)) for column in columns]
    return (
        None if any(part is None for part in parts) else sum((p for p in parts if p is not None), Fraction(0))
    )


def of_teachers(row: Row | None, columns: Iterable[str]) -> Fraction | None:
    """Teachers of a kind; if there are more of them than teachers, the number is unknown."""
    found, whole = total(row, columns), None if row is None else f.maybe(row.get("full_time"))
    return None if found is not None and whole is not None and found > whole else found


def reported(row: Row | None, columns: Iterable[str]) -> Fraction:
    """Sum of the reported columns: additions by waiver may be blank."""
    return sum((f.exact(row[c]) for c in columns if row is not None and row.get(c) is not None), Fraction(0))


def is_rural(school: School, options: Options) -> bool:
    """Rural for a waiver: 乡村, and also 镇区 if the option says so."""
    places = {f.RURAL, f.TOWN} if options.rural_waiver_places == "rural_and_town" else {f.RURAL}
    return school.urban_rural in places
