"""Peers on the same work: a careful pandas script, and dbt-duckdb with the pipeline's own SQL files.

    python bench/bench_peers.py [DISTRICTS] [SCHOOLS]        40 districts of 75 schools by default

All read the same made-up country. Two pairs do the same work, each in processes of their own:

files to verdicts     the pandas script (bench/peers/pandas_verdicts.py), and ours: ingest, begin and the models behind
                      mart.school_verdict and mart.stage_balance, nothing else
loaded to verdicts    `dbt run` of the models behind mart.school_verdict, mart.stage_balance and mart.district_verdict
                      (bench/peers/dbt, in an environment of its own, build/peers), and ours: the same models in one process

Beside them stands our whole first night: lineage, comparisons of rules, forecasts, checks and the publication too. Every peer's
rows must be those that this night publishes, or the bench ends with an error that counts and shows the differences. Figures
are medians of three but for the night, which runs once. CPU seconds are those of the whole process, start-up included.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from statistics import median
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]
PEERS = ROOT / "bench" / "peers"
VENV = ROOT / "build" / "peers"
AS_OF, PHASE = date(2024, 1, 1), "2023-startup"
ROUNDS = 3


class Cost(NamedTuple):
    """What a process took: CPU seconds (user and system), wall seconds, peak of memory in MB."""

    cpu: float
    wall: float
    mb: float


def cost_of(command: list[str], environment: dict[str, str] | None = None) -> Cost:
    """Run a command to its end; raises SystemExit with the end of its output where it fails."""
    began = time.monotonic()
    with tempfile.TemporaryFile() as told:
        process = subprocess.Popen(
            command, stdout=told, stderr=subprocess.STDOUT, env={**os.environ, **(environment or {})}
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            told.seek(0)
            raise SystemExit(f"{' '.join(command)} failed:\n{told.read().decode()[-4000:]}")
    return Cost(used.ru_utime + used.ru_stime, time.monotonic() - began, used.ru_maxrss / 1024)


def middle(measure: Callable[[], Cost]) -> Cost:
    """The medians of several rounds, each figure by itself."""
    return Cost(*(median(figures) for figures in zip(*(measure() for _ in range(ROUNDS)), strict=True)))


def ours(step: str, *paths: Path) -> Cost:
    """A step of the pipeline in a process of its own."""
    return cost_of([sys.executable, __file__, "--step", step, *map(str, paths)])


def night(data: Path) -> None:
    """Step: files to publication, everything a first night makes but its reports."""
    from youjun_pipeline_tests.steps import places, refresh

    refresh(places(data, AS_OF), "night")


def load(data: Path, database: Path) -> None:
    """Step: read every file into a working database."""
    from youjun_pipeline.session import open_session
    from youjun_pipeline.settings import Settings

    with open_session(Settings(data, database, database.parent / "published", AS_OF)) as session:
        session.ingest()


def files_to_verdicts(data: Path, database: Path) -> None:
    """Step: read every file and fill the tables behind the school verdicts and the balance."""
    from youjun_pipeline.session import open_session
    from youjun_pipeline.settings import Settings
    from youjun_pipeline.warehouse.models import behind

    with open_session(Settings(data, database, database.parent / "published", AS_OF)) as session:
        session.ingest()
        session.begin("peer")
        for model in behind(("mart.school_verdict", "mart.stage_balance")):
            session.build_table(model.full_name)


def loaded_to_verdicts(database: Path) -> None:
    """Step: lay out the run in a loaded database and build what dbt builds."""
    from peers.dbt_models import FINAL

    from youjun_pipeline.warehouse.connection import connect
    from youjun_pipeline.warehouse.models import behind, build
    from youjun_pipeline.warehouse.run import RunScope, begin_run

    with connect(database) as con:
        begin_run(con, RunScope("peer", (PHASE,), AS_OF))
        for model in behind(FINAL):
            build(con, model)


STEPS: dict[str, Callable[..., None]] = {
    step.__name__: step for step in (night, load, files_to_verdicts, loaded_to_verdicts)
}


def dbt_command() -> str | None:
    """Dbt of the peers' own environment, which is made when it is missing; None where it cannot be had."""
    dbt = VENV / "bin" / "dbt"
    if not dbt.exists():
        pip = [str(VENV / "bin" / "python"), "-m", "pip", "install", "--quiet", "-r"]
        try:
            subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
            subprocess.run([*pip, str(PEERS / "requirements.txt")], check=True)
        except subprocess.CalledProcessError as error:
            print(f"dbt is left out, for it could not be installed: {error}", file=sys.stderr)
            return None
    return str(dbt)


def refuse_other_rows(
    published: Path, other: str, table: str, columns: str, number: str = "", attach: Path | None = None
) -> int:
    """Compare rows of a published table with a peer's; returns how many, raises SystemExit where any differs.

    Args:
        published: the folder of the publication.
        other: the peer's table, or its file in quotes.
        table: the published one.
        columns: what must be equal: the key, and words.
        number: a figure that may differ by a billionth, for pandas adds in another order.
        attach: the peer's database, if it is one.
    """
    import duckdb

    with duckdb.connect() as con:
        con.execute(f"attach '{published / 'youjun.duckdb'}' as done (read_only)")
        if attach:
            con.execute(f"attach '{attach}' as peer (read_only)")
        # the script has R1-R7 alone
        wanted = (
            "where regexp_matches(indicator_code, '^R[1-7]$')" if table == "mart.school_indicator" else ""
        )
        n = number or "null::double"
        con.execute(
            f"create temp table a as select {columns}, {n} as figure from done.{table} {wanted};"
            f"create temp table b as select {columns}, {n} as figure from {other}"
        )
        apart = con.execute(
            f"(select 'published', * from (select {columns} from a except all select {columns} from b) limit 5) union all "
            f"(select 'peer', * from (select {columns} from b except all select {columns} from a) limit 5)"
        ).fetchall()
        if not apart:
            apart = con.execute(
                f"select {columns}, a.figure, b.figure from a join b using ({columns}) "
                "where (a.figure is null) <> (b.figure is null) "
                "or abs(a.figure - b.figure) > 1e-12 + 1e-9 * greatest(abs(a.figure), abs(b.figure)) limit 5"
            ).fetchall()
        if apart:
            raise SystemExit(f"{table} by {other} is not what is published:\n" + "\n".join(map(str, apart)))
        return int(con.execute("select count(*) from a").fetchall()[0][0])


def measure_pandas(data: Path, work: Path) -> tuple[Cost, int]:
    """The script's cost and how many rows of it were compared."""
    out = work / "pandas"
    command = [
        sys.executable,
        str(PEERS / "pandas_verdicts.py"),
        str(data),
        PHASE,
        AS_OF.isoformat(),
        str(out),
    ]
    cost = middle(lambda: cost_of(command))
    compared = {
        "mart.school_indicator": (
            "resource",
            "district_code, school_code, stage, indicator_code, status",
            "value",
        ),
        "mart.school_verdict": (
            "school_verdict",
            "district_code, school_code, stage, passes_resource_rule",
            "",
        ),
        "mart.stage_balance": ("stage_balance", "district_code, stage, indicator_code, status", "cv"),
    }
    rows = [
        refuse_other_rows(data / "published", f"'{out / name}.parquet'", table, columns, number)
        for table, (name, columns, number) in compared.items()
    ]
    return cost, sum(rows)


def measure_dbt(dbt: str, data: Path, work: Path) -> tuple[Cost, int]:
    """Dbt's cost and how many rows of it were compared; the project is parsed in the first round alone."""
    from peers.dbt_models import FINAL, lay_out, write_project

    project, database, ready = work / "dbt", work / "dbt.duckdb", work / "ready.duckdb"
    shutil.copy(work / "loaded.duckdb", ready)
    lay_out(ready, PHASE, AS_OF)
    write_project(project)

    def run() -> Cost:
        shutil.copy(ready, database)
        folders = ["--project-dir", str(project), "--profiles-dir", str(project)]
        return cost_of([dbt, "--quiet", "run", *folders], {"PEER_DATABASE": str(database)})

    cost = middle(run)
    columns = {
        "mart.school_verdict": "district_code, school_code, stage, passes_resource_rule, passes_strict, "
        "failing_indicators, reason",
        "mart.stage_balance": "district_code, stage, indicator_code, status, status_strict, mean, std, cv, reason",
        "mart.district_verdict": "district_code, passes, passes_strict",
    }
    rows = [
        refuse_other_rows(data / "published", f"peer.{table}", table, columns[table], attach=database)
        for table in FINAL
    ]
    return cost, sum(rows)


def measure_ours(step: str, work: Path, *paths: Path) -> Cost:
    """A step of ours on a database of its own in every round, empty or as it was loaded."""
    database = work / "ours" / "warehouse.duckdb"

    def run() -> Cost:
        shutil.rmtree(database.parent, ignore_errors=True)
        database.parent.mkdir()
        if not paths:
            shutil.copy(work / "loaded.duckdb", database)
        return ours(step, *paths, database)

    return middle(run)


def show(name: str, cost: Cost, against: Cost | None = None, word: str = "") -> None:
    """One line of the table; `against` is ours on the same work."""
    ratio = f"{cost.cpu / against.cpu:>8.2f} × the CPU of {word}" if against else ""
    print(f"{name:34}{cost.cpu:>8.1f}{cost.wall:>8.1f}{cost.mb:>7.0f}{ratio}")


def main() -> int:
    """Make the country, run all of them, compare their rows and print the table."""
    from bench_country import KINDS, phases

    from youjun_pipeline_tests.generate import generate_country

    n_districts = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    n_schools = int(sys.argv[2]) if len(sys.argv) > 2 else 75
    with tempfile.TemporaryDirectory() as folder:
        data, work = Path(folder) / "data", Path(folder) / "work"
        work.mkdir()
        generate_country(data, n_districts, n_schools=n_schools, n_templates=KINDS, phases=phases())
        whole = ours("night", data)
        print(f"{n_districts} districts of {n_schools} schools{'CPU s':>14}{'wall s':>8}{'MB':>7}")
        show("ours, a whole first night", whole)
        from_files = measure_ours("files_to_verdicts", work, data)
        show("ours, files to school verdicts", from_files)
        by_pandas, rows = measure_pandas(data, work)
        show("pandas, files to school verdicts", by_pandas, from_files, "ours")
        print(f"{'':34}{rows} rows equal to what the night published")
        if dbt := dbt_command():
            ours("load", data, work / "loaded.duckdb")
            from_loaded = measure_ours("loaded_to_verdicts", work)
            show("ours, loaded to district verdicts", from_loaded)
            by_dbt, rows = measure_dbt(dbt, data, work)
            show("dbt, loaded to district verdicts", by_dbt, from_loaded, "ours")
            print(f"{'':34}{rows} rows equal to what the night published")
    return 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--step"]:
        STEPS[sys.argv[2]](*map(Path, sys.argv[3:]))
    else:
        sys.exit(main())
