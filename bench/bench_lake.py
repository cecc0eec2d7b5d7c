"""What the nights of a country cost that publishes to a lake: a first one, a quiet one, and one in which a district changes.

    python bench/bench_lake.py [DISTRICTS] [SCHOOLS] [PHASES] [--servers]        40 districts of 4 schools, 1 phase by default

The catalogue is a DuckDB file and the data a folder; with `--servers` PostgreSQL and an S3 server, started here on the loopback
address (their own CPU is not in the figures). Every night is a process of its own without reports. `lake` is what bringing the
publication into the lake costs; the rest is the night of a file. A night that leaves other rows in the lake than in the file ends
the bench with an error. Without the extra `scale` nothing is measured.
"""

from __future__ import annotations

import importlib.util
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
AS_OF = date(2024, 1, 2)


def settings_of(data: Path) -> Any:
    """The settings of a night: the lake by the environment, everything else beside the data."""
    from youjun_pipeline.settings import Settings

    os.environ["YOUJUN_DATA"], os.environ["YOUJUN_AS_OF"] = str(data), AS_OF.isoformat()
    return Settings.from_environment()


def night(data: Path, run_id: str) -> dict[str, Any]:
    """One refresh to file and lake: CPU and wall seconds of both, evaluations made, and the rows that differ."""
    from youjun_pipeline.session import bring_to_lake, open_session

    settings = settings_of(data)
    used, began = time.process_time(), time.monotonic()
    with open_session(replace(settings, lake=None)) as session:
        session.ingest()
        made = session.begin(run_id)
        session.build()
        session.check()
        session.publish()
    file = time.process_time() - used, time.monotonic() - began
    used, began = time.process_time(), time.monotonic()
    bring_to_lake(settings)
    lake = time.process_time() - used, time.monotonic() - began
    return {"file": file, "lake": lake, "evaluations": made, "differing": differing(settings)}


def differing(settings: Any) -> int:
    """Rows of `mart` that only the file or only the lake has."""
    from youjun_pipeline.warehouse.lake import last_publication, open_lake
    from youjun_pipeline.warehouse.tables import declared_tables

    with open_lake(settings.lake, read_only=True) as con:
        snapshot = last_publication(con)
    found = 0
    with open_lake(settings.lake, snapshot=snapshot) as con:
        con.execute(f"attach '{settings.published / 'youjun.duckdb'}' as source (read_only)")
        con.begin()
        for name in declared_tables():
            if name.startswith("mart."):
                ours, theirs = (f"select * from {c}.{name}" for c in ("lake", "source"))
                found += con.execute(
                    f"select count(*) from (({ours} except all {theirs}) union all ({theirs} except all {ours}))"
                ).fetchall()[0][0]
    return found


def child(data: Path, run_id: str) -> dict[str, Any]:
    """A night in a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, "--night", str(data), run_id], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"the night {run_id} failed:\n{done.stderr[-4000:]}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def size(*folders: Path) -> float:
    """MB of the files in folders."""
    return sum(p.stat().st_size for f in folders for p in f.rglob("*") if p.is_file()) / 1e6


def half_year(number: int) -> Any:
    """A phase: the half year of that number from 2013 on."""
    from youjun_pipeline_tests.generate import Phase

    year, month = 2013 + number // 2, 1 + 6 * (number % 2)
    return Phase(f"{year}-{month}", f"第{number + 1}阶段", date(year, month, 1), date(year, month + 5, 30))


def main(districts: int, schools: int, n_phases: int, servers: bool) -> None:
    """Generate the country, run its nights, print a line for each."""
    from youjun_pipeline_tests.generate.country import generate_country
    from youjun_pipeline_tests.pipeline.servers import everything

    phases = [half_year(number) for number in range(20 - n_phases, 20)]
    with tempfile.TemporaryDirectory() as place, ExitStack() as stack:
        folder = Path(place)
        data = folder / "data"
        generate_country(data, districts, n_schools=schools, phases=phases, delivered_on="2013-01-15")
        if servers:
            os.environ |= stack.enter_context(everything(folder))
        else:
            os.environ["YOUJUN_LAKE"] = f"ducklake:{folder / 'lake.ducklake'}"
            os.environ["YOUJUN_LAKE_DATA"] = str(folder / "lake")
        print(f"{districts} districts of {schools} schools, {n_phases} phases")
        print("night      file CPU s  lake CPU s  lake wall s  peak MB  evaluations  file MB  lake MB")
        for name in ("first", "quiet", "one changed", "another one"):
            if name in ("one changed", "another one"):
                path = sorted(data.glob("*/district.toml"))[1 if name == "one changed" else 2]
                path.write_text(path.read_text("utf-8").replace('name = "第', 'name = "新第', 1), "utf-8")
            found = child(data, name.replace(" ", "-"))
            if found["differing"]:
                raise SystemExit(f"{name}: {found['differing']} rows differ between file and lake")
            published = data / "published"
            print(
                f"{name:11}{found['file'][0]:10.1f}{found['lake'][0]:12.1f}{found['lake'][1]:13.1f}{found['peak']:9.0f}"
                f"{found['evaluations']:13}{(published / 'youjun.duckdb').stat().st_size / 1e6:9.1f}"
                f"{size(folder / 's3' if servers else folder / 'lake'):9.1f}",
                flush=True,
            )


if __name__ == "__main__":
    if importlib.util.find_spec("duckdb_extension_ducklake") is None:
        print("the extra `scale` is not installed: nothing to measure")
    elif sys.argv[1:2] == ["--night"]:
        told = night(Path(sys.argv[2]), sys.argv[3])
        told["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps(told))
    else:
        numbers = [int(a) for a in sys.argv[1:] if not a.startswith("-")]
        main(*(numbers + [40, 4, 1][len(numbers) :])[:3], "--servers" in sys.argv)  # type: ignore[call-arg]
