"""A part of the country: files to accepted rows against bare reading of the same files, then every model's seconds.

    python bench/bench_ingest.py [DISTRICTS]        200 by default, of 75 schools each; 2895 is the country

Ingesting is all a refresh does with files: finding, hashing, reading with every check, the contracts, the database. The floor
reads every file with pyarrow and joins the tables of a dataset, with nothing done about them. Contracts run once per dataset
on the rows of all files; what once per file would cost is measured on one dataset. Then the same database computes every table
for every district in one statement each, and publishes.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import pyarrow as pa
import pyarrow.csv as pv
import pyarrow.parquet as pq

from youjun_pipeline.contracts import load_datasets
from youjun_pipeline.ingest.districts import scan
from youjun_pipeline.ingest.files import content_hash, read_file
from youjun_pipeline.ingest.seen import register
from youjun_pipeline.ingest.store import ingest
from youjun_pipeline.ingest.validate import validate
from youjun_pipeline.warehouse.checks import run_checks
from youjun_pipeline.warehouse.models import build, load_models
from youjun_pipeline.warehouse.projection import build_projection
from youjun_pipeline.warehouse.publication import publish
from youjun_pipeline.warehouse.rule_impact import build_rule_impact
from youjun_pipeline.warehouse.run import RunScope, begin_run
from youjun_pipeline_tests.generate.country import generate_country
from youjun_pipeline_tests.steps import places, working

SCHOOLS = 75
# How many times the bare reading ingesting may take: it parses every cell, judges it and stores it twice.
LIMIT = {"csv": 20.0, "parquet": 12.0}
ONE_DATASET = "teachers"
SHOWN = 12


def clocked(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of wall time, and what came of it."""
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result


def contents(folder: Path, file_format: str) -> dict[str, list[Path]]:
    """The files of each dataset, one for each content: a content that several districts delivered is read once."""
    found = {}
    for dataset in load_datasets():
        paths = sorted(folder.glob(f"*/deliveries/*/{dataset}.{file_format}"))
        found[dataset] = list({content_hash(path): path for path in paths}.values())
    return found


def bare(files: dict[str, list[Path]], file_format: str) -> int:
    """Read every file and join those of a dataset; returns the rows."""
    rows = 0
    for paths in files.values():
        read = [pv.read_csv(p) if file_format == "csv" else pq.read_table(p) for p in paths]
        if read:
            rows += pa.concat_tables(read, promote_options="permissive").num_rows
    return rows


def contracts(folder: Path, file_format: str) -> None:
    """Print what one dataset's contract costs, once on all rows and once per file."""
    import pandas as pd

    dataset = load_datasets()[ONE_DATASET]
    paths = sorted(folder.glob(f"*/deliveries/*/{ONE_DATASET}.{file_format}"))
    frames = [read_file(p, dataset).frame.assign(content_sha256=str(n)) for n, p in enumerate(paths)]
    together, _ = clocked(lambda: validate(dataset, pd.concat(frames, ignore_index=True)))
    apart, _ = clocked(lambda: [validate(dataset, frame) for frame in frames])
    print(
        f"contract of {ONE_DATASET}, {len(paths)} files: {together:.2f}s once on all rows, {apart:.2f}s once per file"
    )


def ingested(folder: Path, file_format: str) -> float:
    """Print files to accepted rows against the floor; returns the ratio."""
    files = contents(folder, file_format)
    bare(files, file_format)
    floor, rows = clocked(lambda: bare(files, file_format))
    settings = places(folder)
    with working(settings) as con:
        taken, lines = clocked(lambda: ingest(con, register(con, scan(folder))))
        again, unread = clocked(lambda: ingest(con, register(con, scan(folder))))
    accepted, read = sum(line.rows_accepted for line in lines), sum(line.files for line in lines)
    if accepted != rows or read != sum(map(len, files.values())) or any(line.files for line in unread):
        raise SystemExit(f"{rows} rows delivered, {accepted} accepted of {read} files; again: {unread}")
    ratio, limit = taken / floor, LIMIT[file_format]
    print(
        f"{read} {file_format} files, {rows} rows: {taken:.2f}s, {rows / taken:,.0f} rows/s; "
        f"pyarrow alone {floor:.2f}s, ratio {ratio:.1f}, at most {limit:.0f}: {'kept' if ratio <= limit else 'EXCEEDED'}"
    )
    print(f"the same files again: {again:.2f}s, none read")
    return ratio


def computed(folder: Path) -> None:
    """Print the seconds of every model for all districts at once, longest first, and of what follows."""
    settings = places(folder)
    with working(settings) as con:
        phases = tuple(p for (p,) in con.execute("select distinct phase_id from raw.phase").fetchall())
        begin_run(con, RunScope("bench", phases, date(2026, 1, 1)))
        built = {name: clocked(lambda m=model: build(con, m)) for name, model in load_models().items()}  # type: ignore[misc]
        rest = {
            "projection": clocked(lambda: build_projection(con))[0],
            "rule impact": clocked(lambda: build_rule_impact(con))[0],
            "checks": clocked(lambda: run_checks(con))[0],
            "publication": clocked(lambda: publish(con, settings.published, "bench", settings.as_of))[0],
        }
    print(f"{len(built)} models: {sum(seconds for seconds, _ in built.values()):.1f}s, of which")
    longest = sorted(built.items(), key=lambda item: -item[1][0])[:SHOWN]
    for name, (seconds, made) in longest:
        print(f"  {name:32}{seconds:>7.2f}s{made.rows:>11,} rows")
    print("; ".join(f"{name} {seconds:.1f}s" for name, seconds in rest.items()))


def main() -> int:
    """Print everything; 1 when ingesting took too many times the floor."""
    districts = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    kept = True
    for file_format, count in (("csv", districts), ("parquet", max(1, districts // 2))):
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            generate_country(folder, count, n_schools=SCHOOLS, file_format=file_format)
            print(f"{count} districts of {SCHOOLS} schools")
            kept &= ingested(folder, file_format) <= LIMIT[file_format]
            if file_format == "csv":
                contracts(folder, file_format)
                computed(folder)
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
