"""G3: music and art rooms compared with the classes of a school, with the waivers of their areas.

Keep out: the other judgements of a school (``sections``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from youjun_pipeline_tests.oracle import figures as f
from youjun_pipeline_tests.oracle.hidden import is_here, may_be_here
from youjun_pipeline_tests.oracle.school_data import SchoolData, SchoolIndicator, is_rural, with_waiver
from youjun_pipeline_tests.oracle.schools import Options, Row, School


@dataclass(frozen=True)
class RoomCount:
    """Music and art rooms compared with the need, under one pair of area limits."""

    status: str
    value: int
    gap: int


def lost_classes(school: School, data: SchoolData) -> bool:
    """Whether a lost class may belong to a stage of this school."""
    return any(is_here(data.lost, "classes", school.code, stage) for stage in school.sections)


def room_areas(
    school: School, data: SchoolData, options: Options, *, at_best: bool = False
) -> tuple[dict[str, Fraction], tuple[str, ...]]:
    """The most lenient area limits that the school may use, and the waivers behind them.

    ``at_best``: lost classes are assumed to be small.
    """
    areas, applied = dict(f.ROOM_AREA), []
    if "W-G3" in options.active_waivers and (school.built_year or 9999) <= f.WG3_BUILT_UNTIL:
        areas = {kind: min(areas[kind], f.WG3_AREA[kind]) for kind in areas}
        applied.append("W-G3")
    rosters = [data.classes.get((school.code, stage), []) for stage in school.sections]
    sizes = [row.get("students") for roster in rosters for row in roster]
    if (
        "W-G3r" in options.active_waivers
        and is_rural(school, options)
        and (at_best or not lost_classes(school, data))
        and school.compulsory is not None
        and school.compulsory < f.WG3R_PUPILS_UNDER
        and all(rosters)
        and all(size is not None and int(size) < f.WG3R_CLASS_UNDER for size in sizes)
    ):
        areas = {kind: min(areas[kind], f.WG3R_AREA[school.stage]) for kind in areas}
        applied.append("W-G3r")
    return areas, tuple(applied)


def count_rooms(
    rooms: list[Row] | None,
    areas: Mapping[str, Fraction],
    needed: int,
    complete: bool,
    rule: str,
    best: Mapping[str, Fraction],
    lost: Mapping[str, int],
) -> RoomCount:
    """Judge rooms; ``complete``: classes and rooms are all known; ``rooms`` is None if nothing is known about them.

    ``best``: the required areas if everything lost were in the school's favour; ``lost``: rooms that may belong to it.
    """
    if rooms is None:
        return RoomCount(f.NO_DATA, 0, 0)
    certain = dict.fromkeys(areas, 0)
    possible = dict(lost)
    for room in rooms:
        area = f.maybe(room.get("area_m2"))
        complete = complete and area is not None
        certain[room["kind"]] += area is not None and area >= areas[room["kind"]]
        possible[room["kind"]] += area is None or area >= best[room["kind"]]
    combine: Callable[[Iterable[int]], int] = sum if rule == "combined" else min

    def gap_of(counts: Mapping[str, int]) -> int:
        if rule == "combined":
            return max(0, needed - sum(counts.values()))
        return sum(max(0, needed - n) for n in counts.values())

    if gap_of(possible):
        return RoomCount(f.BELOW, combine(certain.values()), gap_of(possible))
    if not complete or gap_of(certain):
        return RoomCount(f.NO_DATA, combine(certain.values()), 0)
    return RoomCount(f.MET, combine(certain.values()), 0)


def judge_rooms(school: School, data: SchoolData, options: Options) -> SchoolIndicator:
    """G3: music and art rooms for the school's compulsory classes."""
    rosters = [data.classes.get((school.code, stage), []) for stage in f.STAGES]
    complete = all(data.classes.get((school.code, stage)) for stage in school.sections)
    # the same rooms serve both stages
    classes = max(map(len, rosters)) if options.music_art_rule == "per_stage" else sum(map(len, rosters))
    needed = -(-classes // f.CLASSES_PER_ROOM)
    rooms = None if data.rooms is None else data.rooms.get(school.code, [])
    areas, applied = room_areas(school, data, options)
    best, _ = room_areas(school, data, options, at_best=True)
    lost = {kind: may_be_here(data.lost, school.code, kind) for kind in f.ROOM_AREA}
    reported_all = not (lost_classes(school, data) or is_here(data.lost, "special_rooms", school.code))
    rule = options.music_art_rule
    strict = count_rooms(rooms, f.ROOM_AREA, needed, complete and reported_all, rule, f.ROOM_AREA, lost)
    waived = count_rooms(rooms, areas, needed, complete and reported_all, rule, best, lost)
    known = waived.status != f.NO_DATA
    some_missing = (
        not complete
        or not reported_all
        or bool(sum(lost.values()))
        or any(room.get("area_m2") is None for room in rooms or ())
    )
    return SchoolIndicator(
        school.code,
        school.stage,
        "G3",
        with_waiver(strict.status, waived.status),
        strict.status,
        school.compulsory,
        numerator=Fraction(waived.value) if known else None,
        numerator_strict=Fraction(strict.value) if strict.status != f.NO_DATA else None,
        value=Fraction(waived.value) if known else None,
        value_strict=Fraction(strict.value) if strict.status != f.NO_DATA else None,
        threshold=Fraction(needed) if complete else None,
        threshold_strict=Fraction(needed) if complete else None,
        gap=Fraction(waived.gap) if known else None,
        waiver=applied[-1] if applied and strict.status != waived.status else None,
        applied=applied,
        partial=known and some_missing,
    )
