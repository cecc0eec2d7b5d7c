"""Whole units that all cost the same: the cheapest plan without a search.

If all units of a cone cost the same, serve one member and add the same amount, the cheapest plan is the plan with the fewest
units. N units lower Σ R²/P the most when each unit goes where it adds least to the sum. The amounts are separable and convex, so
taking the smallest increments first is exact for every N. The first N that meets the limit is the answer and its own bound. Keep
out: units that serve two stages, move, or cost more at one school than at another (`program`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from youjun_pipeline.planning.least_cost.cones import Program, Vector

# A program that would need more units than this goes to the search.
MOST_UNITS = 2_000_000
# Increments are computed up to a level; the level grows by this factor until the limit is met.
GROWTH = 1.3
# Rows are met to within the first share, as in `Program.holds`; sums of squares are exact to about the second share.
WITHIN = 1e-9
EXACT_WITHIN = 1e-13


@dataclass(frozen=True)
class EvenUnits:
    """The whole numbers of all variables; None if no plan holds."""

    values: Vector | None


@dataclass(frozen=True)
class _Shape:
    """The one variable of each member (-1: no variable), and the bounds that rows and bounds set for each variable."""

    variable: np.ndarray
    gain: Vector
    low: Vector
    high: Vector


def even_units(program: Program) -> EvenUnits | None:
    """The cheapest plan; None if the program is of another kind."""
    shape = _shape(program)
    if shape is None:
        return None
    if (shape.low > shape.high).any():
        return EvenUnits(None)
    values = shape.low.copy()
    for cone in range(len(program.cones.limit)):
        members = np.flatnonzero(program.cones.cone == cone)
        units = _fewest(program, shape, members, float(program.cones.limit[cone]))
        if units is None:
            return None
        if not units.size:
            return EvenUnits(None)
        has = shape.variable[members] >= 0
        values[shape.variable[members[has]]] = units[has]
    return EvenUnits(values) if program.holds(values) else None


def _shape(program: Program) -> _Shape | None:
    cones = program.cones
    if not program.is_whole.all() or cones.moves_pupils.any():
        return None
    gain = cones.gain.tocoo()
    member, column, size = gain.row[gain.data != 0], gain.col[gain.data != 0], gain.data[gain.data != 0]
    if len(np.unique(member)) < len(member) or len(np.unique(column)) < len(column) or (size < 0).any():
        return None
    for cone in range(len(cones.limit)):
        of = cones.cone[member] == cone
        if np.ptp(size[of]) > 0 or np.ptp(program.cost[column[of]]) > 0:
            return None
    variable, gained = np.full(len(cones.amounts), -1), np.zeros(len(cones.amounts))
    variable[member], gained[member] = column, size
    bounds = _bounds(program)
    return None if bounds is None else _Shape(variable, gained, *bounds)


def _bounds(program: Program) -> tuple[Vector, Vector] | None:
    """The variables' bounds, tightened by rows of a single variable; None if a row has more variables or cannot be met."""
    low, high = np.ceil(program.low - WITHIN), np.floor(program.high + WITHIN)
    rows = program.rows.tocoo()
    row, column, size = rows.row[rows.data != 0], rows.col[rows.data != 0], rows.data[rows.data != 0]
    if len(np.unique(row)) < len(row) or (size < 0).any():
        return None
    empty = np.ones(len(program.row_low), dtype=bool)
    empty[row] = False
    if (program.row_low[empty] > WITHIN).any() or (program.row_high[empty] < -WITHIN).any():
        return None  # the search reports what cannot be met
    np.maximum.at(low, column, np.ceil(program.row_low[row] / size - WITHIN))
    np.minimum.at(high, column, np.floor(program.row_high[row] / size + WITHIN))
    return low, high


def _fewest(program: Program, shape: _Shape, members: np.ndarray, limit: float) -> Vector | None:
    """The fewest units of each member that meet the limit; empty if no number does, None if there would be too many."""
    cones = program.cones
    pupils, gain = cones.pupils[members], shape.gain[members]
    at = shape.variable[members]
    low, high = (np.where(at >= 0, bound[at], 0.0) for bound in (shape.low, shape.high))
    amounts = cones.amounts[members] + gain * low
    allowed = (1 + limit**2) / pupils.sum() * (1 + EXACT_WITHIN)
    total, squares = amounts.sum(), (amounts**2 / pupils).sum()
    if squares <= allowed * total**2:
        return low
    may = (high > low) & (gain > 0)
    if not may.any():
        return np.zeros(0)
    # the k-th additional unit at a member adds (2R + (2k-1)g)·g/P
    first, more = (2 * amounts + gain) * gain / pupils, 2 * gain**2 / pupils
    level = 2 * float(gain.max()) * total / pupils.sum()
    level = max(level, float(first[may].min()))
    while True:
        count = np.where(may, np.floor((level - first) / np.where(may, more, 1)) + 1, 0).clip(0, high - low)
        if count.sum() > MOST_UNITS:
            return None
        who = np.repeat(np.arange(len(members)), count.astype(int))
        nth = np.arange(len(who)) - np.repeat(np.cumsum(count) - count, count.astype(int))
        step = first[who] + nth * more[who]
        order = np.argsort(step, kind="stable")
        sums = squares + np.cumsum(step[order])
        totals = total + np.cumsum(gain[who[order]])
        met = np.flatnonzero(sums <= allowed * totals**2)
        if met.size:
            return low + np.bincount(who[order[: met[0] + 1]], minlength=len(members))
        ratio = sums / totals**2
        rises = len(ratio) > 1 and ratio[-1] > ratio.min() * (1 + WITHIN)
        if rises or (count >= np.where(may, high - low, 0)).all():
            return np.zeros(0)
        level *= GROWTH
