"""What would be: scenarios of a district, judged and compared with what is. The entry for notebooks, tests and the command line.

    with open_planning(published, ["120114"]) as con:
        result = what_if(con, "120114", "2025-national", [read_scenario(path)])
        result.frame("scenario")

Works on a publication alone (`warehouse.inputs`), or on a working database with a run begun. Belongs here: from scenarios to
compared tables. Keep out: files (`scenario_file`), actions (`actions`), judging (`judge`), forecasts (`enrolment`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa

from youjun_pipeline.contracts.model import fold_word
from youjun_pipeline.planning.actions import Action, ActionError, Forecast, Step, carry_out
from youjun_pipeline.planning.figures import Figures
from youjun_pipeline.planning.judge import Case, figures_of, judged
from youjun_pipeline.planning.scenario_file import (
    Checked,
    Names,
    Problem,
    ScenarioFile,
    ScenarioFileError,
    find_scenarios,
    hold_against,
    read_scenario,
)
from youjun_pipeline.settings import Settings
from youjun_pipeline.warehouse.inputs import open_inputs
from youjun_pipeline.warehouse.models import MODELS, behind, build
from youjun_pipeline.warehouse.run import RunScope, begin_run
from youjun_pipeline.warehouse.tables import describe

if TYPE_CHECKING:
    import duckdb

PLAN = "plan"
# In the order that they rest on each other.
TABLES = ("scenario_indicator", "scenario_verdict", "scenario_change", "scenario")
ACTION_COLUMNS = (
    *("district_code", "phase_id", "scenario_id", "step", "action_no", "action", "effective_on"),
    *("school_code", "school_name", "to_school_code", "to_school_name", "stage", "grade", "scope"),
    *("item", "quantity", "area_m2", "value", "measure_no", "without"),
)


class PlanningError(ValueError):
    """A district or phase that cannot be planned for; the message says which there are."""


@dataclass(frozen=True)
class Trial:
    """A scenario held against an evaluation: its steps, and what of it could not be carried out (`action_no`, `without`)."""

    district_code: str
    phase_id: str
    scenario_id: str
    title: str
    source: str
    checked: Checked
    assumed_nothing: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class Result:
    """The tables of schema `plan` for the trials, by their names."""

    tables: Mapping[str, pa.Table] = field(default_factory=dict)

    def frame(self, name: str) -> pd.DataFrame:
        """A table as a frame to look at."""
        return self.tables[name].to_pandas()


@contextmanager
def open_planning(published: Path, districts: Sequence[str]) -> Iterator[duckdb.DuckDBPyConnection]:
    """A publication's districts in memory, with a run begun over all their evaluations; nothing is locked or written."""
    with open_inputs(published, districts) as con:
        found = con.execute("select max(as_of), list(distinct phase_id) from mart.evaluation").fetchall()[0]
        if found[0] is None:
            raise PlanningError(f"发布库中没有这些区县：{'、'.join(districts)}")
        begin_run(con, RunScope("what-if", tuple(sorted(found[1])), found[0], tuple(districts)))
        yield con


def what_if(
    con: duckdb.DuckDBPyConnection,
    district_code: str,
    phase_id: str,
    scenarios: Sequence[ScenarioFile],
    forecast: Forecast | None = None,
) -> Result:
    """Judge scenarios on the figures of one evaluation, at the end of each phase that is still to come, and compare.

    Raises PlanningError for an evaluation that is not there, ScenarioFileError for a scenario that does not fit it.
    """
    start, names, plan = start_of(con, district_code, phase_id)
    trials = [
        Trial(
            district_code,
            phase_id,
            s.scenario_id,
            s.title,
            s.path.name,
            hold_against(s, start, names, forecast or _no_forecast, plan),
        )
        for s in scenarios
    ]
    return compare(con, trials)


def try_out(settings: Settings, district_code: str, phase_id: str, wanted: Sequence[str]) -> Result:
    """Judge scenarios by their files, by their ids in the district's `scenarios/`, or `plan`, on the publication alone.

    Raises PlanningError, ScenarioFileError (with the problems of all files), NoInputsError.
    """
    problems = list[Problem]()
    scenarios = [read_scenario(_path_of(settings, district_code, name)) for name in wanted if name != PLAN]
    with open_planning(settings.published, [district_code]) as con:
        start, names, plan = start_of(con, district_code, phase_id)
        trials = list[Trial]()
        for s in scenarios:
            try:
                checked = hold_against(s, start, names, _no_forecast, plan)
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


def _no_forecast(year: int) -> pd.DataFrame:
    return pd.DataFrame(columns=["school_code", "stage", "students"])


def start_of(
    con: duckdb.DuckDBPyConnection, district_code: str, phase_id: str
) -> tuple[Step, Names, tuple[date, date]]:
    """Where scenarios of an evaluation start: its figures, its schools' names, the first and last day of the plan."""
    known = con.execute(
        "select phase_id from temp.run_evaluation where district_code = ? order by phase_order",
        [district_code],
    ).fetchall()
    if (phase_id,) not in known:
        there = "、".join(p for (p,) in known) or "没有"
        raise PlanningError(f"{district_code} 没有阶段 {phase_id} 的评估；可用的阶段：{there}")
    first, last = con.execute(
        "select min(starts), max(ends) from raw.phase where district_code = ?", [district_code]
    ).fetchall()[0]
    return (
        Step(figures_of(con, district_code, phase_id)),
        names_of(con, district_code, phase_id),
        (first, last),
    )


def names_of(con: duckdb.DuckDBPyConnection, district_code: str, phase_id: str) -> Names:
    """The schools of an evaluation's roster by every way to write them; the better way wins."""
    _ensure(con, ("core.school_form",))
    rows = con.execute(
        "select f.form, f.school_code, f.rank from core.school_form f join (select distinct a.school_code "
        "from accepted.schools a semi join (from temp.run_chosen_file where district_code = $1 and phase_id = $2 and "
        "dataset = 'schools') using (content_sha256)) s using (school_code) "
        "where f.district_code = $1 and f.phase_id = $2 and f.form is not null",
        [district_code, phase_id],
    ).fetchall()
    best: dict[str, tuple[int, set[str]]] = {}
    for form, code, rank in rows:
        key = fold_word(form)
        if key not in best or rank < best[key][0]:
            best[key] = (rank, {code})
        elif rank == best[key][0]:
            best[key][1].add(code)
    names = dict(
        con.execute(
            "select school_code, school_name from core.known_school where district_code = ? and phase_id = ?",
            [district_code, phase_id],
        ).fetchall()
    )
    here = {code for _, code, _ in rows}
    return Names(
        {key: frozenset(codes) for key, (_, codes) in best.items()},
        {code: name for code, name in names.items() if code in here},
    )


def _ensure(con: duckdb.DuckDBPyConnection, tables: Sequence[str]) -> None:
    """Build tables of the run that are not there yet, as on a publication; what is published stands and is not judged again."""
    for model in behind(tables):
        if model.schema in ("core", "rule") and not describe(con, model.full_name):
            build(con, model)


# ------------------------------------------------------------------------------------------------------------ the plan


def plan_of(con: duckdb.DuckDBPyConnection, district_code: str, phase_id: str) -> Trial | None:
    """The district's own plan as a trial, from what `rule.plan_effect` says of its measures; None where it has none.

    Whatever a measure leaves unsaid is assumed nothing; whatever the figures do not allow is told as such.
    """
    _ensure(con, ("rule.plan_effect", "core.target"))
    sql = (MODELS / "plan" / "plan_action.sql").read_text(encoding="utf-8")
    rows = (
        con.execute(
            f"from ({sql}) where district_code = ? and phase_id = ? order by effective_on, measure_no, school_code",
            [district_code, phase_id],
        )
        .to_arrow_table()
        .to_pylist()
    )
    if not rows:
        return None
    start, _names, _ = start_of(con, district_code, phase_id)
    rooms = _room_sizes(con, district_code, phase_id)
    steps, done, left = [start], list[Action](), list[dict[str, Any]]()
    for number, row in enumerate(rows, 1):
        told = {
            "action_no": f"{row['measure_no']}#{number}",
            "action": row["kind"],
            "effective_on": row["effective_on"],
            "school_code": row["school_code"],
            "stage": row["stage"],
            "quantity": row["quantity"],
            "measure_no": row["measure_no"],
        }
        if row["without"]:
            left.append({**told, "without": row["without"]})
            continue
        action = Action(
            action_no=told["action_no"],
            kind=row["kind"],
            effective_on=row["effective_on"],
            school=row["school_code"],
            to_school=row["to_school_code"],
            stage=row["stage"],
            item=row["item"],
            quantity=row["quantity"],
            measure_no=row["measure_no"],
        )
        try:
            step = steps[-1]
            for part in _placed(action, step.figures, rooms):
                step = carry_out(step, part, _no_forecast)
        except ActionError as error:
            left.append({**told, "without": str(error)})
            continue
        steps.append(step)
        done.append(action)
    return Trial(
        district_code, phase_id, PLAN, "方案全部落实", PLAN, Checked(tuple(done), tuple(steps)), tuple(left)
    )


def _placed(action: Action, figures: Figures, rooms: Mapping[str, float]) -> list[Action]:
    """An action, or of music and art rooms without a kind one each: the kind that the school has fewer of comes first."""
    if action.kind != "add_rooms" or action.item:
        return [action]
    own = figures.frames["special_rooms"]
    counts = {
        kind: int(
            ((own["school_code"] == action.school) & (own["kind"] == kind) & (own["area_m2"] >= size)).sum()
        )
        for kind, size in rooms.items()
    }
    placed = []
    for _ in range(int(action.quantity or 0)):
        kind = min(counts, key=lambda k: (counts[k], k != "music"))
        counts[kind] += 1
        placed.append(replace(action, item=kind, quantity=1.0, area_m2=rooms[kind]))
    return placed


def _room_sizes(con: duckdb.DuckDBPyConnection, district_code: str, phase_id: str) -> dict[str, float]:
    """The area that a new music or art room must have by the evaluation's standard."""
    rows = con.execute(
        "select p.parameter, p.value from standard.parameter p join temp.run_evaluation e using (standard_id) "
        "where e.district_code = ? and e.phase_id = ? and p.parameter in ('music_room_area_m2', 'art_room_area_m2')",
        [district_code, phase_id],
    ).fetchall()
    return {name.split("_")[0]: float(value) for name, value in rows}


# ---------------------------------------------------------------------------------------------------------- comparison


def compare(con: duckdb.DuckDBPyConnection, trials: Sequence[Trial]) -> Result:
    """The tables of schema `plan` for all trials, judged in one pass.

    Every step of a trial is judged, so that each action's effect is known and every phase's end can be looked at; steps on one
    day are steps of their own.
    """
    cases: dict[tuple[str, str, str], Case] = {}
    steps, ends = list[dict[str, Any]](), list[dict[str, Any]]()
    for number, trial in enumerate(trials):
        key = {
            "district_code": trial.district_code,
            "phase_id": trial.phase_id,
            "scenario_id": trial.scenario_id,
        }
        variants = []
        for step, state in enumerate(trial.checked.steps):
            name = "base" if step == 0 else f"s{number}-{step}"
            variants.append(name)
            cases[(trial.district_code, trial.phase_id, name)] = Case(
                name, trial.district_code, trial.phase_id, state.figures, state.options, state.standard_id
            )
            action_no = trial.checked.actions[step - 1].action_no if step else None
            steps.append({**key, "step": step, "action_no": action_no, "variant": name})
        for phase, name, until in _ends(con, trial):
            carried = sum(a.effective_on <= until for a in trial.checked.actions)
            ends.append(
                {
                    **key,
                    "at_phase_id": phase,
                    "at_phase_name": name,
                    "at_order": len(ends),
                    "until": until,
                    "variant": variants[carried],
                    "title": trial.title,
                    "source": trial.source,
                    "actions": len(trial.checked.actions),
                    "actions_carried_out": carried,
                    "assumed_nothing": len(trial.assumed_nothing),
                }
            )
    tables = {"scenario_action": _actions(con, trials)}
    if not trials:
        return Result(tables)
    con.register("planning_step_rows", pa.Table.from_pylist(steps, _schema(_STEP)))
    con.register("planning_at_rows", pa.Table.from_pylist(ends, _schema(_AT)))
    try:
        con.execute("create or replace temp table planning_step as from planning_step_rows")
        con.execute("create or replace temp table planning_at as from planning_at_rows")
        with judged(con, list(cases.values())):
            for table in TABLES:
                sql = (MODELS / "plan" / f"{table}.sql").read_text(encoding="utf-8")
                short = table.replace("scenario_", "")
                con.execute(f"create or replace temp table planning_{short} as {sql}")
                tables[table] = con.execute(f"from temp.planning_{short} order by all").to_arrow_table()
    finally:
        con.unregister("planning_step_rows")
        con.unregister("planning_at_rows")
        for short in ("step", "at", "indicator", "verdict", "change", "scenario"):
            con.execute(f"drop table if exists temp.planning_{short}")
    return Result(tables)


_STEP = {
    **dict.fromkeys(("district_code", "phase_id", "scenario_id"), pa.string()),
    "step": pa.int32(),
    "action_no": pa.string(),
    "variant": pa.string(),
}
_AT = {
    **dict.fromkeys(
        ("district_code", "phase_id", "scenario_id", "at_phase_id", "at_phase_name"), pa.string()
    ),
    "at_order": pa.int32(),
    "until": pa.date32(),
    "variant": pa.string(),
    "title": pa.string(),
    "source": pa.string(),
    **dict.fromkeys(("actions", "actions_carried_out", "assumed_nothing"), pa.int32()),
}


def _schema(columns: Mapping[str, pa.DataType]) -> pa.Schema:
    return pa.schema(list(columns.items()))


def _ends(con: duckdb.DuckDBPyConnection, trial: Trial) -> list[tuple[str, str, date]]:
    """The phases that have not ended on the day of the trial's figures, each with its end; the last phase always."""
    rows: list[tuple[str, str, date]] = con.execute(
        "select p.phase_id, p.phase_name, p.ends from raw.phase p join temp.run_evaluation e "
        "on e.district_code = p.district_code and e.phase_id = $2 where p.district_code = $1 "
        "and (p.ends >= e.effective_on or p.ends = (select max(ends) from raw.phase where district_code = $1)) "
        "order by p.ends, p.phase_order",
        [trial.district_code, trial.phase_id],
    ).fetchall()
    return rows


def _actions(con: duckdb.DuckDBPyConnection, trials: Sequence[Trial]) -> pa.Table:
    """What each trial does, in the order carried out, and what was left out of it."""
    rows = []
    for trial in trials:
        names = names_of(con, trial.district_code, trial.phase_id).names
        opened = {a.value: a.school for a in trial.checked.actions if a.kind == "open_school"}
        key = {
            "district_code": trial.district_code,
            "phase_id": trial.phase_id,
            "scenario_id": trial.scenario_id,
        }
        for step, action in enumerate(trial.checked.actions, 1):
            code = action.value if action.kind == "open_school" else action.school
            rows.append(
                {
                    **key,
                    "step": step,
                    "action_no": action.action_no,
                    "action": action.kind,
                    "effective_on": action.effective_on,
                    "school_code": code,
                    "to_school_code": action.to_school,
                    "stage": action.stage,
                    "grade": action.grade,
                    "scope": action.scope,
                    "item": action.item,
                    "quantity": action.quantity,
                    "area_m2": action.area_m2,
                    "value": action.value,
                    "measure_no": action.measure_no,
                }
            )
        rows += [{**key, **left} for left in trial.assumed_nothing]
        for row in rows:
            for side in ("school", "to_school"):
                there = str(row.get(f"{side}_code") or "")
                row[f"{side}_name"] = names.get(there) or opened.get(there)
    types = {"step": pa.int32(), "grade": pa.int32(), "effective_on": pa.date32()}
    types |= dict.fromkeys(("quantity", "area_m2"), pa.float64())
    return pa.Table.from_pylist(rows, _schema({c: types.get(c, pa.string()) for c in ACTION_COLUMNS}))
