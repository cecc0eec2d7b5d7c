"""A district's own plan as a scenario: those of its measures that say how much and where. Nobody has to write the plan down
again.

Keep out: what a measure's words mean (`rule.plan_effect`, models/plan/plan_action.sql).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from youjun_pipeline.planning.actions import Action, ActionError, Step, carry_out
from youjun_pipeline.planning.base import ensure, no_forecast, start_of
from youjun_pipeline.planning.compare import Trial
from youjun_pipeline.planning.figures import Figures
from youjun_pipeline.planning.scenario_file import Checked
from youjun_pipeline.warehouse.models import MODELS

if TYPE_CHECKING:
    import duckdb

PLAN = "plan"
TITLE = "方案全部落实"


Rows = Sequence[Mapping[str, Any]]


def plan_rows(con: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], Rows]:
    """What the plans of all evaluations of the run would do, by district_code and phase_id; one query for all."""
    ensure(con, ("rule.plan_effect", "core.target"))
    sql = (MODELS / "plan" / "plan_action.sql").read_text(encoding="utf-8")
    found: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    read = con.execute(f"from ({sql}) order by effective_on, measure_no, school_code, item").to_arrow_table()
    for row in read.to_pylist():
        found.setdefault((row["district_code"], row["phase_id"]), []).append(row)
    return {key: tuple(rows) for key, rows in found.items()}


def plan_of(
    con: duckdb.DuckDBPyConnection, district_code: str, phase_id: str, rows: Rows | None = None
) -> Trial | None:
    """The district's own plan as a trial, from what `rule.plan_effect` says of its measures; None if it has no such measures.

    What a measure does not say is not assumed; what the figures do not allow is reported. `rows` are the rows of `plan_rows`, if
    the caller already has them.
    `plan_rows`, where they are at hand.
    """
    if rows is None:
        rows = plan_rows(con).get((district_code, phase_id), ())
    if not rows:
        return None
    start, _names, _ = start_of(con, district_code, phase_id)
    checked, left = carry_plan(start, rows, room_sizes(con, district_code, phase_id))
    return Trial(district_code, phase_id, PLAN, TITLE, PLAN, checked, tuple(left))


def carry_plan(
    start: Step, rows: Rows, rooms: Mapping[str, float]
) -> tuple[Checked, list[Mapping[str, Any]]]:
    """Carry out the rows of the plan. Returns also the rows left out: they say too little, or the figures do not allow them.

    `rooms` is the area of a new room by its kind (`room_sizes`).
    """
    steps, done, left = [start], list[Action](), list[Mapping[str, Any]]()
    for number, row in enumerate(rows, 1):
        if row["without"]:
            left.append(_left(row, number))
            continue
        action = Action(
            action_no=f"{row['measure_no']}#{number}",
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
                step = carry_out(step, part, no_forecast)
        except ActionError as error:
            left.append({**_left(row, number), "without": str(error)})
            continue
        steps.append(step)
        done.append(action)
    return Checked(tuple(done), tuple(steps)), left


def _left(row: Mapping[str, Any], number: int) -> dict[str, Any]:
    """A measure that changes nothing, in the shape of `plan.scenario_action`."""
    same = ("effective_on", "school_code", "stage", "quantity", "measure_no", "without")
    return {"action_no": f"{row['measure_no']}#{number}", "action": row["kind"], **{c: row[c] for c in same}}


def _placed(action: Action, figures: Figures, rooms: Mapping[str, float]) -> list[Action]:
    """The action; music and art rooms without a kind become one action each. The kind that the school has fewer of is first."""
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


def room_sizes(con: duckdb.DuckDBPyConnection, district_code: str, phase_id: str) -> dict[str, float]:
    """The area that a new music or art room must have by the evaluation's standard."""
    rows = con.execute(
        "select p.parameter, p.value from standard.parameter p join temp.run_evaluation e using (standard_id) "
        "where e.district_code = ? and e.phase_id = ? and p.parameter in ('music_room_area_m2', 'art_room_area_m2')",
        [district_code, phase_id],
    ).fetchall()
    return {name.split("_")[0]: float(value) for name, value in rows}
