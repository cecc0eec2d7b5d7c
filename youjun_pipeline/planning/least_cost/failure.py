"""The solver's failure, told apart from there being no plan.

Keep out: the solvers, so that who only catches it need not load them.
"""

from __future__ import annotations


class SolverFailedError(RuntimeError):
    """The solver ended without an answer that it vouches for; nothing may be shown as a plan, nor as the lack of one."""


class OutOfTimeError(SolverFailedError):
    """Time ran out before there was any plan."""

    def __init__(self, what: str) -> None:
        super().__init__(f"到时限为止还没有求得{what}，不能说明有没有方案；请放宽时限")
