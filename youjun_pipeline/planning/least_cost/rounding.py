"""Rounds fractional units to whole hundredths that a bureau can order; no section and no coefficient passes its limit by it.

Keep out: whole units (`program`), which are whole already.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from youjun_pipeline.planning.least_cost.cones import Vector
from youjun_pipeline.planning.least_cost.district import Aims, Lever, Sections
from youjun_pipeline.planning.least_cost.proposal import Plan, asked, known_sections

# Quantities have this many decimals of their unit; the finer number if the coarse one takes a coefficient over its limit.
DECIMALS, FINER = 2, 6


def rounded(plan: Plan, levers: list[Lever], aims: Aims) -> Plan:
    """The plan with fractional quantities on a grid of decimals.

    Additions are rounded up. What leaves is rounded down, or up as far as the donor can spare it: no section ends lower than it
    must. Rounding up a school also raises the mean, so it makes the coefficient worse only if the school is above the break-even.
    """
    for number, lever in enumerate(levers):
        if lever.is_whole:
            continue
        for grid in (_moved_up(plan, lever, number, aims), _on_grid(plan, number, DECIMALS)):
            if grid is not None and _within(levers, grid, number):
                plan = grid
                break
        else:
            plan = _on_grid(plan, number, FINER)
    return plan


def _on_grid(plan: Plan, number: int, decimals: int) -> Plan:
    scale = 10.0**decimals
    given, taken = (np.floor(part[number] * scale) for part in (plan.given, plan.taken))
    return _put(plan, number, given, taken, scale)


def _moved_up(plan: Plan, lever: Lever, number: int, aims: Aims) -> Plan | None:
    """The plan in hundredths with moves rounded up, as far as donors can spare it; this avoids many small purchases."""
    if lever.movable is None or not plan.taken[number].any():
        return None
    scale = 10.0**DECIMALS
    spare = -asked(known_sections(plan.sections, plan.left, aims), lever, aims.above_threshold)
    most = np.floor(np.minimum(lever.movable, np.maximum(spare, 0)) * scale + 1e-9)
    given = np.minimum(np.ceil(plan.given[number] * scale - 1e-9) + 0.0, most)
    taken = np.ceil(plan.taken[number] * scale - 1e-9) + 0.0
    if lever.most_moved is not None:
        _cut(taken, taken.sum() - np.floor(lever.most_moved * scale))
    # the last hundredths come from present donors that can spare most
    room = np.where(given > 0, most - given, 0)
    rest = room.copy()
    _cut(rest, taken.sum() - given.sum())
    given += room - rest
    return _put(plan, number, given, taken, scale)


def _put(plan: Plan, number: int, given: Vector, taken: Vector, scale: float) -> Plan:
    """The plan in which one lever's moves are in steps of 1/`scale`, and purchases match."""
    out = np.floor(plan.out[number] * scale)
    # the amounts taken must equal the amounts given
    _cut(given, given.sum() - taken.sum())
    _cut(taken, taken.sum() - given.sum())
    # a receiver that gets less buys the difference, and a donor that gives less keeps it
    added = np.ceil((plan.added[number] + plan.taken[number]) * scale - taken - 1e-9)

    def put(parts: list[Vector], part: Vector) -> list[Vector]:
        return [part / scale if n == number else old for n, old in enumerate(parts)]

    return replace(
        plan,
        added=put(plan.added, np.maximum(added, 0)),
        given=put(plan.given, given),
        taken=put(plan.taken, taken),
        out=put(plan.out, out),
    )


def _cut(parts: Vector, surplus: float) -> None:
    """Subtract a surplus from the largest parts; without a surplus nothing changes."""
    for at in np.argsort(-parts):
        if surplus <= 0:
            return
        less = min(parts[at], surplus)
        parts[at] -= less
        surplus -= less


def _within(levers: list[Lever], plan: Plan, number: int) -> bool:
    """Whether every coefficient of the lever's indicator is within its limit."""
    lever, sections = levers[number], plan.sections
    site = sections.place if lever.by_school else np.arange(len(sections.place))
    change = plan.added[number] - plan.given[number] + plan.taken[number] - plan.out[number]
    amounts = sections.have[:, lever.indicator] + sections.step[:, lever.indicator] * change[site]
    return all(
        _square(sections, amounts, stage) <= sections.limit[stage, lever.indicator] ** 2
        for stage in np.unique(sections.stage)
    )


def _square(sections: Sections, amounts: Vector, stage: int) -> float:
    """The square of a stage's coefficient."""
    of = sections.stage == stage
    pupils, held = sections.pupils[of], amounts[of]
    return float(pupils.sum() * (held**2 / pupils).sum() / held.sum() ** 2 - 1)
