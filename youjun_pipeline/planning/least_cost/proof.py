"""The proof of plans: their lines are carried out as actions of a scenario, and the same models judge the figures again.

Keep out: what a plan contains and how it was found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from youjun_pipeline.planning.actions import Action, Step, carry_out
from youjun_pipeline.planning.base import no_forecast
from youjun_pipeline.planning.judge import Case, figures_of, judged
from youjun_pipeline.planning.least_cost.lines import Line
from youjun_pipeline.warehouse.models import MODELS

if TYPE_CHECKING:
    import duckdb

VARIANT = "proposal"
# Scenarios need dates. To the models a plan that is carried out is one state, so any date will do.
ANY_DAY = date(2000, 1, 1)


@dataclass(frozen=True)
class Draft:
    """A plan that is to be proved: the lines for one evaluation."""

    district: str
    phase: str
    lines: list[Line]

    def actions(self, day: date = ANY_DAY) -> list[Action]:
        """The lines as a scenario's actions; lines without a date get `day`."""
        return [line.action(number, day) for number, line in enumerate(self.lines, 1)]


@dataclass(frozen=True)
class Failing:
    """What the models still do not let pass: an indicator of a school, a section, or a coefficient (no school)."""

    level: str
    school: str | None
    school_name: str | None
    stage: str
    indicator: str | None
    reason: str


@dataclass(frozen=True)
class Proof:
    """What the models say of a plan: every value before and after, and which of R, G3–G5 and the coefficients are not met."""

    effect: list[dict[str, Any]]
    failing: list[Failing]

    @property
    def holds(self) -> bool:
        return not self.failing


def prove(con: duckdb.DuckDBPyConnection, drafts: Sequence[Draft]) -> list[Proof]:
    """Judge all plans in one pass, on the figures of the run that is open in `con`.

    Raises ActionError for a line that the figures do not allow. That is a fault of the plan, not a refuted plan.
    """
    if not drafts:
        return []
    cases = []
    for draft in drafts:
        step = Step(figures_of(con, draft.district, draft.phase))
        for action in draft.actions():
            step = carry_out(step, action, no_forecast)
        cases.append(Case(VARIANT, draft.district, draft.phase, step.figures))
    sql = (MODELS / "plan" / "proposal_effect.sql").read_text(encoding="utf-8")
    with judged(con, cases):
        read = con.execute(
            f"from ({sql}) order by level, school_code, stage, indicator_code"
        ).to_arrow_table()
    found: dict[tuple[str, str], list[dict[str, Any]]] = {(d.district, d.phase): [] for d in drafts}
    for row in read.to_pylist():
        found[row["district_code"], row["phase_id"]].append(row)
    return [_proof(found[draft.district, draft.phase]) for draft in drafts]


def _proof(effect: list[dict[str, Any]]) -> Proof:
    failing = [
        Failing(
            r["level"], r["school_code"], r["school_name"], r["stage"], r["indicator_code"], r["reason"] or ""
        )
        for r in effect
        if not r["holds_after"]
    ]
    return Proof(effect, failing)
