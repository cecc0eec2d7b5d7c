"""The schedule and the sensors, called as the daemon calls them, without a daemon."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill

from youjun_pipeline.orchestration import abandoned
from youjun_pipeline.orchestration.abandoned import abandoned_runs
from youjun_pipeline.orchestration.code_location import _with_freshness
from youjun_pipeline.orchestration.open_phases import contiguous, is_under_way, register_when_safe
from youjun_pipeline.orchestration.partitions import RANGE_END, RANGE_START, register_phases
from youjun_pipeline.orchestration.published import ASSETS
from youjun_pipeline.orchestration.schedules import nightly_schedule
from youjun_pipeline.orchestration.sensors import deliveries_sensor, phases_sensor
from youjun_pipeline.settings import SHANGHAI, Automation
from youjun_pipeline.warehouse.closing import close_phase
from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline.warehouse.publication import publish
from youjun_pipeline_tests.generate import PLAIN, Phase, generate_district, write_delivery, write_district
from youjun_pipeline_tests.steps import places, refresh

AS_OF = date(2025, 1, 1)
PHASES = (
    Phase("p1", "一", date(2023, 1, 1), date(2023, 9, 30)),
    Phase("p2", "二", date(2023, 10, 1), date(2024, 3, 31)),
    Phase("p3", "三", date(2024, 4, 1), date(2024, 12, 31)),
    Phase("p4", "四", date(2025, 6, 1), date(2025, 12, 31)),
)
MADE = generate_district(1, n_schools=10, profile="passing")


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    write_district(folder, MADE.tables, MADE.settings, PHASES, style=PLAIN)
    monkeypatch.setenv("YOUJUN_DATA", str(folder))
    monkeypatch.setenv("YOUJUN_AS_OF", AS_OF.isoformat())
    return folder


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as made:
        yield made


def night(instance: dg.DagsterInstance) -> list[Any]:
    at = datetime(2025, 1, 1, 2, 0, tzinfo=SHANGHAI)
    context = dg.build_schedule_context(instance, at)
    requests: Any = nightly_schedule(Automation())(context)
    return list(requests)


def ranges(requests: list[Any]) -> list[tuple[str, str]]:
    return [(r.tags[RANGE_START], r.tags[RANGE_END]) for r in requests]


def close(data: Path, phase: str) -> None:
    settings = places(data, AS_OF)
    with connect(settings.warehouse) as con:
        close_phase(con, "120114", phase)
        publish(con, settings.published, f"close-{phase}", AS_OF)


def test_neighbours_go_together_earliest_first() -> None:
    assert contiguous(list("abcdef"), {"f", "b", "a", "d"}) == [["a", "b"], ["d"], ["f"]]
    assert contiguous(list("abc"), set()) == []


@pytest.mark.long
def test_a_night_takes_what_has_begun_and_leaves_out_what_is_closed(
    data: Path, instance: dg.DagsterInstance
) -> None:
    first = night(instance)
    assert ranges(first) == [("p1", "p3")], "p4 has not begun"
    assert instance.get_dynamic_partitions("phase") == ["p1", "p2", "p3", "p4"]
    refresh(places(data, AS_OF))
    close(data, "p2")
    second = night(instance)
    assert ranges(second) == [("p1", "p1"), ("p3", "p3")]
    assert len({r.run_key for r in second}) == 2
    for phase in ("p1", "p3"):
        close(data, phase)
    [skipped] = night(instance)
    assert isinstance(skipped, dg.SkipReason)


def test_the_schedule_runs_by_itself_only_where_automation_is_on() -> None:
    off, on = nightly_schedule(Automation()), nightly_schedule(Automation(is_on=True))
    assert (off.cron_schedule, off.execution_timezone) == ("0 2 * * *", "Asia/Shanghai")
    assert (off.default_status.value, on.default_status.value) == ("STOPPED", "RUNNING")
    assert deliveries_sensor(Automation(is_on=True)).default_status.value == "RUNNING"
    assert deliveries_sensor(Automation()).default_status.value == "STOPPED"


def looks(instance: dg.DagsterInstance, cursor: str | None, times: int) -> tuple[list[Any], str | None]:
    """The requests of the last of several calls, and the cursor after it."""
    result: Any = None
    for _ in range(times):
        context = dg.build_sensor_context(instance=instance, cursor=cursor)
        result = deliveries_sensor(Automation())(context)
        cursor = result.cursor if isinstance(result, dg.SensorResult) else cursor
    return list(getattr(result, "run_requests", None) or []), cursor


def test_a_delivery_refreshes_its_district_once_it_holds_still(
    data: Path, instance: dg.DagsterInstance
) -> None:
    write_district(data, MADE.tables, MADE.settings, PHASES[2:], style=PLAIN, code="120115", slug="b")
    first, cursor = looks(instance, None, 2)
    assert ranges(first) == [("p1", "p3")]
    assert looks(instance, cursor, 1) == ([], cursor)
    assert len(cursor or "") < 20, "it is stored with every look"
    write_delivery(data / "120115-b", "2024-06-30", MADE.tables, style=PLAIN)
    none, cursor = looks(instance, cursor, 1)
    assert none == []
    [request], cursor = looks(instance, cursor, 1)
    assert ranges([request]) == [("p3", "p3")]
    assert request.run_config["resources"]["refresh"]["config"]["districts"] == ["120115"]
    assert request.run_key is None and first[0].run_key is None, "a key that came again would be dropped"


def test_the_sensor_waits_for_a_refresh_under_way_and_for_a_disk_that_is_gone(
    data: Path, instance: dg.DagsterInstance
) -> None:
    _, cursor = looks(instance, None, 1)
    instance.add_run(dg.DagsterRun(job_name="refresh", status=dg.DagsterRunStatus.STARTED))
    assert looks(instance, cursor, 3) == ([], cursor)
    data.joinpath("120114-test").rename(data.parent / "elsewhere")
    assert looks(instance, cursor, 3) == ([], cursor)


def test_a_cursor_that_was_reset_sees_everything_anew(data: Path, instance: dg.DagsterInstance) -> None:
    first, cursor = looks(instance, None, 2)
    assert looks(instance, cursor, 3) == ([], cursor)
    again, other = looks(instance, None, 2)
    assert ranges(again) == ranges(first) == [("p1", "p3")]
    assert other != cursor
    # a crash between the note on disk and the cursor must lose nothing either
    assert ranges(looks(instance, cursor, 2)[0]) == [("p1", "p3")]


@pytest.mark.parametrize("job", ["refresh", "__ASSET_JOB", "backfill"])
def test_nothing_is_started_or_reordered_under_any_run_that_writes(
    data: Path, instance: dg.DagsterInstance, job: str
) -> None:
    register_phases(instance, ["p0", "p1", "p2", "p3"])
    if job == "backfill":
        instance.add_backfill(
            PartitionBackfill("b", BulkActionStatus.REQUESTED, False, {}, 0.0, asset_selection=[])
        )
    else:
        instance.add_run(dg.DagsterRun(job_name=job, status=dg.DagsterRunStatus.STARTING))
    assert is_under_way(instance)
    context = dg.build_sensor_context(instance=instance)
    assert str(deliveries_sensor(Automation())(context)) == str(dg.SkipReason("刷新正在进行"))
    phases_sensor(dg.build_sensor_context(instance=instance))
    assert instance.get_dynamic_partitions("phase") == ["p0", "p1", "p2", "p3"]
    [skipped] = night(instance)
    assert "上一次刷新还没有结束" in skipped.skip_message


def test_a_run_whose_process_is_gone_is_failed_and_one_at_work_is_not(
    data: Path, instance: dg.DagsterInstance
) -> None:
    ours, gone, unnoted, other = (
        instance.add_run(dg.DagsterRun(job_name=job, status=dg.DagsterRunStatus.STARTED))
        for job in ("refresh", "__ASSET_JOB", "refresh", "somebody_elses")
    )
    abandoned.note_process(instance, ours.run_id)
    child = subprocess.Popen([sys.executable, "-c", ""])
    instance.add_run_tags(gone.run_id, {abandoned.PROCESS: f"{abandoned._machine()}/{child.pid}/12345"})
    child.wait()
    abandoned_runs(dg.build_sensor_context(instance=instance))

    def status(run: dg.DagsterRun) -> str:
        found = instance.get_run_by_id(run.run_id)
        return found.status.value if found else ""

    assert [status(run) for run in (ours, gone, unnoted, other)] == [
        "STARTED",
        "FAILURE",
        "STARTED",
        "STARTED",
    ]
    # not noted, or by another machine: once it has had time to begin, the lock of the working database tells
    for held, seconds, wanted in ((True, 1000, False), (False, 1, False), (False, 1000, True)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(abandoned, "_is_held", lambda held=held: held)
            assert abandoned._is_gone(unnoted, seconds) == wanted


def test_phases_are_registered_for_the_ui_and_not_reordered_under_a_run(
    data: Path, instance: dg.DagsterInstance
) -> None:
    phases_sensor(dg.build_sensor_context(instance=instance))
    assert instance.get_dynamic_partitions("phase") == ["p1", "p2", "p3", "p4"]
    instance.add_run(dg.DagsterRun(job_name="refresh", status=dg.DagsterRunStatus.STARTED))
    assert not register_when_safe(instance, ["p0", "p1", "p2", "p3", "p4"])
    assert instance.get_dynamic_partitions("phase") == ["p1", "p2", "p3", "p4"]
    assert register_when_safe(instance, ["p1", "p2", "p3", "p4", "p5"]), "at the end it disturbs nobody"


def test_the_publication_has_a_freshness_policy() -> None:
    specs = {
        s.key.to_user_string(): s
        for a in dg.map_asset_specs(_with_freshness, ASSETS)
        for s in getattr(a, "specs", [a])
    }
    assert [key for key, spec in specs.items() if spec.freshness_policy] == ["publication/youjun"]


@pytest.mark.parametrize(("as_of", "stale_days", "passed"), [
    (date(2024, 1, 1), 200, True),
    (date(2024, 3, 31), 200, False),
    (date(2025, 1, 1), 213, True),   # p2 ended on 2024-03-31, 213 days after the delivery
    (date(2025, 1, 1), 212, False),
])  # fmt: skip
def test_a_district_that_has_delivered_nothing_for_long_is_told(
    data: Path, as_of: date, stale_days: int, passed: bool
) -> None:
    from youjun_pipeline.warehouse.checks import _check_sql, load_checks
    from youjun_pipeline.warehouse.run import RunScope, begin_run
    from youjun_pipeline_tests.steps import read_all, working

    [check] = [c for c in load_checks() if c.name == "deliveries_are_recent"]
    settings = places(data, as_of)
    with working(settings) as con:
        read_all(con, settings)
        begin_run(con, RunScope("r", ("p2",), as_of, None, stale_days))
        [(found, severity, message)] = con.execute(
            f"select passed, severity, message from ({_check_sql(check)}) where phase_id = 'p2'"
        ).fetchall()
    assert (found, severity) == (passed, "warning")
    assert passed or "最近一次交付是 2023-08-31" in message


def test_only_a_busy_database_is_tried_again(
    data: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    from youjun_pipeline.orchestration import refresh as module
    from youjun_pipeline.warehouse.connection import WarehouseBusyError

    def attempts(error: Exception, retries: int) -> list[str]:
        def refuse(*args: Any, **kwargs: Any) -> Any:
            raise error

        monkeypatch.setattr(module, "open_session", refuse)
        monkeypatch.setattr(module, "SECONDS_BETWEEN_TRIES", 0)
        register_phases(instance, ["p1"])
        result = dg.materialize(
            [a for a in ASSETS if getattr(a, "node_def", None) and a.node_def.name == "deliveries"],
            instance=instance,
            resources={"refresh": module.Refresh(busy_retries=retries)},
            raise_on_error=False,
        )
        assert not result.success
        kinds = [e.event_type_value for e in result.all_events if e.step_key]
        return [k for k in kinds if k in ("STEP_UP_FOR_RETRY", "STEP_FAILURE")]

    assert attempts(WarehouseBusyError("被占用"), 2) == ["STEP_UP_FOR_RETRY"] * 2 + ["STEP_FAILURE"]
    assert attempts(WarehouseBusyError("被占用"), 0) == ["STEP_FAILURE"]
    assert attempts(OSError("disk full"), 2) == ["STEP_FAILURE"]
    register_phases(instance, ["p1"])
