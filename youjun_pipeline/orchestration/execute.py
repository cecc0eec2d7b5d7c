"""Runs the refresh job in this process, as `make run` does: the schedule starts the same job."""

from __future__ import annotations

import dagster as dg

from youjun_pipeline.ingest.districts import Scan, scan
from youjun_pipeline.orchestration.failures import PUBLICATION_STEP, cause_of, has_published
from youjun_pipeline.orchestration.housekeeping import prune
from youjun_pipeline.orchestration.instance import instance_for
from youjun_pipeline.orchestration.partitions import phase_ids, range_tags
from youjun_pipeline.settings import Automation, Settings
from youjun_pipeline.warehouse.run import UnknownScopeError, refuse_unknown


class RefreshFailedError(RuntimeError):
    """The refresh failed; the message is for the person who started it.

    `published` says whether the publication was replaced before something after it failed.
    """

    def __init__(self, message: str, *, published: bool = False) -> None:
        super().__init__(message)
        self.published = published


def run_refresh(
    settings: Settings,
    phases: list[str] | None = None,
    districts: list[str] | None = None,
    *,
    reports: bool = True,
    allow_future: bool = False,
    verify: bool = False,
) -> dg.ExecuteInProcessResult:
    """Materialise every asset for a contiguous range of phases (all by default) and some or all districts.

    Without `reports` the run ends with the publication; the folders beside it stay as they are. A run for a share of the
    districts never makes reports. The job reads the places itself from the environment; `settings` must agree with it, apart from
    `as_of`. With DAGSTER_HOME set the run is recorded there; otherwise in memory, which saves 40 ms per asset. Returns Dagster's
    record of the run; raises RefreshFailedError with every reason.
    """
    found = scan(settings.data)
    known = phase_ids(found.districts)
    try:
        refuse_unknown("区县", districts or (), sorted(d.code for d in found.districts))
        if not known:
            raise RefreshFailedError(_nothing_to_do(settings, found))
        refuse_unknown("阶段", phases or (), known)
    except UnknownScopeError as error:
        raise RefreshFailedError(str(error)) from error
    chosen = _chosen(known, phases)
    from youjun_pipeline.orchestration.code_location import build_definitions

    # A person at a terminal is told at once that another refresh is under way.
    config = {
        "districts": districts or [],
        "as_of": settings.as_of.isoformat(),
        "shard": str(settings.shard or ""),
        "allow_future": allow_future,
        "verify": verify,
        "busy_retries": 0,
    }
    with instance_for(known) as instance:
        job = build_definitions().resolve_job_def("refresh")
        keys = job.asset_layer.executable_asset_keys
        result = job.execute_in_process(
            instance=instance,
            asset_selection=None
            if reports and not settings.shard
            else [key for key in keys if key.path[0] != "reports"],
            tags=range_tags(chosen),
            run_config={
                "resources": {"refresh": {"config": config}},
                "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
            },
            raise_on_error=False,
        )
        # If the daemon is never started, nothing else prunes the history.
        if not instance.is_ephemeral:
            prune(instance, Automation.from_environment().keep_runs_days)
        if not result.success:
            raise _failure(result)
        return result


def _nothing_to_do(settings: Settings, found: Scan) -> str:
    lines = [
        f"{settings.data} 中没有可评估的阶段：请按 <代码>-<名称>/district.toml 放置区县文件夹；上一次发布保持不变"
    ]
    lines += [f"  {failure.message}" for district in found.districts for failure in district.failures]
    lines += [f"  {notice}" for notice in found.notices]
    return "\n".join(lines)


def _chosen(known: list[str], phases: list[str] | None) -> list[str]:
    """The contiguous range of known phases from the first to the last of `phases`."""
    if not phases:
        return known
    places = [known.index(phase) for phase in phases]
    return known[min(places) : max(places) + 1]


def _failure(result: dg.ExecuteInProcessResult) -> RefreshFailedError:
    """The cause of every failed step, in the words of the error itself."""
    steps = {
        event.step_key: event for event in result.all_events if event.is_step_success or event.is_step_failure
    }
    reasons = []
    for step, event in steps.items():
        if event.is_step_failure and event.step_failure_data.error:
            reasons.append(f"{step}: {cause_of(event.step_failure_data.error)}")
    last = steps.get(PUBLICATION_STEP)
    published = last is not None and (last.is_step_success or has_published(last.step_failure_data.error))
    head = "已发布，但其后的步骤失败：" if published else "刷新失败，上一次发布保持不变："
    return RefreshFailedError("\n".join([head, *(reasons or ["原因见日志"])]), published=published)
