"""The least-cost plan of one evaluation: from its figures to lines that a bureau can read, and the plan with its proof.

Keep out: the mathematics (`proposal`, `seats`), the proving (`proof`), what a line says (`lines`), how it is printed (`text`).
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from youjun_pipeline.planning.least_cost.calendar import dated
from youjun_pipeline.planning.least_cost.district import Aims, Diversion, Lever
from youjun_pipeline.planning.least_cost.diversion import Seating, diversion_of
from youjun_pipeline.planning.least_cost.figures import Figures, levers_of, read_figures, with_capacity
from youjun_pipeline.planning.least_cost.held_against import price_faults
from youjun_pipeline.planning.least_cost.lines import Line, lines_of
from youjun_pipeline.planning.least_cost.obstacles import BUDGET, Obstacle, obstacles_of, over_size, too_large
from youjun_pipeline.planning.least_cost.prices import Prices, PricesError
from youjun_pipeline.planning.least_cost.proof import Draft, Failing, Proof
from youjun_pipeline.planning.least_cost.proposal import Plan, bound_with_diversion, propose
from youjun_pipeline.planning.least_cost.rotation import with_rotation
from youjun_pipeline.planning.least_cost.rounding import rounded
from youjun_pipeline.planning.least_cost.seats import Moves, Seated, seat

if TYPE_CHECKING:
    import duckdb

    from youjun_pipeline.standard import Catalogue

log = logging.getLogger("youjun")

PROVED, PARTIAL, REFUTED = "proved", "partial", "refuted"


@dataclass(frozen=True)
class Found:
    """A plan that the models have not judged yet.

    `left`: (school code, stage, indicator) of values that stay between floor and threshold by choice. `cost` is the sum of the
    lines; no plan costs less than `bound`. Both are in the unit of the prices, and both are None without prices. `bound_of` says
    what the bound is for: `continuous` or `whole` units. `beyond`: what no allowed lever can mend; the plan is for all the rest.
    `aims`: the aims of the plan. `pupils_of`: the school year of its pupils, if they are forecast.
    """

    district: str
    phase: str
    lines: list[Line]
    left: list[tuple[str, str, str]]
    cost: float | None
    bound: float | None
    bound_of: str
    status: str
    every_indicator_cost: float | None
    beyond: list[Obstacle]
    figures: Figures
    plan: Plan
    seated: Seated
    levers: list[Lever]
    lever_ids: list[str]
    aims: Aims
    pupils_of: int | None = None

    @property
    def gap(self) -> float | None:
        """The share of its cost that a better plan could save at most."""
        if self.bound is None or self.cost is None:
            return None
        return max(self.cost - self.bound, 0.0) / max(self.cost, 1e-12)

    @property
    def draft(self) -> Draft:
        """What is to be proved."""
        return Draft(self.district, self.phase, self.lines)


@dataclass(frozen=True)
class Answer:
    """A plan and what the models say of it."""

    found: Found
    proof: Proof

    @property
    def verdict(self) -> str:
        """`proved`: everything passes. `partial`: everything passes except what no lever can mend. `refuted`: the plan does not
        hold.
        """
        if not self.proof.failing:
            return PROVED
        return REFUTED if self.unexplained else PARTIAL

    @property
    def unexplained(self) -> list[Failing]:
        """What fails although the plan should mend it."""
        beyond = {(o.school, o.indicator) for o in self.found.beyond}
        return [f for f in self.proof.failing if (f.school, f.indicator) not in beyond]


@dataclass(frozen=True)
class NoAnswer:
    """Nothing that is allowed makes the district pass."""

    obstacles: list[Obstacle]
    figures: Figures
    pupils_of: int | None = None


def find(
    con: duckdb.DuckDBPyConnection,
    district: str,
    phase: str,
    catalogue: Catalogue,
    prices: Prices | None,
    aims: Aims,
    *,
    allowed: list[str] | None = None,
    seconds: float = 60.0,
    pupils_of: int | None = None,
) -> Found | NoAnswer:
    """The cheapest plan, not yet proved, for the pupils in `con`; `pupils_of` only says which pupils these are.

    Without prices every indicator is planned by itself, to its threshold at every school: only prices can weigh one indicator
    against another.

    Raises:
        UnknownFiguresError: figures are missing.
        PricesError: the district's own figures need a price that is missing.
        SolverFailedError: the solver ended without an answer that it vouches for.
    """
    deadline = time.monotonic() + seconds
    task = _set_out(con, district, phase, catalogue, prices, aims, allowed, seconds)
    figures, levers, moves, aims = task.figures, task.levers, task.moves, task.aims
    seating = Seating(figures, moves, seconds) if moves else None
    log.info("最省方案 %s：%d 个学部，%d 种手段", district, len(figures.section_keys), len(levers))
    plan = propose(figures.sections, levers, aims, task.diversion, seconds=seconds, whole_pupils=seating)
    seated = seating.seated if seating else seat(figures.seats, None, seconds)
    if not isinstance(plan, Plan) or seated is None:
        return NoAnswer(obstacles_of(figures, plan, seated is not None), figures, pupils_of)
    plan = rounded(plan, levers, aims)
    log.info("最省方案 %s：资源 %s，下界 %s", district, plan.cost, plan.bound)
    lines = lines_of(figures, levers, task.ids, plan, seated, moves, catalogue, priced=task.priced)
    cost = sum(line.cost or 0.0 for line in lines)
    if aims.budget is not None and cost > aims.budget * (1 + 1e-9):
        return NoAnswer([Obstacle(BUDGET, None, None, None, cost - aims.budget)], figures, pupils_of)
    left, full = _left(figures, plan), None
    if task.priced and left:
        others = sum(line.cost or 0.0 for line in lines if line.lever is None)
        full = _every_indicator(plan, levers, aims, others, max(deadline - time.monotonic(), 1.0))
    return Found(
        district,
        phase,
        dated(con, district, lines, prices),
        left,
        cost if task.priced else None,
        _bound(plan, task, seconds),
        plan.bound_of,
        plan.status,
        full,
        task.beyond,
        figures,
        plan,
        seated,
        levers,
        task.ids,
        aims,
        pupils_of,
    )


@dataclass(frozen=True)
class _Task:
    """What is to be solved: the district, its prices and its aims."""

    figures: Figures
    levers: list[Lever]
    ids: list[str]
    diversion: Diversion | None
    moves: Moves | None
    beyond: list[Obstacle]
    aims: Aims
    priced: bool


def _set_out(
    con: duckdb.DuckDBPyConnection,
    district: str,
    phase: str,
    catalogue: Catalogue,
    prices: Prices | None,
    aims: Aims,
    allowed: list[str] | None,
    seconds: float,
) -> _Task:
    figures = read_figures(con, district, phase, catalogue, prices)
    if prices is not None and (faults := price_faults(con, district, phase, prices)):
        raise PricesError("\n".join(f"{place}：{told}" for place, told in faults))
    priced = prices is not None and prices.is_priced
    if priced and figures.neighbours and prices is not None and prices.pupils is None:
        raise PricesError("缺少单价：pupils.price（已填报邻近学校 neighbours，分流每名学生的造价）")
    if not priced:
        aims = replace(aims, every_indicator=True)
    levers, ids = levers_of(figures, prices, allowed)
    levers = with_rotation(con, (district, phase), catalogue, prices, figures, levers, ids)
    with_capacity(con, district, phase, figures, levers, ids)
    diversion, moves = diversion_of(figures, prices) or (None, None)
    figures, beyond = _seatable(figures, moves, seconds)
    return _Task(figures, levers, ids, diversion, moves, beyond, aims, priced)


def _seatable(figures: Figures, moves: Moves | None, seconds: float) -> tuple[Figures, list[Obstacle]]:
    """The figures, with schools over their size accepted if nothing allowed makes them smaller; and these schools."""
    beyond = [o for o in too_large(figures) if o.school not in figures.schools]
    over = over_size(figures.seats)
    if not over.any() or seat(figures.seats, moves, seconds) is not None:
        return figures, beyond
    sizes = figures.seats.largest_school + over
    return replace(figures, seats=replace(figures.seats, largest_school=sizes)), too_large(figures)


def _bound(plan: Plan, task: _Task, seconds: float) -> float | None:
    """No plan costs less than this: resources plus classes and rooms, with the cost of diversion in one of the two."""
    if plan.bound is None or not task.priced:
        return None
    free = None if task.moves is None else replace(task.moves, price=np.zeros(len(task.moves.price)))
    bounds = [plan.bound + _seats_bound(task, free, seconds)]
    if task.moves is not None:
        resources = bound_with_diversion(plan.model, plan.cost, is_free=True)
        bounds.append((resources or 0.0) + _seats_bound(task, task.moves, seconds))
    return max(bounds)


def _seats_bound(task: _Task, moves: Moves | None, seconds: float) -> float:
    least = seat(task.figures.seats, moves, seconds)
    return 0.0 if least is None else least.bound


def _left(figures: Figures, plan: Plan) -> list[tuple[str, str, str]]:
    """School, stage and indicator of everything that the plan leaves at the floor."""
    at = zip(*np.nonzero(plan.left), strict=True)
    return [(*figures.section_keys[section], figures.indicators[indicator]) for section, indicator in at]


def _every_indicator(
    found: Plan, levers: list[Lever], aims: Aims, others: float, seconds: float
) -> float | None:
    """The cost if nothing is left at the floor, with the same pupils; `others` is the cost of everything but resources."""
    aims = replace(aims, every_indicator=True, budget=None)
    whole = propose(found.sections, levers, aims, seconds=seconds)
    return whole.cost + others if isinstance(whole, Plan) else None
