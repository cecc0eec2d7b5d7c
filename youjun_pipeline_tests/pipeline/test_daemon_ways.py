"""The daemon and the webserver used as by an operator, over GraphQL: red checks stay red, every way to start runs is guarded.

It takes minutes; `make test-daemon` runs it. The tests share one house and depend on each other, in order.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from youjun_pipeline.orchestration.abandoned import PROCESS
from youjun_pipeline.warehouse.connection import WarehouseBusyError, connect
from youjun_pipeline_tests.conftest import CHECKOUT
from youjun_pipeline_tests.generate import PLAIN, Phase, write_delivery, write_district
from youjun_pipeline_tests.pipeline.runs import NORTH, SOUTH, made
from youjun_pipeline_tests.pipeline.test_daemon import query, wait_for, webhook

pytestmark = pytest.mark.daemon
PHASES = tuple(Phase(f"p{n}", f"阶段{n}", date(2019 + n, 1, 1), date(2019 + n, 12, 31)) for n in (1, 2, 3))
EAST = "110103"
GATE = dg.AssetCheckKey(dg.AssetKey(["publication", "youjun"]), "districts_pass_the_gate")
REPOSITORY = {"repositoryLocationName": "youjun_pipeline", "repositoryName": "__repository__"}
LAUNCH = """mutation($p: ExecutionParams!) { launchPipelineExecution(executionParams: $p) {
    __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
    ... on RunConfigValidationInvalid { errors { message } } } }"""
BACKFILL = """mutation($p: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $p) {
    __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""
RESET = """mutation($s: SensorSelector!) { setSensorCursor(sensorSelector: $s) { __typename } }"""


@dataclass
class House:
    """A data folder, Dagster's home beside it, and the two processes of a service, started and killed at will."""

    folder: Path
    instance: dg.DagsterInstance
    address: str
    told: list[str]
    port: int
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def published(self) -> Path:
        return self.data / "published" / "youjun.duckdb"

    @property
    def log(self) -> Path:
        return self.folder / "service.log"

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {
            "DAGSTER_HOME": str(self.folder / "home"),
            "YOUJUN_DATA": str(self.data),
            "YOUJUN_NOTIFY_WEBHOOK": self.address,
        }

    def start(self) -> None:
        workspace = ["-w", str(CHECKOUT / "workspace.yaml")]
        for arguments in (
            ["-m", "dagster._daemon", "run", *workspace],
            ["-m", "dagster_webserver", "-p", str(self.port), "-h", "127.0.0.1", *workspace],
        ):
            with self.log.open("ab") as out:
                self.processes.append(
                    subprocess.Popen(
                        [sys.executable, *arguments],
                        cwd=CHECKOUT,
                        env=self.environment,
                        stdout=out,
                        stderr=subprocess.STDOUT,
                        start_new_session=True,
                    )
                )
        self.wait("the webserver", lambda: self.ask("{ version }", {}, quiet=True))

    def kill(self, *numbers: signal.Signals) -> None:
        """End the process groups of everything that was started, including runs."""
        for number in numbers:
            for process in self.processes:
                try:
                    os.killpg(process.pid, number)
                except ProcessLookupError:
                    continue
            time.sleep(3)
        for process in self.processes:
            process.wait(30)
        self.processes.clear()

    def ask(self, text: str, variables: dict[str, Any], *, quiet: bool = False) -> dict[str, Any]:
        """The answer of GraphQL."""
        body = json.dumps({"query": text, "variables": variables}).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/graphql", body, {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=300) as response:
                answer = json.loads(response.read())
        except OSError:
            if quiet:
                return {}
            raise
        assert "errors" not in answer, answer
        found: dict[str, Any] = answer["data"]
        return found

    def wait(self, what: str, there: Callable[[], Any]) -> Any:
        return wait_for(what, there, self.log)

    def launch(
        self, job: str = "refresh", config: dict[str, Any] | None = None, phases: str = "p1..p3"
    ) -> str:
        """Start a run as the launchpad or the page of the assets does; returns its id."""
        first, last = phases.split("..")
        selector: dict[str, Any] = REPOSITORY | {"pipelineName": job}
        if job != "refresh":
            keys = self.ask("{ assetNodes { assetKey { path } isExecutable } }", {})["assetNodes"]
            selector["assetSelection"] = [{"path": k["assetKey"]["path"]} for k in keys if k["isExecutable"]]
        tags = {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}
        parameters = {
            "selector": selector,
            "runConfigData": {"resources": {"refresh": {"config": config or {}}}},
            "mode": "default",
            "executionMetadata": {"tags": [{"key": k, "value": v} for k, v in tags.items()]},
        }
        answer = self.ask(LAUNCH, {"p": parameters})["launchPipelineExecution"]
        assert answer["__typename"] == "LaunchRunSuccess", answer
        return str(answer["run"]["runId"])

    def status(self, run_id: str) -> str:
        run = self.instance.get_run_by_id(run_id)
        return run.status.value if run else ""

    def ended(self, run_id: str) -> str:
        """The final status of a run; waits for its end."""
        return str(
            self.wait(f"the end of {run_id}", lambda: self.status(run_id) in ENDS and self.status(run_id))
        )

    def check(self, key: dg.AssetCheckKey) -> str:
        """The state of a check as shown in the UI."""
        [record] = self.instance.event_log_storage.get_latest_asset_check_execution_by_key([key]).values()
        return record.status.value

    def failed_partitions(self) -> int:
        """How many partitions of all assets are shown as failed in the UI."""
        asked = self.ask("{ assetNodes { partitionStats { numFailed } } }", {})["assetNodes"]
        return sum(node["partitionStats"]["numFailed"] for node in asked if node["partitionStats"])


ENDS = ("SUCCESS", "FAILURE", "CANCELED")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("ways")
    (folder / "data").mkdir()
    (folder / "home").mkdir()
    shutil.copy(CHECKOUT / "dagster.yaml", folder / "home")
    add(folder / "data", NORTH, "north")
    add(folder / "data", SOUTH, "south")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with ExitStack() as stack:
        address, told = stack.enter_context(webhook())
        instance = stack.enter_context(dg.DagsterInstance.from_config(str(folder / "home")))
        found = House(folder, instance, address, told, port)
        try:
            found.start()
            found.wait("the phases", lambda: instance.get_dynamic_partitions("phase"))
            yield found
        finally:
            found.kill(signal.SIGTERM, signal.SIGKILL)


def add(data: Path, code: str, slug: str, phases: tuple[Phase, ...] = PHASES) -> None:
    district = made(int(code[-1]), code)
    write_district(
        data, district.tables, district.settings, phases, style=PLAIN, code=code, slug=slug, name=slug,
        delivered_on="2020-06-30",
    )  # fmt: skip


def test_a_bad_file_stays_red_for_three_runs_and_heals(house: House) -> None:
    assert house.ended(house.launch("__ASSET_JOB")) == "SUCCESS"
    assert house.check(GATE) == "SUCCEEDED"
    before = query(house.published, "select * exclude (run_id) from mart.school_verdict order by all")
    path = next((house.data / f"{NORTH}-north" / "deliveries").glob("*/facilities.*"))
    whole = path.read_bytes()
    path.write_bytes(b"no workbook")
    contract = dg.AssetCheckKey(dg.AssetKey(["raw", "facilities"]), "contract")
    for _ in range(3):
        assert house.ended(house.launch()) == "SUCCESS"
        assert (house.check(GATE), house.check(contract)) == ("FAILED", "FAILED")
        assert (
            query(house.published, "select * exclude (run_id) from mart.school_verdict order by all")
            == before
        )
    path.write_bytes(whole)
    assert house.ended(house.launch()) == "SUCCESS"
    assert (house.check(GATE), house.check(contract)) == ("SUCCEEDED", "SUCCEEDED")
    house.wait("the notice of the district held back", lambda: [t for t in house.told if "未更新" in t])
    assert len([t for t in house.told if "未更新" in t]) == 1


def test_phases_do_not_move_under_a_backfill(house: House) -> None:
    keys = house.ask("{ assetNodes { assetKey { path } isPartitioned isExecutable } }", {})["assetNodes"]
    parameters = {
        "partitionNames": ["p1", "p3"],
        "assetSelection": [
            {"path": k["assetKey"]["path"]} for k in keys if k["isPartitioned"] and k["isExecutable"]
        ],
        "fromFailure": False,
    }
    answer = house.ask(BACKFILL, {"p": parameters})["launchPartitionBackfill"]
    assert answer["__typename"] == "LaunchBackfillSuccess", answer
    earlier = Phase("p0", "更早", date(2019, 1, 1), date(2020, 7, 31))
    add(house.data, EAST, "east", (earlier,))
    shutil.move(house.data / f"{SOUTH}-south", house.folder / "away")
    runs = dg.RunsFilter(tags={"dagster/backfill": answer["backfillId"]})

    def both() -> list[str]:
        # until both are over nothing is registered anew: a range would be another one
        found = [run.status.value for run in house.instance.get_runs(runs)]
        if not (len(found) == 2 and set(found) <= set(ENDS)):
            assert house.instance.get_dynamic_partitions("phase") == ["p1", "p2", "p3"]
            return []
        return found

    assert house.wait("two runs", both) == ["SUCCESS", "SUCCESS"]
    house.wait("p0", lambda: house.instance.get_dynamic_partitions("phase") == ["p0", "p1", "p2", "p3"])
    assert house.ended(house.launch(phases="p0..p3")) == "SUCCESS"
    found = query(house.published, "select distinct district_code from mart.evaluation order by 1")
    assert found == [(NORTH,), (EAST,)]
    shutil.move(house.folder / "away", house.data / f"{SOUTH}-south")


def test_a_delivery_after_a_reset_cursor_is_taken(house: House) -> None:
    selector = REPOSITORY | {"sensorName": "deliveries"}
    started = house.ask(
        "mutation($s: SensorSelector!) { startSensor(sensorSelector: $s) { __typename } }", {"s": selector}
    )
    assert started["startSensor"]["__typename"] == "Sensor"

    def sensed() -> int:
        runs = house.instance.get_runs(dg.RunsFilter(tags={"dagster/sensor_name": "deliveries"}))
        return len([run for run in runs if run.status.value == "SUCCESS"])

    house.wait("a first refresh by the sensor", sensed)
    before = sensed()
    house.ask(RESET, {"s": selector})
    write_delivery(house.data / f"{NORTH}-north", "2021-03-31", made(1, NORTH).tables, style=PLAIN)
    house.wait("a refresh after the reset", lambda: sensed() > before)
    there = "select count(*) from ops.source_file where delivery = '2021-03-31'"
    house.wait("the delivery", lambda: query(house.published, there) != [(0,)])
    house.ask(
        "mutation($i: String!) { stopSensor(id: $i) { __typename } }",
        {"i": house.ask("query($s: SensorSelector!) { sensorOrError(sensorSelector: $s) { ... on Sensor { id } } }",
                        {"s": selector})["sensorOrError"]["id"]},
    )  # fmt: skip
    house.wait("quiet", lambda: not house.instance.get_runs(dg.RunsFilter(statuses=UNFINISHED)))


UNFINISHED = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]


def told_of(house: House, run_id: str) -> list[str]:
    house.wait(f"the notice of {run_id}", lambda: [t for t in house.told if run_id in t])
    return [t for t in house.told if run_id in t]


def test_a_date_in_the_future_is_refused_and_one_command_leads_back(house: House) -> None:
    refused = house.launch(config={"as_of": "2090-01-01"}, phases="p0..p3")
    assert house.ended(refused) == "CANCELED"
    assert house.failed_partitions() == 0
    [text] = told_of(house, refused)
    assert "截止日期 2090-01-01 在今天" in text and "上一次发布保持不变" in text
    meant = house.launch(config={"as_of": "2090-01-01", "allow_future": True}, phases="p0..p3")
    assert house.ended(meant) == "SUCCESS"
    night = house.launch(phases="p0..p3")
    assert house.ended(night) == "CANCELED"
    assert house.failed_partitions() == 0
    [text] = told_of(house, night)
    assert "截止日期不能倒退" in text and "youjun rollback" in text
    back = subprocess.run(
        [sys.executable, "-m", "youjun_pipeline.cli", "rollback"],
        env=house.environment,
        cwd=CHECKOUT,
        check=True,
    )
    assert back.returncode == 0
    assert house.ended(house.launch(phases="p0..p3")) == "SUCCESS"


def test_after_a_power_cut_the_queue_goes_on(
    house: House, record_testsuite_property: Callable[[str, object], None]
) -> None:
    """The time it takes is recorded in the report (--junitxml): two minutes on an otherwise idle machine."""
    newest = "select run_id from ops.publication order by published_at desc limit 1"

    def process() -> int:
        run = house.instance.get_run_by_id(cut)
        is_at_work = run is not None and run.status.value == "STARTED" and PROCESS in run.tags
        return int(run.tags[PROCESS].split("/")[2]) if run and is_at_work else 0

    def opened() -> Any:
        with suppress(WarehouseBusyError):
            return stack.enter_context(connect(house.data / ".work" / "warehouse.duckdb"))

    write_delivery(house.data / f"{NORTH}-north", "2021-06-30", made(1, NORTH).tables, style=PLAIN)
    with ExitStack() as stack:
        # The run waits for the working database, so that it is not over before another has been launched.
        house.wait("the working database", opened)
        cut = house.launch("__ASSET_JOB", phases="p0..p3")
        at_work = house.wait("a run at work", process)
        queued = house.launch(phases="p0..p3")
        before = query(house.published, newest)
        house.kill(signal.SIGKILL)
        with suppress(ProcessLookupError):
            # the process of a run has a session of its own
            os.kill(at_work, signal.SIGKILL)
    assert house.status(cut) == "STARTED"
    began = time.monotonic()
    house.start()
    assert house.ended(cut) == "FAILURE"
    assert house.ended(queued) == "SUCCESS"
    record_testsuite_property("seconds_to_the_end_of_the_next_run", time.monotonic() - began)
    [text] = told_of(house, cut)
    assert "运行的进程已不在" in text
    assert query(house.published, newest) != before
