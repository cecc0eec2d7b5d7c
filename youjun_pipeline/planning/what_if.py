"""What if: scenarios of a district, judged and compared with the present state. The entry for notebooks, tests, the command line.

    with open_planning(published, ["120114"]) as con:
        result = what_if(con, "120114", "2025-national", [read_scenario(path)])
        result.frame("scenario")

It needs only a publication (`warehouse.inputs`), or a working database with an open run. Belongs here: from scenarios to compared
tables. Keep out: files (`scenario_file`), actions (`actions`), judging (`judge`), forecasts (`enrolment`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from youjun_pipeline.planning.actions import Forecast
from youjun_pipeline.planning.base import PlanningError, open_planning, start_of
from youjun_pipeline.planning.compare import Result, Trial, compare
from youjun_pipeline.planning.enrolment import forecast_of
from youjun_pipeline.planning.plan import PLAN, plan_of
from youjun_pipeline.planning.scenario_file import (
    Problem,
    ScenarioFile,
    ScenarioFileError,
    find_scenarios,
    hold_against,
    read_scenario,
)
from youjun_pipeline.settings import Settings

if TYPE_CHECKING:
    import duckdb

__all__ = ["PlanningError", "Result", "compare", "open_planning", "plan_of", "start_of", "try_out", "what_if"]


def what_if(
    con: duckdb.DuckDBPyConnection,
    district_code: str,
    phase_id: str,
    scenarios: Sequence[ScenarioFile],
    forecast: Forecast | None = None,
) -> Result:
    """Judge scenarios on the figures of one evaluation at the end of each phase still to come, and compare the results.

    `forecast` gives the pupils of a coming year; by default it is the evaluation's own forecast.

    Raises PlanningError if the evaluation does not exist, ScenarioFileError if a scenario does not fit it.
    """
    start, names, plan = start_of(con, district_code, phase_id)
    forecast = forecast or forecast_of(con, district_code, phase_id)
    trials = [
        Trial(
            district_code,
            phase_id,
            s.scenario_id,
            s.title,
            s.path.name,
            hold_against(s, start, names, forecast, plan),
        )
        for s in scenarios
    ]
    return compare(con, trials)


def try_out(settings: Settings, district_code: str, phase_id: str, wanted: Sequence[str]) -> Result:
    """Judge scenarios, by file, by id in the district's `scenarios/`, or `plan`; only the publication is read.

    Raises PlanningError, ScenarioFileError (with the problems of all files), NoInputsError.
    """
    problems = list[Problem]()
    scenarios = [read_scenario(_path_of(settings, district_code, name)) for name in wanted if name != PLAN]
    with open_planning(settings.published, [district_code], settings.lake_to_read) as con:
        start, names, plan = start_of(con, district_code, phase_id)
        trials, forecast = list[Trial](), forecast_of(con, district_code, phase_id)
        for s in scenarios:
            try:
                checked = hold_against(s, start, names, forecast, plan)
                trials.append(Trial(district_code, phase_id, s.scenario_id, s.title, s.path.name, checked))
            except ScenarioFileError as error:
                problems += error.problems
        if problems:
            raise ScenarioFileError(problems)
        if PLAN in wanted:
            own = plan_of(con, district_code, phase_id)
            if own is None:
                raise PlanningError(
                    f"{district_code} 没有交付措施（measures）或任务（targets），没有可试算的方案"
                )
            trials.append(own)
        return compare(con, trials)


def _path_of(settings: Settings, district_code: str, name: str) -> Path:
    if Path(name).is_file():
        return Path(name)
    found = {
        path.stem: path
        for folder in settings.data.glob(f"{district_code}-*")
        for path in find_scenarios(folder)
    }
    if name not in found:
        known = f"；scenarios/ 中有：{'、'.join(found)}" if found else ""
        raise PlanningError(f"没有情景 {name}：请给出文件，或 plan{known}")
    return found[name]
