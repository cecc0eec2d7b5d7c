"""Plan for PROPOSE_DISTRICTS generated districts and let the models judge every plan; ends with 1 if any does not pass.

    python -m youjun_pipeline_tests.propose 1000

Districts have all types of schools, including all-through schools, and waivers; profiles without blanks, because a plan needs all
figures. Every fourth has neighbours, every fifth moves equipment and teachers. Keep out: how a plan is found.
"""

from __future__ import annotations

import itertools
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from youjun_pipeline.ingest.districts import scan
from youjun_pipeline.planning.least_cost.answer import PARTIAL, PROVED, Answer, Found, NoAnswer, find
from youjun_pipeline.planning.least_cost.district import Aims
from youjun_pipeline.planning.least_cost.failure import SolverFailedError
from youjun_pipeline.planning.least_cost.figures import UnknownFiguresError
from youjun_pipeline.planning.least_cost.prices import Prices
from youjun_pipeline.planning.least_cost.proof import prove
from youjun_pipeline.planning.least_cost.text import answer_text
from youjun_pipeline.session import Session, in_memory
from youjun_pipeline.standard import load_catalogue
from youjun_pipeline.warehouse.models import load_models
from youjun_pipeline_tests.generate import generate_district, write_district
from youjun_pipeline_tests.steps import places

PHASE = "2023-startup"
PROFILES = ("mixed", "edge", "cv_limit", "passing")
BATCH = 20
# Of the wall clock: much, so that a machine with other work to do makes no difference.
SECONDS = 120.0
PRICES = {
    "unit": "万元",
    "levers": {
        "above_degree_teachers": {"price": "12"},
        "backbone_teachers": {"price": "12"},
        "sports_art_teachers": {"price": "12"},
        "teaching_area": {"price": "0.35"},
        "sports_area": {"price": "0.05"},
        "equipment": {"price": "1"},
        "multimedia_rooms": {"price": "8"},
    },
    "classes": {"price": "8"},
    "rooms": {"price": "30"},
    "pupils": {"price": "0.5"},
}
MOVING = {"equipment": "0.05", "above_degree_teachers": "0.5", "sports_art_teachers": "0.5"}


def prices_of(seed: int) -> Prices:
    """The prices of a district; every fifth district may move everything that can be moved."""
    levers = {k: dict(v) for k, v in PRICES["levers"].items()}  # type: ignore[attr-defined]
    if seed % 5 == 0:
        for name, price in MOVING.items():
            levers[name]["move_price"] = price
    return Prices.model_validate({**PRICES, "levers": levers})


def write(folder: Path, seed: int) -> str:
    """Write a generated district into the folder; returns its code."""
    code = f"{330000 + seed % 9000:06d}"
    rng = random.Random(seed)
    schools = rng.choice((11, 12, 14, 18, 24))
    made = generate_district(seed, n_schools=schools, code=code, profile=PROFILES[seed % len(PROFILES)])
    write_district(folder, made.tables, made.settings, seed=seed, code=code, slug="made-up", name=code)
    if seed % 4 == 0:
        _write_neighbours(folder, code, made.tables["schools"] or [], rng)
    return code


def _write_neighbours(folder: Path, code: str, schools: list[dict[str, Any]], rng: random.Random) -> None:
    """Each school beside the next in the roster, both ways."""
    delivery = sorted((folder / f"{code}-made-up" / "deliveries").iterdir())[0]
    codes = [str(row["school_code"]) for row in schools]
    pairs = [pair for a, b in itertools.pairwise(codes) for pair in ((a, b), (b, a))]
    rows = [f"{a},{b},{'是' if rng.random() < 0.3 else '否'}" for a, b in pairs]
    text = "学校标识码,邻近学校标识码,仅限起始年级\n" + "\n".join(rows) + "\n"
    (delivery / "neighbours.csv").write_text(text, encoding="utf-8")


def plan_batch(seeds: list[int]) -> Iterator[tuple[int, str, float, str]]:
    """Seed, outcome, seconds for finding the plan, and the message about it."""
    with tempfile.TemporaryDirectory() as name, in_memory() as con:
        folder = Path(name)
        codes = {seed: write(folder, seed) for seed in seeds}
        session = Session(con, places(folder, date(2026, 1, 1)))
        session.ingest(scan(folder))
        session.begin("propose", phases=(PHASE,))
        # the models alone: forecasts, scenarios and projections of a refresh are none of a plan's business
        for name in load_models():
            session.build_table(name)
        plans = dict[int, tuple[Found, float]]()
        for seed, code in codes.items():
            started = time.process_time()
            try:
                found = find(
                    con,
                    code,
                    PHASE,
                    load_catalogue("national-2017"),
                    prices_of(seed),
                    Aims(),
                    seconds=SECONDS,
                )
            except UnknownFiguresError:
                yield seed, "unknown", 0.0, ""
                continue
            except SolverFailedError as error:
                yield seed, "failed", 0.0, str(error)
                continue
            spent = time.process_time() - started
            if isinstance(found, NoAnswer):
                yield seed, "infeasible", spent, answer_text(found, None)
            else:
                plans[seed] = found, spent
        proofs = prove(con, [found.draft for found, _ in plans.values()])
        for (seed, (found, spent)), proof in zip(plans.items(), proofs, strict=True):
            answer = Answer(found, proof)
            told = "" if answer.verdict in (PROVED, PARTIAL) else repr(answer.unexplained[:5])
            yield seed, answer.verdict, spent, told


def main(arguments: list[str]) -> int:
    """Plan for this many districts, starting with a first seed; print every failure and the sums."""
    count, first = int(arguments[0]), int(arguments[1]) if len(arguments) > 1 else 0
    outcomes, spent, left, seed = Counter[str](), list[float](), count, first
    while left > 0:
        batch = list(range(seed, seed + BATCH))
        seed += BATCH
        for number, outcome, seconds, told in plan_batch(batch):
            if outcome == "unknown" or left <= 0:
                outcomes["unknown"] += outcome == "unknown"
                continue
            left -= 1
            outcomes[outcome] += 1
            spent.append(seconds)
            if told:
                print(f"seed {number}: {outcome}: {told}", flush=True)
        print(
            f"{count - left} planned: {dict(outcomes)}, {sum(spent) / max(len(spent), 1):.2f} s each",
            flush=True,
        )
    return int(any(outcomes[bad] for bad in ("refuted", "infeasible", "failed")))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
