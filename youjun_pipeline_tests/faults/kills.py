"""Refreshes that are killed at random moments, at chosen moments, and before each single step of the publication.

Each round changes a delivery, starts the real command in its own process group, and kills the group: once, or two or three times
in a row. After every kill readers must find a complete publication, either the previous one or this run's. The next undisturbed
run must publish the same as an undisturbed run in a fresh folder. Keep out: the checks (`states`).
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from youjun_pipeline_tests.conftest import CHECKOUT
from youjun_pipeline_tests.faults.states import Content, after_a_run, always, read_content
from youjun_pipeline_tests.generate import PLAIN, write_delivery
from youjun_pipeline_tests.pipeline.runs import FIRST, NORTH, SECOND, Place, made, two_districts

KILLS = 60
VARIANTS = 3
STAGES = ("before reading", "reading", "models", "publication", "swap", "reports", "after the end")
# What appears in the folder when a window opens: the file being built, the copies, the folders of reports.
TARGETS = (".youjun.duckdb-*", ".parquet-new", ".official-new", ".schools-new", ".site-new")
PATIENCE = 300
HERE = "youjun_pipeline_tests.faults"


@dataclass(frozen=True)
class Shot:
    """When a run is killed: before a step of the publication, or `after` seconds, counted from a target or from words if
    given.
    """

    reports: bool
    after: float = 0.0
    step: int | str = 0
    target: str = ""
    words: str = ""
    gone: bool = False


@dataclass
class Range:
    """The data folder, its possible deliveries with the content of each publication, and what has been seen."""

    place: Place
    variants: list[Path]
    contents: list[Content] = field(default_factory=list)
    seconds: dict[bool, float] = field(default_factory=dict)
    steps: dict[bool, int] = field(default_factory=dict)
    home: Path | None = None
    stages: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    runs: int = 0


def run(count: int | None, seed: int) -> int:
    """Kill `count` runs, print at which stages, and return the number of faults found."""
    started, chosen = time.monotonic(), random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="youjun-kills-") as folder:
        at = prepare(Path(folder))
        shots = list(plan(at, count or KILLS, chosen))
        done = 0
        while shots:
            burst = [shots.pop() for _ in range(min(len(shots), chosen.choice((1, 1, 2, 3))))]
            round_(at, burst, chosen, fresh=chosen.random() < 0.15)
            done += len(burst)
            print(f"{done} kills, {at.runs} whole runs, {len(at.faults)} faults", flush=True)
    print(f"\n{'killed in':<16}kills")
    for stage in STAGES:
        print(f"{stage:<16}{at.stages[stage]:>5}")
    print(
        f"{sum(at.stages.values())} kills, {at.runs} whole runs, {len(at.faults)} faults, "
        f"{time.monotonic() - started:.0f} s"
    )
    return len(at.faults)


def prepare(folder: Path) -> Range:
    """The deliveries, the publications of undisturbed runs on them, and the number of steps and seconds of a run."""
    at = Range(Place(folder / "data"), [folder / f"variant-{n}" for n in range(VARIANTS)])
    at.place.data.mkdir()
    for number, variant in enumerate(at.variants):
        two_districts(variant, (FIRST, SECOND))
        deliver(variant, number)
        fresh = Place(folder / f"fresh-{number}")
        shutil.copytree(variant, fresh.data)
        undisturbed(fresh, Shot(reports=True), folder / "steps")
        at.contents.append(read_content(fresh.published))
        for reports in (False, True) if number == 0 else ():
            # the first publication of a folder has fewer steps than those that replace one
            at.seconds[reports] = undisturbed(fresh, Shot(reports, step=-1), folder / "steps")
            at.steps[reports] = len((folder / "steps").read_text("utf-8").splitlines())
    for reports, steps in at.steps.items():
        print(f"{'with' if reports else 'without'} reports: {steps} steps, {at.seconds[reports]:.0f} s")
    if len(set(at.contents)) < VARIANTS:
        raise RuntimeError("the deliveries must not come to the same content")
    return at


def undisturbed(place: Place, shot: Shot, log: Path) -> float:
    """Let a run finish; returns its seconds."""
    began = time.monotonic()
    if start(place, shot, log).wait(PATIENCE):
        raise RuntimeError((place.data / "said").read_text("utf-8"))
    return time.monotonic() - began


def deliver(data: Path, number: int) -> None:
    """Make the deliveries differ: another figure in the roster, and one more delivery with refused cells."""
    roster = [dict(row) for row in made(1, NORTH).tables["schools"] or []]
    north = next(data.glob(f"{NORTH}-*"))
    for row in roster:
        row["township"] = f"{number}镇"
    if number:
        write_delivery(north, "2023-09-10", {"schools": roster}, style=PLAIN)
    if number > 1:
        facilities = [dict(row) for row in made(1, NORTH).tables["facilities"] or []]
        facilities[0]["teaching_area_m2"] = "不详"
        facilities[1]["school_code"] = ""
        write_delivery(north, "2023-09-20", {"facilities": facilities}, style=PLAIN)


def plan(at: Range, count: int, chosen: random.Random) -> Iterator[Shot]:
    """Shots: the steps of a publication in turn, some aimed at a target or at words, and the rest at random moments; shuffled."""
    shots = [Shot(False, step=n) for n in range(1, at.steps[False] + 1)]
    extra = [Shot(True, step=n) for n in range(at.steps[False] + 1, at.steps[True] + 1)]
    shots += chosen.sample(extra, min(len(extra), count // 8))
    shots = chosen.sample(shots, min(len(shots), count * 2 // 5))
    for number in range(count // 5):
        target = TARGETS[number % len(TARGETS)]
        reports = target not in TARGETS[:2]
        shots.append(Shot(reports, after=chosen.uniform(0, 0.05), target=target, gone=bool(number % 2)))
    for number in range(count // 5):
        # by the clock alone a busy machine would be killed at its start over and over
        words, seconds = (("读取", 1.0), ("计算", at.seconds[False] / 2))[number % 2]
        shots.append(Shot(False, after=chosen.uniform(0, seconds), words=words))
    while len(shots) < count:
        reports = chosen.random() < 0.25
        shots.append(Shot(reports, after=chosen.uniform(0, at.seconds[reports])))
    chosen.shuffle(shots)
    yield from shots


def round_(at: Range, burst: list[Shot], chosen: random.Random, *, fresh: bool) -> None:
    """Kill runs one after another, each on a changed delivery, then let one run finish; record every fault."""
    place = at.place
    if fresh:  # nothing has been published yet
        for name in (".work", "published"):
            shutil.rmtree(place.data / name, ignore_errors=True)
    variant = 0
    for shot in burst:
        variant = chosen.randrange(VARIANTS)
        lay_out(place, at.variants[variant])
        before = read_content(place.published) if place.published.exists() else None
        at.home = place.data / ".work" / "dagster" if chosen.random() < 0.15 else None
        stage = kill(at, shot)
        at.stages[stage] += 1
        allowed = [at.contents[variant], *([before] if before else [])]
        found = always(place.published.parent, allowed, at.contents, before is not None)
        at.faults += [f"{shot}, killed in {stage}: {fault}" for fault in found]
    at.home = None
    reports = burst[-1].reports
    code = start(place, Shot(reports), place.data / "steps").wait(PATIENCE)
    at.runs += 1
    found = [f"exit code {code}: {(place.data / 'said').read_text('utf-8')}"] if code else []
    found = found or after_a_run(place.data, at.contents[variant], at.contents, reports)
    at.faults += [f"run after {burst}: {fault}" for fault in found]
    for fault in at.faults[-len(found) :] if found else []:
        print(fault, flush=True)


def lay_out(place: Place, variant: Path) -> None:
    """Put exactly the districts of a variant into the data folder."""
    for district in variant.iterdir():
        shutil.rmtree(place.data / district.name, ignore_errors=True)
        shutil.copytree(district, place.data / district.name)


def start(
    place: Place, shot: Shot, log: Path, home: Path | None = None, *more: str
) -> subprocess.Popen[bytes]:
    """Start the command in a process group of its own; its output goes to `said`, its steps to `log`."""
    arguments = ["run", *([] if shot.reports else ["--no-reports"]), *more]
    how = [f"{HERE}.fatal", str(shot.step), str(log)] if shot.step else ["youjun_pipeline.cli"]
    environment = os.environ | {"PYTHONPATH": str(CHECKOUT)} | place.environment
    if home:
        home.mkdir(parents=True, exist_ok=True)
        shutil.copy(CHECKOUT / "dagster.yaml", home)
        environment["DAGSTER_HOME"] = str(home)
    log.unlink(missing_ok=True)
    with (place.data / "said").open("wb") as said:
        return subprocess.Popen(
            [sys.executable, "-m", *how, *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )


def kill(at: Range, shot: Shot) -> str:
    """Start a run, kill it as `shot` says, and return its stage at that moment."""
    place, before = at.place, _identity(at.place)
    process = start(place, shot, place.data / "steps", at.home)
    try:
        if shot.target or shot.words:
            _until(place, shot, process)
        if shot.step:
            process.wait(PATIENCE)
        else:
            process.wait(shot.after)
    except subprocess.TimeoutExpired:
        pass
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    code = process.wait(PATIENCE)
    return "after the end" if code == 0 else stage(place, before)


def _until(place: Place, shot: Shot, process: subprocess.Popen[bytes]) -> None:
    """Wait until the words are printed or the target appears, or until the target is gone again."""
    deadline, was_there = time.monotonic() + PATIENCE, False
    while process.poll() is None and time.monotonic() < deadline:
        if shot.words:
            there = shot.words in (place.data / "said").read_text("utf-8", "replace")
        else:
            there = next(place.published.parent.glob(shot.target), None) is not None
        if (there and not shot.gone) or (was_there and not there):
            return
        was_there = was_there or there


def stage(place: Place, before: tuple[int, int] | None) -> str:
    """The stage of a killed run: by its last words, by whether the file is another one, by the file that waits for the swap."""
    said = (place.data / "said").read_text("utf-8", "replace")
    if "报表" in said or "数据文档" in said or "网站" in said:
        return "reports"
    if "发布" in said:
        waits = (place.published.parent / ".youjun.previous.duckdb").exists()
        return "swap" if waits or _identity(place) != before else "publication"
    return "models" if "计算" in said else "reading" if "读取" in said else "before reading"


def _identity(place: Place) -> tuple[int, int] | None:
    if not place.published.exists():
        return None
    found = place.published.stat()
    return found.st_ino, found.st_mtime_ns
