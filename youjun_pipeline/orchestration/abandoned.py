"""Runs that seem to be under way but are not: their process was killed, or the machine lost its power.

Dagster keeps such a run as started, and with one run at a time the queue waits for it. Belongs here: recording the process of a
run, and failing the run when that process is gone. Keep out: the notice (the failure sensor sends it).
"""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

import dagster as dg

from youjun_pipeline.orchestration.open_phases import SHARD_TAG, is_refresh
from youjun_pipeline.settings import Settings
from youjun_pipeline.warehouse.connection import WarehouseBusyError, connect

PROCESS = "youjun/process"
# A run needs some seconds from its start until its process is recorded.
SECONDS_TO_NOTE = 120
STARTED = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
REASON = "运行的进程已不在（被杀、内存不足或机器断电）；发布库没有改动或已整份替换，请等下一次刷新或重新运行"


def note_process(instance: dg.DagsterInstance, run_id: str) -> None:
    """Tag a run with its process."""
    if instance.is_ephemeral:
        return
    instance.add_run_tags(run_id, {PROCESS: f"{_machine()}/{os.getpid()}/{_started(os.getpid())}"})


def _machine() -> str:
    """This machine since its last start; a container has its own host name."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()[:8]
    except OSError:
        boot = ""
    return f"{socket.gethostname()}/{boot}"


def _started(process: int) -> str:
    """When a process started, in ticks since the machine's start, because process numbers are reused. Empty if it is gone."""
    try:
        text = Path(f"/proc/{process}/stat").read_text("utf-8", "replace")
    except OSError:
        return ""
    # the name of the program may contain anything; it ends at the last bracket
    fields = text[text.rindex(")") + 2 :].split()
    return "" if fields[0] in ("Z", "X") else fields[19]


def _is_gone(run: dg.DagsterRun, age_seconds: float) -> bool:
    """Whether no process works on a run any more."""
    host, boot, process, started = (run.tags.get(PROCESS, "").split("/") + [""] * 4)[:4]
    if f"{host}/{boot}" == _machine() and Path("/proc").is_dir():
        return _started(int(process)) != started
    if SHARD_TAG in run.tags:
        # on another machine: Dagster's run monitoring asks the launcher, and the working database is not here
        return False
    # Recorded by another machine, or before its last start, or not at all: then the lock of the working database decides.
    return age_seconds > SECONDS_TO_NOTE and not _is_held()


def _is_held() -> bool:
    path = Settings.from_environment().warehouse
    if not path.exists():
        return False
    try:
        with connect(path):
            return False
    except WarehouseBusyError:
        return True


@dg.sensor(
    name="abandoned_runs",
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="进程已不在的运行判为失败，使排队的运行继续（断电、被杀之后）",
)
def abandoned_runs(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """Fail every run that nothing works at any more."""
    ended = []
    for record in context.instance.get_run_records(dg.RunsFilter(statuses=STARTED)):
        run = record.dagster_run
        since = record.start_time or record.create_timestamp.timestamp()
        if is_refresh(run.job_name) and _is_gone(run, time.time() - since):
            if run.status is dg.DagsterRunStatus.CANCELING:
                context.instance.report_run_canceled(run, REASON)
            else:
                context.instance.report_run_failed(run, REASON)
            ended.append(run.run_id)
    return dg.SkipReason(f"已判为失败：{'、'.join(ended)}" if ended else "没有进程已不在的运行")
