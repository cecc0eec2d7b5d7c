"""Tangents that replace the cones in a linear program; they exclude no plan that holds.

If an amount changes only in whole steps, the chord between two neighbouring amounts replaces the tangent. It excludes only points
between the two amounts, where no plan is. So it bounds a program in whole units much more closely.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from youjun_pipeline.planning.least_cost.cones import Cones, Vector


class Tangents:
    """Tangents. Each member has a variable s with s ≥ R²/P (cones `by_square`) or s ≥ R²/(P·T) (other cones).

    `step` is the whole step of each member, 0 if its amount does not change in such steps. Members with a step belong to cones
    `by_square`, and their pupils stay.
    """

    def __init__(self, cones: Cones, by_square: NDArray[np.bool_], step: Vector) -> None:
        self.cones, self.by_square, self.step = cones, by_square, step
        self.blocks: list[sparse.csr_array] = []
        self.low: list[Vector] = []
        self.made: tuple[int, sparse.csr_array, Vector] | None = None

    def lay(
        self, amounts: Vector, pupils: Vector, total: Vector, only: NDArray[np.bool_] | None = None
    ) -> None:
        """Add tangents of every member (or only of the cones in `only`) at these amounts, pupils and totals."""
        cones = self.cones
        n, k = len(cones.amounts), len(cones.limit)
        which = np.arange(n) if only is None else np.flatnonzero(only[cones.cone])
        by_square = self.by_square[cones.cone[which]]
        step = self.step[which]
        at = amounts[which]
        # the tangent midway between two amounts, raised by (step/2)², is the chord
        steps = np.floor((at - cones.amounts[which]) / np.where(step > 0, step, 1) + 1e-6) + 0.5
        at = np.where(step > 0, cones.amounts[which] + step * steps, at)
        # The ratio is R/P where R² counts, R/T in other cones: the tangent depends on the ratio alone.
        ratio = at / np.where(by_square, pupils[which], total[cones.cone[which]])
        weight = np.where(by_square, 1.0, 1.0 / cones.pupils[which])
        # s - w·(2·ratio·R - ratio²·(P or T)) ≥ 0
        own = sparse.csr_array((np.ones(len(which)), (np.arange(len(which)), which)), shape=(len(which), n))
        by_amount, by_base = 2 * weight * ratio, weight * ratio**2
        on_pupils = np.where(by_square, by_base, 0)
        on_total = sparse.csr_array(
            (np.where(by_square, 0, by_base), (np.arange(len(which)), cones.cone[which])),
            shape=(len(which), k),
        )
        on_values = (
            sparse.diags_array(-by_amount) @ cones.gain[which]
            + sparse.diags_array(on_pupils) @ cones.shift[which]
        )
        self.blocks.append(sparse.hstack([on_values, own, on_total], format="csr"))
        self.low.append(
            by_amount * cones.amounts[which]
            - on_pupils * cones.pupils[which]
            + (step / 2) ** 2 / cones.pupils[which]
        )

    def rows(self) -> tuple[sparse.csr_array, Vector]:
        if self.made is None or self.made[0] != len(self.blocks):
            self.made = (len(self.blocks), sparse.vstack(self.blocks, format="csr"), np.concatenate(self.low))
        return self.made[1], self.made[2]
