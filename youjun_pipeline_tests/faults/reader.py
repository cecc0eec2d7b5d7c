"""`python reader.py PUBLISHED KIND`: one reader of a publication; like a BI tool it uses nothing of the pipeline.

It reads until its input is closed, then prints one line of JSON: what it opened, asked and saw, and every error. Kinds: `again`
opens the database each time, `keep` keeps it open during publications, `parquet` and `manifest` read the files beside it.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import select
import sys
import time
from pathlib import Path

QUESTIONS = (
    "select d.district_name, v.phase_id, v.schools_failing, v.passes, v.run_id"
    " from bi.latest_district_verdict v join bi.dim_district d using (district_code)",
    "select indicator_code, stage, count(*) as schools from bi.latest_school_indicator"
    " where status in ('near', 'below') group by all order by all",
    "select school_name, value, weight, variance_share from mart.balance_contribution"
    " where indicator_code = 'R4' order by variance_share desc limit 10",
    "select phase_id, state, count(*) as findings from mart.finding join bi.dim_phase using (district_code, phase_id)"
    " group by all order by min(phase_order), state",
    "select input, value, file, sheet, \"row\" from mart.lineage where indicator_code = 'R4' limit 50",
)
NEWEST = "select run_id, rows from ops.publication order by published_at desc, run_id desc limit 1"
RUNS = "select count(*) from ops.publication"
# Changes with every publication, in a dimension and in the table that findings are made of.
MARKERS = "select distinct township from mart.school where township like '第%次镇'"
MARKED = "select count(*) from mart.school where township like '第%次镇'"


class Reader:
    """What one reader did and saw."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.opens = self.absent = 0
        self.times: list[float] = []
        self.seen: set[str] = set()
        self.errors: list[str] = []

    def ask(self, con, question: str) -> list[tuple]:
        """The answer to a question, and how long it took."""
        begun = time.perf_counter()
        rows = con.execute(question).fetchall()
        self.times.append((time.perf_counter() - begun) * 1000)
        return list(rows)

    def look(self, con) -> tuple:
        """Run all questions, and check that the answers are of one publication; returns what identifies the publication."""
        number, markers = self.ask(con, RUNS)[0][0], self.ask(con, MARKERS)
        for question in QUESTIONS:
            self.ask(con, question)
        tables = self.ask(
            con,
            "select schema_name || '.' || table_name from duckdb_tables() where schema_name in ('mart', 'quality')",
        )
        counts = " union all ".join(f"select count(*) as rows from {table}" for (table,) in tables)
        counted = self.ask(con, f"select sum(rows)::bigint from ({counts})")[0][0]
        said = {rows for (rows,) in self.ask(con, "select rows from ops.publication")}
        runs = {run for (run,) in self.ask(con, "select distinct run_id from mart.school_indicator")}
        known = {run for (run,) in self.ask(con, "select run_id from ops.publication")}
        if counted not in said:
            self.errors.append(f"{counted} rows, the publications say {sorted(said)}")
        if not runs <= known or len(runs) != 1:
            self.errors.append(f"rows of runs {sorted(runs)}")
        if markers != [(f"第{number}次镇",)] or (number, markers) != (
            self.ask(con, RUNS)[0][0],
            self.ask(con, MARKERS),
        ):
            self.errors.append(f"{number} publications, townships {markers}")
        self.seen.add(str(number))
        return number, counted, sorted(runs), self.ask(con, MARKED)

    def again(self) -> None:
        """Open, ask, close."""
        import duckdb

        with duckdb.connect(str(self.folder / "youjun.duckdb"), read_only=True) as con:
            self.opens += 1
            self.look(con)

    def manifest(self) -> None:
        """Check that the manifest is complete and names existing files."""
        manifest = json.loads((self.folder / "manifest.json").read_text("utf-8"))
        self.opens += 1
        if not (self.folder / manifest["publication"]["file"]).is_file():
            self.errors.append("the manifest names a file that is not there")
        self.seen.add(manifest["publication"]["run_id"])

    def parquet(self) -> None:
        """Read two tables of the Parquet copies; they are of one publication if the folder was not exchanged between."""
        import pyarrow.parquet as pq

        folder = self.folder / "parquet"
        try:
            before = os.stat(folder).st_ino
            begun = time.perf_counter()
            schools = pq.read_table(folder / "mart.school" / "school.parquet", columns=["township", "run_id"])
            verdicts = pq.read_table(folder / "mart.district_verdict", columns=["run_id"])
            self.times.append((time.perf_counter() - begun) * 1000)
            after = os.stat(folder).st_ino
        except FileNotFoundError:
            # The folder is exchanged by two renames: for a moment it has no name, and files of the old one go.
            self.absent += 1
            return
        self.opens += 1
        townships = {t for t in schools["township"].to_pylist() if t and t.startswith("第")}
        runs = set(schools["run_id"].to_pylist()) | (
            set(verdicts["run_id"].to_pylist()) if before == after else set()
        )
        if len(townships) != 1 or len(runs) != 1:
            self.errors.append(f"parquet of runs {sorted(runs)}, townships {sorted(townships)}")
        self.seen |= {t.removeprefix("第").removesuffix("次镇") for t in townships}


def run(folder: Path, kind: str, pause: float) -> Reader:
    """Read until the input is closed."""
    reader = Reader(folder)
    kept, held, first, at_first, looks = None, None, None, b"", 0
    if kind == "keep":
        import duckdb

        held = (folder / "youjun.duckdb").open(
            "rb"
        )  # a reader of the file itself, such as a copy to elsewhere
        at_first = hashlib.file_digest(held, "sha256").digest()
        kept = duckdb.connect(str(folder / "youjun.duckdb"), read_only=True)
        reader.opens, first = 1, reader.look(kept)
    # The publisher goes first where there are more readers than processors.
    os.nice(5)
    print("reading", flush=True)
    while not select.select([sys.stdin], [], [], pause * random.uniform(0.5, 1.5))[0]:
        try:
            if kept is None:
                getattr(reader, kind)()
                continue
            if reader.look(kept) != first:
                reader.errors.append("the publication changed under a connection that was open")
            looks += 1
            if looks % 15 == 0:
                import duckdb

                kept.close()
                kept = duckdb.connect(str(folder / "youjun.duckdb"), read_only=True)
                reader.opens, first = reader.opens + 1, reader.look(kept)
        except Exception as error:
            reader.errors.append(f"{type(error).__name__}: {error}")
    if held is not None:
        held.seek(0)
        if hashlib.file_digest(held, "sha256").digest() != at_first:
            reader.errors.append("the file that was open was written to")
    return reader


if __name__ == "__main__":
    made = run(Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]))
    print(
        json.dumps(
            {
                "opens": made.opens,
                "absent": made.absent,
                "times": made.times,
                "seen": sorted(made.seen),
                "errors": made.errors,
            }
        ),
        flush=True,
    )
