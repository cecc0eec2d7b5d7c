"""Sensors: new phases, new or changed deliveries, failed runs.

Keep out: comparing folders (`ingest.watch`), wording and sending a notice (`notify`).
"""

from __future__ import annotations

import re

import dagster as dg

from youjun_pipeline.ingest.districts import scan
from youjun_pipeline.ingest.watch import Watched, fingerprints
from youjun_pipeline.notify import Failed, NotifyError, failure_text, send
from youjun_pipeline.orchestration.failures import PUBLICATION_STEP, REFUSED, cause_of, has_published
from youjun_pipeline.orchestration.jobs import REFRESH_JOB, SHARD_JOB
from youjun_pipeline.orchestration.open_phases import (
    contiguous,
    is_under_way,
    open_phases,
    refresh_requests,
    register_when_safe,
)
from youjun_pipeline.orchestration.partitions import phase_ids
from youjun_pipeline.settings import Automation, Channels, Settings
from youjun_pipeline.vocabulary import shortened

SECONDS_BETWEEN_LOOKS = 30


# Always on: it starts no run, and without it the UI has no phase to launch.
@dg.sensor(
    name="phases",
    target=REFRESH_JOB,
    minimum_interval_seconds=SECONDS_BETWEEN_LOOKS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="登记各区县 district.toml 中的阶段，使界面可以按阶段运行",
)
def phases_sensor(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """Keep the phase partitions those of the districts' files."""
    settings = Settings.from_environment()
    known = phase_ids(scan(settings.data).districts)
    # An empty folder usually means a missing disk, not that all districts are gone.
    if not known:
        return dg.SkipReason(f"{settings.data} 中没有阶段")
    if not register_when_safe(context.instance, known):
        return dg.SkipReason("阶段有增减，等正在进行的刷新结束后登记")
    return dg.SkipReason(f"已登记 {len(known)} 个阶段")


def deliveries_sensor(automation: Automation) -> dg.SensorDefinition:
    """The sensor `deliveries`; like the schedule, it starts with the daemon only if automation is on."""

    @dg.sensor(
        name="deliveries",
        job=SHARD_JOB if automation.shards > 1 else REFRESH_JOB,
        minimum_interval_seconds=SECONDS_BETWEEN_LOOKS,
        default_status=dg.DefaultSensorStatus.RUNNING if automation.is_on else dg.DefaultSensorStatus.STOPPED,
        description="新的或改动过的交付：文件在两次查看之间不再变化后，刷新所涉及的区县",
    )
    def deliveries(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        return _look(context, automation)

    return deliveries


def _look(context: dg.SensorEvaluationContext, automation: Automation) -> dg.SensorResult | dg.SkipReason:
    settings = Settings.from_environment()
    now = fingerprints(settings.data)
    if not now:
        return dg.SkipReason(f"{settings.data} 中没有区县")
    # Files that arrive during a run are all included in the next run.
    if is_under_way(context.instance):
        return dg.SkipReason("刷新正在进行")
    place = settings.warehouse.with_name("watched.json")
    before = Watched.recall(place, context.cursor)
    after, settled = before.look(now)
    if after == before:
        return dg.SkipReason("没有改动")
    mark = after.remember(place)
    if not settled:
        return dg.SensorResult(
            skip_reason=f"有改动，等文件不再变化：{shortened(sorted(after.pending))}", cursor=mark
        )
    districts = scan(settings.data).districts
    known = phase_ids(districts)
    if not known:
        return dg.SensorResult(skip_reason="有改动，但没有可评估的阶段", cursor=mark)
    register_when_safe(context.instance, known)
    touched = [d for d in districts if d.folder.name in settled]
    # A removed folder has no district to name: the run covers all districts, and the removed one leaves the publication.
    gone = settled - now.keys()
    scope = districts if gone or not touched else touched
    begun_phases = {p.id for d in scope for p in d.phases if p.starts <= settings.as_of}
    # Deliveries only for closed phases are registered too, by a run over the last of these phases, which computes nothing.
    chosen = open_phases(scope, settings) or set([p for p in known if p in begun_phases][-1:])
    if not chosen:
        return dg.SensorResult(skip_reason="有改动，但涉及的阶段都还没有开始", cursor=mark)
    codes = [] if scope is districts else sorted({d.code for d in scope})
    # There is no run key: the cursor remembers what was seen, and a repeated key would be dropped without a message.
    requests = [
        request
        for phases in contiguous(known, chosen)
        for request in refresh_requests(None, phases, automation, codes)
    ]
    return dg.SensorResult(run_requests=requests, cursor=mark)


# Not only for the job `refresh`: backfills and runs launched from the pages of the assets can fail as well.
@dg.run_failure_sensor(
    name="failure_notice",
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="刷新失败时通知：说明失败的步骤和原因（webhook、电子邮件）",
)
def failure_notice(context: dg.RunFailureSensorContext) -> None:
    """Tell of a failed run."""
    _tell(context)


# There is no notice of a run that somebody cancelled on purpose. But a refused run may be the run of the night.
@dg.run_status_sensor(
    run_status=dg.DagsterRunStatus.CANCELED,
    name="refusal_notice",
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="运行的要求不能成立（截止日期、区县或阶段不对）时通知；这样的运行以“已取消”结束，表保持原样",
)
def refusal_notice(context: dg.RunStatusSensorContext) -> dg.SkipReason | None:
    """Tell of a run that was refused."""
    if REFUSED not in context.dagster_run.tags:
        return dg.SkipReason("由人取消")
    _tell(context.for_run_failure())
    return None


def _tell(context: dg.RunFailureSensorContext) -> None:
    """Send the notice on the configured channels. A failing channel is logged and not tried again for this failure."""
    channels = Channels.from_environment()
    try:
        sent = send(notice_of(context), channels)
    except NotifyError as error:
        context.log.error(f"通知没有送达：{error}")
        return
    context.log.info(f"已通知：{'、'.join(sent) or '没有配置通知渠道'}")


def notice_of(context: dg.RunFailureSensorContext) -> str:
    """The notice of the failed run that `context` is about."""
    run = context.dagster_run
    events = [event for event in context.get_step_failure_events() if event.step_failure_data.error]
    failed = [Failed(e.step_key or "", cause_of(e.step_failure_data.error)) for e in events]
    if not failed:
        failed = [Failed("（运行）", reason) for reason in [_last_words(context)] if reason]
    steps = context.instance.get_run_step_stats(run.run_id, [PUBLICATION_STEP])
    published = any(s.status is not None and s.status.value == "SUCCESS" for s in steps)
    published = published or any(has_published(event.step_failure_data.error) for event in events)
    backfill = run.tags.get("dagster/backfill")
    started_by = (
        run.tags.get("dagster/schedule_name")
        or run.tags.get("dagster/sensor_name")
        or (f"回填 {backfill}" if backfill else "人工")
    )
    return failure_text(run.run_id, started_by, failed, published=published)


def _last_words(context: dg.RunFailureSensorContext) -> str:
    """Why a run without a failed step failed: the event before the failure says more ("terminated by signal 9")."""
    # the failure itself is often only "This run has been marked as failed from outside the execution context."
    records = context.instance.get_records_for_run(
        context.dagster_run.run_id, of_type={dg.DagsterEventType.ENGINE_EVENT}, limit=20, ascending=False
    ).records
    reasons = [context.failure_event.message or ""]
    for record in records:
        event = record.event_log_entry.dagster_event
        if event and (
            event.engine_event_data.error or re.search("exit|signal|memory|terminat", event.message or "")
        ):
            error = event.engine_event_data.error
            reasons.append(f"{event.message}{'：' + cause_of(error) if error else ''}")
            break
    return "；".join(dict.fromkeys(text for text in reasons if text))
