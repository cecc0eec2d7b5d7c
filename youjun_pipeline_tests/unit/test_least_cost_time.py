"""Running out of time: a plan is reported with its gap, and "nothing found" is never reported as "there is nothing"."""

from __future__ import annotations

import cvxpy as cp
import numpy as np
import pytest

from youjun_pipeline.planning.least_cost.district import Aims, Lever, Sections, build
from youjun_pipeline.planning.least_cost.failure import OutOfTimeError, SolverFailedError
from youjun_pipeline.planning.least_cost.program import INFEASIBLE, STOPPED, Answer, solve
from youjun_pipeline.planning.least_cost.proposal import Plan, propose
from youjun_pipeline.planning.least_cost.relaxation import TOLERANCES, relax
from youjun_pipeline.planning.least_cost.seats import EACH, Seats, seat


def district(n: int, limit: float) -> tuple[Sections, list[Lever]]:
    random = np.random.default_rng(n)
    pupils = random.integers(100, 900, n).astype(float)
    sections = Sections(
        place=np.arange(n),
        stage=np.zeros(n, dtype=int),
        pupils=pupils,
        have=np.round(pupils * random.uniform(0.004, 0.05, n))[:, None],
        per_pupil=np.full((n, 1), 0.01),
        step=np.ones((n, 1)),
        limit=np.array([[limit]]),
        floor_share=0.85,
        must_meet=1,
    )
    return sections, [Lever(0, False, True, random.uniform(1, 3, n), np.full(n, 500.0))]


def test_a_search_that_is_stopped_tells_the_best_that_it_found_and_its_gap():
    sections, levers = district(8, 0.1)
    program = build(sections, levers, Aims(only=0, every_indicator=True), whole=True).program
    bounds, costs = list[float](), list[float]()
    for seconds in (0.0, 0.05, 30.0):
        stopped = solve(program, gap=0.0, seconds=seconds)
        assert stopped.status != INFEASIBLE
        bounds.append(stopped.bound)
        if stopped.values is not None and stopped.cost is not None:
            assert program.holds(stopped.values)
            assert stopped.gap is not None
            assert stopped.cost - stopped.bound == pytest.approx(stopped.gap * stopped.cost)
            costs.append(stopped.cost)
    # whatever was found, no bound says that there is nothing as cheap
    assert costs
    assert max(bounds) <= min(costs) * (1 + 1e-9)


def test_no_time_is_no_proof_that_there_is_no_plan(monkeypatch: pytest.MonkeyPatch):
    sections, levers = district(60, 0.2)
    # The solver now and then finds a plan in no time at all; here it never does.
    nothing_found = Answer(STOPPED, None, None, -np.inf)
    monkeypatch.setattr("youjun_pipeline.planning.least_cost.proposal.solve", lambda *_, **__: nothing_found)
    plan = propose(sections, levers, Aims(every_indicator=True), seconds=0.0)
    assert isinstance(plan, Plan)
    assert plan.status == STOPPED
    assert plan.gap is not None
    assert 0 < plan.gap < 0.2
    amounts, pupils = sections.have[:, 0] + plan.added[0], sections.pupils
    assert (plan.added[0] % 1 == 0).all()
    assert (amounts >= sections.need[:, 0]).all()
    assert pupils.sum() * (amounts**2 / pupils).sum() / amounts.sum() ** 2 - 1 <= 0.2**2
    # where rounding up leads nowhere either, that is told
    monkeypatch.setattr("youjun_pipeline.planning.least_cost.proposal.TIGHTENED", ())
    with pytest.raises(OutOfTimeError, match="不能说明有没有方案"):
        propose(sections, levers, Aims(every_indicator=True), seconds=0.0)


def test_a_solver_that_breaks_off_is_asked_again_and_then_told(monkeypatch: pytest.MonkeyPatch):
    sections, levers = district(8, 0.1)
    program = build(sections, levers, Aims(only=0, every_indicator=True)).program
    expected = relax(program)
    assert expected is not None
    solve_once, asked = cp.Problem.solve, list[float]()

    def breaks_off(problem: cp.Problem, **options: object) -> object:
        asked.append(float(str(options["tol_feas"])))
        if len(asked) < len(TOLERANCES) or min(asked) == 0:
            raise cp.error.SolverError("Solver 'CLARABEL' failed.")
        return solve_once(problem, **options)

    monkeypatch.setattr(cp.Problem, "solve", breaks_off)
    again = relax(program)
    assert again is not None
    assert again.cost == pytest.approx(expected.cost, rel=1e-5)
    assert asked == list(TOLERANCES)
    monkeypatch.setattr("youjun_pipeline.planning.least_cost.relaxation.TOLERANCES", (0.0,))
    with pytest.raises(SolverFailedError, match="Clarabel"):
        relax(program)


def test_classes_that_were_not_found_in_time_are_not_told_as_missing():
    rows, schools = 4000, 400
    random = np.random.default_rng(1)
    place = np.arange(schools)
    seats = Seats(
        section=np.repeat(place, 10),
        grade=np.tile(np.arange(10), schools),
        pupils=random.integers(20, 400, rows).astype(float),
        classes=random.integers(1, 4, rows).astype(float),
        place=place,
        stage=np.zeros(schools, dtype=int),
        largest_class=np.full(schools, 45.0),
        largest_school=np.full(schools, np.inf),
        fewest=np.zeros(schools),
        rooms=np.zeros((schools, 2)),
        classes_per_room=12.0,
        room_rule=EACH,
        more_classes=np.full(schools, np.inf),
        more_rooms=np.full(schools, np.inf),
        class_price=random.uniform(1, 2, schools),
        room_price=random.uniform(3, 9, schools),
    )
    with pytest.raises(OutOfTimeError, match="班级和专用教室的安排"):
        seat(seats, None, seconds=0.0)
    assert seat(seats, None, seconds=60.0) is not None
