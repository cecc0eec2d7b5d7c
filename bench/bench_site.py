"""The site of a 150-school district, against ten seconds; with a number, the site of that many districts of 75 schools.

    python bench/bench_site.py [DISTRICTS]         2895 districts are the country: about 220 000 pages

A district's site is built into an empty folder, chart library included, and must take less than ten seconds. For many
districts time and the peak of memory are printed (2026-11, the site alone: 271 MB for one district, 305 MB for 60, 604 MB
for the country, whose 233 808 pages of one phase are 4.4 GB and took 12.5 minutes, 9.6 of CPU, on two busy cores).
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from youjun_pipeline.site import build_site
from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline_tests.generate.country import generate_country
from youjun_pipeline_tests.steps import places, refresh

SECONDS = 10.0
SCHOOLS = {True: 150, False: 75}


def main(districts: int) -> int:
    """Print what was measured; 1 when the district took too long."""
    with tempfile.TemporaryDirectory() as place:
        schools = SCHOOLS[districts == 1]
        generate_country(Path(place), districts, n_schools=schools, file_format="parquet")
        publication = refresh(places(Path(place)))
        start = time.perf_counter()
        with connect(publication.path, read_only=True) as con:
            result = build_site(con, publication.path.parent)
        taken = time.perf_counter() - start
        start = time.perf_counter()
        with connect(publication.path, read_only=True) as con:
            build_site(con, publication.path.parent)
        again = time.perf_counter() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{districts} districts of {schools} schools: {result.pages} pages in {taken:.1f} s, unchanged {again:.1f} s"
    )
    print(f"peak of memory, refresh included: {memory:.0f} MB")
    if districts > 1:
        return 0
    print(f"seconds allowed / taken: {SECONDS / taken:.2f} (floor 1.00)")
    return int(taken > SECONDS)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1))
