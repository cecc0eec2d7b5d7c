"""Fractional units on a grid: no school ends lower than required, and as much is taken as is given."""

from __future__ import annotations

import numpy as np
import pytest

from youjun_pipeline.planning.least_cost.district import Aims, Lever, Sections
from youjun_pipeline.planning.least_cost.proposal import Plan, propose
from youjun_pipeline.planning.least_cost.rounding import FINER, rounded

AIMS = Aims(every_indicator=True)


def district(have: list[float], limit: float) -> Sections:
    n = len(have)
    return Sections(
        place=np.arange(n),
        stage=np.zeros(n, dtype=int),
        pupils=np.full(n, 87.0),
        have=np.array(have)[:, None],
        per_pupil=np.ones((n, 1)),
        step=np.full((n, 1), 0.7),
        limit=np.array([[limit]]),
        floor_share=0.85,
        must_meet=1,
    )


def plan_of(sections: Sections, movable: float = np.inf) -> tuple[Plan, list[Lever]]:
    n = len(sections.pupils)
    levers = [Lever(0, True, False, np.ones(n), np.full(n, 1e4), 0.1, np.full(n, movable))]
    plan = propose(sections, levers, AIMS)
    assert isinstance(plan, Plan)
    return plan, levers


def after(sections: Sections, plan: Plan) -> np.ndarray:
    change = plan.added[0] - plan.given[0] + plan.taken[0] - plan.out[0]
    return sections.have[:, 0] + sections.step[:, 0] * change


@pytest.mark.parametrize("have", [[87.0005, 60.0, 80.1234], [87.123456, 87.9, 20.0], [100.0, 90.0, 71.333]])
def test_nobody_is_rounded_below_what_is_asked(have):
    sections = district(have, 0.5)
    exact, levers = plan_of(sections)
    plan = rounded(exact, levers, AIMS)
    assert (after(sections, plan) >= sections.need[:, 0]).all()
    assert plan.given[0].sum() == pytest.approx(plan.taken[0].sum(), abs=1e-9)
    for part in (plan.added[0], plan.given[0], plan.taken[0]):
        assert part * 100 == pytest.approx(np.round(part * 100), abs=1e-7)
        assert (part >= 0).all()
    # each school buys at most a hundredth more
    assert plan.added[0].sum() <= exact.added[0].sum() + exact.taken[0].sum() - plan.taken[0].sum() + 0.01 * 3


def test_a_donor_that_has_nothing_to_spare_keeps_the_last_digit():
    """The solver's answer is slightly more than the donor can spare; the plan is not."""
    sections = district([87.7, 80.0, 87.0], 0.5)
    plan, levers = plan_of(sections)
    assert (after(sections, plan)[0] >= sections.need[0, 0]).all()
    assert after(sections, rounded(plan, levers, AIMS))[0] >= sections.need[0, 0]


@pytest.mark.parametrize(("movable", "is_finer"), [(np.inf, False), (10.4567, True)])
def test_no_coefficient_is_rounded_over_its_limit(movable: float, is_finer: bool):
    """If hundredths would break a limit and no donor can spare the next hundredth, the grid is finer."""
    limit, finer = 0.3, 0
    for first in range(190, 202):
        sections = district([float(first), 90.0, 90.003], limit)
        plan = rounded(*plan_of(sections, movable), AIMS)
        amounts = after(sections, plan)
        assert amounts.std() / amounts.mean() <= limit * (1 + 1e-9)
        finer += bool((np.abs(plan.given[0] * 100 - np.round(plan.given[0] * 100)) > 1e-6).any())
        assert plan.given[0] * 10**FINER == pytest.approx(np.round(plan.given[0] * 10**FINER), abs=1e-6)
    assert (0 < finer < 12) == is_finer


def test_what_moves_is_rounded_up_rather_than_bought():
    plan = rounded(*plan_of(district([195.0, 90.0, 90.003], 0.3)), AIMS)
    assert plan.given[0].sum() == pytest.approx(plan.taken[0].sum(), abs=1e-9)
    assert plan.taken[0].sum() > 20
    assert (plan.added[0] == 0).all()
