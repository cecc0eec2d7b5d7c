"""Where planning starts: opening a publication or a working database, reading an evaluation's figures and its schools' names.

Belongs here: opening and looking up. Keep out: scenarios and their results (`what_if`, `compare`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from youjun_pipeline.contracts.model import fold_word
from youjun_pipeline.planning.actions import Step
from youjun_pipeline.planning.judge import figures_of
from youjun_pipeline.planning.scenario_file import Names
from youjun_pipeline.settings import Lake
from youjun_pipeline.warehouse.inputs import open_inputs
from youjun_pipeline.warehouse.models import behind, build
from youjun_pipeline.warehouse.run import RunScope, begin_run
from youjun_pipeline.warehouse.tables import describe

if TYPE_CHECKING:
    import duckdb


class PlanningError(ValueError):
    """A district or phase for which no plan can be made; the message says which districts and phases exist."""


@contextmanager
def open_planning(
    published: Path, districts: Sequence[str], lake: Lake | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A publication's districts in memory, with a run over all their evaluations. Nothing is locked or written."""
    with open_inputs(published, districts, lake) as con:
        found = con.execute("select max(as_of), list(distinct phase_id) from mart.evaluation").fetchall()[0]
        if found[0] is None:
            raise PlanningError(f"发布库中没有这些区县：{'、'.join(districts)}")
        begin_run(con, RunScope("what-if", tuple(sorted(found[1])), found[0], tuple(districts)))
        yield con


def no_forecast(year: int) -> pd.DataFrame:
    """The forecast of a district without one: no pupils known in any year."""
    return pd.DataFrame(columns=["school_code", "stage", "students"])


def start_of(
    con: duckdb.DuckDBPyConnection, district_code: str, phase_id: str
) -> tuple[Step, Names, tuple[date, date]]:
    """Where the scenarios of an evaluation start: its figures, its schools' names, the first and last day of the plan."""
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
    """The schools of an evaluation's roster by every way to write them. Of schools with one spelling the better kind wins."""
    ensure(con, ("core.school_form",))
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


def ensure(con: duckdb.DuckDBPyConnection, tables: Sequence[str]) -> None:
    """Build missing tables of the run, as on a publication. Published tables stay as they are; nothing is judged again."""
    for model in behind(tables):
        if model.schema in ("core", "rule") and not describe(con, model.full_name):
            build(con, model)
