"""Which phases a refresh must include, for the schedule and the sensors.

Belongs here: open phases, contiguous ranges of them, registering phases while runs may be under way. Keep out: leaving out single
closed evaluations, which the run itself does (models/run/request.sql), and when to refresh.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator

import dagster as dg
from dagster._core.definitions.assets.job.asset_job import IMPLICIT_ASSET_JOB_NAME
from dagster._core.execution.backfill import BulkActionsFilter, BulkActionStatus

from youjun_pipeline.ingest.districts import District
from youjun_pipeline.orchestration.jobs import PLANNING, REFRESH, SHARD_REFRESH
from youjun_pipeline.orchestration.partitions import PHASES, range_tags, register_phases
from youjun_pipeline.settings import Automation, Settings, Shard
from youjun_pipeline.warehouse.closing import closed_evaluations
from youjun_pipeline.warehouse.published import NoPublicationError, open_publication

log = logging.getLogger("youjun")
UNDER_WAY = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]

BACKFILL_UNDER_WAY = [BulkActionStatus.REQUESTED, BulkActionStatus.CANCELING, BulkActionStatus.FAILING]


def open_phases(districts: Collection[District], settings: Settings) -> set[str]:
    """Ids of phases that have begun and are open in at least one of `districts`."""
    closed = _closed(settings)
    return {
        phase.id
        for district in districts
        for phase in district.phases
        if phase.starts <= settings.as_of and (district.code, phase.id) not in closed
    }


def _closed(settings: Settings) -> set[tuple[str, str]]:
    """Closed evaluations by the publication.

    Without a readable publication no evaluation counts as closed. An unnecessary run does no harm: it leaves closed evaluations
    out itself.
    """
    try:
        with open_publication(settings.published, settings.lake_to_read) as con:
            return closed_evaluations(con)
    except NoPublicationError:
        return set()
    except Exception as error:
        log.warning("发布库无法读取，所有已开始的阶段都按未关闭处理：%s", error)
        return set()


def contiguous(known: list[str], chosen: Collection[str]) -> list[list[str]]:
    """The sequences of neighbours in `known` (in order of time) that are all in `chosen`, earliest first."""
    ranges: list[list[str]] = []
    previous_chosen = False
    for phase in known:
        if phase in chosen:
            if previous_chosen:
                ranges[-1].append(phase)
            else:
                ranges.append([phase])
        previous_chosen = phase in chosen
    return ranges


# A run of a shard has this tag; at most one run of the same shard is under way (docs/deploy/dagster-many.yaml).
SHARD_TAG = "youjun/shard"


def refresh_request(
    key: str | None, phases: list[str], districts: Collection[str] = (), shard: Shard | None = None
) -> dg.RunRequest:
    """A request to refresh a contiguous range of phases for some districts (no names: all), or for those of a shard.

    With a `key` the request is made only once; without a key it can be repeated.
    """
    config: dict[str, object] = {"districts": sorted(districts)}
    tags = range_tags(phases)
    if shard:
        config["shard"] = str(shard)
        # a retry starts from the beginning: what a dead worker computed is lost with its session
        tags |= {SHARD_TAG: str(shard), "dagster/retry_strategy": "ALL_STEPS"}
        key = f"{key}/{shard}" if key else None
    return dg.RunRequest(
        run_key=f"{key}/{phases[0]}..{phases[-1]}" if key else None,
        run_config={"resources": {"refresh": {"config": config}}},
        tags=tags,
    )


def refresh_requests(
    key: str | None, phases: list[str], automation: Automation, districts: Collection[str] = ()
) -> Iterator[dg.RunRequest]:
    """The request, or one request for each shard with some of the districts."""
    for shard in automation.all_shards():
        codes = [code for code in districts if shard is None or shard.takes(code)]
        if codes or not districts:
            yield refresh_request(key, phases, codes, shard)


def register_when_safe(instance: dg.DagsterInstance, phases: list[str]) -> bool:
    """Register `phases` as the phase partitions; returns False if this must wait for a run that is under way.

    Phases added at the end disturb no run. Any other change removes partitions for a moment, and a run that asks for its range in
    that moment would get a wrong one.
    """
    existing = list(instance.get_dynamic_partitions(PHASES.name or "phase"))
    if existing == phases:
        return True
    if phases[: len(existing)] != existing and is_under_way(instance):
        return False
    register_phases(instance, phases)
    return True


def is_under_way(instance: dg.DagsterInstance) -> bool:
    """Whether a refresh is queued or running, however it was requested, or a backfill still has runs to start."""
    runs = instance.get_runs(dg.RunsFilter(statuses=UNDER_WAY))
    if any(is_refresh(run.job_name) for run in runs):
        return True
    return bool(instance.get_backfills(BulkActionsFilter(statuses=BACKFILL_UNDER_WAY), limit=1))


def is_refresh(job_name: str) -> bool:
    """Whether a job's runs write to the warehouse: the declared jobs, and runs launched from the pages of the assets."""
    return job_name in (REFRESH, SHARD_REFRESH, PLANNING) or job_name.startswith(IMPLICIT_ASSET_JOB_NAME)
