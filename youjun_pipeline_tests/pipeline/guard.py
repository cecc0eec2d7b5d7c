"""Runs a command, and ends everything that it started when nobody holds the other end of standard input: `guard.py COMMAND…`.

A killed test cannot end its processes itself. The guard outlives the test: the system closes the pipe in any case, and processes
that lose their parent become the guard's children, even if they are in sessions of their own. This needs Linux; on other systems
the guard ends only the process group.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

_CHILD_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER
# first as the program wants to be ended, then at once
SECONDS_TO_END = 5.0


def main(command: list[str], first: signal.Signals) -> int:
    """Run the command until it ends by itself or standard input is closed; returns its exit code."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_CHILD_SUBREAPER, 1, 0, 0, 0)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # a Ctrl-C meant for the test, a `kill` meant for its group: the pipe says when it is over
        signal.signal(number, signal.SIG_IGN)
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=_as_usual)
    while child.poll() is None and not select.select([sys.stdin], [], [], 0.5)[0]:
        pass
    _signal_group(child.pid, first)
    until = time.monotonic() + SECONDS_TO_END
    while child.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
    _signal_group(child.pid, signal.SIGKILL)
    child.wait()
    while left := _children():
        for process in left:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
    return child.returncode


def _as_usual() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def _signal_group(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return


def _children() -> list[int]:
    """Processes whose parent is this one, including those that it did not start."""
    file = Path(f"/proc/self/task/{os.getpid()}/children")
    return [int(number) for number in file.read_text().split()] if file.exists() else []


if __name__ == "__main__":
    sys.exit(main(sys.argv[2:], signal.Signals(int(sys.argv[1]))))
