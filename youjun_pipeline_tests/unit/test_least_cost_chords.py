"""Whole units that serve two stages, or move between schools: the result equals brute force, and is proved without a long
search.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import scipy.optimize

from youjun_pipeline.planning.least_cost import program
from youjun_pipeline.planning.least_cost.district import Aims, Lever, Sections, build
from youjun_pipeline.planning.least_cost.program import INFEASIBLE, OPTIMAL, solve
from youjun_pipeline.planning.least_cost.relaxation import relax

ALONE = Aims(only=0, every_indicator=True)


def district(
    seed: int, schools: int, limit: float, most: float, *, both: float, moves: bool = False
) -> tuple[Sections, list[Lever]]:
    """Schools with one indicator in whole units; a share `both` of them has two stages, which split a unit by pupils."""
    random = np.random.default_rng(seed)
    has_both = random.random(schools) < both
    place = np.repeat(np.arange(schools), 1 + has_both)
    first = np.r_[True, place[1:] != place[:-1]]
    stage = np.where(first, np.where(has_both[place], 0, place % 2), 1)
    pupils = np.round(random.lognormal(6.3, 0.7, len(place))).clip(30, 3000)
    step = pupils / np.bincount(place, weights=pupils)[place]
    units = np.round(np.bincount(place, weights=pupils) * 0.012 * random.lognormal(0.35, 0.5, schools))
    sections = Sections(
        place=place,
        stage=stage,
        pupils=pupils,
        have=(units[place] * step)[:, None],
        per_pupil=np.full((len(place), 1), 0.012),
        step=step[:, None],
        limit=np.full((2, 1), limit),
        floor_share=0.85,
        must_meet=1,
    )
    lever = Lever(0, True, True, np.full(schools, 8.0), np.full(schools, most))
    if moves:
        lever = Lever(
            0, True, True, np.full(schools, 8.0), np.full(schools, most), 1.0, np.minimum(units, most)
        )
    return sections, [lever]


def brute_force(sections: Sections, most: int, *, moves: bool) -> float:
    """The cheapest of all whole changes, at most `most` units bought and given at each school; inf if none holds."""
    place, step, have = sections.place, sections.step[:, 0], sections.have[:, 0]
    schools, best = int(place.max()) + 1, np.inf
    changes = range(-most, (schools + 1) * most + 1) if moves else range(most + 1)
    for change in itertools.product(changes, repeat=schools):
        amounts = have + np.array(change)[place] * step
        gone, come = -sum(c for c in change if c < 0), sum(c for c in change if c > 0)
        # what goes from one school comes to another, the rest of what comes is bought
        cost = 8.0 * (come - gone) + 1.0 * gone
        can_be = sum(max(c - most, 0) for c in change) <= gone <= come
        if not can_be or cost >= best or (amounts < sections.need[:, 0] - 1e-9).any():
            continue
        if all(
            _within(amounts[sections.stage == s], sections.pupils[sections.stage == s], sections.limit[s, 0])
            for s in (0, 1)
        ):
            best = cost
    return best


def _within(amounts: np.ndarray, pupils: np.ndarray, limit: float) -> bool:
    if not len(amounts):
        return True
    return bool(pupils.sum() * (amounts**2 / pupils).sum() / amounts.sum() ** 2 - 1 <= limit**2)


@pytest.mark.parametrize("moves", [False, True])
@pytest.mark.parametrize("seed", range(12))
def test_units_of_schools_with_two_stages_equal_brute_force(seed, moves):
    limit, schools, most = (0.1, 0.2, 0.3)[seed % 3], 3 if moves else 4, 3 if moves else 7
    sections, levers = district(seed, schools, limit, most, both=0.7, moves=moves)
    model = build(sections, levers, ALONE, whole=True)
    near = relax(build(sections, levers, ALONE).program)
    answer = solve(model.program, gap=0.0, around=None if near is None else near.values)
    expected = brute_force(sections, most, moves=moves)
    assert (np.inf if answer.cost is None else round(answer.cost, 6)) == expected
    assert answer.status == (INFEASIBLE if expected == np.inf else OPTIMAL)
    if answer.values is not None:
        assert model.program.holds(answer.values)
        assert answer.bound == pytest.approx(expected)


@pytest.mark.parametrize("units", [1, 2, 4])
@pytest.mark.parametrize("seed", range(12))
def test_the_bound_holds_where_the_cheapest_is_not_looked_for(seed, units):
    """A plan that is cheaper by less than the slack is not found, and the bound does not deny it."""
    sections, levers = district(seed, 4, (0.1, 0.2, 0.3)[seed % 3], 7, both=0.7)
    model, slack = build(sections, levers, ALONE, whole=True), units * 8.0
    near = relax(build(sections, levers, ALONE).program)
    answer = solve(model.program, gap=0.0, slack=slack, around=None if near is None else near.values)
    expected = brute_force(sections, 7, moves=False)
    if answer.cost is None:
        assert (answer.status, expected) == (INFEASIBLE, np.inf)
        return
    assert answer.status == OPTIMAL
    assert answer.bound <= expected + 1e-6
    assert answer.cost >= expected - 1e-6
    assert answer.cost - answer.bound <= slack * (1 + 1e-9)


def test_more_than_the_slack_is_not_asked_of_the_solver(monkeypatch):
    """Proving the cost of the last unit took minutes, although the whole plan may cost several units more."""
    sections, levers = district(5, 60, 0.4, 1e4, both=0.3)
    model = build(sections, levers, ALONE, whole=True)
    near = relax(build(sections, levers, ALONE).program)
    assert near is not None
    asked, linprog = [], scipy.optimize.linprog

    def noted(cost, **how):
        result = linprog(cost, **how)
        if how["integrality"] is not None:
            asked.append((how["options"]["mip_rel_gap"], result.fun))
        return result

    monkeypatch.setattr(program, "linprog", noted)
    slack = 0.05 * near.cost
    answer = solve(model.program, gap=1e-6, slack=slack, around=near.values)
    assert answer.status == OPTIMAL
    assert answer.cost is not None
    gap, _ = asked[-1]
    assert gap == pytest.approx(0.9 * slack / answer.cost, rel=0.2)
    assert all(found is None or found <= near.cost * 1.3 for _, found in asked)


@pytest.mark.parametrize("seed", [1, 8])
def test_the_cheapest_of_eighty_schools_is_proved(seed):
    sections, levers = district(seed, 80, 0.4, 1e4, both=0.3)
    wanted = build(sections, levers, ALONE, whole=True).program
    near = relax(build(sections, levers, ALONE).program)
    assert near is not None
    # in less than a second of work; tangents alone leave a gap of one unit after fifteen
    answer = solve(wanted, gap=0.0, seconds=15.0, around=near.values)
    assert answer.status == OPTIMAL
    assert answer.values is not None
    assert wanted.holds(answer.values)
    assert answer.bound == pytest.approx(answer.cost)
    assert near.cost <= answer.bound


def test_units_that_move_are_found_beside_purchases():
    """The first plan does not consist of purchases alone, which cost many times as much."""
    sections, levers = district(3, 40, 0.25, 1e4, both=0.3, moves=True)
    wanted = build(sections, levers, ALONE, whole=True).program
    near = relax(build(sections, levers, ALONE).program)
    assert near is not None
    answer = solve(wanted, gap=1e-3, seconds=60.0, around=near.values)
    assert answer.status == OPTIMAL
    assert answer.cost is not None
    assert answer.cost <= near.cost * 1.05
