"""The solver's failure, as distinct from the certainty that there is no plan.

Keep out: the solvers. Code that only catches the failure need not load them.
"""

from __future__ import annotations


class SolverFailedError(RuntimeError):
    """The solver ended without an answer that it vouches for: there is neither a plan nor proof that there is no plan."""


class OutOfTimeError(SolverFailedError):
    """Time ran out before the solver had any plan."""

    def __init__(self, what: str) -> None:
        super().__init__(f"到时限为止还没有求得{what}，不能说明有没有方案；请放宽时限")
