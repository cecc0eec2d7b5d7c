"""Trials judged in one pass and compared with their base: the tables of schema `plan`.

Belongs here: from steps to compared tables. Keep out: where steps come from (`what_if`, `plan`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa

from youjun_pipeline.planning.base import names_of
from youjun_pipeline.planning.judge import Case, judged
from youjun_pipeline.planning.scenario_file import Checked
from youjun_pipeline.warehouse.models import MODELS

if TYPE_CHECKING:
    import duckdb

# In order of dependence: each table reads only tables before it.
TABLES = ("scenario_indicator", "scenario_verdict", "scenario_change", "scenario")
ACTION_COLUMNS = (
    *("district_code", "phase_id", "scenario_id", "step", "action_no", "action", "effective_on"),
    *("school_code", "school_name", "to_school_code", "to_school_name", "stage", "grade", "scope"),
    *("item", "quantity", "area_m2", "value", "measure_no", "without"),
)


@dataclass(frozen=True)
class Trial:
    """A scenario applied to an evaluation: its steps, and the actions that were not carried out (`action_no`, `without`)."""

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


def compare(con: duckdb.DuckDBPyConnection, trials: Sequence[Trial]) -> Result:
    """The tables of schema `plan` for all trials, judged in one pass.

    Every step of a trial is judged, to show each action's effect and the end of every phase. Actions on the same day are separate
    steps.
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
    """The phases that have not ended on the day of the trial's figures, with their ends; the last phase is always included."""
    rows: list[tuple[str, str, date]] = con.execute(
        "select p.phase_id, p.phase_name, p.ends from raw.phase p join temp.run_evaluation e "
        "on e.district_code = p.district_code and e.phase_id = $2 where p.district_code = $1 "
        "and (p.ends >= e.effective_on or p.ends = (select max(ends) from raw.phase where district_code = $1)) "
        "order by p.ends, p.phase_order",
        [trial.district_code, trial.phase_id],
    ).fetchall()
    return rows


def _actions(con: duckdb.DuckDBPyConnection, trials: Sequence[Trial]) -> pa.Table:
    """What each trial does, in the order of carrying out, and what each trial left out."""
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
