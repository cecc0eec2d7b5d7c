"""The least-cost plan of made-up districts: seconds, growth with the sections, and the gaps against two bounds.

    python bench/bench_planning.py
    python bench/bench_planning.py 60 120 240
    python bench/bench_planning.py --districts 2895     # of about 100 sections each, some schools with two stages
    python bench/bench_planning.py --districts 300 --first 600 --rows rows.csv    # seeds 600 to 899, after those in rows.csv

CPU seconds of all threads, without reading a district and without the proof by the models. `continuous` is everything together
in broken units: the bound that a plan is published with. `whole` is the plan in whole units. Gaps: of the plan against that
continuous bound, and against the sum of the MILP bounds of the indicators (HiGHS, pupils and the 6-of-7 choice as in the
plan); what a cleverer choice would save is in the first gap alone.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd

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
ROW = ["seed", "sections", "seconds", "status", "over_continuous", "over_choice"]
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


def districts(seeds: range, rows: Path | None) -> None:
    """Plan the districts of these seeds one after another and print the distribution; with `rows` of all that the file has."""
    lines = rows.read_text(encoding="utf-8").splitlines() if rows is not None and rows.exists() else []
    for seed in seeds:
        n = int(np.random.default_rng(seed).integers(70, 130))
        sections, levers = with_all_through(*district(n, seed), ALL_THROUGH, seed)
        started = time.process_time()
        plan = propose(sections, levers, Aims(), seconds=SECONDS)
        spent = time.process_time() - started
        assert isinstance(plan, Plan)
        assert plan.bound is not None
        over = f"{plan.cost / plan.bound - 1:.6f},{plan.cost / plan.choice_bound - 1:.6f}"
        lines.append(f"{seed},{n},{spent:.3f},{plan.status},{over}")
        if rows is not None:
            with rows.open("a", encoding="utf-8") as file:
                file.write(lines[-1] + "\n")
    table = pd.read_csv(StringIO("\n".join(lines)), header=None, names=ROW)
    print(f"{table['seed'].nunique()} districts: {table['status'].value_counts().to_dict()}")
    print(table[["seconds", "over_continuous", "over_choice"]].quantile([0, 0.5, 0.9, 0.99, 1]).to_string())
    slow = table[table["seconds"] > MOST_SECONDS]
    print(
        f"mean {table['seconds'].mean():.2f} s; over {MOST_SECONDS:.0f} s: {len(slow)} {list(slow['seed'])}"
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
    parser = argparse.ArgumentParser()
    parser.add_argument("sizes", nargs="*", type=int, default=SIZES)
    parser.add_argument("--districts", type=int, metavar="COUNT")
    parser.add_argument("--first", type=int, default=0, metavar="SEED")
    parser.add_argument("--rows", type=Path, metavar="FILE")
    options = parser.parse_args()
    if options.districts:
        districts(range(options.first, options.first + options.districts), options.rows)
    else:
        main(tuple(options.sizes))
