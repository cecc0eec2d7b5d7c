"""The processes that bench_refresh.py starts: `bare`, the floor, and `parts`, the real job with a clock in it.

python bench/refresh_child.py prepare MODELS
python bench/refresh_child.py bare DATA PHASE MODELS
python bench/refresh_child.py parts DATA PHASE
"""

from __future__ import annotations

import os
import pickle
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


def prepare(target: str) -> None:
    """Write down the SQL files in their order, so that the bare script need not find it out."""
    from youjun_pipeline.warehouse.models import load_models

    Path(target).write_bytes(pickle.dumps(load_models()))


def bare(data: str, phase: str, models: str) -> None:
    """What a script without an orchestrator would do: the same imports, files, SQL and publication, nothing else."""
    import dagster
    import duckdb
    import pandas
    import pandera.pandas
    import pyarrow
    import python_calamine
    import sqlglot

    assert all((dagster, duckdb, pandas, pandera, pyarrow, python_calamine, sqlglot))
    from youjun_pipeline.warehouse import models as module

    found = pickle.loads(Path(models).read_bytes())
    module.load_models = lambda: found  # type: ignore[assignment]
    from youjun_pipeline_tests import steps

    steps.refresh(steps.places(Path(data)), "bare", phases=(phase,))


class Clock:
    """Seconds of CPU by part; what a wrapped function takes is its own and not that of the part around it."""

    def __init__(self) -> None:
        self.parts: dict[str, float] = {}
        self._mark = time.process_time()
        self._inner = 0.0

    def end(self, part: str) -> None:
        """Book everything since the last end, but for what wrapped functions took."""
        now = time.process_time()
        self.parts[part] = self.parts.get(part, 0.0) + now - self._mark - self._inner
        self._mark, self._inner = now, 0.0

    def wrap(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """`function`, its time booked on `part`."""

        def timed(*args: Any, **kwargs: Any) -> Any:
            inner, self._inner, began = self._inner, 0.0, time.process_time()
            try:
                return function(*args, **kwargs)
            finally:
                took = time.process_time() - began
                self.parts[part] = self.parts.get(part, 0.0) + took - self._inner
                self._inner = inner + took

        return timed


def parts(data: str, phase: str) -> None:
    """Run the job as the command does and print `part<TAB>seconds` lines."""
    os.environ["YOUJUN_DATA"], os.environ["YOUJUN_AS_OF"] = data, "2026-01-01"
    clock = Clock()
    import dagster as dg

    clock.end("import dagster")
    from youjun_pipeline.warehouse import models

    models.mentions = clock.wrap("read dependencies from the SQL", models.mentions)
    from youjun_pipeline.definitions import defs

    clock.end("definitions")
    from youjun_pipeline.orchestration import execute
    from youjun_pipeline.orchestration.refresh import Refresh
    from youjun_pipeline.session import Session
    from youjun_pipeline.settings import Settings

    Refresh.session = clock.wrap("the work itself", Refresh.session)  # type: ignore[method-assign]
    for name in ("ingest", "begin", "build_table", "check", "publish"):
        setattr(Session, name, clock.wrap("the work itself", getattr(Session, name)))
    job_type = type(defs.resolve_job_def("refresh"))
    clock.end("definitions")
    dg.DagsterInstance.ephemeral = clock.wrap("instance", dg.DagsterInstance.ephemeral)  # type: ignore[method-assign]
    job_type.execute_in_process = clock.wrap("run, steps and events", job_type.execute_in_process)  # type: ignore
    execute.run_refresh(Settings.from_environment(), [phase], reports=False)
    clock.end("everything else")
    for part, seconds in clock.parts.items():
        print(f"{part}\t{seconds:.3f}")


if __name__ == "__main__":
    {"prepare": prepare, "bare": bare, "parts": parts}[sys.argv[1]](*sys.argv[2:])
