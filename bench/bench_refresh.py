"""One district, one phase, cold process to published file: the real command against a bare script.

    python bench/bench_refresh.py [ROUNDS]        3 by default

The command is `youjun run --phase … --no-reports`, what `make run` starts, up to the published file. The bare script is a
fresh process too: it imports the same libraries (Dagster among them), reads the same files with the same functions, runs
the same SQL in an order it is given, and publishes. Both start from nothing, in turns; the best of each counts. Wall time
ends when the published file is in its place. A busy machine distorts wall time, so the ratio of CPU seconds stands beside it.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DISTRICT, PHASE = "120114-wuqing", "2023-startup"
LIMIT = 2.0
CHILD = str(Path(__file__).with_name("refresh_child.py"))


def environment(data: Path) -> dict[str, str]:
    """The settings of a run on `data`, nothing recorded outside it."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("YOUJUN_") and k != "DAGSTER_HOME"}
    return kept | {
        "YOUJUN_DATA": str(data),
        "YOUJUN_AS_OF": "2026-01-01",
        "DAGSTER_DISABLE_TELEMETRY": "1",
        "PYTHONPATH": str(ROOT),
    }


def timed(arguments: list[str], data: Path) -> tuple[float, float]:
    """Seconds of wall time to the published file and of CPU, of a process that starts from nothing."""
    for made in (data / ".work", data / "published"):
        shutil.rmtree(made, ignore_errors=True)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.time()
    done = subprocess.run(
        [sys.executable, *arguments], env=environment(data), capture_output=True, text=True, check=False
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)} failed:\n{done.stdout}\n{done.stderr}")
    # renamed into place: the last change of its inode
    published = (data / "published" / "youjun.duckdb").stat().st_ctime
    return published - began, after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime


def parts(data: Path) -> list[tuple[str, float]]:
    """CPU seconds of the job, by part."""
    shutil.rmtree(data / ".work", ignore_errors=True)
    shutil.rmtree(data / "published", ignore_errors=True)
    done = subprocess.run(
        [sys.executable, CHILD, "parts", str(data), PHASE],
        env=environment(data), capture_output=True, text=True, check=True,
    )  # fmt: skip
    lines = [line.split("\t") for line in done.stdout.splitlines() if "\t" in line]
    return [(part, float(seconds)) for part, seconds in lines]


def main() -> int:
    """Print both times, the ratio, and where the rest goes; 1 when the ratio is over the limit."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    with tempfile.TemporaryDirectory() as folder:
        data, models = Path(folder) / "data", str(Path(folder) / "models.pickle")
        shutil.copytree(ROOT / "data" / DISTRICT, data / DISTRICT)
        subprocess.run([sys.executable, CHILD, "prepare", models], env=environment(data), check=True)
        command = ["-m", "youjun_pipeline.cli", "run", "--phase", PHASE, "--no-reports"]
        bare = [CHILD, "bare", str(data), PHASE, models]
        measured = [(timed(command, data), timed(bare, data)) for _ in range(rounds)]
        by_part = parts(data)
    times = {
        "wall": (min(c[0] for c, _ in measured), min(b[0] for _, b in measured)),
        "CPU": (min(c[1] for c, _ in measured), min(b[1] for _, b in measured)),
    }
    print(f"{DISTRICT} {PHASE}, cold process to published file, best of {rounds}:")
    print(f"{'':6}{'command':>10}{'bare script':>14}{'ratio':>8}")
    for kind, (ours, floor) in times.items():
        print(f"{kind:6}{ours:>9.2f}s{floor:>13.2f}s{ours / floor:>8.2f}")
    print("CPU seconds of the job by part; the floor does the first and the work itself too:")
    for part, seconds in by_part:
        print(f"  {part:32}{seconds:>6.2f}")
    ratio = times["wall"][0] / times["wall"][1]
    print(f"ratio {ratio:.2f}, at most {LIMIT:.1f}: {'kept' if ratio <= LIMIT else 'EXCEEDED'}")
    return 0 if ratio <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
