"""Hostile files: each is read twice, as by `youjun check` and as by a refresh, in processes that are measured.

Belongs here: running, measuring and judging. Keep out: the files (bomb_books, bomb_files, bomb_folders).
"""

from __future__ import annotations

import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from youjun_pipeline_tests.faults.bomb_books import books
from youjun_pipeline_tests.faults.bomb_cases import DISTRICT, SECRET, Bomb, lay_out
from youjun_pipeline_tests.faults.bomb_files import files
from youjun_pipeline_tests.faults.bomb_folders import folders

MB = 1 << 20
MOST_MEMORY_MB, MOST_SECONDS = 1024, 60
# Ends a reading that has gone wrong before it takes the machine along.
KILL_SECONDS, KILL_MEMORY = 150, 10 << 30


@dataclass(frozen=True)
class Read:
    """The result of one process: its return code, seconds, peak memory and output."""

    code: int
    seconds: float
    memory_mb: int
    said: str


def all_bombs() -> list[Bomb]:
    """Every case in a fixed order."""
    return [*books(), *files(), *folders()]


def run(count: int | None, seed: int) -> int:
    """Read every hostile delivery (or `count` of them, drawn by `seed`); prints the figures, returns the faults."""
    cases = all_bombs()
    if count:
        cases = random.Random(seed).sample(cases, min(count, len(cases)))
    return len(try_all(cases))


def try_all(cases: list[Bomb]) -> list[str]:
    """Read the cases one after another; returns the faults."""
    faults: list[str] = []
    worst = [0.0, 0]
    print(f"{'case':<36}{'on disk':>9}{'check':>16}{'refresh':>16}  told")
    for case in cases:
        with tempfile.TemporaryDirectory() as name:
            size, checked, ingested = _try(case, Path(name))
        found = _faults(case, checked, "check") + _faults(case, ingested, "refresh")
        faults += found
        for read in (checked, ingested):
            worst = [max(worst[0], read.seconds), max(worst[1], read.memory_mb)]
        figures = "".join(f"{r.seconds:>7.1f} s {r.memory_mb:>4} MB" for r in (checked, ingested))
        print(f"{case.name:<36}{size / MB:>6.1f} MB{figures}  {'; '.join(found) or 'as it must'}", flush=True)
    print(
        f"bombs: {len(cases)} deliveries, each read twice, {len(faults)} faults;"
        f" at most {worst[0]:.1f} s and {worst[1]} MB",
        flush=True,
    )
    return faults


def _try(case: Bomb, root: Path) -> tuple[int, Read, Read]:
    delivery = lay_out(root)
    _written(case, delivery)
    size = sum(p.lstat().st_blocks * 512 for p in (root / "data").rglob("*") if not p.is_dir())
    check = [sys.executable, "-m", "youjun_pipeline.cli", "check", str(root / "data" / DISTRICT)]
    checked = _measured([*check, "--report", str(root / "report")], root)
    shutil.rmtree(root / "report", ignore_errors=True)
    reader = [sys.executable, "-m", "youjun_pipeline_tests.faults.bomb_reader", str(root / "data")]
    return size, checked, _measured(reader, root)


def _written(case: Bomb, delivery: Path) -> None:
    """Write the files in a process of its own, because the kernel counts a parent's memory as that of its new child."""
    child = os.fork()
    if not child:
        code = 1
        try:
            case.write(delivery)
            code = 0
        finally:
            os._exit(code)
    if os.waitpid(child, 0)[1]:
        raise RuntimeError(f"{case.name} could not be written")


def _measured(command: list[str], root: Path) -> Read:
    """Run a command; its peak memory is the kernel's figure for this process alone."""
    begun = time.monotonic()
    with (root / "said").open("w+b") as said:
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, preexec_fn=_bounded
        )
        while True:
            pid, status, usage = os.wait4(child.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() - begun > KILL_SECONDS:
                child.kill()
            time.sleep(0.02)
        child.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - begun
        said.seek(0)
        words = said.read(4 * MB).decode("utf-8", "replace")
    return Read(child.returncode, seconds, usage.ru_maxrss // 1024, words)


def _bounded() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (KILL_MEMORY, KILL_MEMORY))


def _faults(case: Bomb, read: Read, how: str) -> list[str]:
    """The faults of one reading."""
    found = []
    if read.memory_mb >= MOST_MEMORY_MB:
        found.append(f"{how}: {read.memory_mb} MB")
    if read.seconds >= MOST_SECONDS:
        found.append(f"{how}: {read.seconds:.0f} s")
    if read.code not in (0, 1) or (how == "refresh" and read.code):
        found.append(f"{how}: ended with {read.code}")
    if "Traceback" in read.said:
        found.append(f"{how}: traceback, {read.said.strip().splitlines()[-1][:100]}")
    if SECRET in read.said or "root:x:0" in read.said:
        found.append(f"{how}: told what lies outside of the folder")
    missing = [] if case.harmless else [word for word in case.says if word not in read.said]
    if missing:
        found.append(f"{how}: not told {'、'.join(missing)}")
    if how == "refresh" and not case.harmless and case.rule and case.rule not in read.said:
        found.append(f"{how}: no {case.rule}")
    return found
