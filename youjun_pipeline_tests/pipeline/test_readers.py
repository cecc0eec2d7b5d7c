"""Readers during refreshes: one that keeps the file open, others that open it again and again. None may see an error."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from youjun_pipeline_tests.generate import PLAIN, write_delivery
from youjun_pipeline_tests.pipeline.runs import FIRST, NORTH, made, two_districts

# Counts what a publication says of itself against what is in it, in one process that knows nothing of the pipeline.
READER = """
import duckdb, json, sys, threading
path, stop, opens, seen, errors = sys.argv[1], threading.Event(), [0], set(), []

def look(con):
    run, rows = con.execute("select run_id, rows from ops.publication order by published_at desc, run_id limit 1").fetchone()
    newest = [r for (r,) in con.execute("select distinct run_id from ops.publication").fetchall()]
    tables = con.execute(
        "select schema_name || '.' || table_name from duckdb_tables() where schema_name in ('mart', 'quality')"
    ).fetchall()
    counted = sum(con.execute(f"select count(*) from {t}").fetchone()[0] for (t,) in tables)
    said = {r for (r,) in con.execute("select rows from ops.publication").fetchall()}
    if counted not in said:
        errors.append(f"{counted} rows, the publication says {said}")
    runs = {r for (r,) in con.execute("select distinct run_id from mart.school_indicator").fetchall()}
    if not runs <= set(newest):
        errors.append(f"rows of {runs - set(newest)}, which was not published")
    seen.add(len(newest))
    return [counted, sorted(runs)]

def again():
    while not stop.is_set():
        try:
            with duckdb.connect(path, read_only=True) as con:
                look(con)
            opens[0] += 1
            stop.wait(0.05)
        except Exception as error:
            errors.append(f"{type(error).__name__}: {error}")

kept = duckdb.connect(path, read_only=True)
at_first = look(kept)
kept.close()
with open(path, "rb") as held:  # a reader of the file itself, such as a copy to elsewhere
    bytes_at_first = held.read()
    kept = duckdb.connect(path, read_only=True)
    print("reading", flush=True)
    if sys.argv[2] == "again":
        kept.close()
        worker = threading.Thread(target=again)
        worker.start()
    sys.stdin.read()
    stop.set()
    if sys.argv[2] == "again":
        worker.join()
    else:
        errors += [] if look(kept) == at_first else ["the publication changed under a connection that was open"]
        held.seek(0)
        errors += [] if held.read() == bytes_at_first else ["the file that was open was written to"]
print(json.dumps({"opens": opens[0], "publications": sorted(seen), "errors": errors}), flush=True)
"""


@contextmanager
def reader(path: Path, how: str, found: dict[str, Any]) -> Iterator[None]:
    """A process that reads while the block runs; `found[how]` is then what it saw."""
    process = subprocess.Popen(
        [sys.executable, "-c", READER, str(path), how],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout and process.stdin
    assert process.stdout.readline() == "reading\n", process.stderr and process.stderr.read()
    try:
        yield
    finally:
        out, err = process.communicate("", timeout=60)
    assert process.returncode == 0, err
    found[how] = json.loads(out)


def test_readers_see_no_error_and_one_publication_at_a_time(tmp_path: Path) -> None:
    place, found = two_districts(tmp_path, (FIRST,)), dict[str, Any]()
    place.run()
    north = next(place.data.glob(f"{NORTH}-*"))
    with reader(place.published, "again", found), reader(place.published, "keep", found):
        for day in ("2023-09-10", "2023-09-20"):
            roster = [dict(row) for row in made(1, NORTH).tables["schools"] or []]
            for row in roster:
                row["township"] = f"{day}镇"
            write_delivery(north, day, {"schools": roster}, style=PLAIN)
            place.run()
    assert found["keep"]["errors"] == []
    assert found["again"]["errors"] == []
    assert found["again"]["opens"] > 20
    # it read before, between and after: the file was replaced under it twice
    assert found["again"]["publications"][0] == 1 and found["again"]["publications"][-1] >= 2
    assert place.rows("select count(*) from ops.publication") == [(3,)]
    assert [p.name for p in place.published.parent.iterdir() if p.name.startswith(".youjun.duckdb")] == []
