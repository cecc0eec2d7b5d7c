"""Prunes the history of runs, which would otherwise grow by megabytes every night.

Belongs here: which runs can go. Keep out: what Dagster prunes itself (ticks: `dagster.yaml`).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import dagster as dg

from youjun_pipeline.settings import Automation

FINISHED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
# The most runs deleted at one time: the next time comes in an hour, and deleting takes a tenth of a second for each run.
MOST_AT_ONCE = 50
PHASES_OF_RUN = "youjun/phases"


def prune(instance: dg.DagsterInstance, keep_days: int) -> list[str]:
    """Delete finished runs older than `keep_days` with their events and logs; returns their ids.

    The last successful run of every phase stays, however old: no later run computes a closed phase, and without its events the UI
    would show its assets as missing.
    """
    limit = datetime.now(UTC) - timedelta(days=keep_days)
    covered: set[str] = set()
    deleted: list[str] = []
    for record in instance.get_run_records(dg.RunsFilter(statuses=FINISHED)):
        run = record.dagster_run
        phases = set(filter(None, run.tags.get(PHASES_OF_RUN, "").split("、")))
        is_last = run.status is dg.DagsterRunStatus.SUCCESS and (not covered or bool(phases - covered))
        if run.status is dg.DagsterRunStatus.SUCCESS:
            covered |= phases
        if record.create_timestamp < limit and not is_last and len(deleted) < MOST_AT_ONCE:
            instance.compute_log_manager.delete_logs(prefix=[run.run_id])
            instance.delete_run(run.run_id)
            deleted.append(run.run_id)
    return deleted


@dg.sensor(
    name="housekeeping",
    minimum_interval_seconds=3600,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="删除过期的运行记录（YOUJUN_KEEP_RUNS_DAYS）；每个阶段最近一次成功的运行总是保留",
)
def housekeeping(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """Prune once an hour."""
    days = Automation.from_environment().keep_runs_days
    return dg.SkipReason(f"已删除 {len(prune(context.instance, days))} 次早于 {days} 天的运行")
