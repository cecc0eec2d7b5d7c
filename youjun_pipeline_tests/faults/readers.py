"""Many readers during many publications: none may see an error, or rows of two publications at once.

Belongs here: starting readers, publishing while they read, and the results; `pipeline/test_readers.py` runs a few. Keep out: what
a reader does (reader.py, a program that uses nothing of the pipeline).
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from youjun_pipeline_tests.generate import PLAIN, Phase, generate_district, write_delivery, write_district
from youjun_pipeline_tests.steps import places, refresh

PROGRAM = Path(__file__).with_name("reader.py")
PHASE = Phase("2023-first", "第一阶段", date(2023, 1, 1), date(2023, 12, 31))
# The harness's own numbers: of eight readers five open again and again, and one each does one of the others.
READERS, PUBLICATIONS = 32, 20
KINDS = ("again", "again", "keep", "again", "parquet", "again", "manifest", "again")
# Seconds between two looks of one reader: more readers than processors would otherwise only wait for each other.
PAUSE = 8.0
# Seconds that a publication stands at least before the next one is made.
STANDS = 2.0


@dataclass
class Seen:
    """What all readers together did and saw."""

    opens: Counter[str] = field(default_factory=Counter)
    absent: int = 0
    times: list[float] = field(default_factory=list)
    publications: dict[str, set[str]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)


class Publisher:
    """A district whose schools are in another township in every publication; the township's name has the number."""

    def __init__(self, data: Path, seed: int, schools: int = 12) -> None:
        made = generate_district(seed, n_schools=schools, profile="mixed", code="110101", leading_zero=False)
        self.settings = places(data, date(2025, 1, 1))
        self.roster = [dict(row) for row in made.tables["schools"] or []]
        self.number = 0
        self.runs: list[str] = []
        self.folder = write_district(
            data, made.tables, made.settings, (PHASE,), style=PLAIN, code="110101", slug="north", name="北区"
        )

    def publish(self) -> None:
        """Deliver a roster with the next township, and refresh."""
        self.number += 1
        day = date(2023, 9, 1) + timedelta(days=self.number)
        rows = [row | {"township": f"第{self.number}次镇"} for row in self.roster]
        write_delivery(self.folder, day.isoformat(), {"schools": rows}, style=PLAIN)
        self.runs.append(f"run-{self.number:03}")
        refresh(self.settings, self.runs[-1])


@contextmanager
def reading(published: Path, kinds: list[str], pause: float) -> Iterator[Seen]:
    """Run readers of these kinds during the block; after it their results are complete."""
    seen, started = Seen(), list[tuple[str, subprocess.Popen[str]]]()
    try:
        for kind in kinds:
            command = [sys.executable, str(PROGRAM), str(published), kind, str(pause)]
            child = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
            started.append((kind, child))
        for _, child in started:
            assert child.stdout is not None
            if child.stdout.readline() != "reading\n":
                break
        yield seen
    finally:
        for kind, child in started:
            out, err = child.communicate("", timeout=120)
            if child.returncode:
                seen.errors.append(f"{kind}: {err.strip()[-300:]}")
            else:
                _add(seen, kind, json.loads(out.splitlines()[-1]))


def _add(seen: Seen, kind: str, found: dict[str, Any]) -> None:
    seen.opens[kind] += found["opens"]
    seen.absent += found["absent"]
    seen.times += found["times"]
    seen.publications.setdefault(kind, set()).update(found["seen"])
    seen.errors += [f"{kind}: {error}" for error in found["errors"]]


def read_through(
    data: Path, kinds: list[str], publications: int, seed: int, pause: float
) -> tuple[Seen, list[str]]:
    """Publish while readers read; returns what they saw, and the faults."""
    publisher = Publisher(data, seed)
    publisher.publish()
    with reading(publisher.settings.published, kinds, pause) as seen:
        for _ in range(publications - 1):
            time.sleep(min(pause, STANDS))
            publisher.publish()
        time.sleep(1.5 * pause)
    faults = list(seen.errors)
    numbers = {str(number) for number in range(1, publications + 1)}
    databases = seen.publications.get("again", set()) | seen.publications.get("keep", set())
    if missing := numbers - databases:
        faults.append(f"publications that nobody saw: {sorted(missing, key=int)}")
    if strange := seen.publications.get("manifest", set()) - set(publisher.runs):
        faults.append(f"the manifest named {sorted(strange)}")
    return seen, faults


def run(count: int | None, seed: int) -> int:
    """Run readers during `count` publications; prints the figures, returns the faults."""
    publications = count or PUBLICATIONS
    begun = time.monotonic()
    kinds = [KINDS[number % len(KINDS)] for number in range(READERS)]
    with tempfile.TemporaryDirectory() as folder:
        seen, faults = read_through(Path(folder), kinds, publications, seed, PAUSE)
    for fault in faults[:20]:
        print(f"  {fault}")
    cuts = statistics.quantiles(seen.times, n=100)
    opened = ", ".join(f"{kind} {opens}" for kind, opens in sorted(seen.opens.items()))
    noticed = ", ".join(f"{kind} {len(found)}" for kind, found in sorted(seen.publications.items()))
    print(
        f"readers: {READERS} processes, {publications} publications, {time.monotonic() - begun:.0f} s\n"
        f"  opened {sum(seen.opens.values())} times ({opened}), {len(seen.times)} queries,"
        f" p50 {cuts[49]:.0f} ms, p99 {cuts[98]:.0f} ms\n"
        f"  publications seen: {noticed}; parquet/ without a name when it was read: {seen.absent} times;"
        f" errors: {len(faults)}",
        flush=True,
    )
    return len(faults)
