"""Broken units as a bureau can order them: whole hundredths, so that rounding takes no section and no coefficient over its limit.

Keep out: whole units (`program`), which are whole already.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from youjun_pipeline.planning.least_cost.cones import Vector
from youjun_pipeline.planning.least_cost.district import Lever, Sections
from youjun_pipeline.planning.least_cost.proposal import Plan

# Quantities have so many decimals of their unit; more where the coarser ones would take a coefficient over its limit.
DECIMALS, FINER = 2, 6


def rounded(plan: Plan, levers: list[Lever]) -> Plan:
    """The plan with quantities of broken units on a grid of decimals.

    What is added is rounded up and what leaves is rounded down: no section ends lower than it would have. A school that is
    raised a little further raises the mean too; only one that stands above the break-even makes the coefficient worse.
    """
    for number, lever in enumerate(levers):
        if lever.is_whole:
            continue
        for decimals in (DECIMALS, FINER):
            finer = _on_grid(plan, number, decimals)
            if decimals == FINER or _within(levers, finer, number):
                plan = finer
                break
    return plan


def _on_grid(plan: Plan, number: int, decimals: int) -> Plan:
    scale = 10.0**decimals
    given, taken, out = (np.floor(part[number] * scale) for part in (plan.given, plan.taken, plan.out))
    # as much is taken as is given
    _cut(given, given.sum() - taken.sum())
    _cut(taken, taken.sum() - given.sum())
    # what a receiver misses by that is bought, and a donor that gives less keeps it
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
    """Take a surplus off the largest parts; nothing where there is none."""
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
