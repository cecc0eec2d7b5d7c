"""Whole units of one price: the plan without a search is the cheapest, and it is used only if that is certain."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from youjun_pipeline.planning.least_cost import program as programs
from youjun_pipeline.planning.least_cost.district import Aims, Lever, Sections, build
from youjun_pipeline.planning.least_cost.even_units import even_units
from youjun_pipeline.planning.least_cost.program import INFEASIBLE, OPTIMAL, solve

ALONE = Aims(only=0, every_indicator=True)


def district(seed: int, n: int, most: float, limit: float) -> tuple[Sections, list[Lever]]:
    """N sections of two stages, one indicator, every unit at the price 12."""
    random = np.random.default_rng(seed)
    pupils = random.integers(20, 400, n).astype(float)
    sections = Sections(
        place=np.arange(n),
        stage=np.arange(n) % 2,
        pupils=pupils,
        have=random.integers(0, 6, n).astype(float)[:, None],
        per_pupil=np.full((n, 1), 0.009),
        step=np.ones((n, 1)),
        limit=np.full((2, 1), limit),
        floor_share=0.85,
        must_meet=1,
    )
    return sections, [Lever(0, False, True, np.full(n, 12.0), np.full(n, most))]


def brute_force(sections: Sections, most: int) -> float:
    """The cheapest of all additions of at most `most` units per section; inf if none holds."""
    best = np.inf
    for added in itertools.product(range(most + 1), repeat=len(sections.pupils)):
        amounts = sections.have[:, 0] + np.array(added)
        if sum(added) * 12.0 >= best or (amounts < sections.need[:, 0] - 1e-9).any():
            continue
        for stage in (0, 1):
            r, p = amounts[sections.stage == stage], sections.pupils[sections.stage == stage]
            if r.sum() == 0 or p.sum() * (r**2 / p).sum() / r.sum() ** 2 - 1 > sections.limit[stage, 0] ** 2:
                break
        else:
            best = sum(added) * 12.0
    return best


@pytest.mark.parametrize("seed", range(24))
def test_units_of_one_price_equal_brute_force(seed):
    sections, levers = district(seed, 4, 5.0, (0.15, 0.3, 0.5)[seed % 3])
    answer = solve(build(sections, levers, ALONE, whole=True).program, gap=0.0)
    expected = brute_force(sections, 5)
    assert (np.inf if answer.cost is None else answer.cost) == expected
    assert answer.status == (INFEASIBLE if expected == np.inf else OPTIMAL)


def test_the_search_finds_nothing_cheaper(monkeypatch: pytest.MonkeyPatch):
    sections, levers = district(3, 30, 500.0, 0.25)
    program = build(sections, levers, ALONE, whole=True).program
    even = solve(program)
    monkeypatch.setattr(programs, "even_units", lambda program: None)
    searched = solve(program, gap=1e-3)
    assert searched.cost is not None
    assert even.cost is not None
    assert searched.bound - 1e-6 <= even.cost <= searched.cost


def test_what_moves_or_serves_two_stages_is_searched_for():
    sections, levers = district(1, 6, 50.0, 0.3)
    moving = replace(levers[0], move_price=0.5, movable=np.full(6, 3.0))
    two_stages = replace(sections, place=np.array([0, 0, 1, 1, 2, 2]))
    of_school = replace(levers[0], by_school=True, price=np.full(3, 12.0), high=np.full(3, 50.0))
    dear = replace(levers[0], price=np.arange(1.0, 7.0))
    for held, lever in ((sections, moving), (two_stages, of_school), (sections, dear)):
        assert even_units(build(held, [lever], ALONE, whole=True).program) is None
    assert even_units(build(sections, levers, ALONE, whole=True).program) is not None
