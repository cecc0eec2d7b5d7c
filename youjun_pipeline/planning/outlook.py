"""What the pupils of coming years would do to a district's verdicts, with and without its plan.

Belongs here: a case per evaluation, year and basis, and `plan.forecast_verdict` and `plan.forecast_warning` from these cases.
Keep out: the forecast itself (`enrolment`), what a plan's measures do (`plan`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa

from youjun_pipeline.planning.actions import Step
from youjun_pipeline.planning.enrolment import Expected, expected, grades_in, pupils_in, pupils_table, sql_of
from youjun_pipeline.planning.figures import Figures
from youjun_pipeline.planning.forecast import HORIZON, Method
from youjun_pipeline.planning.judge import Case, figures_of, judged
from youjun_pipeline.planning.plan import Rows, carry_plan, room_sizes

if TYPE_CHECKING:
    import duckdb

NOW, PLAN = "now", "plan"
YEARS = tuple(range(1, HORIZON + 1))


@dataclass(frozen=True)
class Outlook:
    """`pupils`: the forecast. `verdicts`: what it means for each year. `warnings`: what passes now and will fail later."""

    pupils: pa.Table
    verdicts: pa.Table
    warnings: pa.Table


def outlook(
    con: duckdb.DuckDBPyConnection,
    evaluations: Sequence[tuple[str, str]],
    method: Method | None = None,
    *,
    plans: Mapping[tuple[str, str], Rows] | None = None,
    years: Sequence[int] = YEARS,
    fewest_years: int = 1,
    said: Expected | None = None,
) -> Outlook:
    """Forecast the pupils of evaluations (district_code, phase_id) of the run, and judge each coming year.

    Every year of every district goes through the models in one pass, with the schools' pupils of that year and everything else as
    delivered. Each year is judged a second time with what the plan will have done by the end of the calendar year in which the
    school year begins. A district without rosters of several years has no forecast. A district whose plan states no quantity has
    no basis "plan".

    Args:
        con: with an open run.
        evaluations: district_code and phase_id; one per district.
        method: changes to the method's defaults.
        plans: what the districts' plans would do (`plan.plan_rows`); None: judge only without a plan.
        years: which years ahead are judged.
        fewest_years: districts with fewer school years of rolls are left out.
        said: the forecast of these evaluations, if the caller already has it.
    """
    if said is None:
        said = expected(con, evaluations, method, fewest_years=fewest_years)
    pupils = pupils_table(con, said.pupils)
    cases = [
        case
        for district, phase in evaluations
        for case in _cases(
            con, said.of(district, phase), district, phase, years, (plans or {}).get((district, phase), ())
        )
    ]
    if not cases:
        return Outlook(pupils, _empty(con, "forecast_verdict"), _empty(con, "forecast_warning"))
    wanted = pd.DataFrame(evaluations, columns=["district_code", "phase_id"])
    con.register("planning_outlook", pa.Table.from_pandas(wanted, preserve_index=False))
    con.register("planning_pupils", pa.Table.from_pandas(said.pupils, preserve_index=False))
    try:
        with judged(con, cases):
            verdicts = con.execute(sql_of("forecast_verdict")).to_arrow_table()
        con.register("planning_forecast", verdicts)
        return Outlook(pupils, verdicts, con.execute(sql_of("forecast_warning")).to_arrow_table())
    finally:
        con.unregister("planning_outlook")
        con.unregister("planning_pupils")
        con.unregister("planning_forecast")


def _empty(con: duckdb.DuckDBPyConnection, table: str) -> pa.Table:
    return con.execute(f"select * exclude (run_id) from plan.{table} limit 0").to_arrow_table()


def _cases(
    con: duckdb.DuckDBPyConnection,
    own: Expected,
    district: str,
    phase: str,
    years: Sequence[int],
    plan: Rows,
) -> list[Case]:
    """The district as delivered with the pupils of each coming year, and the same with its plan."""
    if own.pupils.empty:
        return []
    figures, rooms = figures_of(con, district, phase), room_sizes(con, district, phase)
    cases = []
    for year in sorted(own.pupils.loc[own.pupils["horizon"].isin(years), "year"].unique()):
        then = with_forecast(figures, own, int(year))
        cases.append(Case(f"{NOW}-{year}", district, phase, then))
        acting = [r for r in plan if not r["without"] and r["effective_on"] <= date(int(year), 12, 31)]
        if acting:
            steps = carry_plan(Step(then), acting, rooms)[0].steps
            cases.append(Case(f"{PLAN}-{year}", district, phase, steps[-1].figures))
    return cases


def with_forecast(figures: Figures, own: Expected, year: int) -> Figures:
    """The figures with the pupils forecast for a year, and their classes by grade; mergers due by then have happened."""
    there = set(figures.schools["school_code"])
    for merger in own.mergers.itertuples():
        if merger.since <= year and {merger.from_code, merger.to_code} <= there:
            figures = figures.merge_school(str(merger.from_code), str(merger.to_code))
            there.remove(merger.from_code)
    pupils = pupils_in(own.pupils, year)
    # Pupils are whole numbers. A school keeps at least one pupil, because a forecast closes no school.
    whole = pupils.assign(students=pupils["students"].round().clip(lower=1))
    return figures.with_pupils(whole).with_grades(grades_in(own.pupils, year))
