"""Faults of the machine during a run: a second run at the same time, a full disk, a folder that cannot be written.

Each leaves the publication as it was and gives a remedy; the next run is not affected. Keep out: kills
(`test_faults`).
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from youjun_pipeline.orchestration import refresh as refresh_module
from youjun_pipeline.orchestration.code_location import build_definitions
from youjun_pipeline.orchestration.execute import RefreshFailedError
from youjun_pipeline.orchestration.instance import instance_for
from youjun_pipeline.orchestration.partitions import range_tags
from youjun_pipeline.warehouse import publication as publication_module
from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline_tests.conftest import CHECKOUT
from youjun_pipeline_tests.faults.kills import Shot, start
from youjun_pipeline_tests.pipeline.runs import FIRST, Place, two_districts
from youjun_pipeline_tests.pipeline.test_gate import published_bytes
from youjun_pipeline_tests.steps import places, refresh

pytestmark = pytest.mark.long

PATIENCE = 120
STANDS = "刷新失败，上一次发布保持不变：\n"


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Two districts, published once."""
    place = two_districts(tmp_path_factory.mktemp("process"), (FIRST,))
    refresh(places(place.data, FIRST.ends), "run-1")
    return place


def command(
    place: Place, *before: str, limit: Callable[[], None] | None = None
) -> subprocess.CompletedProcess[str]:
    """`youjun run --no-reports` in a process of its own, started by the command `before` or under a limit."""
    return subprocess.run(
        [*before, sys.executable, "-m", "youjun_pipeline.cli", "run", "--no-reports"],
        env=os.environ | {"PYTHONPATH": str(CHECKOUT)} | place.environment,
        preexec_fn=limit,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )


def test_of_two_refreshes_at_once_the_second_is_refused_and_the_first_completes(
    standing: Place, tmp_path: Path
) -> None:
    first = start(standing, Shot(reports=False), tmp_path / "steps")
    deadline = time.monotonic() + PATIENCE
    while "计算" not in (standing.data / "said").read_text("utf-8") and time.monotonic() < deadline:
        time.sleep(0.02)
    # so that it is still at work when the second one comes, on whatever machine
    os.killpg(first.pid, signal.SIGSTOP)
    before = published_bytes(standing)
    with pytest.raises(RefreshFailedError) as raised:
        standing.run()
    assert f"工作库正被另一个刷新占用（进程 {first.pid}），请等它结束后再试" in str(raised.value)
    assert published_bytes(standing) == before
    os.killpg(first.pid, signal.SIGCONT)
    assert first.wait(PATIENCE) == 0, (standing.data / "said").read_text("utf-8")
    assert len(standing.rows("select * from ops.publication")) == 2


def forget_what_stands(place: Place) -> None:
    """Let the next run make everything again, so that its id is in its publication."""
    with connect(place.warehouse) as con:
        con.execute("delete from raw.standing")


def test_refresh_of_the_daemon_waits_for_the_process_that_holds_the_working_database(
    standing: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refresh_module, "SECONDS_BETWEEN_TRIES", 1)
    forget_what_stands(standing)
    script = f"import duckdb, time; con = duckdb.connect({str(standing.warehouse)!r}); print(flush=True); time.sleep(3)"
    config = {
        "resources": {"refresh": {"config": {"busy_retries": 60, "as_of": standing.as_of}}},
        "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
    }
    with standing.settings(), instance_for([FIRST.id]) as instance:
        job = build_definitions().resolve_job_def("refresh")
        keys = [key for key in job.asset_layer.executable_asset_keys if key.path[0] != "reports"]
        with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as holder:
            assert holder.stdout and holder.stdout.readline() == b"\n"
            result = job.execute_in_process(
                instance=instance, asset_selection=keys, tags=range_tags([FIRST.id]), run_config=config
            )
    assert result.success
    tried = [event.step_key for event in result.all_events if event.event_type_value == "STEP_UP_FOR_RETRY"]
    assert set(tried) == {"deliveries"}
    assert standing.rows("select distinct run_id from mart.evaluation") == [(result.run_id,)]


def test_disk_full_while_the_publication_is_built(standing: Place) -> None:
    before, largest = published_bytes(standing), standing.published.stat().st_size // 2
    # half a publication is more than the write-ahead log of the run needs, so it is the new file that cannot be written
    failed = command(standing, limit=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest)))
    assert failed.returncode == 1 and "Traceback" not in failed.stderr
    assert f"{STANDS}publication__youjun: " in failed.stderr and "File too large" in failed.stderr
    assert "请放宽限制" in failed.stderr
    assert published_bytes(standing) == before
    forget_what_stands(standing)
    result = standing.run()
    assert standing.rows("select distinct run_id from mart.evaluation") == [(result.run_id,)]


def test_disk_full_when_the_file_has_been_replaced_is_not_told_as_if_it_had_not(
    standing: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = json.loads((standing.published.parent / "manifest.json").read_text("utf-8"))

    forget_what_stands(standing)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(publication_module, "write_parquet", full)
        with pytest.raises(RefreshFailedError) as raised:
            standing.run()
    assert raised.value.published
    head, reason, remedy = str(raised.value).split("\n")
    assert head == "已发布，但其后的步骤失败："
    assert reason.startswith(
        "publication__youjun: 发布库已更新，但它旁边的 manifest.json 或 parquet/ 没有写成"
    )
    assert remedy == "磁盘已满：请腾出空间后再运行 make run"
    manifest = json.loads((standing.published.parent / "manifest.json").read_text("utf-8"))
    [(run,)] = standing.rows("select run_id from ops.publication order by published_at desc limit 1")
    assert manifest["publication"]["run_id"] == run != before["publication"]["run_id"]
    assert manifest["folders"] == before["folders"]


@pytest.mark.skipif(
    not sys.platform.startswith("linux")
    or subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode != 0,
    reason="needs Linux and the right to mount (unshare --mount)",
)
def test_publication_folder_that_is_read_only(standing: Place) -> None:
    before, folder = published_bytes(standing), str(standing.published.parent)
    read_only = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'
    failed = command(standing, "unshare", "--mount", "sh", "-c", read_only, folder)
    assert failed.returncode == 1 and "Traceback" not in failed.stderr
    assert f"{STANDS}publication__youjun: " in failed.stderr and "Read-only file system" in failed.stderr
    assert f"'{folder}/" in failed.stderr and "YOUJUN_PUBLISHED" in failed.stderr
    assert published_bytes(standing) == before
