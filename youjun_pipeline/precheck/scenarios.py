"""What is wrong with the scenario files in a district's folder, compared with the delivered schools and figures.

Keep out: reading and checking them (`planning.scenario_file`).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from youjun_pipeline.planning.base import start_of
from youjun_pipeline.planning.enrolment import forecast_of
from youjun_pipeline.planning.scenario_file import (
    ScenarioFileError,
    find_scenarios,
    hold_against,
    read_scenario,
)
from youjun_pipeline.precheck.findings import ERROR, Finding

if TYPE_CHECKING:
    import duckdb

TITLE = "情景文件有误，不能试算"


def scenario_findings(con: duckdb.DuckDBPyConnection, folder: Path) -> Iterator[Finding]:
    """Every problem of every file in `folder`/scenarios; if there are no figures to compare with, only problems of the files."""
    for path in find_scenarios(folder) if folder.is_dir() else []:
        scenario = read_scenario(path)
        problems = list(scenario.problems)
        newest = con.execute(
            "select district_code, phase_id from temp.run_evaluation order by phase_order desc limit 1"
        ).fetchall()
        if newest:
            code, phase = newest[0]
            start, names, plan = start_of(con, code, phase)
            try:
                hold_against(scenario, start, names, forecast_of(con, code, phase), plan)
            except ScenarioFileError as error:
                problems = error.problems
        for problem in problems:
            yield Finding(ERROR, "", "scenario", TITLE, f"scenarios/{problem}")
