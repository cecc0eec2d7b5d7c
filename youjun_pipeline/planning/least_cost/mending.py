"""Makes a plan hold that nearly holds: adds units where they lower the coefficient most for their price.

With it, a search that is stopped between two runs of HiGHS still has a plan that holds. Keep out: the search (`program`).
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from youjun_pipeline.planning.least_cost.cones import Program, Vector

# A plan that needs more units than this does not nearly hold.
MOST_UNITS = 200


def mended(program: Program, values: Vector, allowed: Vector) -> Vector | None:
    """`values` with units added until every cone holds; None if no such units are found. Pupils must not move.

    `allowed` are the factors of Σ R²/P ≤ allowed·T², shape (cones,).
    """
    cones = program.cones
    adding = _adding(program)
    values = values.copy()
    for _ in range(MOST_UNITS):
        amounts = cones.amounts + cones.gain @ values
        sums = cones.members()
        total = sums @ amounts
        over = sums @ (amounts**2 / cones.pupils) - allowed * total**2
        worst = int(np.argmax(over / np.maximum(allowed * total**2, 1e-300)))
        if over[worst] <= 0:
            return values if program.holds(values) else None
        may = adding & (values + 1 <= program.high)
        change = _change(program, worst, amounts, float(total[worst]), float(allowed[worst]))
        rate = np.where(may & (change < 0), change / np.maximum(program.cost, 1e-12), np.inf)
        best = int(np.argmin(rate))
        if not np.isfinite(rate[best]):
            return None
        values[best] += 1
    return None


def _adding(program: Program) -> np.ndarray:
    """Which variables only add, in whole units."""
    gain = sparse.csc_array(program.cones.gain)
    least, most = (np.asarray(f(axis=0).todense()).ravel() for f in (gain.min, gain.max))
    return program.is_whole & (least >= 0) & (most > 0)


def _change(program: Program, cone: int, amounts: Vector, total: float, allowed: float) -> Vector:
    """The change of Σ R²/P − allowed·T² of a cone by one more unit of each variable."""
    cones = program.cones
    member = np.flatnonzero(cones.cone == cone)
    gain = sparse.csr_array(cones.gain[member])
    up = gain.T @ (2 * amounts[member] / cones.pupils[member]) + gain.power(2).T @ (1 / cones.pupils[member])
    more = gain.T @ np.ones(len(member))
    return np.asarray(up - allowed * (2 * total * more + more**2))
