"""Least cost under limits on the coefficient of variation, in whole units, solved to a stated gap.

A program has linear costs and rows, and cones. A cone is a group of schools whose coefficient of variation (standard, §4) must
stay within a limit. With P the pupils and R the amounts of a group, W = ΣP and T = ΣR, the limit c reads

    Σ R²/P ≤ (1 + c²)·T²/W

If pupils stay, the left side divided by T is convex in (R, T), and tangents to it exclude no feasible point. If pupils move, R²/P
is convex in (R, P) and only T² is not. Then a secant over an interval of T bounds the program from below, a tangent to T² gives
plans that hold, and halving the interval closes the gap. The same holds if every amount of a cone changes in whole steps: chords
between neighbouring amounts (`tangents`) bound R² much more closely than tangents, and the interval of T is first narrowed to the
totals of plans that cost no more than a known plan. Every relaxation is one run of HiGHS; tangents are added where its answer
does not hold. Whole units of one price need no search (`even_units`).

Keep out: what the variables stand for (`district`), words, prices, the database.
"""

from __future__ import annotations

import heapq
import itertools
import time
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import OptimizeResult, linprog

from youjun_pipeline.planning.least_cost.cones import Program, Vector
from youjun_pipeline.planning.least_cost.even_units import even_units
from youjun_pipeline.planning.least_cost.mending import mended
from youjun_pipeline.planning.least_cost.tangents import Tangents

# Plans are solved to a limit that is tighter by this share. The models compute the coefficient in another order of operations,
# and they must find it within the limit too.
TIGHTER = 1e-7
# HiGHS meets a row to within this; rows are scaled to about 1. Whole numbers are rounded afterwards, so they need less accuracy.
FEASIBLE_WITHIN, WHOLE_FEASIBLE_WITHIN = 1e-9, 1e-7
# Chords cover this many steps on both sides of the starting point. Intervals of totals are narrowed until a round leaves more
# than the share NARROWED of each interval, but at most NARROWINGS times.
CHORDS = 4
NARROWED, NARROWINGS = 0.8, 8
# The first plan is sought among plans that cost at most this many times the continuous optimum.
REACH = (1.02, 1.3)
# The first plan may cost this share more than the cheapest plan near it.
FIRST_GAP = 0.02
# Used for a total without an upper bound.
MOST_TOTAL = 1e12
OPTIMAL, STOPPED, INFEASIBLE = "optimal", "stopped", "infeasible"


@dataclass(frozen=True)
class Answer:
    """The best plan found, and the bound that proves how good it is.

    `values` and `cost` are None if there is no plan (`infeasible`) or none was found in time (`stopped`). No plan costs less than
    `bound`.
    """

    status: str
    values: Vector | None
    cost: float | None
    bound: float

    @property
    def gap(self) -> float | None:
        """The largest share of the cost that a better plan could save."""
        if self.cost is None:
            return None
        return max(self.cost - self.bound, 0.0) / max(abs(self.cost), 1e-12)


def solve(
    program: Program,
    *,
    gap: float = 1e-6,
    slack: float = 0.0,
    seconds: float = 60.0,
    around: Vector | None = None,
) -> Answer:
    """The cheapest plan of `program`, to a relative `gap` or to `slack` in the unit of its cost, within `seconds`.

    `around` is a point near the answer, such as that of a continuous relaxation: the first tangents touch there.
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
    answer = _Search(scaled, gap, slack, time.monotonic() + seconds, start).run()
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
    """A best-bound-first search over intervals of the totals T of those cones in which pupils move or amounts are whole."""

    def __init__(
        self, program: Program, gap: float, slack: float, deadline: float, around: Vector | None
    ) -> None:
        self.program, self.gap, self.slack, self.deadline = program, gap, slack, deadline
        cones = self.cones = program.cones
        self.sums = cones.members()
        self.n, self.m, self.k = len(cones.amounts), len(program.cost), len(cones.limit)
        self.moving = cones.moves_pupils
        weight = self.sums @ cones.pupils
        self.square = (1 + (cones.limit * (1 - TIGHTER)) ** 2) / weight
        self.allowed = (1 + cones.limit**2) / weight
        self.total0 = self.sums @ cones.amounts
        self.best: tuple[float, Vector | None] = (np.inf, None)
        self._by_totals(self.moving, np.zeros(self.n), around)
        if around is not None and not self.moving.any():
            self._in_whole_steps(around)

    def _by_totals(self, by_square: NDArray[np.bool_], step: Vector, around: Vector | None) -> None:
        """Bound the cones in `by_square` over intervals of their totals; members with a whole `step` get chords."""
        self.by_square = by_square
        self.cuts = Tangents(self.cones, by_square, step)
        self.lay_first(around)
        if around is not None and step.any():
            amounts, pupils = self.at(around)
            for steps in range(-CHORDS, CHORDS + 1):
                self.cuts.lay(amounts + steps * step, pupils, self.sums @ amounts)

    def _in_whole_steps(self, around: Vector) -> None:
        """Bound cones of whole amounts by chords. This needs a first plan: its cost limits the totals of the cones."""
        program, cones = self.program, self.cones
        lattice = cones.lattice(program.is_whole)
        by_square = ~np.isnan(self.sums @ lattice)
        if not by_square.any():
            return
        self._by_totals(by_square, np.where(by_square[cones.cone], lattice, 0), around)
        self._mend(np.clip(np.ceil(around - WHOLE_FEASIBLE_WITHIN), program.low, program.high))
        cost, unit = float(program.cost @ around), float(program.cost.max(initial=0.0))
        for share in REACH:
            if self.best[1] is None:
                # search only plans that cost little more than the fractional optimum: among all plans it would take long
                near = self._narrowed(share * cost + unit)
                self._try_inner(near, self.sums @ self.at(around)[0], FIRST_GAP)
        if self.best[1] is None:
            self._by_totals(self.moving, np.zeros(self.n), around)

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
        narrowed_to = self.best[0]
        heap = [self._narrowed(narrowed_to)]
        numbers = itertools.count(1)
        # no plan can cost less than the smallest bound of all nodes that were given up or still wait
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
            if self._in_steps().any() and self.best[0] < narrowed_to:
                # a cheaper plan narrows the totals to less than half, so narrowing does more than halving
                narrowed_to = self.best[0]
                cut = self._narrowed(narrowed_to)
                parts = [(np.maximum(node.low, cut.low), np.minimum(node.high, cut.high))]
            else:
                parts = self._halves(node, values)
            for low, high in parts:
                if (low <= high).all():
                    heapq.heappush(heap, _Node(bound, next(numbers), low, high))
        bound = min([left, self.best[0], *(node.bound for node in heap)])
        if self.best[1] is None:
            # a run that was cut short by time gives no bound; only an infinite bound proves that there is no plan
            status = INFEASIBLE if bound == np.inf and not heap else STOPPED
            return Answer(status, None, None, bound)
        within = self.best[0] - bound <= max(self._within() * abs(self.best[0]), 1e-9) * (1 + 1e-9)
        return Answer(OPTIMAL if within else STOPPED, self.best[1], self.best[0], bound)

    def _enough(self) -> float:
        """The bound from which on a node need not be looked at."""
        cost = self.best[0]
        return cost - self._within() * abs(cost) - 1e-12 if np.isfinite(cost) else np.inf

    def _within(self) -> float:
        """The share of the best plan's cost within which a cheaper plan may stay unfound."""
        cost = abs(self.best[0])
        return max(self.gap, self.slack / cost) if 0 < cost < np.inf else self.gap

    def _narrowed(self, at_most: float) -> _Node:
        """All plans that cost at most `at_most`: for each total, the interval that this cost and the variables' bounds allow."""
        low, high = self.program.totals()
        whole = self._in_steps()
        high = np.where(whole, np.minimum(high, self.program.totals(at_most)[1]), high)
        node = _Node(-np.inf, 0, low, np.minimum(high, MOST_TOTAL))
        narrow = np.flatnonzero(whole)
        for _ in range(NARROWINGS if narrow.size else 0):
            low, high = node.low.copy(), node.high.copy()
            for cone in map(int, narrow):
                low[cone] = max(low[cone], self._extreme(node, cone, 1, at_most) * (1 - TIGHTER))
                high[cone] = min(high[cone], self._extreme(node, cone, -1, at_most) * (1 + TIGHTER))
            left = (high - low)[narrow] > NARROWED * (node.high - node.low)[narrow]
            node = _Node(-np.inf, 0, low, np.maximum(low, high))
            if left.all():
                break
        return node

    def _in_steps(self) -> NDArray[np.bool_]:
        """Which cones have only amounts in whole steps, and so chords instead of tangents."""
        return self.by_square & ~self.moving

    def _extreme(self, node: _Node, cone: int, sign: int, at_most: float) -> float:
        """The smallest (sign 1) or largest (-1) total of fractional plans that cost at most `at_most`."""
        cost = np.zeros(self.m + self.n + self.k)
        cost[self.m + self.n + cone] = sign
        result = self._highs(cost, node, None, at_most=at_most)
        if result.status != 0:
            return -sign * np.inf
        return float(sign * result.fun)

    def _settle(self, node: _Node) -> tuple[float, Vector | None]:
        """Bound a node. The second value is None if the node is done: its answer holds, is too dear, or does not exist."""
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
            under = need - self.square * total**2 - np.where(self.by_square, secant, 0)
            short = under > 0.1 * np.where(self.by_square, np.maximum(secant, 0), 0) + 1e-12 * need
            stuck = previous is not None and np.allclose(previous, values, rtol=0, atol=1e-12)
            if not short.any() or stuck:
                return bound, values
            self.cuts.lay(amounts, pupils, total, only=short)
            previous = values

    def _mend(self, values: Vector) -> None:
        """If a few more units make a plan hold that nearly holds, keep the plan."""
        if self.program.is_whole.any() and not self.moving.any():
            whole = mended(self.program, values, self.square)
            if whole is not None:
                self._keep(float(self.program.cost @ whole), whole)

    def _secant(self, node: _Node, total: Vector) -> Vector:
        return self.square * ((node.low + node.high) * total - node.low * node.high)

    def _halves(self, node: _Node, values: Vector) -> list[tuple[Vector, Vector]]:
        """Split the interval with the largest error, near the answer's total; keep a plan that holds if one is found."""
        amounts, _ = self.at(values)
        total = self.sums @ amounts
        if not self._in_steps().any():  # with whole steps, a plan that nearly holds is mended instead
            self._try_inner(node, total)
        error = np.where(self.by_square, self._secant(node, total) - self.square * total**2, 0)
        at = int(np.argmax(error))
        width = node.high[at] - node.low[at]
        if not self.by_square.any() or width <= 1e-7 * max(1.0, abs(node.high[at])):
            return []
        inside = 0.1 * width
        middle = float(np.clip(total[at], node.low[at] + inside, node.high[at] - inside))
        left_high, right_low = node.high.copy(), node.low.copy()
        left_high[at] = right_low[at] = middle
        return [(node.low, left_high), (right_low, node.high)]

    def _try_inner(self, node: _Node, total: Vector, gap: float | None = None) -> None:
        """Look for a plan that holds: T² is replaced by its tangent, which is below it."""
        for _ in range(8):
            values, value, _ = self._relax(node, tangent=total, gap=gap)
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

    def _relax(
        self, node: _Node, tangent: Vector | None = None, gap: float | None = None
    ) -> tuple[Vector | None, float, float]:
        """One run of HiGHS: the variables (None: no answer), their cost, and a bound for every plan of the node."""
        program, m = self.program, self.m
        is_whole = program.is_whole if program.is_whole.any() else None
        # plans that are cheaper by less than the gap are not sought: proving their cost takes most of the time
        at_most = self._enough() if tangent is None and is_whole is not None else np.inf
        result = self._highs(
            np.r_[program.cost, np.zeros(self.n + self.k)], node, tangent, is_whole, at_most, gap
        )
        if result.status == 2:
            return None, np.inf, at_most
        bound = result.get("mip_dual_bound") if is_whole is not None else result.fun
        if result.x is None:
            return None, np.inf, -np.inf if bound is None else float(bound)
        values = result.x[:m]
        values = np.clip(np.where(program.is_whole, np.round(values), values), program.low, program.high)
        return values, float(program.cost @ values), float(result.fun if bound is None else bound)

    def _highs(
        self,
        cost: Vector,
        node: _Node,
        tangent: Vector | None,
        is_whole: NDArray[np.bool_] | None = None,
        at_most: float = np.inf,
        gap: float | None = None,
    ) -> OptimizeResult:
        """HiGHS on the variables, the members' shares of ΣR²/P and the totals of a node; plans cost at most `at_most`."""
        program, m, n, k = self.program, self.m, self.n, self.k
        totals = sparse.hstack(
            [self.sums @ self.cones.gain, sparse.csr_array((k, n)), -sparse.eye_array(k)], format="csr"
        )
        # Σs within T (see Tangents), or by square within the secant of T², or its tangent
        if tangent is None:
            slope, offset = node.low + node.high, -node.low * node.high
        else:
            slope, offset = 2 * tangent, -(tangent**2)
        slope = np.where(self.by_square, self.square * slope, self.square)
        offset = np.where(self.by_square, self.square * offset, 0)
        sums = sparse.hstack([sparse.csr_array((k, m)), self.sums, -sparse.diags_array(slope)], format="csr")
        cuts, cut_low = self.cuts.rows()
        has_low, has_high = np.isfinite(program.row_low), np.isfinite(program.row_high)
        own = [-program.rows[has_low], program.rows[has_high]]
        own_high = [-program.row_low[has_low], program.row_high[has_high]]
        if np.isfinite(at_most):
            own.append(sparse.csr_array(program.cost[None, :]))
            own_high.append(np.array([at_most * (1 + TIGHTER)]))
        rows = sparse.vstack(own, format="csr")
        wide = sparse.hstack([rows, sparse.csr_array((rows.shape[0], n + k))], format="csr")
        return linprog(
            cost,
            A_ub=sparse.vstack([sums, -cuts, wide], format="csr"),
            b_ub=np.r_[offset, -cut_low, *own_high],
            A_eq=totals,
            b_eq=-self.total0,
            bounds=np.c_[
                np.r_[program.low, np.zeros(n), node.low], np.r_[program.high, np.full(n, np.inf), node.high]
            ],
            integrality=None if is_whole is None else np.r_[is_whole.astype(int), np.zeros(n + k)],
            method="highs",
            options={
                "mip_rel_gap": 0.9 * self._within() if gap is None else gap,
                "time_limit": max(self.deadline - time.monotonic(), 0.05),
                "primal_feasibility_tolerance": FEASIBLE_WITHIN
                if is_whole is None
                else WHOLE_FEASIBLE_WITHIN,
            },
        )
