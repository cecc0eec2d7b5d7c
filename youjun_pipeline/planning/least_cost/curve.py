"""What limits cost: curves for each coefficient's limit, for the number of passing schools, and for money, each with its knee.

Every point is a continuous optimum. The choice of values left at the floor is the plan's own on all points, so a curve is
monotone: a tighter limit allows fewer plans. A curve ends where the limit no longer binds; there it costs what the thresholds
alone cost. Keep out: charts (site), words.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from youjun_pipeline.planning.least_cost.answer import Found
from youjun_pipeline.planning.least_cost.cones import Vector
from youjun_pipeline.planning.least_cost.district import Aims, Model, Sections, build, with_limit
from youjun_pipeline.planning.least_cost.proposal import known_sections
from youjun_pipeline.planning.least_cost.relaxation import relax

COEFFICIENT, SCHOOLS, BUDGET = "coefficient", "schools", "budget"
# The limits tried below a coefficient's own limit, as shares of it; and how many limits are tried above it.
TIGHTER, WIDER = (0.6, 0.7, 0.8, 0.9, 0.95), 6
MOST_POINTS = 20
UNLIMITED = 1e6
# A curve that rises by less than this share of its cost counts as flat and has no knee.
NOISE = 1e-5


@dataclass(frozen=True)
class Point:
    """One point of a curve: `at` is the limit, number of schools or money; `value` is the cost, cost, or number of passing
    schools.

    `value` None: nothing allowed reaches the limit. `is_now`: the present limit, or the whole plan. `is_knee`: beyond this point
    the curve is steeper than its mean.
    """

    curve: str
    stage: str | None
    indicator: str | None
    at: float
    value: float | None
    is_now: bool
    is_knee: bool = False


def curves(found: Found, seconds: float = 30.0) -> list[Point]:
    """All curves of a plan; if time runs out for the curve of a coefficient, the whole curve is left out."""
    points = list(_limits(found, time.monotonic() + seconds))
    if found.cost:
        points += _schools(found)
    return points


def _limits(found: Found, deadline: float) -> Iterator[Point]:
    sections = known_sections(found.plan.sections, found.plan.left, found.aims)
    margin = found.aims.coefficient_at_most
    if margin is not None:
        sections = replace(sections, limit=np.minimum(sections.limit, margin))
    stages = sorted(
        {(int(s), key[1]) for s, key in zip(sections.stage, found.figures.section_keys, strict=True)}
    )
    for lever in found.levers:
        aims = replace(
            found.aims, only=lever.indicator, every_indicator=True, budget=None, coefficient_at_most=None
        )
        for stage, name in stages:
            if time.monotonic() > deadline:
                return
            curve = limit_curve(sections, found, aims, stage, lever.indicator)
            code = found.figures.indicators[lever.indicator]
            now = float(sections.limit[stage, lever.indicator])
            points = [
                Point(COEFFICIENT, name, code, at, value, bool(np.isclose(at, now))) for at, value in curve
            ]
            yield from with_knee(points)


def limit_curve(
    sections: Sections, found: Found, aims: Aims, stage: int, indicator: int
) -> list[tuple[float, float | None]]:
    """Cost of one indicator at ascending limits on its coefficient in one stage; None where no plan reaches a limit."""

    def cost(limit: float) -> tuple[float | None, float]:
        model = build(with_limit(sections, stage, indicator, limit), found.levers, aims)
        relaxed = relax(model.program)
        if relaxed is None:
            return None, np.nan
        return relaxed.cost, _reached(sections, model, relaxed.values, stage)

    now = float(sections.limit[stage, indicator])
    _, free = cost(UNLIMITED)
    if not np.isfinite(free) or now >= UNLIMITED:
        return []
    limits = {round(now * share, 4) for share in TIGHTER} | {now}
    end = np.ceil(max(now, free) * 100) / 100
    if free > now:
        limits |= {round(float(c), 4) for c in np.linspace(now, end, WIDER)}
    limits.add(round(float(end) + 0.05, 4))
    return [(limit, cost(limit)[0]) for limit in sorted(limits)]


def _reached(sections: Sections, model: Model, values: Vector, stage: int) -> float:
    cones = model.program.cones
    reached = cones.coefficients(cones.amounts + cones.gain @ values, cones.pupils + cones.shift @ values)
    member = np.flatnonzero(sections.stage[model.members // sections.have.shape[1]] == stage)
    return float(reached[cones.cone[member[0]]])


def _schools(found: Found) -> list[Point]:
    """The schools in order of the cost to make each pass by itself; and how many schools pass for a sum of money."""
    costs = np.sort(school_costs(found))
    total = np.cumsum(costs)
    free = int((costs <= 0).sum())
    whole = found.cost or 0.0
    numbers = sorted({free, len(costs), *np.linspace(free, len(costs), MOST_POINTS).astype(int).tolist()})
    by_school = [
        Point(SCHOOLS, None, None, n, float(total[n - 1]) if n else 0.0, n == len(costs)) for n in numbers
    ]
    money = np.linspace(0, max(whole, float(total[-1])), MOST_POINTS // 2 + 1)
    passing = np.searchsorted(total, money * (1 + 1e-9), side="right")
    by_money = [
        Point(BUDGET, None, None, float(m), float(passing[n]), n == len(money) - 1)
        for n, m in enumerate(money)
    ]
    return [*with_knee(by_school), *with_knee(by_money)]


def school_costs(found: Found) -> Vector:
    """The cost of each school for its own rules (resources, classes, rooms), without coefficients; shape (schools,)."""
    sections = known_sections(found.plan.sections, found.plan.left, found.aims)
    costs = np.zeros(len(found.figures.schools))
    aims = Aims(every_indicator=True, with_coefficients=False, above_threshold=found.aims.above_threshold)
    for lever in found.levers:
        # Units are bought, never moved: whether a unit can be moved depends on which other schools get help.
        alone = replace(lever, move_price=None, movable=None, may_take_out=False)
        relaxed = relax(build(sections, [alone], replace(aims, only=lever.indicator)).program)
        if relaxed is None:
            continue
        place = np.arange(len(costs)) if lever.by_school else sections.place
        np.add.at(costs, place, relaxed.values[: len(lever.price)] * lever.price)
    seats, seated = found.figures.seats, found.seated
    school = seats.place[seats.section]
    np.add.at(costs, school, seated.classes * seats.class_price[school])
    return costs + seated.rooms.sum(axis=1) * seats.room_price


def with_knee(points: Sequence[Point]) -> list[Point]:
    """The points, ascending, with the knee marked: the corner of the lower hull that is furthest below its chord."""
    known = [n for n, p in enumerate(points) if p.value is not None]
    if len(known) < 3:
        return list(points)
    at = np.array([points[n].at for n in known])
    value = np.array([float(points[n].value or 0.0) for n in known])
    width, height = at[-1] - at[0], value.max() - value.min()
    if width <= 0 or height <= NOISE * max(abs(value).max(), 1e-12):
        return list(points)
    x, y = (at - at[0]) / width, (value - value.min()) / height
    if points[known[0]].curve == BUDGET:
        y = 1 - y  # the curve of schools against money bends the other way
    hull = _lower_hull(x, y)
    chord = y[0] + (y[-1] - y[0]) * x
    corner = max(hull, key=lambda n: chord[n] - y[n])
    if chord[corner] - y[corner] <= 1e-6:
        return list(points)
    return [replace(p, is_knee=n == known[corner]) for n, p in enumerate(points)]


def _lower_hull(x: Vector, y: Vector) -> list[int]:
    hull: list[int] = []
    for n in range(len(x)):
        while len(hull) > 1:
            a, b = hull[-2], hull[-1]
            if (x[b] - x[a]) * (y[n] - y[a]) - (y[b] - y[a]) * (x[n] - x[a]) > 0:
                break
            hull.pop()
        hull.append(n)
    return hull


_GroupKey = Callable[[Point], tuple[str, str | None, str | None]]


def grouped(points: Sequence[Point]) -> dict[tuple[str, str | None, str | None], list[Point]]:
    """Points by curve."""
    found: dict[tuple[str, str | None, str | None], list[Point]] = defaultdict(list)
    for point in points:
        found[point.curve, point.stage, point.indicator].append(point)
    return dict(found)
