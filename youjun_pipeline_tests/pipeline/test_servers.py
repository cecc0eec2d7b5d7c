"""Everything that the tests of `scale` start is ended with them, however they end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from youjun_pipeline_tests.conftest import CHECKOUT
from youjun_pipeline_tests.pipeline.servers import started, wait_for

pytestmark = [
    pytest.mark.scale,
    pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc"),
]

# A server that ignores SIGTERM and has a child in a session of its own, as Celery and Dagster have.
STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
open(sys.argv[1], "w").write(f"{os.getpid()} {child.pid} ")
time.sleep(600)
"""
HOLDER = """
import sys, time
from pathlib import Path
from youjun_pipeline_tests.pipeline.servers import started
with started([sys.executable, "-c", Path(sys.argv[1]).read_text(), sys.argv[2]], Path(sys.argv[3])):
    time.sleep(600)
"""


def told(place: Path) -> list[int]:
    """The numbers that two processes wrote to a file, once both are there."""
    wait_for("the server", lambda: place.exists() and place.read_text().endswith(" "), 30)
    return [int(number) for number in place.read_text().split()]


def lives(process: int) -> bool:
    """Whether a process runs; an ended process that still waits for its parent does not."""
    try:
        return "State:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("fails", [False, True])
def test_the_block_ends_the_server_and_what_it_started(tmp_path: Path, fails: bool) -> None:
    place = tmp_path / "told"
    processes: list[int] = []
    began = time.monotonic()
    try:
        with started([sys.executable, "-c", STUBBORN, str(place)], tmp_path / "log"):
            processes = told(place)
            assert all(map(lives, processes))
            if fails:
                raise RuntimeError("the test fails")
    except RuntimeError:
        assert fails
    assert len(processes) == 2 and not any(map(lives, processes))
    assert time.monotonic() - began < 60


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_test_that_is_killed_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    """SIGINT is Ctrl-C; a killed process could not end anything itself."""
    script, place = tmp_path / "server.py", tmp_path / "told"
    script.write_text(STUBBORN)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(script), str(place), str(tmp_path / "log")],
        cwd=CHECKOUT,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    processes = told(place)
    # as a terminal does it: to the whole group
    os.killpg(holder.pid, number)
    holder.wait(60)
    wait_for("the end of the server", lambda: not any(map(lives, processes)), 30)
