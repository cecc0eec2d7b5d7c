"""Tangents that take the place of the cones in a linear program; none leaves out a plan that holds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from youjun_pipeline.planning.least_cost.cones import Cones, Vector


class Tangents:
    """Tangents. Per member a variable s with s ≥ R²/P (pupils move) or s ≥ R²/(P·T) (they stay)."""

    def __init__(self, cones: Cones, moving: NDArray[np.bool_]) -> None:
        self.cones, self.moving = cones, moving
        self.blocks: list[sparse.csr_array] = []
        self.low: list[Vector] = []
        self.made: tuple[int, sparse.csr_array, Vector] | None = None

    def lay(
        self, amounts: Vector, pupils: Vector, total: Vector, only: NDArray[np.bool_] | None = None
    ) -> None:
        """Tangents of every member (of the cones in `only`) at these amounts, pupils and totals."""
        cones = self.cones
        n, k = len(cones.amounts), len(cones.limit)
        which = np.arange(n) if only is None else np.flatnonzero(only[cones.cone])
        moving = self.moving[cones.cone[which]]
        # R/P where pupils move, R/T where they stay: the tangent depends on the ratio alone
        ratio = amounts[which] / np.where(moving, pupils[which], total[cones.cone[which]])
        weight = np.where(moving, 1.0, 1.0 / cones.pupils[which])
        # s - w·(2·ratio·R - ratio²·(P or T)) ≥ 0
        own = sparse.csr_array((np.ones(len(which)), (np.arange(len(which)), which)), shape=(len(which), n))
        by_amount, by_base = 2 * weight * ratio, weight * ratio**2
        on_pupils = np.where(moving, by_base, 0)
        on_total = sparse.csr_array(
            (np.where(moving, 0, by_base), (np.arange(len(which)), cones.cone[which])),
            shape=(len(which), k),
        )
        on_values = (
            sparse.diags_array(-by_amount) @ cones.gain[which]
            + sparse.diags_array(on_pupils) @ cones.shift[which]
        )
        self.blocks.append(sparse.hstack([on_values, own, on_total], format="csr"))
        self.low.append(by_amount * cones.amounts[which] - on_pupils * cones.pupils[which])

    def rows(self) -> tuple[sparse.csr_array, Vector]:
        if self.made is None or self.made[0] != len(self.blocks):
            self.made = (len(self.blocks), sparse.vstack(self.blocks, format="csr"), np.concatenate(self.low))
        return self.made[1], self.made[2]
