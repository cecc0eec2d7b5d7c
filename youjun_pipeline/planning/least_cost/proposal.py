"""The least-cost plan of a district: the relaxation, the choice of values left at the floor, whole units.

1. The continuous relaxation of the whole district gives the bound, the shadow prices, and which indicator each section
   leaves at the floor.
2. With that choice fixed, each indicator is a problem of its own, solved in whole units if its lever has them.
3. If pupils move, whole pupils are found between these two steps (`seats`); from then on the pupils are fixed.

Keep out: words, prices, and the proof by the models, which the caller makes.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from youjun_pipeline.planning.least_cost.cones import Program, Vector
from youjun_pipeline.planning.least_cost.district import (
    ADD,
    DIVERT,
    GIVE,
    LEAVE,
    OUT,
    TAKE,
    Aims,
    Diversion,
    Index,
    Lever,
    Model,
    Sections,
    build,
)
from youjun_pipeline.planning.least_cost.failure import OutOfTimeError, SolverFailedError
from youjun_pipeline.planning.least_cost.program import INFEASIBLE, OPTIMAL, STOPPED, solve
from youjun_pipeline.planning.least_cost.relaxation import Relaxed, Shortfall, bounded, relax, shortfall

# A section counts as leaving an indicator if raising it to the threshold needs more than this share of the threshold.
LEFT_BEYOND = 1e-6
# The search for whole units ends within the first share of an indicator's cheapest units, or within the second share of the whole
# plan's cost. With few units, proving the last one takes much time and saves little money.
WHOLE_GAP, PLAN_GAP = 5e-3, 1.5e-3
# The time of each indicator even if time is already up: the first plan is found soon.
LEAST_SECONDS = 1.0
# Shares of a coefficient's limit at which purchases are rounded up if the search found nothing in time.
TIGHTENED = (1.0, 0.99, 0.97, 0.9, 0.8)
# New tangents to T² are added until the cost falls by less than SETTLED, but at most ROUNDS times.
SETTLED, ROUNDS = 1e-4, 12

Whole = Callable[[Model, Vector], "Vector | None"]


@dataclass(frozen=True)
class Plan:
    """The best plan found.

    `added`, `given`, `taken`, `out`: one array per lever, one figure per site. `left`: sections × indicators, True where the
    value stays between floor and threshold by choice. `diverted`: pupils per pair. `bound`: no plan costs less; `bound_of` says
    in which units: `continuous` or `whole`. `status`: `optimal` within the gap, or `stopped`. `choice_bound`: no plan in whole
    units with the same pupils and the same `left` costs less.
    """

    status: str
    cost: float
    bound: float | None
    bound_of: str
    added: list[Vector]
    given: list[Vector]
    taken: list[Vector]
    out: list[Vector]
    left: np.ndarray
    diverted: Vector
    sections: Sections
    relaxed: Relaxed | None
    model: Model
    choice_bound: float

    @property
    def gap(self) -> float | None:
        return None if self.bound is None else max(self.cost - self.bound, 0.0) / max(self.cost, 1e-12)


@dataclass(frozen=True)
class NoPlan:
    """There is no plan; `short` says which limits would have to give way, and by how much at least.

    `not_whole`: the indicator that has a plan only in fractions of units; None if that is not the reason.
    """

    short: Shortfall
    model: Model
    not_whole: int | None = None


def propose(
    sections: Sections,
    levers: list[Lever],
    aims: Aims,
    diversion: Diversion | None = None,
    *,
    seconds: float = 60.0,
    whole_pupils: Whole | None = None,
) -> Plan | NoPlan:
    """The cheapest plan that meets `aims`, in whole units, within about `seconds`.

    `whole_pupils` turns the relaxation's diversion into whole pupils (None if there are no such pupils); without it they are
    rounded.

    Raises:
        SolverFailedError: there is neither a plan nor certainty that no plan exists; OutOfTimeError when time ran out.
    """
    deadline = time.monotonic() + seconds
    model = build(sections, levers, replace(aims, budget=None), diversion)
    relaxed, around = _relaxed(model)
    if relaxed is None:
        return _no_plan(sections, levers, aims, diversion, around)
    if aims.budget is not None and relaxed.cost > aims.budget * (1 + 1e-9):
        return _no_plan(sections, levers, aims, diversion, relaxed.values)
    diverted = np.zeros(0 if diversion is None else len(diversion.source))
    block = model.block(DIVERT)
    fixed = sections
    if block is not None and diversion is not None:
        moved = whole_pupils(model, relaxed.values) if whole_pupils else _rounded(model, relaxed.values)
        if moved is None:
            return _no_plan(sections, levers, aims, diversion, relaxed.values)
        diverted, fixed = moved, _after(sections, diversion, moved)
    left = _choice(fixed, levers, aims, relaxed if block is None else None, model)
    parts = _by_indicator(fixed, levers, aims, left, deadline, PLAN_GAP * relaxed.cost)
    if isinstance(parts, int):
        return replace(_no_plan(sections, levers, aims, diversion, relaxed.values), not_whole=parts)
    added, given, taken, out, cost, least, status = parts
    moving = float(diversion.price @ diverted) if diversion is not None else 0.0
    cost, least = cost + moving, least + moving
    if aims.budget is not None and cost > aims.budget * (1 + 1e-9):
        return _no_plan(sections, levers, aims, diversion, relaxed.values)
    bound = relaxed.cost if block is None else bound_with_diversion(model, cost)
    return Plan(
        status,
        cost,
        bound,
        "continuous",
        added,
        given,
        taken,
        out,
        left,
        diverted,
        fixed,
        relaxed,
        model,
        least,
    )


def bound_with_diversion(model: Model, cost: float, *, is_free: bool = False) -> float | None:
    """No plan costs less than this if pupils move; the cost of moving them is included, or (`is_free`) left out.

    None if the solver vouches for no bound.
    """
    program, block = model.program, model.block(DIVERT)
    if is_free and block is not None:
        program = replace(program, cost=program.cost.copy())
        program.cost[block.at] = 0
    try:
        return bounded(program, cost)
    except SolverFailedError:
        return None


def _after(sections: Sections, diversion: Diversion, moved: Vector) -> Sections:
    """The sections after the pupils have moved."""
    change = np.zeros(len(sections.pupils))
    np.add.at(change, diversion.source, -moved)
    np.add.at(change, diversion.target, moved)
    return replace(sections, pupils=sections.pupils + change)


def _relaxed(model: Model) -> tuple[Relaxed | None, Vector | None]:
    """The relaxation. If pupils move, it starts from the plan without diversion; each plan that holds leads to a cheaper one."""
    block = model.block(DIVERT)
    if block is None:
        return relax(model.program), None
    still = replace(model.program, high=model.program.high.copy())
    still.high[block.at] = 0
    start = relax(_without_shift(still))
    around = start.values if start is not None else _spread_out(model)
    best = start
    for _ in range(ROUNDS):
        found = relax(model.program, around)
        if found is None:
            break
        settled = best is not None and found.cost >= best.cost * (1 - SETTLED)
        if best is None or found.cost < best.cost:
            best = found
        around = found.values
        if settled:
            break
    return best, around


def _without_shift(program: Program) -> Program:
    cones = replace(program.cones, shift=sparse.csr_array(program.cones.shift.shape))
    return replace(program, cones=cones)


def _spread_out(model: Model) -> Vector:
    """Where the first tangents touch if no plan without diversion is known: nothing done."""
    return np.zeros(len(model.program.cost))


def _rounded(model: Model, values: Vector) -> Vector:
    block = model.block(DIVERT)
    assert block is not None
    return np.floor(values[block.at] + 0.5)


def _choice(
    sections: Sections, levers: list[Lever], aims: Aims, relaxed: Relaxed | None, model: Model
) -> np.ndarray:
    """Which indicator each section leaves at the floor: by the relaxation, the one that would cost most to raise."""
    left = np.zeros(sections.have.shape, dtype=bool)
    if aims.every_indicator or aims.only is not None:
        return left
    if relaxed is None:
        model = build(sections, levers, replace(aims, budget=None))
        relaxed = relax(model.program)
    if relaxed is None or model.block(LEAVE) is None:
        return left
    amounts = sections.have + (model.program_gain @ relaxed.values).reshape(sections.have.shape)
    cost = _cost_of_raising(sections, levers, aims, amounts)
    may = len(cost[0]) - sections.must_meet
    for rank in range(may):
        at = np.argsort(-cost, axis=1)[:, rank]
        rows = np.flatnonzero(cost[np.arange(len(cost)), at] > 0)
        left[rows, at[rows]] = True
    return left


def _cost_of_raising(sections: Sections, levers: list[Lever], aims: Aims, amounts: Vector) -> Vector:
    """The cost of raising each value from `amounts`, or from the floor, to its threshold, in units that can be had."""
    need = sections.need * aims.above_threshold
    cost = np.zeros(sections.have.shape)
    for lever in levers:
        k = lever.indicator
        step = np.where(sections.step[:, k] > 0, sections.step[:, k], np.inf)
        to_need, to_floor, there = (
            (amount[:, k] - sections.have[:, k]) / step
            for amount in (need, sections.floor_share * sections.need, amounts)
        )
        if lever.is_whole:
            to_need, to_floor = np.ceil(to_need - 1e-9), np.ceil(to_floor - 1e-9)
            there = np.round(there)
        more = to_need - np.maximum(np.maximum(to_floor, there), 0)
        price = np.maximum(lever.price[sites_of(lever, sections)], 1e-12)
        cost[:, k] = np.where(more > LEFT_BEYOND * need[:, k] / step, more * price, 0)
    return cost


def _by_indicator(
    sections: Sections,
    levers: list[Lever],
    aims: Aims,
    left: np.ndarray,
    deadline: float,
    slack: float,
) -> tuple[list[Vector], list[Vector], list[Vector], list[Vector], float, float, str] | int:
    """Plan every indicator alone, in whole units if its lever has them: its thresholds are known by now.

    Levers whose people also count for another indicator come first. An indicator without a plan returns its number instead. All
    indicators together may cost `slack` more than the cheapest; what one indicator does not use is left for the next.
    """
    known = known_sections(sections, left, aims)
    added, given, taken, out = ([np.zeros(len(lever.price)) for lever in levers] for _ in range(4))
    cost, least, status, levers = 0.0, 0.0, OPTIMAL, list(levers)
    gone, shared, searched = np.zeros(len(sections.place)), 0.0, sum(lever.is_whole for lever in levers)
    for number in sorted(range(len(levers)), key=lambda n: levers[n].carries is None):
        lever = levers[number]
        if aims.only is not None and lever.indicator != aims.only:
            continue
        if lever.people is not None and lever.movable is not None:
            # nobody leaves twice: a teacher who moves for one indicator is not available for the next
            lever = levers[number] = replace(lever, movable=np.minimum(lever.movable, lever.people - gone))
        if lever.shares_most and lever.most_moved is not None:
            lever = levers[number] = replace(lever, most_moved=lever.most_moved - shared)
        part = slack / max(searched, 1)
        solved = _alone(known, levers, number, aims, deadline, part)
        if solved is None:
            return lever.indicator
        searched -= lever.is_whole
        slack -= min(solved.cost - solved.bound, part) if lever.is_whole else 0
        status = STOPPED if solved.has_stopped else status
        cost += solved.cost
        least += solved.bound
        for kind, target in ((ADD, added), (GIVE, given), (TAKE, taken), (OUT, out)):
            block = solved.model.block(kind, number)
            if block is not None:
                target[number] = _clean(solved.values[block.at])
        if not lever.is_whole:
            # a donor keeps what it needs, to the last digit
            spare = np.maximum(-asked(known, lever, aims.above_threshold), 0)
            given[number] = np.minimum(given[number], spare)
            out[number] = np.minimum(out[number], spare - given[number])
        if lever.people is not None:
            gone = gone + given[number]
        if lever.shares_most:
            shared += float(given[number].sum())
        if lever.carries is not None:
            have = known.have.copy()
            have[:, lever.carries] += known.step[:, lever.carries] * (taken[number] - given[number])
            known = replace(known, have=have)
        # a quantity that is tiny beside the others is still needed, so it is not cleaned away
        net = taken[number] - given[number] - out[number]
        added[number] = np.maximum(added[number], asked(known, lever, aims.above_threshold) - net)
    return added, given, taken, out, cost, least, status


@dataclass(frozen=True)
class _Alone:
    """One indicator's solved program: the variables, their cost, the bound of all plans, and whether time ran out."""

    model: Model
    values: Vector
    cost: float
    bound: float
    has_stopped: bool = False


def _alone(
    known: Sections, levers: list[Lever], number: int, aims: Aims, deadline: float, slack: float
) -> _Alone | None:
    """The plan of one lever's indicator alone; None if there is none. Raises OutOfTimeError if none was found in time."""
    lever = levers[number]
    alone = replace(aims, only=lever.indicator, every_indicator=True, budget=None)
    model = build(known, levers, alone, whole=lever.is_whole)
    near = relax(build(known, levers, alone).program)
    if near is None:
        return None
    if not lever.is_whole:
        return _Alone(model, near.values, near.cost, near.cost)
    seconds = max(deadline - time.monotonic(), LEAST_SECONDS)
    answer = solve(model.program, gap=WHOLE_GAP, slack=slack, seconds=seconds, around=near.values)
    if answer.status == INFEASIBLE:
        return None
    bound = max(answer.bound, near.cost)
    if answer.values is None:
        bought = _bought(known, levers, alone)
        if bought is None:
            raise OutOfTimeError("整数（人、间）的方案")
        return _Alone(*bought, bound, has_stopped=True)
    return _Alone(model, answer.values, float(answer.cost or 0.0), bound, answer.status == STOPPED)


def _bought(known: Sections, levers: list[Lever], alone: Aims) -> tuple[Model, Vector, float] | None:
    """A plan of whole purchases without a search: the relaxation at a tighter limit, rounded up; None if no such plan holds."""
    buying = [replace(lever, move_price=None, movable=None, may_take_out=False) for lever in levers]
    model = build(known, buying, alone, whole=True)
    for share in TIGHTENED:
        near = relax(build(replace(known, limit=known.limit * share), buying, alone).program)
        if near is None:
            return None
        values = np.minimum(np.ceil(near.values - 1e-9), model.program.high)
        if model.program.holds(values):
            return model, values, float(model.program.cost @ values)
    return None


def known_sections(sections: Sections, left: np.ndarray, aims: Aims) -> Sections:
    """The sections with the thresholds that remain after the choice: only the floor's share where `left`."""
    share = np.where(left, sections.floor_share / aims.above_threshold, 1.0)
    return replace(sections, per_pupil=sections.per_pupil * share)


def asked(sections: Sections, lever: Lever, above: float) -> Vector:
    """How many units each site needs for its thresholds alone, whole if the lever is; a negative number is what it can spare."""
    step = sections.step[:, lever.indicator]
    short = sections.need[:, lever.indicator] * above - sections.have[:, lever.indicator]
    units = np.where(step > 0, short / np.where(step > 0, step, 1), -np.inf)
    asked = np.full(len(lever.price), -np.inf)
    np.maximum.at(asked, sites_of(lever, sections), units)
    return np.ceil(asked - 1e-9) if lever.is_whole else asked


def _clean(values: Vector) -> Vector:
    """The values with the solver's noise set to 0."""
    return np.where(values > 1e-6 * max(1.0, float(values.max(initial=0.0))), values, 0.0)


def _no_plan(
    sections: Sections, levers: list[Lever], aims: Aims, diversion: Diversion | None, around: Vector | None
) -> NoPlan:
    model = build(sections, levers, aims, diversion)
    point = around if around is not None else np.zeros(len(model.program.cost))
    return NoPlan(shortfall(model.program, point), model)


def sites_of(lever: Lever, sections: Sections) -> Index:
    """The site that serves each section, shape (n,)."""
    return sections.place if lever.by_school else np.arange(len(sections.place))
