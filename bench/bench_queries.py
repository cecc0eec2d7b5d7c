"""Every query of docs/bi.md on the whole country's publication, against 50 ms; its floor is counting the largest table.

    python bench/bench_queries.py [DISTRICTS]         2895 by default, of 75 schools each: the country

Makes the districts, runs the refresh on them (files to publication, without Dagster and reports), then asks each query ROUNDS
times over one connection, as a dashboard does, and once over a connection of its own, opening the file included. What
the queries name (a district, a phase, a school) is replaced by a district that has findings. The whole country takes five to
ten minutes and 8 GB of memory on two cores, nearly all of it the refresh.
"""

from __future__ import annotations

import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline.warehouse.manifest import Publication
from youjun_pipeline.warehouse.publication import publish
from youjun_pipeline_tests.documented import documented_queries
from youjun_pipeline_tests.generate.country import generate_country
from youjun_pipeline_tests.steps import compute, places, read_all, working

LIMIT_MS = 50.0
ROUNDS = 15
FLOOR = "-- the floor\nselect count(value) from mart.lineage"


def clocked(work: Callable[[], Any]) -> tuple[float, Any]:
    """Milliseconds of wall time, and what came of it."""
    began = time.perf_counter()
    result = work()
    return (time.perf_counter() - began) * 1000, result


def publication_of(folder: Path, districts: int) -> Publication:
    """The publication of that many made-up districts; prints what each part took."""
    generate_country(folder, districts, n_schools=75, file_format="parquet")
    settings = places(folder)
    with working(settings) as con:
        for part, work in {
            "files": lambda: read_all(con, settings),
            "tables": lambda: compute(con, settings),
            "publication": lambda: publish(con, settings.published, "run-1", settings.as_of),
        }.items():
            taken, result = clocked(work)
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(f"{part}: {taken / 1000:.0f} s, peak of memory so far {memory:,.0f} MB", flush=True)
    assert isinstance(result, Publication)
    return result


def present_in(path: Path) -> dict[str, str]:
    """What stands in the publication for the province, district, phase and school that docs/bi.md names."""
    with connect(path, read_only=True) as con:
        district, phase, school = con.execute(
            "select district_code, phase_id, school_code from mart.balance_contribution"
            " semi join (from mart.finding where school_code is not null) using (district_code, phase_id)"
            " where stage = 'primary' and indicator_code = 'R4' and value is not null order by all limit 1"
        ).fetchall()[0]
    province = f"{district[:2]}0000"
    return {"120000": province, "120114": district, "2023-startup": phase, "2120114001": school}


def asked(path: Path, query: str) -> tuple[float, float, int]:
    """Milliseconds over a connection of its own, the median over one that is open, and the rows."""

    def alone() -> Any:
        with connect(path, read_only=True) as con:
            return con.execute(query).fetchall()

    first, rows = clocked(alone)
    with connect(path, read_only=True) as con:
        times = [clocked(lambda: con.execute(query).fetchall())[0] for _ in range(ROUNDS)]
    return first, statistics.median(times), len(rows)


def main() -> int:
    """Print every query's times; 1 when one takes too long or answers nothing."""
    districts = int(sys.argv[1]) if len(sys.argv) > 1 else 2895
    with tempfile.TemporaryDirectory() as place:
        publication = publication_of(Path(place), districts)
        size = publication.path.stat().st_size / 2**20
        print(f"{districts} districts of 75 schools: {publication.rows:,} rows, {size:,.0f} MB")
        floor = asked(publication.path, FLOOR)[1]
        kept = True
        print(f"{'first':>9}{'median':>10}{'to floor':>10}{'rows':>8}")
        queries = documented_queries("bi.md", present_in(publication.path))
        for what, query in queries.items():
            first, median, rows = asked(publication.path, query)
            good = median <= LIMIT_MS and rows > 0
            kept &= good
            print(
                f"{first:>6.0f} ms{median:>7.1f} ms{median / floor:>10.2f}{rows:>8}  {what}{'' if good else '  EXCEEDED'}"
            )
    print(f"floor {floor:.1f} ms; at most {LIMIT_MS:.0f} ms each: {'kept' if kept else 'EXCEEDED'}")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
