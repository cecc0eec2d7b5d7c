"""The automation with Dagster's own daemon: a night that fails, a night that recovers, a new delivery.

It takes minutes, because cron's shortest interval is a minute; `make test-daemon` runs it.
"""

from __future__ import annotations

import http.server
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

from youjun_pipeline_tests.conftest import CHECKOUT
from youjun_pipeline_tests.generate import PLAIN, Phase, generate_district, write_delivery, write_district

pytestmark = pytest.mark.daemon
# Whatever the machine has to do besides; each wait ends as soon as what it waits for is there.
PATIENCE = 300
PHASE = Phase("p1", "一", date(2023, 1, 1), date(2024, 12, 31))


@contextmanager
def webhook() -> Iterator[tuple[str, list[str]]]:
    """A chat robot on this machine, and the messages that it received."""
    told: list[str] = []

    class Hook(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told.append(json.loads(body)["text"]["content"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/", told
        finally:
            server.shutdown()


@contextmanager
def daemon(environment: dict[str, str], log: Path) -> Iterator[None]:
    """`dagster-daemon run` on the checkout's workspace; everything that it started is ended afterwards."""
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "dagster._daemon", "run", "-w", str(CHECKOUT / "workspace.yaml")],
            cwd=CHECKOUT,
            env=os.environ | environment,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield
    finally:
        # its own process group: the daemon, the code server it started, and their runs
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(process.pid, number)
            except ProcessLookupError:
                break
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                continue
            time.sleep(2)


def wait_for(what: str, there: Callable[[], Any], log: Path) -> Any:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if found := there():
            return found
        time.sleep(1)
    pytest.fail(f"{what}: not within {PATIENCE} s\n" + log.read_text("utf-8", "replace")[-4000:])


def test_a_failing_and_a_recovering_night_and_a_delivery(tmp_path: Path) -> None:
    data, home, log = tmp_path / "data", tmp_path / "home", tmp_path / "daemon.log"
    data.mkdir()
    home.mkdir()
    shutil.copy(CHECKOUT / "dagster.yaml", home)
    made = generate_district(1, n_schools=10, profile="passing")
    district = write_district(data, made.tables, made.settings, (PHASE,), style=PLAIN)
    # A file where the folder of the working database should be: nothing that passes by itself.
    (data / ".work").touch()
    published = data / "published" / "youjun.duckdb"

    with dg.DagsterInstance.from_config(str(home)) as instance, webhook() as (address, told):
        environment = {
            "DAGSTER_HOME": str(home),
            "YOUJUN_DATA": str(data),
            "YOUJUN_AS_OF": "2024-06-30",
            "YOUJUN_AUTOMATION": "on",
            "YOUJUN_NOTIFY_WEBHOOK": address,
        }

        def finished(status: dg.DagsterRunStatus, by: str) -> list[dg.DagsterRun]:
            return list(instance.get_runs(dg.RunsFilter(statuses=[status], tags={by: _ANY[by]})))

        with daemon(environment | {"YOUJUN_NIGHTLY_CRON": "* * * * *"}, log):
            wait_for("a failed night", lambda: finished(dg.DagsterRunStatus.FAILURE, NIGHT), log)
            # The sensor looks meanwhile as well, and what it starts may fail first.
            notice = wait_for("its notice", lambda: [text for text in told if "nightly" in text], log)[0]
            assert "优均：刷新失败" in notice
            assert "步骤 deliveries：" in notice and ".work" in notice and "上一次发布保持不变" in notice
            assert not published.exists()
            (data / ".work").unlink()
            wait_for("a night that went well", lambda: finished(dg.DagsterRunStatus.SUCCESS, NIGHT), log)
        assert query(published, "select district_code, phase_id from mart.evaluation") == [("120114", "p1")]
        assert instance.get_dynamic_partitions("phase") == ["p1"]

        # A run that the end of the daemon cut off would hold the queue for as long as run monitoring waits.
        for run in instance.get_runs(dg.RunsFilter(statuses=_UNFINISHED)):
            instance.report_run_failed(run, "the test ended the daemon")
        before = len(finished(dg.DagsterRunStatus.SUCCESS, SENSED))
        write_delivery(district, "2024-03-31", made.tables, style=PLAIN)
        with daemon(environment, log):
            wait_for(
                "a refresh of the delivery",
                lambda: len(finished(dg.DagsterRunStatus.SUCCESS, SENSED)) > before,
                log,
            )
        deliveries = query(published, "select distinct delivery::varchar from ops.source_file order by 1")
        assert deliveries == [("2023-08-31",), ("2024-03-31",)]


NIGHT, SENSED = "dagster/schedule_name", "dagster/sensor_name"
_ANY = {NIGHT: "nightly", SENSED: "deliveries"}
_UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]


def query(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(path), read_only=True) as con:
        return con.execute(sql).fetchall()
