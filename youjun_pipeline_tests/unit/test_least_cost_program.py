"""Least cost under coefficients of variation: worked examples, water filling, brute force."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import sparse

from youjun_pipeline.planning.least_cost.cones import Cones, Program
from youjun_pipeline.planning.least_cost.district import Aims, Lever, Sections
from youjun_pipeline.planning.least_cost.program import INFEASIBLE, solve
from youjun_pipeline.planning.least_cost.proposal import Plan, propose
from youjun_pipeline.planning.least_cost.relaxation import bounded, relax, shortfall

PUPILS = np.array([45.0, 37, 89, 76, 55])
UNITS = np.array([279.0, 137, 935, 160, 402])


def one_cone(
    limit: float,
    pupils: np.ndarray = PUPILS,
    units: np.ndarray = UNITS,
    *,
    price: np.ndarray | float = 1.0,
    high: np.ndarray | float = 3000.0,
    floor: np.ndarray | float = 0.0,
    pupil_price: float | None = None,
    moves: bool = False,
    whole_units: bool = False,
    whole_pupils: bool = False,
) -> Program:
    """One indicator of one stage: additions, or moves between any two schools, and diversion at a price per pupil."""
    n = len(units)
    pairs = list(itertools.permutations(range(n), 2)) if pupil_price is not None else []
    inward = np.zeros((n, len(pairs)))
    for column, (source, target) in enumerate(pairs):
        inward[source, column], inward[target, column] = -1, 1
    units_gain = np.hstack([np.eye(n), -np.eye(n)]) if moves else np.eye(n)
    own = units_gain.shape[1]
    low = np.zeros(own + len(pairs))
    low[:n] = np.maximum(floor - units, 0)
    upper = np.r_[np.broadcast_to(high, n), units if moves else [], np.full(len(pairs), pupils.sum())]
    rows = [np.hstack([np.zeros((n, own)), inward])]
    row_low, row_high = [1 - pupils], [np.full(n, np.inf)]
    if moves:
        rows.append(np.r_[np.ones(n), -np.ones(n), np.zeros(len(pairs))][None, :])
        row_low.append(np.zeros(1))
        row_high.append(np.zeros(1))
    return Program(
        np.r_[np.broadcast_to(price, n), np.zeros(own - n), np.full(len(pairs), pupil_price or 0)],
        low,
        upper,
        np.r_[np.full(own, whole_units), np.full(len(pairs), whole_pupils)].astype(bool),
        sparse.csr_array(np.vstack(rows)),
        np.concatenate(row_low),
        np.concatenate(row_high),
        Cones(
            units,
            sparse.csr_array(np.hstack([units_gain, np.zeros((n, len(pairs)))])),
            pupils,
            sparse.csr_array(np.hstack([np.zeros((n, own)), inward])),
            np.zeros(n, dtype=int),
            np.array([limit]),
        ),
    )


def coefficient(units: np.ndarray, pupils: np.ndarray) -> float:
    """The standard's formula as printed: the standard deviation weighted by pupils, divided by the mean."""
    mean = units.sum() / pupils.sum()
    return float(np.sqrt((pupils / pupils.sum() * (units / pupils - mean) ** 2).sum()) / mean)


ADDITIONS = {0.50: 16.352645, 0.45: 73.770274, 0.40: 138.938837, 0.30: 294.287600, 0.20: 512.648590}


@pytest.mark.parametrize(("limit", "cost"), ADDITIONS.items())
def test_additions_of_the_five_schools(limit, cost):
    answer = solve(one_cone(limit))
    assert answer.cost == pytest.approx(cost, rel=1e-5)
    relaxed = relax(one_cone(limit))
    assert relaxed is not None
    assert relaxed.cost == pytest.approx(cost, rel=1e-5)
    assert coefficient(UNITS + relaxed.values, PUPILS) <= limit


def test_which_of_the_five_schools_gets_how_much():
    assert solve(one_cone(0.50)).values == pytest.approx([0, 0, 0, 16.352645, 0], abs=1e-3)
    relaxed = relax(one_cone(0.40))
    assert relaxed is not None
    assert relaxed.values == pytest.approx([0, 5.741, 0, 133.198, 0], abs=1e-2)


@pytest.mark.parametrize(("limit", "cost"), [(0.50, 17), (0.45, 74)])
def test_whole_units_of_the_five_schools(limit, cost):
    answer = solve(one_cone(limit, whole_units=True), gap=0)
    assert (answer.status, answer.cost, answer.bound) == ("optimal", cost, pytest.approx(cost))


@pytest.mark.parametrize(("limit", "units"), [(0.50, 12), (0.45, 49)])
def test_whole_units_moved_between_the_five_schools(limit, units):
    assert solve(one_cone(limit, moves=True, whole_units=True), gap=0).cost == units


@pytest.mark.parametrize(("limit", "pupils"), [(0.50, 2), (0.45, 8)])
def test_pupils_diverted_between_the_five_schools(limit, pupils):
    answer = solve(one_cone(limit, pupil_price=1.0, high=0.0, whole_pupils=True), gap=0)
    assert answer.cost == pupils
    # one pupil less does not do: 4 has least, 3 most
    fewer = np.array([0, 0, pupils - 1, -(pupils - 1), 0])
    assert coefficient(UNITS, PUPILS + fewer) > limit


@pytest.mark.parametrize(
    ("limit", "price", "cost"), [(0.45, 5, 39.5882), (0.30, 12, 282.1212), (0.30, 30, 294.2876)]
)
def test_diversion_with_purchases(limit, price, cost):
    answer = solve(one_cone(limit, pupil_price=price))
    assert answer.cost == pytest.approx(cost, rel=1e-5)
    assert answer.bound == pytest.approx(cost, rel=1e-5)


@pytest.mark.parametrize(("limit", "price", "near"), [(0.45, 5, 1e-4), (0.30, 12, 0.05), (0.30, 30, 1e-4)])
def test_no_plan_with_diversion_costs_less_than_its_bound(limit, price, near):
    program = one_cone(limit, pupil_price=price)
    cost = solve(program).cost
    assert cost is not None
    assert cost * (1 - near) <= bounded(program, cost) <= cost * (1 + 1e-6)
    # a dearer plan to start from gives a weaker bound, never a wrong one
    assert bounded(program, 2 * cost) <= cost * (1 + 1e-6)


def test_whole_pupils_with_purchases():
    assert solve(one_cone(0.45, pupil_price=5, whole_pupils=True)).cost == pytest.approx(40.0, abs=1e-4)


def test_price_of_the_limit_is_the_slope_of_the_cost():
    step = 1e-4
    for limit in (0.45, 0.30):
        above, here, below = (relax(one_cone(limit + change)) for change in (step, 0, -step))
        assert above is not None
        assert here is not None
        assert below is not None
        assert here.price_of_limit[0] == pytest.approx((below.cost - above.cost) / (2 * step), rel=1e-4)


def test_what_cannot_be_reached_is_told_with_the_nearest():
    confined = one_cone(0.20, high=20.0)
    assert solve(confined).status == INFEASIBLE
    assert relax(confined) is None
    short = shortfall(confined)
    reached = short.cones[0]
    assert 0.20 < reached < coefficient(UNITS, PUPILS)
    # with a limit just above what was reached there is a plan, just below there is none
    assert relax(one_cone(reached * 1.001, high=20.0)) is not None
    assert relax(one_cone(reached * 0.995, high=20.0)) is None


def water_filling(limit, pupils, units, floor, price, high) -> float:
    """The least cost without a solver: x = min(ub, max(x0, floor, level − ν·price)) for the best level and its ν."""
    x0, lo, ub = units / pupils, np.maximum(floor / pupils, units / pupils), (units + high) / pupils

    def filled(levels: np.ndarray, nu: np.ndarray) -> np.ndarray:
        return np.clip(levels[:, None] - nu[:, None] * price, lo, ub)

    def is_within(per_pupil: np.ndarray) -> np.ndarray:
        """For each filling, whether its coefficient is within the limit."""
        mean = per_pupil @ pupils / pupils.sum()
        spread = ((per_pupil - mean[:, None]) ** 2) @ pupils / pupils.sum()
        return np.sqrt(spread) / mean <= limit

    def costs_of(levels: np.ndarray) -> np.ndarray:
        """The filling with the largest ν, that is the smallest one, whose coefficient is within the limit."""
        few, many = np.zeros(len(levels)), levels / price.min()
        can_be = is_within(filled(levels, few))
        for _ in range(80):
            nu = (few + many) / 2
            is_in = is_within(filled(levels, nu))
            few, many = np.where(is_in, nu, few), np.where(is_in, many, nu)
        return np.where(can_be, ((filled(levels, few) - x0) * price * pupils).sum(axis=1), np.inf)

    if coefficient(lo * pupils, pupils) <= limit:
        return float((price * pupils * (lo - x0)).sum())
    low, top = lo.min(), ub.max() * 2
    costs = np.array([np.inf])
    for _ in range(9):
        levels = np.linspace(low, top, 60)
        costs = costs_of(levels)
        best = int(np.argmin(costs))
        low, top = levels[max(best - 1, 0)], levels[min(best + 1, 59)]
    return float(costs.min())


def test_one_cone_with_prices_and_bounds_equals_water_filling():
    equals_water_filling(10)


def equals_water_filling(districts: int) -> None:
    random = np.random.default_rng(20261126)
    compared = 0
    for _ in range(districts):
        n = int(random.integers(4, 15))
        pupils = random.integers(40, 900, n).astype(float)
        units = pupils * random.lognormal(1.0, 0.6, n)
        price = random.uniform(0.5, 3.0, n)
        high = units * random.uniform(0.3, 6.0, n)
        floor = np.minimum(pupils * 2.0, units + high)
        limit = float(random.uniform(0.25, 0.5))
        program = one_cone(limit, pupils, units, price=price, high=high, floor=floor)
        relaxed = relax(program)
        if relaxed is None:
            continue
        expected = water_filling(limit, pupils, units, floor, price, high)
        assert relaxed.cost == pytest.approx(expected, rel=1e-5, abs=1e-3)
        compared += 1
    assert compared > districts / 2


def brute_force(limit, pupils, units, most, pupil_price) -> float:
    """Every possible addition and diversion in whole units."""
    n = len(pupils)
    pairs = list(itertools.permutations(range(n), 2))
    best = np.inf
    moves = [m for m in itertools.product(range(3), repeat=len(pairs)) if sum(m) <= 3]
    for move in moves:
        changed = pupils.copy()
        for (source, target), count in zip(pairs, move, strict=True):
            changed[source] -= count
            changed[target] += count
        if (changed < 1).any():
            continue
        for added in itertools.product(range(most + 1), repeat=n):
            cost = sum(added) + pupil_price * sum(move)
            if cost < best and coefficient(units + np.array(added), changed) <= limit:
                best = cost
    return best


def test_tiny_districts_in_whole_units_equal_brute_force():
    equal_brute_force(12)


def equal_brute_force(districts: int) -> None:
    random = np.random.default_rng(7)
    for _ in range(districts):
        pupils = random.integers(5, 12, 3).astype(float)
        units = random.integers(2, 14, 3).astype(float)
        limit = float(random.uniform(0.15, 0.45))
        program = one_cone(
            limit, pupils, units, high=6.0, pupil_price=2.0, whole_units=True, whole_pupils=True
        )
        program.high[3:] = 2
        # as many pupils in all as brute force tries
        program = Program(
            program.cost,
            program.low,
            program.high,
            program.is_whole,
            sparse.csr_array(
                sparse.vstack([program.rows, sparse.csr_array(np.r_[np.zeros(3), np.ones(6)][None, :])])
            ),
            np.r_[program.row_low, -np.inf],
            np.r_[program.row_high, 3.0],
            program.cones,
        )
        answer = solve(program, gap=0)
        expected = brute_force(limit, pupils, units, 6, 2.0)
        assert (np.inf if answer.cost is None else round(answer.cost, 6)) == expected


def test_who_gives_is_not_given_as_much_again():
    """Two schools, one with more than it needs: a move is paid for once, and nothing is bought for the giver."""
    sections = Sections(
        place=np.array([0, 1]),
        stage=np.array([0, 0]),
        pupils=np.array([100.0, 100.0]),
        have=np.array([[300.0], [90.0]]),
        per_pupil=np.array([[1.0], [1.0]]),
        step=np.ones((2, 1)),
        limit=np.array([[0.3]]),
        floor_share=0.85,
        must_meet=1,
    )
    lever = Lever(0, True, False, np.ones(2), np.full(2, 1e4), 0.1, np.full(2, np.inf))
    plan = propose(sections, [lever], Aims(every_indicator=True))
    assert isinstance(plan, Plan)
    moved = float(plan.taken[0].sum())
    # (195 + d, 195 − d): the coefficient is d / 195
    assert moved == pytest.approx(300 - 195 * 1.3, rel=1e-5)
    assert plan.added[0].sum() == pytest.approx(0, abs=1e-6)
    assert plan.given[0] == pytest.approx([moved, 0], abs=1e-5)
    assert plan.cost == pytest.approx(0.1 * moved, rel=1e-5)


@pytest.mark.filterwarnings("error")
def test_where_nobody_has_anything_nothing_is_over_its_limit() -> None:
    program = one_cone(0.5, units=np.zeros(5))
    assert program.cones.coefficients(np.zeros(5), PUPILS).tolist() == [0]
    assert program.needs_nothing()
