"""The content of the code location: assets, jobs, resources, schedules, sensors. `definitions` shows it to Dagster."""

from __future__ import annotations

from datetime import timedelta
from functools import cache

import dagster as dg

from youjun_pipeline.orchestration.abandoned import abandoned_runs
from youjun_pipeline.orchestration.housekeeping import housekeeping
from youjun_pipeline.orchestration.jobs import PLANNING_JOB, REFRESH_JOB, SHARD_JOB
from youjun_pipeline.orchestration.lake import LAKE_ASSETS, LAKE_JOB, lake_schedule
from youjun_pipeline.orchestration.notices import district_notice
from youjun_pipeline.orchestration.published import ASSET_CHECKS, ASSETS, PUBLICATION
from youjun_pipeline.orchestration.refresh import Refresh
from youjun_pipeline.orchestration.schedules import nightly_schedule
from youjun_pipeline.orchestration.sensors import (
    deliveries_sensor,
    failure_notice,
    phases_sensor,
    refusal_notice,
)
from youjun_pipeline.settings import Automation

# By six in the morning the night's publication must be there; a publication from the day before does not count.
FRESH = dg.FreshnessPolicy.cron("0 6 * * *", timedelta(hours=6), timezone="Asia/Shanghai")


@cache
def build_definitions() -> dg.Definitions:
    """The Definitions object, made once per process."""
    automation = Automation.from_environment()
    of_lake = LAKE_ASSETS if automation.has_lake else []
    return dg.Definitions(
        assets=[*(dg.map_asset_specs(_with_freshness, ASSETS) if automation.is_on else ASSETS), *of_lake],
        asset_checks=ASSET_CHECKS,
        jobs=[REFRESH_JOB, SHARD_JOB, PLANNING_JOB, *([LAKE_JOB] if of_lake else [])],
        schedules=[nightly_schedule(automation), *([lake_schedule(automation)] if of_lake else [])],
        sensors=[
            phases_sensor,
            deliveries_sensor(automation),
            failure_notice,
            refusal_notice,
            district_notice,
            abandoned_runs,
            housekeeping,
        ],
        resources={"refresh": Refresh.configure_at_launch()},
        executor=dg.in_process_executor,
    )


def _with_freshness(spec: dg.AssetSpec) -> dg.AssetSpec:
    """Require a fresh publication every morning; used where the nightly schedule is on."""
    return spec.replace_attributes(freshness_policy=FRESH) if spec.key == PUBLICATION else spec
