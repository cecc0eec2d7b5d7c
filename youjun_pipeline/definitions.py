"""The Definitions object that `workspace.yaml` loads: assembly only."""

import dagster as dg

from youjun_pipeline.orchestration.assets import ASSETS
from youjun_pipeline.orchestration.jobs import REFRESH_JOB
from youjun_pipeline.orchestration.refresh import Refresh

defs = dg.Definitions(
    assets=ASSETS,
    jobs=[REFRESH_JOB],
    resources={"refresh": Refresh.configure_at_launch()},
    executor=dg.in_process_executor,
)
