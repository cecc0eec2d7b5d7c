"""Rows that do not count, and what they might have been: every result that they may affect is open, for better or worse.

A row is lost if a cell of its key cannot be read (None), if its school is in no roster, or if its year is after its delivery. A
failing conclusion on an unknown item may belong to any item.
Keep out: what is judged from the rows that remain (``sections``, ``assurance``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from youjun_pipeline_tests.oracle import figures as f

Row = Mapping[str, Any]

# What identifies a row; without it the row cannot be kept.
KEYS: dict[str, tuple[str, ...]] = {
    "schools": ("school_code",),
    "classes": ("school_code", "stage", "grade", "class_no"),
    "teachers": ("school_code", "stage"),
    "facilities": ("school_code",),
    "special_rooms": ("school_code", "kind", "room_no"),
    "quality_monitoring": ("cycle", "grade", "subject"),
    "school_finance": ("school_code", "year"),
    "graduation_cohorts": ("school_code", "year"),
    "assurance": ("item",),
    "recognition": ("year", "respondent_group"),
    "district_figures": ("item", "year"),
}
# Reported by the whole school, whatever campuses it has; of the others a campus has rows of its own.
OF_WHOLE = frozenset({"school_finance", "graduation_cohorts"})
OF_TEACHERS, OF_FACILITIES = ("R1", "R2", "R3"), ("R4", "R5", "R6", "R7")
DATASET_OF = dict.fromkeys(OF_TEACHERS, "teachers") | dict.fromkeys(OF_FACILITIES, "facilities")
# Which datasets may hide a school, class or room from G3, G4 and G5 of the district
OF_DISTRICT = {
    "G3": ("schools", "classes", "special_rooms"),
    "G4": ("schools",),
    "G5": ("schools", "classes"),
}
# Judged from what the district states itself
STATED = (
    *("G1", "G2", "G7", "G8", "G10", "G11", "G14", "G15", "Q2", "Q3", "Q5", "Q6", "Q7", "Q8"),
    *f.VETOES,
)
SUMS = {
    "G9": ("teachers", "schools"),
    "G12": ("teachers", "schools"),
    "G13": ("schools",),
    "Q1": ("graduation_cohorts",),
    "Q9": ("quality_monitoring",),
    "S1": ("recognition",),
}


@dataclass(frozen=True)
class Lost:
    """What a lost row still says about itself; None for what it does not say."""

    dataset: str
    school_code: str | None
    stage: str | None
    kind: str | None
    item: str | None
    year: int | None


# Datasets of yearly figures: the column of the year, and how far ahead of the delivery it may be.
YEARLY = {
    "school_finance": ("year", 1),
    "graduation_cohorts": ("year", 0),
    "recognition": ("year", 0),
    "quality_monitoring": ("cycle", 0),
}


def is_ahead(dataset: str, row: Row, delivered_in: int) -> bool:
    """Whether a row's year is after its delivery."""
    column, ahead = YEARLY.get(dataset, ("", 0))
    return row.get(column) is not None and int(row[column]) > delivered_in + ahead


def sift(
    tables: Mapping[str, Sequence[Row] | None], delivered_in: int = 9999
) -> tuple[dict[str, list[Row] | None], tuple[Lost, ...]]:
    """The rows that are kept, and the lost ones."""
    register = [r for r in tables.get("schools") or () if r.get("school_code") is not None]
    units, wholes = {str(unit(r)["school_code"]) for r in register}, {str(r["school_code"]) for r in register}
    kept: dict[str, list[Row] | None] = {}
    lost: list[Lost] = []
    for dataset, rows in tables.items():
        if rows is None:
            kept[dataset] = None
            continue
        kept[dataset] = []
        for written in rows:
            row = unit(written)
            code = row.get("school_code")
            known = code is not None and str(code) in (wholes if dataset in OF_WHOLE else units)
            is_of_school = "school_code" in KEYS[dataset] and dataset != "schools"
            ahead = is_ahead(dataset, row, delivered_in)
            is_nobodys = (
                dataset == "assurance" and str(row.get("item") or "G1").split(".")[0] not in f.INDICATORS
            )
            if is_nobodys and row.get("conclusion") == "not_met":
                lost.append(Lost(dataset, None, None, None, None, None))
            if (
                not ahead
                and all(row.get(c) is not None for c in KEYS[dataset])
                and (known or not is_of_school)
            ):
                kept[dataset].append(row)  # type: ignore[union-attr]
                continue
            year = row.get("year", row.get("cycle"))
            lost.append(
                Lost(
                    dataset,
                    str(code) if known and is_of_school else None,
                    row.get("stage"),
                    row.get("kind"),
                    row.get("item"),
                    None if year is None or ahead else int(year),
                )
            )
    return kept, tuple(lost)


def unit(row: Row) -> Row:
    """The row with the campus added to its code: ``2120114001-东校区``."""
    code, campus = row.get("school_code"), row.get("campus")
    return row if code is None or campus is None else {**row, "school_code": f"{code}-{campus}"}


def whole_of(code: str) -> str:
    """The code of the whole school that a campus belongs to."""
    return code.partition("-")[0]


def is_here(lost: Iterable[Lost], dataset: str, school: str, stage: str | None = None) -> bool:
    """Whether a lost row certainly belongs to this school (and possibly to this stage)."""
    return any(
        x.dataset == dataset
        and x.school_code in (school, whole_of(school))
        and (stage is None or x.stage in (None, stage))
        for x in lost
    )


def may_be_here(lost: Iterable[Lost], school: str, kind: str) -> int:
    """How many lost rooms may belong to this school and have this kind."""
    return sum(
        x.dataset == "special_rooms"
        and x.school_code in (None, school, whole_of(school))
        and x.kind in (None, kind)
        for x in lost
    )


def opens_balance(lost: Iterable[Lost], code: str, stage: str) -> bool:
    """Whether a lost row may belong to an unknown school: then any coefficient is possible."""
    return any(
        x.school_code is None and x.dataset in ("schools", DATASET_OF[code]) and x.stage in (None, stage)
        for x in lost
    )


def opens_district(lost: Iterable[Lost], code: str) -> bool:
    """Whether G3, G4 or G5 of the district may lack data of an unknown school."""
    return any(x.school_code is None and x.dataset in OF_DISTRICT[code] and x.stage != f.SENIOR for x in lost)


def touch(
    status: str,
    code: str,
    lost: Iterable[Lost],
    judged_year: int | None,
    population_year: int | None,
    counts: Mapping[str, bool],
) -> str:
    """The status of a district item if rows are lost.

    ``judged_year``: the year on which it is judged, None if it has no year; ``population_year``: the year of the residents.
    ``counts``: whether a school is included.
    """
    item_year = judged_year
    for x in lost:
        judged_year = population_year if x.dataset == "district_figures" else item_year
        if x.stage == f.SENIOR or (x.school_code is not None and not counts[x.school_code]):
            continue
        if x.year is not None and judged_year is not None and x.year < judged_year:
            continue
        newer = judged_year is not None and (x.year is None or x.year > judged_year)
        if x.dataset in SUMS.get(code, ()):
            return f.NO_DATA
        if code in ("G6", "Q4") and x.dataset in ("schools", "school_finance"):
            either_way = x.dataset == "school_finance" and newer
        elif code == "S1" and x.dataset == "district_figures":
            either_way = False
            if x.item not in (None, "population_wan"):
                continue
        elif code in STATED and x.dataset == "assurance":
            either_way = False
            if x.item is not None:
                continue
        else:
            continue
        if either_way or status != f.BELOW:
            status = f.NO_DATA
    return status
