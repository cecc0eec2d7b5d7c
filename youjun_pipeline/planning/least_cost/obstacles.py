"""The obstacles to a plan: the limits that would have to give way, and by how much at least.

Keep out: how the shortfall is found (`relaxation`), the words (`text`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from youjun_pipeline.planning.least_cost.figures import Figures
from youjun_pipeline.planning.least_cost.proposal import NoPlan, Plan
from youjun_pipeline.planning.least_cost.seats import Seats

BUDGET, THRESHOLD, FLOOR, COEFFICIENT, SCHOOL_SIZE = (
    *("budget", "threshold", "floor", "coefficient"),
    "school_size",
)
SEATS, WHOLE_UNITS = "seats", "whole_units"


@dataclass(frozen=True)
class Obstacle:
    """A limit that keeps the district from passing, and the least amount by which it would have to give way."""

    what: str
    school: str | None
    stage: str | None
    indicator: str | None
    short: float


def obstacles_of(figures: Figures, found: Plan | NoPlan, seats_found: bool) -> list[Obstacle]:
    """Every obstacle, those of the whole district first; `seats_found` says whether classes and rooms were found."""
    obstacles = _resources(figures, found) if isinstance(found, NoPlan) else []
    obstacles += too_large(figures)
    if not seats_found and not any(o.what == SCHOOL_SIZE for o in obstacles):
        obstacles.append(Obstacle(SEATS, None, None, None, 0.0))
    return obstacles


def too_large(figures: Figures) -> list[Obstacle]:
    """Schools with too many pupils: those that no lever reaches, and those over their size in the plan."""
    found = [Obstacle(SCHOOL_SIZE, school, None, "G4", over) for school, over in figures.too_large]
    over = over_size(figures.seats)
    found += [
        Obstacle(SCHOOL_SIZE, figures.schools[place], None, "G4", float(over[place]))
        for place in np.flatnonzero(over > 0)
    ]
    return found


def over_size(seats: Seats) -> np.ndarray:
    """By how many pupils each school is over its size, shape (s,)."""
    there = np.bincount(seats.place[seats.section], weights=seats.pupils, minlength=seats.schools)
    return np.maximum(there - seats.largest_school, 0)


def _resources(figures: Figures, found: NoPlan) -> list[Obstacle]:
    obstacles, start = [], 0
    k = len(figures.indicators)
    for kind, rows in found.model.row_kinds:
        short = found.short.rows[start : start + len(rows)]
        start += len(rows)
        for row in np.flatnonzero(short):
            if kind == BUDGET:
                obstacles.append(Obstacle(BUDGET, None, None, None, float(short[row])))
                continue
            known = kind in (THRESHOLD, FLOOR)
            member = found.model.members[row] if known else row * k
            school, stage = figures.section_keys[member // k]
            code = figures.indicators[member % k] if known else None
            obstacles.append(Obstacle(kind, school, stage, code, float(short[row])))
    if found.not_whole is not None:
        obstacles.append(Obstacle(WHOLE_UNITS, None, None, figures.indicators[found.not_whole], 0.0))
    cones = found.model.program.cones
    for cone in np.flatnonzero(np.isfinite(found.short.cones)):
        member = found.model.members[np.flatnonzero(cones.cone == cone)[0]]
        stage, code = figures.section_keys[member // k][1], figures.indicators[member % k]
        obstacles.append(Obstacle(COEFFICIENT, None, stage, code, float(found.short.cones[cone])))
    return obstacles
