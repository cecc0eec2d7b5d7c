"""The least-cost plan of made-up districts: seconds, growth with the sections, and the gaps against two bounds.

    python bench/bench_planning.py
    python bench/bench_planning.py 60 120 240
    python bench/bench_planning.py --districts 2895     # of about 100 sections each, some schools with two stages

CPU seconds of all threads, without reading a district and without the proof by the models. `continuous` is everything together
in broken units: the bound that a plan is published with. `whole` is the plan in whole units. Gaps: of the plan against that
continuous bound, and against the sum of the MILP bounds of the indicators (HiGHS, pupils and the 6-of-7 choice as in the
plan); what a cleverer choice would save is in the first gap alone.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace

import numpy as np

from youjun_pipeline.planning.least_cost.district import Aims, Lever, Sections, build
from youjun_pipeline.planning.least_cost.proposal import Plan, propose
from youjun_pipeline.planning.least_cost.relaxation import relax

SIZES = (60, 120, 240, 600)
SECONDS = 120.0
# Per pupil: R1-R3 people, R4 and R5 square metres, R6 yuan, R7 rooms; primary and junior.
THRESHOLDS = np.array(
    [[0.042, 0.01, 0.009, 4.5, 7.5, 2000.0, 0.023], [0.053, 0.01, 0.009, 5.8, 10.2, 2500.0, 0.024]]
)
LIMITS = np.array([[0.5] * 7, [0.45] * 7])
PRICES = (12.0, 12.0, 12.0, 0.35, 0.05, 1.0, 8.0)
STEPS = (1.0, 1.0, 1.0, 1.0, 1.0, 10_000.0, 1.0)
WEIGHTS = (1.0, 1.1)
# The share of junior sections that belong to a school with a primary one.
ALL_THROUGH = 0.3
MOST_SECONDS = 3.0
WHOLE = (True, True, True, False, False, False, True)


def district(n: int, seed: int = 1) -> tuple[Sections, list[Lever]]:
    """A district of n sections, a third of them junior, in which one value in four is short and the large schools most."""
    random = np.random.default_rng(seed)
    stage = (np.arange(n) % 3 == 2).astype(int)
    pupils = np.round(random.lognormal(6.3, 0.7, n)).clip(30, 3000)
    per_pupil = THRESHOLDS[stage]
    spread = random.lognormal(0.35, 0.5, (n, 7)) * (pupils[:, None] / pupils.mean()) ** -0.15
    have = per_pupil * pupils[:, None] * spread
    whole = np.array(WHOLE)
    have[:, whole] = np.round(have[:, whole])
    sections = Sections(
        place=np.arange(n),
        stage=stage,
        pupils=pupils,
        have=have,
        per_pupil=per_pupil,
        step=np.tile(STEPS, (n, 1)),
        limit=LIMITS,
        floor_share=0.85,
        must_meet=6,
    )
    levers = [
        Lever(k, k > 2, WHOLE[k], np.full(n, PRICES[k]), np.full(n, np.inf if not WHOLE[k] else 1e4))
        for k in range(7)
    ]
    return sections, levers


def with_all_through(
    sections: Sections, levers: list[Lever], share: float, seed: int
) -> tuple[Sections, list[Lever]]:
    """The district with some junior sections in one school with the primary one before: R4-R7 are shared by weighted pupils."""
    n, random = len(sections.pupils), np.random.default_rng(seed)
    place = np.arange(n)
    for junior in range(2, n, 3):
        place[junior] -= random.random() < share
    _, place = np.unique(place, return_inverse=True)
    weighted = np.array(WEIGHTS)[sections.stage] * sections.pupils
    part = (weighted / np.bincount(place, weights=weighted)[place])[:, None]
    have, step = sections.have.copy(), sections.step.copy()
    for k in range(3, 7):
        have[:, k] = np.bincount(place, weights=have[:, k])[place] * part[:, 0]
    step[:, 3:] *= part
    schools = int(place.max()) + 1
    levers = [
        replace(lever, price=lever.price[:schools], high=lever.high[:schools]) if lever.by_school else lever
        for lever in levers
    ]
    return replace(sections, place=place, have=have, step=step), levers


def districts(count: int) -> None:
    """Print the seconds of so many districts of about 100 sections, one after another."""
    spent = []
    for seed in range(count):
        n = int(np.random.default_rng(seed).integers(70, 130))
        sections, levers = with_all_through(*district(n, seed), ALL_THROUGH, seed)
        started = time.process_time()
        plan = propose(sections, levers, Aims(), seconds=SECONDS)
        spent.append(time.process_time() - started)
        assert isinstance(plan, Plan)
    ordered = np.sort(spent)
    slow = int((ordered > MOST_SECONDS).sum())
    print(
        f"{count} districts: mean {ordered.mean():.2f} s, median {ordered[count // 2]:.2f}, "
        f"99 % {ordered[int(count * 0.99)]:.2f}, most {ordered[-1]:.2f}; over {MOST_SECONDS:.0f} s: {slow}"
    )


def main(sizes: tuple[int, ...]) -> None:
    """Print the table."""
    print(
        "sections  continuous s  whole s  cost  over continuous bound  over MILP bound of the choice  status"
    )
    for n in sizes:
        sections, levers = district(n)
        started = time.process_time()
        relaxed = relax(build(sections, levers, Aims()).program)
        continuous = time.process_time() - started
        assert relaxed is not None
        started = time.process_time()
        plan = propose(sections, levers, Aims(), seconds=SECONDS)
        whole = time.process_time() - started
        assert isinstance(plan, Plan)
        over = plan.cost / plan.choice_bound - 1
        gaps = f"{plan.cost / relaxed.cost - 1:8.2%} {over:8.2%}"
        print(f"{n:8} {continuous:12.2f} {whole:8.2f} {plan.cost:9.1f} {gaps} {plan.status}", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--districts"]:
        districts(int(sys.argv[2]))
    else:
        main(tuple(map(int, sys.argv[1:])) or SIZES)
