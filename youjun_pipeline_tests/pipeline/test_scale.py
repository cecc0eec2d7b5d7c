"""Four Celery workers refresh a country's shards into one lake at the same time, and one of them is killed.

PostgreSQL has the lake's catalogue and Dagster's storage, Redis the queue of the workers, SeaweedFS the Parquet files.
SCALE_DISTRICTS is the number of districts (20). It takes minutes; `make test-scale` runs it.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import pytest

from youjun_pipeline.session import bring_to_lake, open_session
from youjun_pipeline.settings import Lake, Settings, Shard
from youjun_pipeline.warehouse.lake import last_publication, open_lake
from youjun_pipeline.warehouse.lake_care import tidy
from youjun_pipeline.warehouse.tables import declared_tables
from youjun_pipeline_tests.conftest import CHECKOUT
from youjun_pipeline_tests.generate import Phase
from youjun_pipeline_tests.generate.country import generate_country
from youjun_pipeline_tests.pipeline.servers import everything, started, wait_for
from youjun_pipeline_tests.steps import places, refresh

pytestmark = pytest.mark.scale
for needed in ("dagster_celery", "dagster_postgres", "duckdb_extension_ducklake"):
    pytest.importorskip(needed, reason="the extra `scale` is not installed")

DISTRICTS, WORKERS = int(os.environ.get("SCALE_DISTRICTS", "20")), 4
# one more than there are workers, so that one of them takes a second; a run costs tens of CPU seconds however few its districts
SHARDS = 5 if DISTRICTS < 100 else 8
PHASE = Phase("2023-first", "第一阶段", date(2023, 7, 1), date(2023, 9, 30))
AS_OF = date(2024, 1, 2)
# a busy machine with two cores; each wait ends as soon as what it waits for is there
PATIENCE = 1800 + 5 * DISTRICTS
MADE_ANEW = ("run_id", "evaluated_at", "checked_at", "published_at", "program_sha256")


@dataclass
class Seen:
    """What a reader of the lake saw while the workers wrote: run and districts of each query, and the faults."""

    looks: list[tuple[str, int]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


@dataclass
class Night:
    """The night of the workers: the settings for all districts, a run over all of them for comparison, and the observations."""

    settings: Settings
    embedded: Settings
    seen: Seen
    killed: int
    seconds: float
    runs: list[dg.DagsterRun]


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    """One run fills the lake for the day before; then four workers do a night, and one of them is killed once."""
    folder = tmp_path_factory.mktemp("scale")
    data = folder / "data"
    generate_country(data, DISTRICTS, n_schools=4, phases=(PHASE,))
    embedded = replace(
        places(data, AS_OF), warehouse=folder / "embedded.duckdb", published=folder / "embedded"
    )
    refresh(replace(embedded, as_of=AS_OF - timedelta(days=1)), "run-before")
    with ExitStack() as stack:
        env = stack.enter_context(everything(folder))
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        own = {
            "YOUJUN_DATA": str(data),
            "YOUJUN_WAREHOUSE": str(folder / "work" / "warehouse.duckdb"),
            "YOUJUN_PUBLISHED": str(folder / "published"),
            "YOUJUN_AS_OF": AS_OF.isoformat(),
            "YOUJUN_AUTOMATION": "on",
            # the sensor of deliveries starts the runs, at once
            "YOUJUN_NIGHTLY_CRON": "0 0 29 2 *",
            "YOUJUN_SHARDS": str(SHARDS),
            "DAGSTER_HOME": str(folder / "dagster"),
            "PYTHONPATH": str(CHECKOUT),
        }
        for name, text in (env | own).items():
            patch.setenv(name, text)
        settings = Settings.from_environment()
        assert settings.lake
        bring_to_lake(replace(embedded, lake=settings.lake))
        refresh(embedded, "run-for-all")
        write_instance(folder / "dagster")
        start_workers(stack, folder)
        began = time.monotonic()
        daemon = [sys.executable, "-m", "dagster._daemon", "run", "-w", str(CHECKOUT / "workspace.yaml")]
        stack.enter_context(started(daemon, folder / "daemon.log"))
        instance = stack.enter_context(dg.DagsterInstance.from_config(str(folder / "dagster")))
        seen, over = Seen(), threading.Event()
        reader = threading.Thread(target=read_on, args=(settings.lake, seen, over), daemon=True)
        reader.start()
        killed = kill_one(instance)
        # by what the reader sees: another that asks every half second would take a core
        wait_for(
            "the publication of the night",
            lambda: seen.faults or (seen.looks and seen.looks[-1][0] != "run-before"),
            PATIENCE,
        )
        seconds = time.monotonic() - began
        time.sleep(5)
        over.set()
        reader.join(60)
        yield Night(settings, embedded, seen, killed, seconds, list(instance.get_runs()))


def start_workers(stack: ExitStack, folder: Path) -> None:
    """As many Celery workers as the deployment has machines, each with one run at a time."""
    programs = Path(sys.executable).parent
    for number in range(1, WORKERS + 1):
        command = [str(programs / "dagster-celery"), "worker", "start", "-A", "dagster_celery.app"]
        options = ["-n", f"w{number}", "-y", "docs/deploy/celery-worker.yaml", "--", "--concurrency", "1"]
        # it starts celery by its name; four of them share the machine's cores
        env = {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
        env |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"), "1")
        stack.enter_context(started([*command, *options], folder / f"worker-{number}.log", env))


def write_instance(home: Path) -> None:
    """Dagster's instance of the deployment, with shorter waits and as many runs as workers."""
    text = (CHECKOUT / "docs" / "deploy" / "dagster-many.yaml").read_text(encoding="utf-8")
    text = text.replace("poll_interval_seconds: 60", "poll_interval_seconds: 5")
    text = text.replace("max_concurrent_runs: 16", f"max_concurrent_runs: {WORKERS}")
    home.mkdir()
    (home / "dagster.yaml").write_text(text, encoding="utf-8")


def look(con: object) -> tuple[str, int]:
    """Run and number of districts of the last publication, in its snapshot."""
    snapshot = last_publication(con)  # type: ignore[arg-type]
    at = f"at (version => {snapshot})"
    found: list[tuple[str, int]] = con.execute(  # type: ignore[attr-defined]
        f"select (select run_id from lake.ops.publication {at} order by published_at desc limit 1), "
        f"(select count(distinct district_code) from lake.mart.school_indicator {at})"
    ).fetchall()
    return found[0]


def read_on(lake: Lake, seen: Seen, over: threading.Event) -> None:
    """Query the last publication repeatedly, like a dashboard that keeps its connection."""
    try:
        with open_lake(lake, read_only=True) as con:
            while not over.is_set():
                seen.looks.append(look(con))
                over.wait(2)
    except Exception as error:
        seen.faults.append(str(error))


def kill_one(instance: dg.DagsterInstance) -> int:
    """Kill the process of the first run that has read its deliveries; returns its number."""
    found: list[int] = []

    def under_way() -> bool:
        for run in instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])):
            steps = instance.get_run_step_stats(run.run_id)
            process = run.tags.get("youjun/process", "").split("/")
            if len(process) == 4 and any(s.step_key == "deliveries" and s.end_time for s in steps):
                found.append(int(process[2]))
        return bool(found)

    wait_for("a run that is under way", under_way, PATIENCE)
    os.kill(found[0], signal.SIGKILL)
    return found[0]


def test_the_lake_equals_the_run_for_all_row_for_row(night: Night) -> None:
    lake = night.settings.lake
    assert lake
    with open_lake(lake, read_only=True) as con:
        snapshot = last_publication(con)
    found = {}
    with open_lake(lake, snapshot=snapshot) as con:
        con.execute(f"attach '{night.embedded.published / 'youjun.duckdb'}' as source (read_only)")
        con.begin()
        for name, table in declared_tables().items():
            columns = ", ".join(f'"{c}"' for c in table.columns if c not in MADE_ANEW)
            if name.startswith("ops."):
                continue
            ours, theirs = (f"select {columns} from {c}.{name}" for c in ("lake", "source"))
            rows = con.execute(
                f"select count(*) from (({ours} except all {theirs}) union all ({theirs} except all {ours}))"
            ).fetchall()[0][0]
            if rows:
                found[name] = rows
        newest = (
            "select rows, content_sha256, as_of from {}.ops.publication order by published_at desc limit 1"
        )
        told = [con.execute(newest.format(c)).fetchall() for c in ("lake", "source")]
    assert found == {}
    assert told[0] == told[1]


def test_the_killed_run_was_made_again_and_no_other_failed(night: Night) -> None:
    failed = [run for run in night.runs if run.status is dg.DagsterRunStatus.FAILURE]
    assert len(failed) == 1, f"only the killed one; {night.seconds:.0f} s"
    again = [run for run in night.runs if run.parent_run_id == failed[0].run_id]
    assert [run.tags["youjun/shard"] for run in again] == [failed[0].tags["youjun/shard"]]
    assert len(night.runs) == SHARDS + 1


def test_the_reader_saw_the_day_before_and_then_the_night_whole(night: Night) -> None:
    assert night.seen.faults == []
    runs = [run for run, _ in night.seen.looks]
    assert runs[0] == "run-before" and runs[-1] != "run-before" and len(set(runs)) == 2
    assert {districts for _, districts in night.seen.looks} == {DISTRICTS}


def test_no_file_is_left_that_nobody_knows(night: Night) -> None:
    assert night.settings.lake
    done = tidy(night.settings.lake, grace=timedelta(0))
    assert done.merged > 0
    with open_lake(night.settings.lake) as con:
        call = "call ducklake_delete_orphaned_files('lake', cleanup_all => true, dry_run => true)"
        assert con.execute(call).fetchall() == []
        assert look(con)[1] == DISTRICTS


def test_the_second_night_makes_the_district_that_changed(night: Night) -> None:
    """The worker that gets a shard continues from the first night: one evaluation is made again and replaced in the lake."""
    changed = next(night.settings.data.glob("*-d3"))
    text = (changed / "district.toml").read_text(encoding="utf-8")
    (changed / "district.toml").write_text(text.replace("第4区", "第四区"), encoding="utf-8")
    made: list[tuple[str, int]] = []
    for number in range(1, SHARDS + 1):
        own = replace(night.settings, as_of=AS_OF + timedelta(days=1)).of_shard(Shard(number, SHARDS))
        with open_session(own) as session:
            session.ingest()
            session.begin(f"second-{number}")
            made += session.con.execute("select district_code, 1 from run_evaluation").fetchall()
            session.build()
            session.check()
            session.publish()
    assert made == [(changed.name[:6], 1)]
    lake = night.settings.lake
    assert lake
    with open_lake(lake, read_only=True) as con:
        names = con.execute(
            "select district_name from lake.mart.evaluation where district_code = $1", [changed.name[:6]]
        ).fetchall()
        entry = con.execute("select as_of from lake.ops.publication order by published_at desc").fetchall()
    assert names == [("第四区",)]
    assert entry[0] == (AS_OF + timedelta(days=1),)
