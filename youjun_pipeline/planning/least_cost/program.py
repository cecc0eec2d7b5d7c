"""Least cost under limits on the coefficient of variation, in whole units, solved to a stated gap.

A program has linear costs and rows, and cones: groups of schools whose coefficient of variation (standard, §4) must stay
within a limit. With P the pupils and R the amounts of a group, W = ΣP and T = ΣR, the limit c reads

    Σ R²/P ≤ (1 + c²)·T²/W

Where pupils stay, the left side over T is convex in (R, T), and tangents to it leave out no feasible point. Where pupils
move, R²/P is convex in (R, P) and only T² is not: a secant over an interval of T bounds the program from below, a tangent
to T² gives plans that hold, and halving the interval closes the gap. Every relaxation is one run of HiGHS; tangents are added
where its answer does not hold. Whole units of one price need no search (`even_units`).

Keep out: what the variables stand for (`district`), words, prices, the database.
"""

from __future__ import annotations

import heapq
import itertools
import time
from dataclasses import dataclass, field

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from youjun_pipeline.planning.least_cost.cones import Program, Vector
from youjun_pipeline.planning.least_cost.even_units import even_units
from youjun_pipeline.planning.least_cost.mending import mended
from youjun_pipeline.planning.least_cost.tangents import Tangents

# A plan is solved to a limit that is tighter by this share, so that the models, which compute the coefficient in another
# order of operations, find it within the limit too.
TIGHTER = 1e-7
# HiGHS meets a row to within this; rows are scaled to about 1. Whole numbers are rounded afterwards, so they need less.
FEASIBLE_WITHIN, WHOLE_FEASIBLE_WITHIN = 1e-9, 1e-7
OPTIMAL, STOPPED, INFEASIBLE = "optimal", "stopped", "infeasible"


@dataclass(frozen=True)
class Answer:
    """The best plan found and the bound it is proved against.

    `values` and `cost` are None where there is no plan (`infeasible`) or none was found in time (`stopped`). No plan costs
    less than `bound`.
    """

    status: str
    values: Vector | None
    cost: float | None
    bound: float

    @property
    def gap(self) -> float | None:
        """The share of the cost that a better plan could save at the most."""
        if self.cost is None:
            return None
        return max(self.cost - self.bound, 0.0) / max(abs(self.cost), 1e-12)


def solve(
    program: Program, *, gap: float = 1e-6, seconds: float = 60.0, around: Vector | None = None
) -> Answer:
    """The cheapest plan of `program`, to a relative `gap`, within `seconds`.

    `around` is a point near the answer, such as that of a continuous relaxation: the first tangents are laid there.
    """
    if program.needs_nothing():
        cost = float(program.cost @ program.low)
        return Answer(OPTIMAL, program.low.copy(), cost, cost)
    even = even_units(program)
    if even is not None:
        if even.values is None:
            return Answer(INFEASIBLE, None, None, np.inf)
        cost = float(program.cost @ even.values)
        return Answer(OPTIMAL, even.values, cost, cost)
    scaled, step = program.scaled()
    start = None if around is None else around / step
    answer = _Search(scaled, gap, time.monotonic() + seconds, start).run()
    if answer.values is None:
        return answer
    values = np.clip(answer.values * step, program.low, program.high)
    return Answer(answer.status, values, float(program.cost @ values), answer.bound)


@dataclass(order=True)
class _Node:
    bound: float
    number: int
    low: Vector = field(compare=False)
    high: Vector = field(compare=False)


class _Search:
    """Best bound first over intervals of the totals T of those cones in which pupils move."""

    def __init__(self, program: Program, gap: float, deadline: float, around: Vector | None) -> None:
        self.program, self.gap, self.deadline = program, gap, deadline
        cones = self.cones = program.cones
        self.sums = cones.members()
        self.n, self.m, self.k = len(cones.amounts), len(program.cost), len(cones.limit)
        self.moving = cones.moves_pupils
        weight = self.sums @ cones.pupils
        self.square = (1 + (cones.limit * (1 - TIGHTER)) ** 2) / weight
        self.allowed = (1 + cones.limit**2) / weight
        self.total0 = self.sums @ cones.amounts
        self.cuts = Tangents(cones, self.moving)
        self.best: tuple[float, Vector | None] = (np.inf, None)
        self.lay_first(around)

    def lay_first(self, around: Vector | None) -> None:
        spread = (
            (0.35, 0.6, 0.8, 1.0, 1.2, 1.5, 2.0, 3.0)
            if around is None
            else (0.5, 0.8, 0.95, 1.0, 1.05, 1.25, 2.0)
        )
        amounts, pupils = self.at(np.zeros(self.m) if around is None else around)
        for factor in spread:
            self.cuts.lay(amounts * factor, pupils, self.sums @ amounts)
        if around is None:
            even = self.sums.T @ (self.total0 / (self.sums @ pupils)) * pupils
            for factor in spread:
                self.cuts.lay(even * factor, pupils, self.total0)

    def at(self, values: Vector) -> tuple[Vector, Vector]:
        cones = self.cones
        return cones.amounts + cones.gain @ values, cones.pupils + cones.shift @ values

    def run(self) -> Answer:
        low, high = self._totals()
        heap = [_Node(-np.inf, 0, low, high)]
        numbers = itertools.count(1)
        # no plan can cost less than the least bound of what was given up or is still waiting
        left = np.inf
        while heap:
            if heap[0].bound >= self._enough():
                break
            node = heapq.heappop(heap)
            bound, values = self._settle(node)
            if values is None:
                left = min(left, bound)
                continue
            if time.monotonic() > self.deadline:
                heapq.heappush(heap, _Node(bound, next(numbers), node.low, node.high))
                break
            for part_low, part_high in self._halves(node, values):
                heapq.heappush(heap, _Node(bound, next(numbers), part_low, part_high))
        bound = min([left, self.best[0], *(node.bound for node in heap)])
        if self.best[1] is None:
            # a run that time cut short has no bound at all; only a bound of infinity says that there is nothing
            status = INFEASIBLE if bound == np.inf and not heap else STOPPED
            return Answer(status, None, None, bound)
        within = self.best[0] - bound <= self.gap * max(abs(self.best[0]), 1e-9) + 1e-9
        return Answer(OPTIMAL if within else STOPPED, self.best[1], self.best[0], bound)

    def _enough(self) -> float:
        """A bound from which on a node is not worth a look."""
        return self.best[0] - self.gap * abs(self.best[0]) - 1e-12 if np.isfinite(self.best[0]) else np.inf

    def _totals(self) -> tuple[Vector, Vector]:
        """The interval that the variables' bounds leave to each total."""
        change = sparse.csr_array(self.sums @ self.cones.gain)
        up, down = change.maximum(0), (-change).maximum(0)
        high = np.where(np.isfinite(self.program.high), self.program.high, 1e12)
        return (
            self.total0 + up @ self.program.low - down @ high,
            self.total0 + up @ high - down @ self.program.low,
        )

    def _settle(self, node: _Node) -> tuple[float, Vector | None]:
        """Bound a node. The second value is None when the node is done: it holds, is too dear, or there is nothing in it."""
        bound, previous = node.bound, None
        while True:
            values, value, relaxed = self._relax(node)
            bound = max(bound, relaxed)
            if values is None or bound >= self._enough():
                return bound, None
            amounts, pupils = self.at(values)
            total = self.sums @ amounts
            need = self.sums @ (amounts**2 / pupils)
            if (need <= self.allowed * total**2).all():
                self._keep(value, values)
                return bound, None
            self._mend(values)
            if time.monotonic() > self.deadline:
                return bound, values
            secant = self._secant(node, total) - self.square * total**2
            under = need - self.square * total**2 - np.where(self.moving, secant, 0)
            short = under > 0.1 * np.where(self.moving, np.maximum(secant, 0), 0) + 1e-12 * need
            stuck = previous is not None and np.allclose(previous, values, rtol=0, atol=1e-12)
            if not short.any() or stuck:
                return bound, values
            self.cuts.lay(amounts, pupils, total, only=short)
            previous = values

    def _mend(self, values: Vector) -> None:
        """Keep the plan that a few units more make of one that nearly holds."""
        if self.program.is_whole.any() and not self.moving.any():
            whole = mended(self.program, values, self.square)
            if whole is not None:
                self._keep(float(self.program.cost @ whole), whole)

    def _secant(self, node: _Node, total: Vector) -> Vector:
        return self.square * ((node.low + node.high) * total - node.low * node.high)

    def _halves(self, node: _Node, values: Vector) -> list[tuple[Vector, Vector]]:
        """Split the interval that errs most, at the answer's total where that lies well inside; keep a plan that holds."""
        amounts, _ = self.at(values)
        total = self.sums @ amounts
        self._try_inner(node, total)
        error = np.where(self.moving, self._secant(node, total) - self.square * total**2, 0)
        at = int(np.argmax(error))
        width = node.high[at] - node.low[at]
        if not self.moving.any() or width <= 1e-7 * max(1.0, abs(node.high[at])):
            return []
        inside = 0.1 * width
        middle = float(np.clip(total[at], node.low[at] + inside, node.high[at] - inside))
        left_high, right_low = node.high.copy(), node.low.copy()
        left_high[at] = right_low[at] = middle
        return [(node.low, left_high), (right_low, node.high)]

    def _try_inner(self, node: _Node, total: Vector) -> None:
        """Look for a plan that holds: T² gives way to its tangent, which is below it."""
        for _ in range(8):
            values, value, _ = self._relax(node, tangent=total)
            if values is None or value >= self.best[0] or time.monotonic() > self.deadline:
                return
            amounts, pupils = self.at(values)
            total = self.sums @ amounts
            need = self.sums @ (amounts**2 / pupils)
            holds = need <= self.allowed * total**2
            if holds.all():
                self._keep(value, values)
                return
            self.cuts.lay(amounts, pupils, total, only=~holds)

    def _keep(self, cost: float, values: Vector) -> None:
        if cost < self.best[0]:
            self.best = (cost, values)

    def _relax(self, node: _Node, tangent: Vector | None = None) -> tuple[Vector | None, float, float]:
        """One run of HiGHS: the variables (None: no answer), their cost, and a bound on every plan of the node."""
        program, m, n, k = self.program, self.m, self.n, self.k
        totals = sparse.hstack(
            [self.sums @ self.cones.gain, sparse.csr_array((k, n)), -sparse.eye_array(k)], format="csr"
        )
        # Σs within T where pupils stay (see _Cuts), within the secant of T², or its tangent, where they move
        if tangent is None:
            slope, offset = node.low + node.high, -node.low * node.high
        else:
            slope, offset = 2 * tangent, -(tangent**2)
        slope = np.where(self.moving, self.square * slope, self.square)
        offset = np.where(self.moving, self.square * offset, 0)
        sums = sparse.hstack([sparse.csr_array((k, m)), self.sums, -sparse.diags_array(slope)], format="csr")
        cuts, cut_low = self.cuts.rows()
        wide = sparse.hstack([program.rows, sparse.csr_array((program.rows.shape[0], n + k))], format="csr")
        has_low, has_high = np.isfinite(program.row_low), np.isfinite(program.row_high)
        result = linprog(
            np.r_[program.cost, np.zeros(n + k)],
            A_ub=sparse.vstack([sums, -cuts, -wide[has_low], wide[has_high]], format="csr"),
            b_ub=np.r_[offset, -cut_low, -program.row_low[has_low], program.row_high[has_high]],
            A_eq=totals,
            b_eq=-self.total0,
            bounds=np.c_[
                np.r_[program.low, np.zeros(n), node.low], np.r_[program.high, np.full(n, np.inf), node.high]
            ],
            integrality=np.r_[program.is_whole.astype(int), np.zeros(n + k)]
            if program.is_whole.any()
            else None,
            method="highs",
            options={
                "mip_rel_gap": self.gap / 2,
                "time_limit": max(self.deadline - time.monotonic(), 0.05),
                "primal_feasibility_tolerance": WHOLE_FEASIBLE_WITHIN
                if program.is_whole.any()
                else FEASIBLE_WITHIN,
            },
        )
        if result.status == 2:
            return None, np.inf, np.inf
        bound = result.get("mip_dual_bound") if program.is_whole.any() else result.fun
        if result.x is None:
            return None, np.inf, -np.inf if bound is None else float(bound)
        values = result.x[:m]
        values = np.clip(np.where(program.is_whole, np.round(values), values), program.low, program.high)
        return values, float(program.cost @ values), float(result.fun if bound is None else bound)
