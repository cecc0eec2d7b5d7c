"""What the code location holds: assets, jobs, resources put together. `definitions` shows it to Dagster."""

from __future__ import annotations

from functools import cache

import dagster as dg

from youjun_pipeline.orchestration.assets import ASSETS
from youjun_pipeline.orchestration.jobs import REFRESH_JOB
from youjun_pipeline.orchestration.refresh import Refresh


@cache
def build_definitions() -> dg.Definitions:
    """The Definitions object, made once per process."""
    return dg.Definitions(
        assets=ASSETS,
        jobs=[REFRESH_JOB],
        resources={"refresh": Refresh.configure_at_launch()},
        executor=dg.in_process_executor,
    )
