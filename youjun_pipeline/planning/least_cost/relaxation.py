"""The continuous relaxation of a program: a second-order cone problem, its bound and its shadow prices.

If pupils stay, it is exact except for whole units. If they move, it is an inner approximation around given totals: its plan
holds, but a cheaper plan may exist (then `program.solve` gives the bound). Keep out: what the variables stand for.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import cvxpy as cp
import numpy as np

from youjun_pipeline.planning.least_cost.cones import Program, Vector
from youjun_pipeline.planning.least_cost.failure import SolverFailedError
from youjun_pipeline.planning.least_cost.program import TIGHTER

# Clarabel's own defaults are 1e-8. Its result only steers the search; the models judge the plan afterwards. If it breaks off at
# one tolerance, it is tried at the next.
TOLERANCES = (1e-9, 1e-8, 1e-7)


@dataclass(frozen=True)
class Relaxed:
    """A continuous optimum and what its limits cost.

    Each price is the fall of the cost: `price_of_high` for a variable's upper bound raised by one unit, `price_of_row_low` and
    `price_of_row_high` for a row's bound lowered or raised by one, `price_of_limit` for a cone's limit raised by 1.
    """

    values: Vector
    cost: float
    price_of_high: Vector
    price_of_row_low: Vector
    price_of_row_high: Vector
    price_of_limit: Vector


@dataclass(frozen=True)
class Shortfall:
    """The least amount by which limits must give way before there is a plan: limits of rows (in their own unit) and of cones.

    `rows` has shape (rows,): what is missing to the lower bound or exceeds the upper bound. `cones` has shape (k,): the
    coefficient that can be reached if it is over the limit, otherwise NaN.
    """

    values: Vector
    rows: Vector
    cones: Vector


def relax(program: Program, around: Vector | None = None) -> Relaxed | None:
    """The cheapest plan in fractions of units; None if no plan exists.

    `around` is a point in the variables. If pupils move it is needed: at its totals T² is replaced by its tangent.

    Raises:
        SolverFailedError: the solver ended without an answer that it vouches for.
    """
    if program.needs_nothing():
        none = np.zeros(len(program.row_low))
        return Relaxed(
            program.low.copy(),
            float(program.cost @ program.low),
            np.zeros(len(program.cost)),
            none,
            none,
            np.zeros(len(program.cones.limit)),
        )
    scaled, step = program.scaled()
    cost = _near_one(scaled.cost)
    v = cp.Variable(len(cost))
    bounded = np.flatnonzero(np.isfinite(scaled.high))
    low_bound, high_bound = v >= scaled.low, v[bounded] <= scaled.high[bounded]
    has_low, has_high = np.isfinite(scaled.row_low), np.isfinite(scaled.row_high)
    low_rows = scaled.rows[has_low] @ v >= scaled.row_low[has_low]
    high_rows = scaled.rows[has_high] @ v <= scaled.row_high[has_high]
    limits = _limits(scaled, v, None if around is None else around / step)
    rows = [row for row, has in ((low_rows, has_low), (high_rows, has_high)) if has.any()]
    problem = cp.Problem(cp.Minimize(cost @ v), [low_bound, high_bound, *rows, *limits.constraints])
    if not _solved(problem):
        return None
    unit = 1 / _unit(scaled.cost)
    size = _row_sizes(program, step)
    of_low, of_high, of_bound = np.zeros(len(has_low)), np.zeros(len(has_high)), np.zeros(len(cost))
    if has_low.any():
        of_low[has_low] = low_rows.dual_value
    if has_high.any():
        of_high[has_high] = high_rows.dual_value
    # a variable with equal bounds has two duals; only their difference has a meaning
    of_bound[bounded] = np.maximum(high_bound.dual_value - low_bound.dual_value[bounded], 0)
    values = np.clip(v.value * step, program.low, program.high)
    return Relaxed(
        values,
        float(program.cost @ values),
        of_bound * unit / step,
        of_low * unit / size,
        of_high * unit / size,
        limits.prices() * unit,
    )


def bounded(program: Program, best: float) -> float:
    """No plan costs less than this if pupils move; `best` is the cost of a known plan.

    Plans no dearer than `best` leave an interval to each total. There T² is at most its secant, so no plan that holds is
    excluded. If nothing limits a total, it has no such interval, and only the rows bound the cost.

    Raises:
        SolverFailedError: the solver ended without an answer that it vouches for.
    """
    scaled, step = program.scaled()
    cost = _near_one(scaled.cost)
    v = cp.Variable(len(cost))
    finite = np.flatnonzero(np.isfinite(scaled.high))
    has_low, has_high = np.isfinite(scaled.row_low), np.isfinite(scaled.row_high)
    constraints = [v >= scaled.low, v[finite] <= scaled.high[finite]]
    if has_low.any():
        constraints.append(scaled.rows[has_low] @ v >= scaled.row_low[has_low])
    if has_high.any():
        constraints.append(scaled.rows[has_high] @ v <= scaled.row_high[has_high])
    constraints += _Limits(scaled, v, None, elastic=False, interval=scaled.totals(best)).constraints
    if not _solved(cp.Problem(cp.Minimize(cost @ v), constraints)):
        return best
    return min(float(program.cost @ np.clip(v.value * step, program.low, program.high)), best)


def shortfall(program: Program, around: Vector | None = None) -> Shortfall:
    """The smallest shortfall that keeps `program` from having a plan: rows and cones may give way, at a price by their size."""
    scaled, step = program.scaled()
    v = cp.Variable(len(scaled.cost))
    bounded = np.flatnonzero(np.isfinite(scaled.high))
    has_low, has_high = np.isfinite(scaled.row_low), np.isfinite(scaled.row_high)
    below, above = cp.Variable(has_low.sum(), nonneg=True), cp.Variable(has_high.sum(), nonneg=True)
    limits = _limits(scaled, v, None if around is None else around / step, elastic=True)
    constraints = [v >= scaled.low, v[bounded] <= scaled.high[bounded], *limits.constraints]
    if has_low.any():
        constraints.append(scaled.rows[has_low] @ v + below >= scaled.row_low[has_low])
    if has_high.any():
        constraints.append(scaled.rows[has_high] @ v - above <= scaled.row_high[has_high])
    give_way = cp.sum(below) + cp.sum(above) + cp.sum(limits.over)
    # A small part of the true cost is added, so that of equal shortfalls the cheapest is named. Clarabel fails at some weights.
    for weight in (1e-6, 1e-4, 0.0):
        try:
            if _solved(
                cp.Problem(cp.Minimize(give_way + weight * (_near_one(scaled.cost) @ v)), constraints)
            ):
                break
        except SolverFailedError:
            if not weight:
                raise
    else:
        raise SolverFailedError("the bounds of the variables contradict each other")
    size = _row_sizes(program, step)
    rows = np.zeros(len(scaled.row_low))
    rows[has_low] += below.value
    rows[has_high] += above.value
    values = np.clip(v.value * step, program.low, program.high)
    cones = program.cones
    reached = cones.coefficients(cones.amounts + cones.gain @ values, cones.pupils + cones.shift @ values)
    over = np.where(reached > cones.limit * (1 + 1e-6), reached, np.nan)
    return Shortfall(values, np.where(rows > 1e-6, rows * size, 0), over)


class _Limits:
    """The constraints that represent the cones, and the conversion of their duals to prices of the limits."""

    def __init__(
        self,
        program: Program,
        v: cp.Variable,
        around: Vector | None,
        elastic: bool,
        interval: tuple[Vector, Vector] | None = None,
    ) -> None:
        cones = program.cones
        sums = cones.members()
        self.program = program
        self.weight = sums @ cones.pupils
        self.square = (1 + (cones.limit * (1 - TIGHTER)) ** 2) / self.weight
        self.moving = cones.moves_pupils
        self.over = cp.Variable(len(cones.limit), nonneg=True)
        self.total = sums @ cones.amounts + (sums @ cones.gain) @ v
        self.bounding: list[cp.Constraint] = []
        self.constraints: list[cp.Constraint] = [] if elastic else [self.over == 0]
        here = sums @ (cones.amounts + cones.gain @ around) if around is not None else None
        for k in range(len(cones.limit)):
            member = np.flatnonzero(cones.cone == k)
            amounts = cones.amounts[member] + cones.gain[member] @ v
            if self.moving[k]:
                if interval is not None and not np.isfinite(interval[1][k]):
                    continue
                pupils = cones.pupils[member] + cones.shift[member] @ v
                share = cp.Variable(len(member))
                self.constraints.append(
                    cp.SOC(share + pupils, cp.vstack([2 * amounts, share - pupils]), axis=0)
                )
                if interval is not None:
                    least, most = interval[0][k], interval[1][k]
                    # the limit itself, not the tighter one: a bound must exclude no plan
                    squared = (least + most) * self.total[k] - least * most
                    bounding = cp.sum(share) <= (1 + cones.limit[k] ** 2) / self.weight[k] * squared
                    self.constraints.append(self.total[k] <= most)
                elif here is None:
                    raise ValueError("pupils move: say around which totals")
                else:
                    squared = 2 * here[k] * self.total[k] - here[k] ** 2
                    bounding = cp.sum(share) <= self.square[k] * squared + self.over[k]
            else:
                norm = cp.norm(cp.multiply(1 / np.sqrt(cones.pupils[member]), amounts), 2)
                bounding = norm <= np.sqrt(self.square[k]) * self.total[k] + self.over[k]
            self.bounding.append(bounding)
        self.constraints += self.bounding

    def prices(self) -> Vector:
        """The duals, converted from the right sides of the constraints to the limits themselves."""
        limit, out = self.program.cones.limit, []
        for k, bounding in enumerate(self.bounding):
            dual, total = float(bounding.dual_value), float(self.total[k].value)
            if self.moving[k]:
                slope = 2 * limit[k] / self.weight[k] * total**2
            else:
                slope = limit[k] / np.sqrt(1 + limit[k] ** 2) / np.sqrt(self.weight[k]) * total
            out.append(dual * slope)
        return np.array(out)


def _limits(program: Program, v: cp.Variable, around: Vector | None, elastic: bool = False) -> _Limits:
    return _Limits(program, v, around, elastic)


def _unit(cost: Vector) -> float:
    """The factor for the costs; it is needed because the solver's tolerances are partly absolute."""
    given = np.abs(cost[cost != 0])
    return float(1 / np.median(given)) if len(given) else 1.0


def _near_one(cost: Vector) -> Vector:
    return cost * _unit(cost)


def _row_sizes(program: Program, step: Vector) -> Vector:
    if not program.rows.shape[0]:
        return np.zeros(0)
    size = np.asarray(abs(program.rows.multiply(step[None, :])).tocsr().max(axis=1).todense()).ravel()
    return np.where(size > 0, size, 1.0)


def _solved(problem: cp.Problem) -> bool:
    """Whether there is an optimum; False if it is certain that there is no plan."""
    for tolerance in TOLERANCES:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                problem.solve(
                    solver=cp.CLARABEL,
                    tol_gap_abs=tolerance,
                    tol_gap_rel=tolerance,
                    tol_feas=tolerance,
                    max_iter=400,
                )
        except cp.error.SolverError:
            continue
        if problem.status in (cp.INFEASIBLE, cp.INFEASIBLE_INACCURATE):
            return False
        if problem.status in (cp.OPTIMAL, cp.OPTIMAL_INACCURATE):
            return True
    raise SolverFailedError(f"Clarabel: {problem.status}")
