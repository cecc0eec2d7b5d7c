"""Limits on coefficients of variation and the linear program around them: the shape, without a solver.

With P the pupils and R the amounts of a group of schools, W = ΣP and T = ΣR, a limit c reads Σ R²/P ≤ (1 + c²)·T²/W.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Vector = NDArray[np.float64]

# The models treat a coefficient within this share of its limit as equal to the limit (standard, §2).
EQUAL_WITHIN = 1e-9


@dataclass(frozen=True)
class Cones:
    """Limits on coefficients of variation.

    Args:
        amounts: R of every member at the start, shape (n,).
        gain: change of R by one unit of each variable, shape (n, m).
        pupils: P of every member, shape (n,), above 0.
        shift: change of P by one unit of each variable, shape (n, m); a variable moves pupils only between members of one cone.
        cone: which cone each member belongs to, 0 … k-1, shape (n,).
        limit: the highest allowed coefficient of each cone, shape (k,).
    """

    amounts: Vector
    gain: sparse.csr_array
    pupils: Vector
    shift: sparse.csr_array
    cone: NDArray[np.int64]
    limit: Vector

    def members(self) -> sparse.csr_array:
        """Sums by cone: a matrix of shape (k, n)."""
        n, k = len(self.cone), len(self.limit)
        return sparse.csr_array((np.ones(n), (self.cone, np.arange(n))), shape=(k, n))

    def scaled(self) -> Cones:
        """The same limits with amounts and pupils near 1: HiGHS works with absolute tolerances."""
        sums = self.members()
        count = sums @ np.ones(len(self.cone))
        total = sums @ self.amounts
        # if no member of a cone has anything yet, the cone is scaled by the gain of one step of its variables
        step = np.asarray(abs(sums @ self.gain).max(axis=1).todense()).ravel() if self.gain.shape[1] else 0
        amount = np.where(total > 0, count / np.where(total > 0, total, 1), 1 / np.maximum(step, 1e-12))[
            self.cone
        ]
        pupil = (count / (sums @ self.pupils))[self.cone]
        return Cones(
            self.amounts * amount,
            sparse.csr_array(sparse.diags_array(amount) @ self.gain),
            self.pupils * pupil,
            sparse.csr_array(sparse.diags_array(pupil) @ self.shift),
            self.cone,
            self.limit,
        )

    def lattice(self, is_whole: NDArray[np.bool_]) -> Vector:
        """The step of every member whose amount changes only by whole steps of one size; NaN for other members. Shape (n,).

        If no variable changes a member, its step is 0.
        """
        gain = self.gain.tocoo()
        member, size = gain.row[gain.data != 0], np.abs(gain.data[gain.data != 0])
        step = np.zeros(len(self.amounts))
        np.maximum.at(step, member, size)
        broken = (np.abs(size - step[member]) > EQUAL_WITHIN * size) | ~is_whole[gain.col[gain.data != 0]]
        step[member[broken]] = np.nan
        return step

    @property
    def moves_pupils(self) -> NDArray[np.bool_]:
        """Which cones have pupils that can move, shape (k,)."""
        touched = np.asarray(abs(self.shift).sum(axis=1)).ravel() > 0
        return np.bincount(self.cone, weights=touched, minlength=len(self.limit)) > 0

    def coefficients(self, amounts: Vector, pupils: Vector) -> Vector:
        """The coefficient of every cone at these amounts and pupils (units as given), shape (k,).

        If no member of a cone has anything, there is no coefficient and no limit is broken: the value is 0.
        """
        sums = self.members()
        total, weight = sums @ amounts, sums @ pupils
        squares = weight * (sums @ (amounts**2 / pupils))
        ratio = np.divide(squares, total**2, out=np.ones_like(total), where=total != 0)
        return np.sqrt(np.maximum(ratio - 1, 0))


@dataclass(frozen=True)
class Program:
    """Minimise `cost`·v subject to `low` ≤ v ≤ `high`, `row_low` ≤ `rows`·v ≤ `row_high`, and the cones.

    `is_whole` says which variables are whole numbers.
    """

    cost: Vector
    low: Vector
    high: Vector
    is_whole: NDArray[np.bool_]
    rows: sparse.csr_array
    row_low: Vector
    row_high: Vector
    cones: Cones

    def scaled(self) -> tuple[Program, Vector]:
        """The same program in variables whose single step moves an amount by about 1; and the size of these steps.

        A variable of this program is the scaled variable times its step; whole numbers keep their unit.
        """
        cones = self.cones.scaled()
        gain = np.asarray(abs(cones.gain).max(axis=0).todense()).ravel() if len(self.cost) else np.zeros(0)
        step = np.where((gain > 0) & ~self.is_whole, 1 / np.where(gain > 0, gain, 1), 1.0)
        by_step = sparse.diags_array(step)
        rows = sparse.csr_array(self.rows @ by_step)
        size = np.asarray(abs(rows).max(axis=1).todense()).ravel() if rows.shape[0] else np.zeros(0)
        size = np.where(size > 0, size, 1.0)
        return Program(
            self.cost * step,
            self.low / step,
            self.high / step,
            self.is_whole,
            sparse.csr_array(sparse.diags_array(1 / size) @ rows) if len(size) else rows,
            self.row_low / size,
            self.row_high / size,
            Cones(
                cones.amounts,
                sparse.csr_array(cones.gain @ by_step),
                cones.pupils,
                sparse.csr_array(cones.shift @ by_step),
                cones.cone,
                cones.limit,
            ),
        ), step

    def holds(self, values: Vector) -> bool:
        """Whether these variables meet every row and every cone."""
        rows = self.rows @ values
        slack = 1e-9 * np.maximum(1.0, abs(rows))
        reached = self.cones.coefficients(
            self.cones.amounts + self.cones.gain @ values, self.cones.pupils + self.cones.shift @ values
        )
        return bool(
            (rows >= self.row_low - slack).all()
            and (rows <= self.row_high + slack).all()
            and (reached <= self.cones.limit * (1 + EQUAL_WITHIN)).all()
        )

    def totals(self, best: float = np.inf) -> tuple[Vector, Vector]:
        """The smallest and the largest total of each cone in plans that cost at most `best`; inf if nothing limits the total."""
        sums = self.cones.members()
        change = np.asarray((sums @ self.cones.gain).todense())
        paid = (self.cost > 0) & np.isfinite(best)
        with np.errstate(invalid="ignore"):
            down = np.where(change < 0, change * self.high, 0).sum(axis=1)
            free = np.where((change > 0) & ~paid, change * self.high, 0).sum(axis=1)
        rate = np.where((change > 0) & paid, change / np.where(paid, self.cost, 1), 0).max(axis=1, initial=0)
        total = sums @ self.cones.amounts
        return np.maximum(total + down, 0), total + free + (best * rate if np.isfinite(best) else 0)

    def needs_nothing(self) -> bool:
        """Whether doing the least is already a plan. No cost is negative, so it is then also the cheapest plan."""
        return bool((self.cost >= 0).all() and self.holds(self.low))
