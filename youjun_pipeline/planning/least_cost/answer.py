"""The least-cost plan of one evaluation, from its figures to lines that a bureau can read, with the proof by the models.

Keep out: the mathematics (`proposal`, `seats`) and how the answer is printed (`text`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from youjun_pipeline.planning.least_cost.cones import Vector
from youjun_pipeline.planning.least_cost.district import DIVERT, Aims, Diversion, Lever, Model, Sections
from youjun_pipeline.planning.least_cost.figures import Figures, levers_of, read_figures, with_capacity
from youjun_pipeline.planning.least_cost.prices import Prices, lever_kinds
from youjun_pipeline.planning.least_cost.proof import Change, Grade, Proof, Room, prove
from youjun_pipeline.planning.least_cost.proposal import NoPlan, Plan, propose
from youjun_pipeline.planning.least_cost.seats import Moves, Seated, seat

if TYPE_CHECKING:
    import duckdb

    from youjun_pipeline.standard import Catalogue

ADDED, MOVED_OUT, MOVED_IN, TAKEN_OUT = "增加", "调出", "调入", "停用"
CLASS, MUSIC, ART = "增班", "音乐专用教室", "美术专用教室"
# What is added in broken units is rounded up to this many decimals of its unit, so that rounding breaks nothing.
DECIMALS = 2


@dataclass(frozen=True)
class Line:
    """One thing to do at one school; `cost` in the unit of the prices, None without prices."""

    action: str
    what: str
    school: str
    stage: str | None
    indicator: str
    quantity: float
    unit: str
    cost: float | None


@dataclass(frozen=True)
class Answer:
    """A plan that the models were asked about.

    `left`: (school code, stage, indicator) that stay between floor and threshold by choice. `cost` and `bound` are of the
    resources and the seats together; without prices both are None.
    """

    lines: list[Line]
    left: list[tuple[str, str, str]]
    cost: float | None
    bound: float | None
    gap: float | None
    status: str
    every_indicator_cost: float | None
    proof: Proof
    figures: Figures
    plan: Plan


@dataclass(frozen=True)
class Obstacle:
    """A limit that keeps the district from passing, and the least by which it would have to give way."""

    what: str
    school: str | None
    stage: str | None
    indicator: str | None
    short: float


@dataclass(frozen=True)
class NoAnswer:
    """Nothing that is allowed makes the district pass."""

    obstacles: list[Obstacle]
    figures: Figures


def answer(
    con: duckdb.DuckDBPyConnection,
    district: str,
    phase: str,
    catalogue: Catalogue,
    prices: Prices | None,
    aims: Aims,
    *,
    allowed: list[str] | None = None,
    seconds: float = 60.0,
) -> Answer | NoAnswer:
    """The cheapest plan of an evaluation of the run begun in `con`, proved by the models.

    Without prices every indicator is planned by itself, to its threshold everywhere: only prices can weigh one against another.

    Raises:
        UnknownFiguresError: figures are missing.
        SolverFailedError: the solver came to no end that it vouches for.
    """
    figures = read_figures(con, district, phase, catalogue, prices)
    if prices is None:
        aims = replace(aims, every_indicator=True)
    levers, ids = levers_of(figures, prices, allowed)
    with_capacity(con, district, phase, figures, levers, ids)
    diversion = _diversion(figures, prices)
    seating = _Seating(figures, diversion, seconds)
    found = propose(
        figures.sections,
        levers,
        aims,
        diversion,
        seconds=seconds,
        whole_pupils=seating if diversion else None,
    )
    seated = seating.seated if diversion else seat(figures.seats, None, seconds)
    if isinstance(found, NoPlan) or seated is None or figures.too_large:
        return NoAnswer(_obstacles(figures, found, seated), figures)
    found = _rounded_up(found, levers, found.sections)
    key = (district, phase)
    lines, changes, rooms, grades = _lines(figures, levers, ids, found, seated, catalogue, key, prices)
    lines, changes, grades = _moved(figures, seating.moves, seated, (lines, changes, grades), key, prices)
    proof = next(p for p in prove(con, changes, rooms, grades) if (p.district, p.phase) == (district, phase))
    left = _left(figures, found)
    priced = prices is not None
    full = _every_indicator(found, levers, aims, seconds) if priced and left else None
    # seats' own cost holds the pupils' price already
    own = found.cost - (float(diversion.price @ found.diverted) if diversion else 0.0)
    return Answer(
        lines,
        left,
        own + seated.cost if priced else None,
        found.bound + seated.cost if priced and found.bound is not None else None,
        found.gap if priced else None,
        found.status,
        None if full is None else full + seated.cost,
        proof,
        figures,
        found,
    )


def _left(figures: Figures, plan: Plan) -> list[tuple[str, str, str]]:
    """School, stage and indicator of everything that the plan leaves at the floor."""
    at = zip(*np.nonzero(plan.left), strict=True)
    return [(*figures.section_keys[section], figures.indicators[indicator]) for section, indicator in at]


def _every_indicator(found: Plan, levers: list[Lever], aims: Aims, seconds: float) -> float | None:
    """What the resources would cost with nothing left at the floor, at the same pupils."""
    whole = propose(found.sections, levers, replace(aims, every_indicator=True), seconds=seconds)
    return whole.cost if isinstance(whole, Plan) else None


def _diversion(figures: Figures, prices: Prices | None) -> Diversion | None:
    """Every pair of neighbours, with no more pupils than may go; None without neighbours."""
    pairs = figures.neighbours
    if not pairs:
        return None
    price = float(prices.pupils.price) if prices and prices.pupils else 1.0
    moves = _moves(figures, price)
    high = np.bincount(moves.pair, weights=moves.high, minlength=len(pairs)).astype(float)
    return Diversion(
        np.array([pair.source for pair in pairs]),
        np.array([pair.target for pair in pairs]),
        np.full(len(pairs), price),
        high,
    )


def _moves(figures: Figures, price: float) -> Moves:
    """Grade by grade what the pairs allow: entering grades are the lowest of a section."""
    seats = figures.seats
    rows = {(int(s), int(g)): n for n, (s, g) in enumerate(zip(seats.section, seats.grade, strict=True))}
    lowest: dict[int, int] = {}
    for section, grade in rows:
        lowest[section] = min(grade, lowest.get(section, grade))
    found = [
        (rows[pair.source, grade], rows[pair.target, grade], number)
        for number, pair in enumerate(figures.neighbours)
        for section, grade in rows
        if section == pair.source
        and (pair.target, grade) in rows
        and (not pair.entering_grades_only or grade == lowest[section])
    ]
    source, target, pair = (np.array([f[i] for f in found], dtype=np.int64) for i in range(3))
    # a class that loses its last pupil would leave the roster
    high = np.maximum(seats.pupils[source] - seats.classes[source], 0) if len(found) else np.zeros(0)
    return Moves(source, target, np.full(len(found), price), high, pair)


class _Seating:
    """Turns the pupils that the relaxation would divert into whole pupils, with the classes and rooms they need."""

    def __init__(self, figures: Figures, diversion: Diversion | None, seconds: float) -> None:
        self.figures, self.seconds = figures, seconds
        self.moves = _moves(figures, float(diversion.price[0])) if diversion else None
        self.seated: Seated | None = None

    def __call__(self, model: Model, values: Vector) -> Vector | None:
        block = model.block(DIVERT)
        assert block is not None
        assert self.moves is not None
        wanted = replace(self.moves, wanted=values[block.at])
        self.seated = seat(self.figures.seats, wanted, self.seconds)
        if self.seated is None:
            return None
        return np.bincount(wanted.pair, weights=self.seated.moved, minlength=block.size).astype(float)


def _moved(
    figures: Figures,
    moves: Moves | None,
    seated: Seated,
    done: tuple[list[Line], list[Change], list[Grade]],
    key: tuple[str, str],
    prices: Prices | None,
) -> tuple[list[Line], list[Change], list[Grade]]:
    """What is `done` with the pupils that go elsewhere added; their grades are spread over their classes anew."""
    if moves is None:
        return done
    lines, changes, grades = list(done[0]), list(done[1]), list(done[2])
    for move in np.flatnonzero(seated.moved):
        count = int(seated.moved[move])
        rows = int(moves.source[move]), int(moves.target[move])
        source, target = (figures.section_keys[figures.seats.section[row]] for row in rows)
        grade = int(figures.seats.grade[rows[0]])
        cost = count * float(moves.price[move]) if prices is not None else None
        what = f"学生（{grade} 年级）"
        lines.append(Line(f"分流至 {target[0]}", what, source[0], source[1], "G5", count, "人", cost))
        for (school, stage), added in ((source, -count), (target, count)):
            changes.append(Change(*key, "schools", school, None, f"{stage}_students", added))
        for row, added in zip(rows, (-count, count), strict=True):
            grades[row] = replace(grades[row], pupils=grades[row].pupils + added)
    return lines, changes, grades


def _rounded_up(plan: Plan, levers: list[Lever], sections: Sections) -> Plan:
    """Broken units rounded up; where that takes a coefficient over its limit the exact figure stays.

    A school that is raised a little further raises the mean too; only one that stands above the break-even makes the
    coefficient worse, and such a school is raised by its threshold alone.
    """
    for number, lever in enumerate(levers):
        if lever.is_whole or not plan.added[number].any():
            continue
        scale = 10.0**DECIMALS
        finer = np.ceil(plan.added[number] * scale - 1e-9) / scale
        if _within(sections, levers, plan, number, finer):
            plan.added[number][:] = finer
        else:
            plan.added[number][:] = np.ceil(plan.added[number] * 1e6) / 1e6
    return plan


def _within(sections: Sections, levers: list[Lever], plan: Plan, number: int, added: np.ndarray) -> bool:
    lever = levers[number]
    site = sections.place if lever.by_school else np.arange(len(sections.place))
    change = added - plan.given[number] + plan.taken[number] - plan.out[number]
    amounts = sections.have[:, lever.indicator] + sections.step[:, lever.indicator] * change[site]
    for stage in range(sections.limit.shape[0]):
        of = sections.stage == stage
        if not of.any():
            continue
        pupils, held = sections.pupils[of], amounts[of]
        square = pupils.sum() * (held**2 / pupils).sum() / held.sum() ** 2 - 1
        if square > sections.limit[stage, lever.indicator] ** 2:
            return False
    return True


def _lines(
    figures: Figures,
    levers: list[Lever],
    ids: list[str],
    plan: Plan,
    seated: Seated,
    catalogue: Catalogue,
    key: tuple[str, str],
    prices: Prices | None,
) -> tuple[list[Line], list[Change], list[Room], list[Grade]]:
    lines: list[Line] = []
    changes: list[Change] = []
    for number, (lever, name) in enumerate(zip(levers, ids, strict=True)):
        kind = lever_kinds()[name]
        for action, amounts, sign, price in (
            (ADDED, plan.added[number], 1, lever.price),
            (MOVED_IN, plan.taken[number], 1, np.full(len(lever.price), lever.move_price or 0.0)),
            (MOVED_OUT, plan.given[number], -1, np.zeros(len(lever.price))),
            (TAKEN_OUT, plan.out[number], -1, np.zeros(len(lever.price))),
        ):
            for site in np.flatnonzero(amounts > 0):
                school, stage = (
                    (figures.schools[site], None) if lever.by_school else figures.section_keys[site]
                )
                quantity = float(amounts[site])
                cost = quantity * float(price[site]) if prices is not None else None
                lines.append(
                    Line(action, kind.name, school, stage, kind.indicator, quantity, kind.unit, cost)
                )
                adds = kind.adds if action == ADDED else kind.adds[:1]
                changes += [
                    Change(*key, kind.dataset, school, stage, column, sign * quantity) for column in adds
                ]
    rooms, grades = _seat_lines(figures, seated, catalogue, key, prices, lines)
    return lines, changes, rooms, grades


def _seat_lines(
    figures: Figures,
    seated: Seated,
    catalogue: Catalogue,
    key: tuple[str, str],
    prices: Prices | None,
    lines: list[Line],
) -> tuple[list[Room], list[Grade]]:
    """Rooms to add, and grades that are spread over their classes anew: those too large, and those that get a class."""
    seats = figures.seats
    rooms: list[Room] = []
    areas = {"music": "music_room_area_m2", "art": "art_room_area_m2"}
    for place in range(seats.schools):
        for column, (kind, area) in enumerate(areas.items()):
            count = int(seated.rooms[place, column])
            if count:
                cost = count * float(seats.room_price[place]) if prices is not None else None
                what = MUSIC if kind == "music" else ART
                lines.append(Line(ADDED, what, figures.schools[place], None, "G3", count, "间", cost))
                size = float(catalogue.parameters[area].value)
                rooms += [Room(*key, figures.schools[place], kind, size)] * count
    grades = []
    for row in range(len(seats.section)):
        school, stage = figures.section_keys[seats.section[row]]
        added = int(seated.classes[row])
        if added:
            cost = (
                added * float(seats.class_price[seats.place[seats.section[row]]])
                if prices is not None
                else None
            )
            lines.append(
                Line(
                    ADDED, f"{CLASS}（{int(seats.grade[row])} 年级）", school, stage, "G5", added, "班", cost
                )
            )
        classes = int(seats.classes[row]) + added
        grades.append(Grade(*key, school, stage, int(seats.grade[row]), int(seats.pupils[row]), classes))
    return rooms, grades


def _obstacles(figures: Figures, found: Plan | NoPlan, seated: Seated | None) -> list[Obstacle]:
    obstacles = []
    stages = {section: stage for section, (_, stage) in enumerate(figures.section_keys)}
    if isinstance(found, NoPlan):
        start = 0
        k = len(figures.indicators)
        for kind, rows in found.model.row_kinds:
            short = found.short.rows[start : start + len(rows)]
            start += len(rows)
            for row in np.flatnonzero(short):
                if kind == "budget":
                    obstacles.append(Obstacle("budget", None, None, None, float(short[row])))
                    continue
                member = found.model.members[row] if kind in ("threshold", "floor") else row * k
                school, stage = figures.section_keys[member // k]
                code = figures.indicators[member % k] if kind in ("threshold", "floor") else None
                obstacles.append(Obstacle(kind, school, stage, code, float(short[row])))
        cones = found.model.program.cones
        for cone in np.flatnonzero(np.isfinite(found.short.cones)):
            member = found.model.members[np.flatnonzero(cones.cone == cone)[0]]
            obstacles.append(
                Obstacle(
                    "coefficient",
                    None,
                    stages[member // k],
                    figures.indicators[member % k],
                    float(found.short.cones[cone]),
                )
            )
    obstacles += [Obstacle("school_size", school, None, "G4", over) for school, over in figures.too_large]
    if seated is None:
        seats = figures.seats
        there = np.bincount(seats.place[seats.section], weights=seats.pupils, minlength=seats.schools)
        obstacles += [
            Obstacle(
                "school_size",
                figures.schools[place],
                None,
                "G4",
                float(there[place] - seats.largest_school[place]),
            )
            for place in np.flatnonzero(there > seats.largest_school)
        ]
    return obstacles
