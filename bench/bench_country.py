"""A country of made-up districts: what a first night, a quiet night, one change and one phase more cost, by stage.

    python bench/bench_country.py [DISTRICTS] [SCHOOLS]        100 districts of 75 schools by default

Every night is a process of its own, so that its peak of memory is known. The floor, in the same run, is bare DuckDB: it reads
the same files, grouped by header, into tables and writes the published tables once. Wall time means little on a busy
machine; CPU seconds stand beside it. The second, smaller country tells what a district more costs. A night that publishes
other verdicts than the exact evaluation of the tests' oracle for a district of each kind ends the bench with an error.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
AS_OF = date(2024, 1, 1)
ANYWAY = "anyway"
KINDS = 8
"""How many different districts there are; all others repeat one of them under a code of their own."""


def night(data: Path, run_id: str) -> dict[str, Any]:
    """One refresh without reports in this process: CPU and wall seconds by stage.

    Like `youjun run` it first looks whether anything is other than the last night left it; ANYWAY runs all the same.
    """
    used, began = time.process_time(), time.monotonic()
    stages: dict[str, tuple[float, float]] = {}

    def end(stage: str) -> None:
        nonlocal used, began
        now = time.process_time(), time.monotonic()
        stages[stage] = now[0] - used, now[1] - began
        used, began = now

    from youjun_pipeline.session import open_session
    from youjun_pipeline.warehouse.last_run import Before
    from youjun_pipeline_tests.steps import places

    before = Before.of(places(data, AS_OF))
    as_left = before.is_as_left()
    end("look")
    if as_left and run_id != ANYWAY:
        return {"stages": stages}
    with open_session(before.settings) as session:
        end("start")
        session.ingest()
        end("ingest")
        session.begin(run_id)
        end("begin")
        session.build()
        end("build")
        session.check()
        end("check")
        session.publish()
        end("publish")
    before.note()
    return {"stages": stages}


def bare(data: Path, _: str) -> dict[str, Any]:
    """Read every file, grouped by dataset and header, and write the published tables once."""
    import duckdb

    used, began = time.process_time(), time.monotonic()
    groups: dict[tuple[str, str], list[str]] = {}
    for path in sorted(data.glob("*/deliveries/*/*.csv")):
        with path.open(encoding="utf-8") as file:
            groups.setdefault((path.stem, file.readline().strip()), []).append(str(path))
    with duckdb.connect(str(data / "bare.duckdb")) as con:
        for number, ((dataset, header), files) in enumerate(groups.items()):
            columns = ", ".join(f"'{name}': 'varchar'" for name in header.split(","))
            con.execute(
                f"create table d{number}_{dataset} as from read_csv($1, header = true, auto_detect = false, delim = ',', "
                f"quote = '\"', columns = {{{columns}}}, filename = true)",
                [files],
            )
        con.execute(f"attach '{data / 'published' / 'youjun.duckdb'}' as done (read_only)")
        tables = con.execute(
            "select schema_name, table_name from duckdb_tables() where database_name = 'done'"
        ).fetchall()
        for schema, table in tables:
            con.execute(f'create schema if not exists "{schema}"')
            con.execute(f'create table "{schema}"."{table}" as from done."{schema}"."{table}"')
    (data / "bare.duckdb").unlink()
    return {"stages": {"all": (time.process_time() - used, time.monotonic() - began)}}


def child(work: str, data: Path, run_id: str) -> dict[str, Any]:
    """What `work` measured in a process of its own, with its peak of memory in MB."""
    done = subprocess.run(
        [sys.executable, __file__, work, str(data), run_id], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{work} failed:\n{done.stderr[-4000:]}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def change_one(data: Path) -> None:
    """A district delivers its roster anew, with a school in another township."""
    path = sorted(data.glob("*/deliveries/*/schools.csv"))[0]
    newer = path.parent.with_name("2023-09-15")
    newer.mkdir()
    lines = path.read_text("utf-8").splitlines()
    at = lines[0].split(",").index("township")
    cells = lines[1].split(",")
    cells[at] = "新镇"
    (newer / path.name).write_text("\n".join([lines[0], ",".join(cells), *lines[2:]]) + "\n", "utf-8")


def add_phase(data: Path) -> None:
    """Every district begins another phase."""
    for path in data.glob("*/district.toml"):
        text = path.read_text("utf-8")
        path.write_text(
            text + '\n[[phase]]\nid = "next"\nname = "下一阶段"\nstarts = 2023-10-01\nends = 2023-12-31\n',
            "utf-8",
        )


def refuse_wrong_verdicts(data: Path, n_schools: int, n_districts: int) -> None:
    """Compare a district of each kind with the exact evaluation; raises SystemExit where a count differs."""
    from youjun_pipeline.warehouse.published import open_publication
    from youjun_pipeline_tests.generate import PROFILES, generate_district
    from youjun_pipeline_tests.oracle import Options, evaluate

    with open_publication(data / "published") as con:
        found = dict(
            con.execute(
                "select district_code, list([passes, n] order by passes) from ("
                "select district_code, passes_resource_rule::varchar as passes, count(*)::varchar as n "
                "from mart.school_verdict where phase_id = '2023-startup' group by all) group by all"
            ).fetchall()
        )
    for kind in range(min(KINDS, n_districts)):
        code = f"{110000 + kind:06d}"
        made = generate_district(
            kind, n_schools=n_schools, profile=PROFILES[kind % len(PROFILES)], code=code, leading_zero=False
        )
        exact = evaluate(
            made.tables, Options.from_settings({**made.settings, "effective_on": date(2023, 9, 30)})
        )
        counts: dict[str | None, int] = {}
        for verdict in exact.school_verdict.values():
            word = None if verdict.passes_resource_rule is None else str(verdict.passes_resource_rule).lower()
            counts[word] = counts.get(word, 0) + 1
        told = {word: int(number) for word, number in found[code]}
        if told != counts:
            raise SystemExit(f"{code}: {told} published, {counts} by the exact evaluation")


def phases() -> tuple[Any, ...]:
    """The one phase that every district begins with."""
    from youjun_pipeline_tests.generate import Phase

    return (Phase("2023-startup", "启动准备", date(2023, 7, 1), date(2023, 9, 30)),)


def measure(folder: Path, n_districts: int, n_schools: int) -> dict[str, dict[str, Any]]:
    """Every night of a country, in the order in which they follow each other, and the floor."""
    from youjun_pipeline_tests.generate import generate_country

    generate_country(folder, n_districts, n_schools=n_schools, n_templates=KINDS, phases=phases())
    nights: dict[str, dict[str, Any]] = {"cold": child("night", folder, "cold")}
    refuse_wrong_verdicts(folder, n_schools, n_districts)
    nights["floor"] = child("bare", folder, "bare")
    steps: dict[str, Callable[[Path], None]] = {
        "unchanged": lambda _: None,
        "unchanged, run anyway": lambda _: None,
        "one district changed": change_one,
        "one phase more": add_phase,
    }
    for name, step in steps.items():
        step(folder)
        nights[name] = child("night", folder, ANYWAY if "anyway" in name else name.replace(" ", "-"))
    return nights


def total(measured: dict[str, Any], which: int) -> float:
    """Seconds of all stages: CPU for 0, wall for 1."""
    return sum(times[which] for times in measured["stages"].values())


def main() -> int:
    """Print the nights of a country and of one a fifth as large, and what a district more costs against the floor."""
    n_districts = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    n_schools = int(sys.argv[2]) if len(sys.argv) > 2 else 75
    sizes = (max(n_districts // 5, 1), n_districts)
    measured = []
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            measured.append(measure(Path(folder), size, n_schools))
        nights = measured[-1]
        print(f"{size} districts of {n_schools} schools")
        print(f"{'':22}{'CPU s':>9}{'wall s':>9}{'MB':>8}{'× floor':>9}  CPU s by stage")
        for name, one in nights.items():
            ratio = total(one, 0) / total(nights["floor"], 0)
            stages = "  ".join(f"{stage} {times[0]:.1f}" for stage, times in one["stages"].items())
            print(
                f"{name:22}{total(one, 0):>9.1f}{total(one, 1):>9.1f}{one['mb']:>8.0f}{ratio:>9.1f}  {stages}"
            )
    small, large = measured
    floor = (total(large["floor"], 0) - total(small["floor"], 0)) / (sizes[1] - sizes[0])
    print("CPU of a district more against the floor's:")
    for name in large:
        more = (total(large[name], 0) - total(small[name], 0)) / (sizes[1] - sizes[0])
        print(f"  {name:22}{more * 1000:>8.0f} ms{more / floor:>8.1f} ×")
    return 0


if __name__ == "__main__":
    if len(sys.argv) > 3:
        done = {"night": night, "bare": bare}[sys.argv[1]](Path(sys.argv[2]), sys.argv[3])
        done["mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps(done))
    else:
        sys.exit(main())
