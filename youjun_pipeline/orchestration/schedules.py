"""The nightly refresh. Keep out: which phases are open (`open_phases`) and what the run does (`jobs`)."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg

from youjun_pipeline.ingest.districts import scan
from youjun_pipeline.orchestration.jobs import REFRESH_JOB, SHARD_JOB
from youjun_pipeline.orchestration.open_phases import (
    contiguous,
    open_phases,
    refresh_requests,
    register_when_safe,
)
from youjun_pipeline.orchestration.partitions import phase_ids
from youjun_pipeline.settings import Automation, Settings


def nightly_schedule(automation: Automation) -> dg.ScheduleDefinition:
    """The schedule `nightly`; it starts with the daemon only if automation is on.

    A developer who opens the UI on a checkout does not want it to compute at night; a service turns automation on in its
    environment.
    """

    @dg.schedule(
        name="nightly",
        job=SHARD_JOB if automation.shards > 1 else REFRESH_JOB,
        cron_schedule=automation.nightly_cron,
        execution_timezone="Asia/Shanghai",
        default_status=dg.DefaultScheduleStatus.RUNNING
        if automation.is_on
        else dg.DefaultScheduleStatus.STOPPED,
        description="夜间刷新：所有未关闭的阶段，相邻的阶段一次运行，先早后晚",
    )
    def nightly(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        settings = Settings.from_environment()
        districts = scan(settings.data).districts
        known = phase_ids(districts)
        if not register_when_safe(context.instance, known):
            yield dg.SkipReason("阶段有增减，而上一次刷新还没有结束；结束后由交付检测补上")
            return
        ranges = contiguous(known, open_phases(districts, settings))
        if not ranges:
            yield dg.SkipReason(f"{settings.data} 中没有未关闭的阶段")
        night = context.scheduled_execution_time.isoformat(timespec="minutes")
        for phases in ranges:
            yield from refresh_requests(night, phases, automation)

    return nightly
