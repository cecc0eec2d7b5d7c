"""A province of official statistics workbooks: ingested, against bare python-calamine reading of the same files.

    python bench/bench_statistics.py [FILES]        300 by default; 2000 is a province

Every file is one school's workbook of some ten forms, of both generations, with and without coordinates. Ingesting is all
that a refresh does with them: hashing, reading with every check, composing the datasets, the contracts, the database. The aim is
half the speed of reading every sheet with nothing done about it. Written once, the workbooks stay in the temporary folder.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import python_calamine as calamine

from youjun_pipeline.ingest.districts import scan
from youjun_pipeline.ingest.seen import register
from youjun_pipeline.ingest.statistics.reading import read_statistics
from youjun_pipeline.ingest.store import ensure_raw, ingest
from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline_tests.generate import generate_district, write_district
from youjun_pipeline_tests.generate.statistics import Look, schools_of, write_books

# Half is the aim; 0.48-0.51 by CPU time was measured with 2 000 files on two busy cores, 2026-11.
FLOOR = 0.4
PER_DISTRICT = 75
LOOKS = (Look(), Look(coordinates=True, suffix=True), Look("old"), Look("old", coordinates=True))
# Raise it when the generator writes other workbooks.
VERSION = 2


def province(files: int) -> Path:
    """The folder of districts, written when it is not there."""
    folder = Path(tempfile.gettempdir()) / f"youjun-bench-statistics-{VERSION}-{files}"
    if (folder / "complete").exists():
        return folder
    print(f"writing {files} workbooks to {folder}")
    for number, start in enumerate(range(0, files, PER_DISTRICT)):
        code = f"{330100 + number}"
        count = min(PER_DISTRICT, files - start)
        made = generate_district(number, n_schools=count, profile="passing", code=code, leading_zero=False)
        district = write_district(
            folder, {}, made.settings, code=code, slug="made-up", name=f"第{number + 1}区"
        )
        schools = schools_of(made.tables, f"{code}000000")
        write_books(
            district / "deliveries" / "2023-08-31" / "statistics", schools, LOOKS[number % len(LOOKS)]
        )
    (folder / "complete").touch()
    return folder


def bare(paths: list[Path]) -> None:
    """Every sheet, and nothing done about it."""
    for path in paths:
        with calamine.CalamineWorkbook.from_path(str(path)) as book:
            for name in book.sheet_names:
                book.get_sheet_by_name(name).to_python()


def read(paths: list[Path]) -> None:
    """Cells with every check, without the database."""
    failures = [result.failure for path in paths if (result := read_statistics(path, path.name)).failure]
    if failures:
        raise SystemExit(f"{len(failures)} workbooks failed, the first: {failures[0]}")


def load(folder: Path) -> None:
    """All that a refresh does with the workbooks, into a new database."""
    with tempfile.TemporaryDirectory() as place, connect(Path(place) / "warehouse.duckdb") as con:
        ensure_raw(con)
        done = {line.dataset: line for line in ingest(con, register(con, scan(folder)))}
        schools = done["schools"]
        if schools.failures or not schools.rows_accepted:
            raise SystemExit(f"the schools did not come in: {schools}")
        print(
            f"{schools.rows_accepted} schools, {done['teachers'].rows_accepted} rows of teachers, "
            f"{done['class_bands'].rows_accepted} class bands, {done['facilities'].rows_accepted} rows of facilities"
        )


def seconds(work: Callable[[], None]) -> tuple[float, float]:
    """Elapsed and CPU seconds; the latter where the machine has other things to do."""
    start, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - start, time.process_time() - cpu


def main() -> None:
    """Print files per second and the ratio against the floor; exit 1 below it."""
    files = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    folder = province(files)
    paths = sorted(folder.glob("*/deliveries/*/statistics/*.xlsx"))
    load(province(20))
    measured = {
        "bare calamine, every sheet": seconds(lambda: bare(paths)),
        "cells with every check": seconds(lambda: read(paths)),
        "ingested": seconds(lambda: load(folder)),
    }
    bare_elapsed, bare_cpu = measured["bare calamine, every sheet"]
    print(f"{'':28}   files/s   of bare reading   by CPU time")
    for name, (elapsed, cpu) in measured.items():
        print(f"{name:28} {len(paths) / elapsed:9.0f} {bare_elapsed / elapsed:14.2f} {bare_cpu / cpu:14.2f}")
    ratio = bare_cpu / measured["ingested"][1]
    # A few hundred files do not make up for what a new database costs.
    if len(paths) >= 1000 and ratio < FLOOR:
        raise SystemExit(f"below the floor of {FLOOR}")


if __name__ == "__main__":
    main()
