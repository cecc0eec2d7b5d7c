"""What a scenario costs beside evaluating its district and phase once, in one process; and a hundred in one pass.

    python bench/bench_what_if.py

CPU seconds on a generated district of 75 schools. The floor is every model of that one evaluation, built once.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from youjun_pipeline.planning.base import open_planning
from youjun_pipeline.planning.judge import Case, figures_of, judged
from youjun_pipeline.warehouse.models import build, load_models
from youjun_pipeline_tests.generate import generate_country
from youjun_pipeline_tests.steps import places, refresh

DISTRICT, PHASE = "110000", "2023-startup"


def cpu(work: Callable[[], object]) -> float:
    """CPU seconds of all threads."""
    before = time.process_time()
    work()
    return time.process_time() - before


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        generate_country(folder, 1, n_schools=75)
        settings = places(folder)
        refresh(settings)
        with open_planning(settings.published, [DISTRICT]) as con:
            figures = figures_of(con, DISTRICT, PHASE)
            school = figures.schools["school_code"].iloc[0]

            def evaluate() -> None:
                for model in load_models().values():
                    if model.schema in ("core", "rule", "mart"):
                        build(con, model)

            def scenarios(count: int) -> Callable[[], None]:
                cases = [
                    Case(
                        f"c{n}",
                        DISTRICT,
                        PHASE,
                        figures.add("facilities", school, "outdoor_sports_area_m2", float(n + 1)),
                    )
                    for n in range(count)
                ]

                def run() -> None:
                    with judged(con, cases):
                        pass

                return run

            evaluate()
            scenarios(1)()
            floor = min(cpu(evaluate) for _ in range(3))
            for count in (1, 10, 100):
                spent = min(cpu(scenarios(count)) for _ in range(2))
                print(
                    f"{count:4d} scenarios {spent:6.2f} s CPU, {spent / floor:5.2f} x one evaluation ({floor:.2f} s)"
                )


if __name__ == "__main__":
    main()
