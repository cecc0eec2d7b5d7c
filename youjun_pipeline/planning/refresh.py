"""Schema `plan` in a refresh: the scenario files, the plan and the forecast of each district's newest evaluation.

Belongs here: which evaluations and files are used, and filling the declared tables. Keep out: judging (`compare`, `enrolment`). A
faulty scenario file does not stop the others: its faults go to `plan.scenario_problem`, and it has no other rows.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa

from youjun_pipeline.planning.base import start_of
from youjun_pipeline.planning.compare import Trial, compare
from youjun_pipeline.planning.enrolment import Expected, expected, forecast_of
from youjun_pipeline.planning.outlook import outlook
from youjun_pipeline.planning.plan import plan_of, plan_rows
from youjun_pipeline.planning.scenario_file import (
    Problem,
    ScenarioFileError,
    find_scenarios,
    hold_against,
    read_scenario,
)
from youjun_pipeline.sql import transaction
from youjun_pipeline.warehouse.models import replace_rows
from youjun_pipeline.warehouse.tables import declared_tables

if TYPE_CHECKING:
    import duckdb

log = logging.getLogger("youjun")

# One year of rolls does not show how pupils move on, so a refresh makes no forecast from it.
FEWEST_YEARS = 2


def build_scenarios(con: duckdb.DuckDBPyConnection) -> int:
    """Fill the scenario tables for the run's districts; returns the rows of `plan.scenario`."""
    trials, problems = list[Trial](), list[dict[str, Any]]()
    plans = plan_rows(con)
    for district_code, phase_id, folder in newest(con):
        if folder:
            more, wrong = _of_files(con, district_code, phase_id, folder)
            trials += more
            problems += [
                {"district_code": district_code, "phase_id": phase_id, **_told(problem)} for problem in wrong
            ]
    for district_code, phase_id in _plan_bases(con, set(plans)):
        own = plan_of(con, district_code, phase_id, plans[district_code, phase_id])
        if own is not None:
            trials.append(own)
    tables = dict(compare(con, trials).tables)
    columns = [c for c in declared_tables()["plan.scenario_problem"].columns if c != "run_id"]
    types = {c: pa.int32() if c == "row_number" else pa.string() for c in columns}
    tables["scenario_problem"] = pa.Table.from_pylist(problems, pa.schema(list(types.items())))
    return _fill(con, tables, "scenario")


def build_forecast(con: duckdb.DuckDBPyConnection) -> int:
    """Fill the forecast tables for the run's districts; returns the rows of `plan.enrolment_forecast`."""
    evaluations = [(district_code, phase_id) for district_code, phase_id, _ in newest(con)]
    said = _expected(con, evaluations)
    seen = outlook(con, evaluations, plans=plan_rows(con), said=said)
    tables = {
        "enrolment_forecast": seen.pupils,
        "forecast_verdict": seen.verdicts,
        "forecast_warning": seen.warnings,
    }
    return _fill(con, tables, "enrolment_forecast")


def _expected(con: duckdb.DuckDBPyConnection, latest: list[tuple[str, str]]) -> Expected:
    """The forecast of the newest evaluations; of earlier evaluations only for the phases that were still to come then."""
    until = dict[tuple[str, str], int | None]()
    for district, phase, year in con.execute(
        "select e.district_code, e.phase_id, max(school_year(p.ends)) from temp.run_evaluation e "
        "left join raw.phase p on p.district_code = e.district_code and p.ends > e.effective_on group by all"
    ).fetchall():
        until[district, phase] = year
    said = expected(con, [k for k, year in until.items() if year or k in latest], fewest_years=FEWEST_YEARS)
    if said.pupils.empty:
        return said
    key = ["district_code", "phase_id"]
    last = pd.DataFrame([(*k, year) for k, year in until.items()], columns=[*key, "last"])
    last["is_newest"] = [tuple(k) in set(latest) for k in last[key].to_numpy()]
    of_row = said.pupils[key].merge(last, on=key, how="left")
    earlier = said.pupils["school_code"].notna() & (said.pupils["year"] <= of_row["last"].to_numpy(float))
    return Expected(said.pupils[of_row["is_newest"].to_numpy(bool) | earlier], said.mergers)


def newest(con: duckdb.DuckDBPyConnection) -> list[tuple[str, str, Path | None]]:
    """The newest evaluation of each district of the run, and the district's folder where there is a data folder."""
    rows = con.execute(
        "select e.district_code, arg_max(e.phase_id, e.phase_order), any_value(d.slug), getvariable('data_folder') "
        "from temp.run_evaluation e join raw.district d using (district_code) group by e.district_code order by 1"
    ).fetchall()
    return [
        (code, phase, Path(data) / f"{code}-{slug}" if data else None) for code, phase, slug, data in rows
    ]


def _plan_bases(con: duckdb.DuckDBPyConnection, planned: set[tuple[str, str]]) -> list[tuple[str, str]]:
    """The evaluations on which a district's plan is tried: the newest, and the first, when all of the plan was to come."""
    rows = con.execute(
        "select district_code, phase_id from temp.run_evaluation order by district_code, phase_order"
    ).fetchall()
    of_district: dict[str, list[tuple[str, str]]] = {}
    for district, phase in rows:
        if (district, phase) in planned:
            of_district.setdefault(district, []).append((district, phase))
    return [key for keys in of_district.values() for key in dict.fromkeys((keys[0], keys[-1]))]


def _of_files(
    con: duckdb.DuckDBPyConnection, district_code: str, phase_id: str, folder: Path
) -> tuple[list[Trial], list[Problem]]:
    files = find_scenarios(folder)
    if not files:
        return [], []
    start, names, plan = start_of(con, district_code, phase_id)
    trials, problems = [], list[Problem]()
    forecast = forecast_of(con, district_code, phase_id)
    for path in files:
        try:
            scenario = read_scenario(path)
            checked = hold_against(scenario, start, names, forecast, plan)
            trials.append(Trial(district_code, phase_id, path.stem, scenario.title, path.name, checked))
        except ScenarioFileError as error:
            log.warning("情景文件 %s 有 %d 处问题，没有试算", path.name, len(error.problems))
            problems += error.problems
    return trials, problems


def _told(problem: Problem) -> dict[str, Any]:
    return {
        "file": problem.file,
        "sheet": problem.sheet or None,
        "row_number": problem.row,
        "column_name": problem.column or None,
        "value": problem.value or None,
        "message": problem.message,
    }


def _fill(con: duckdb.DuckDBPyConnection, tables: dict[str, pa.Table], counted: str) -> int:
    """Replace the run's rows of `plan.<name>` with these; if there are no rows, the run's old rows are still deleted."""
    wanted = ("scenario", "scenario_action", "scenario_indicator", "scenario_verdict", "scenario_change")
    names = [*tables, *(n for n in wanted if counted == "scenario" and n not in tables)]
    rows = 0
    with transaction(con):
        for name in names:
            full = f"plan.{name}"
            columns = list(declared_tables()[full].columns)
            if name in tables:
                con.register("planning_rows", tables[name])
                made = replace_rows(con, full, "planning_rows", columns)
                con.unregister("planning_rows")
            else:
                made = replace_rows(con, full, f"(from {full} limit 0)", columns)
            rows = made if name == counted else rows
    return rows
