"""Pupils of coming years from a district's own deliveries.

Rolls by grade come from the class lists of past deliveries, one school year each. Births and kindergarten leavers come from
`district_figures`, mergers from `school_changes`. Belongs here: rolls in, `plan.enrolment_forecast` out. Keep out: the method
(`forecast`), what the pupils mean for verdicts (`outlook`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from youjun_pipeline.planning.actions import Forecast
from youjun_pipeline.planning.base import ensure
from youjun_pipeline.planning.figures import STAGES
from youjun_pipeline.planning.forecast import Method, forecast
from youjun_pipeline.warehouse.models import MODELS

if TYPE_CHECKING:
    import duckdb

EVALUATION = ["district_code", "phase_id"]
# Joins district and phase: the method gets each evaluation as a district of its own.
JOINT = "|"
READS = ("rule.coming_merger", "core.school_successor", "core.school", "core.parameter")


@dataclass(frozen=True)
class Expected:
    """`pupils`: the columns of `forecast.forecast` and phase_id. `mergers` to come: from_code, to_code, since (school year)."""

    pupils: pd.DataFrame = field(default_factory=pd.DataFrame)
    mergers: pd.DataFrame = field(default_factory=pd.DataFrame)

    def of(self, district_code: str, phase_id: str) -> Expected:
        """The part of one evaluation."""
        return Expected(
            *(
                f[(f["district_code"] == district_code) & (f["phase_id"] == phase_id)] if len(f) else f
                for f in (self.pupils, self.mergers)
            )
        )


def expected(
    con: duckdb.DuckDBPyConnection,
    evaluations: Sequence[tuple[str, str]],
    method: Method | None = None,
    *,
    fewest_years: int = 1,
) -> Expected:
    """The forecast of evaluations (district_code, phase_id) of the run, each from what was delivered up to its day.

    Args:
        con: with an open run.
        evaluations: district_code and phase_id.
        method: changes to the method's defaults. A district's option `shock_years` is added to the method's shock years.
        fewest_years: evaluations with fewer school years of rolls are left out.
    """
    ensure(con, READS)
    wanted = pd.DataFrame(evaluations, columns=EVALUATION)
    con.register("planning_outlook", pa.Table.from_pandas(wanted, preserve_index=False))
    try:
        rolls, entrants = _joint(_frame(con, "rolls")), _joint(_frame(con, "entrants"))
        mergers = con.execute(
            "from rule.coming_merger semi join planning_outlook using (district_code, phase_id) order by all"
        ).df()
        shocks = _shocks(con)
    finally:
        con.unregister("planning_outlook")
    if rolls.empty:
        return Expected()
    rolls = rolls.astype({"grade": int, "year": int, "students": float})
    rolls = rolls[rolls.groupby("district_code")["year"].transform("nunique") >= fewest_years]
    method = method or Method()
    parts = [
        forecast(
            own,
            _heads(entrants, "births"),
            leavers=_heads(entrants, "kindergarten_leavers").rename(columns={"births": "leavers"}),
            method=replace(method, shock_years=method.shock_years | years),
        )
        for years, own in rolls.groupby(rolls["district_code"].map(shocks), sort=False)
    ]
    if not parts:
        return Expected()
    pupils = _without_unknown_grades(pd.concat(parts, ignore_index=True), rolls)
    pupils[EVALUATION] = pupils["district_code"].str.split(JOINT, n=1, expand=True, regex=False)
    return Expected(_merged(pupils, mergers), mergers)


def _joint(frame: pd.DataFrame) -> pd.DataFrame:
    """Each evaluation as a district of its own."""
    joint = frame["district_code"] + JOINT + frame["phase_id"]
    return frame.assign(district_code=joint).drop(columns="phase_id")


def _heads(entrants: pd.DataFrame, item: str) -> pd.DataFrame:
    own = entrants[entrants["item"] == item]
    return own.rename(columns={"heads": "births"})[["district_code", "year", "births"]]


def _shocks(con: duckdb.DuckDBPyConnection) -> dict[str, frozenset[int]]:
    """The school years that each evaluation's district leaves out, by joint key. A single year is stored with decimals."""
    rows = con.execute(
        "select district_code, phase_id, settings['shock_years'] from temp.run_evaluation "
        "semi join planning_outlook using (district_code, phase_id)"
    ).fetchall()
    return {
        f"{d}{JOINT}{p}": frozenset(int(float(y)) for y in (years or "").split(",") if y)
        for d, p, years in rows
    }


def _without_unknown_grades(pupils: pd.DataFrame, rolls: pd.DataFrame) -> pd.DataFrame:
    """Remove figures by grade where a stage's pupils were spread over its grades: then only their sum is known."""
    spread = rolls.loc[rolls["is_spread"], ["district_code", "school_code", "stage"]].drop_duplicates()
    school = pd.MultiIndex.from_frame(spread)
    district = pd.MultiIndex.from_frame(spread[["district_code", "stage"]].drop_duplicates())
    of_school = pd.MultiIndex.from_frame(pupils[["district_code", "school_code", "stage"]]).isin(school)
    of_district = pd.MultiIndex.from_frame(pupils[["district_code", "stage"]]).isin(district)
    unknown = pupils["grade"].notna() & (of_school | (pupils["school_code"].isna() & of_district))
    return pupils[~unknown].reset_index(drop=True)


def _merged(pupils: pd.DataFrame, mergers: pd.DataFrame) -> pd.DataFrame:
    """Count the pupils of schools that will merge at the receiving school, from the school year of the merger on.

    Intervals of several schools are added as for independent errors.
    """
    for merger in mergers.itertuples():
        moved = (
            (pupils["district_code"] == merger.district_code)
            & (pupils["phase_id"] == merger.phase_id)
            & (pupils["school_code"] == merger.from_code)
            & (pupils["year"] >= merger.since)
        )
        pupils = pupils.assign(school_code=pupils["school_code"].mask(moved, merger.to_code))
    if mergers.empty:
        return pupils
    key = [*EVALUATION, "school_code", "stage", "grade", "year", "horizon", "level"]
    reach = ((pupils["high"] - pupils["students"]) ** 2).rename("reach")
    summed = (
        pupils.assign(reach=reach)
        .groupby(key, dropna=False, sort=False)
        .agg(
            students=("students", "sum"),
            reach=("reach", lambda r: r.sum(skipna=False)),
            misses=("misses", "min"),
            schools=("students", "size"),
            low=("low", "first"),
            high=("high", "first"),
        )
        .reset_index()
    )
    spread = np.sqrt(summed["reach"])
    alone = summed["schools"] == 1
    summed["low"] = summed["low"].where(alone, (summed["students"] - spread).clip(lower=0))
    summed["high"] = summed["high"].where(alone, summed["students"] + spread)
    return summed.drop(columns=["reach", "schools"])


def forecast_of(con: duckdb.DuckDBPyConnection, district_code: str, phase_id: str) -> Forecast:
    """The forecast by year for the scenarios of an evaluation; it is computed at the first request."""

    @cache
    def pupils() -> pd.DataFrame:
        return expected(con, [(district_code, phase_id)]).pupils

    return lambda year: pupils_in(pupils(), year)


def pupils_in(pupils: pd.DataFrame, year: int) -> pd.DataFrame:
    """school_code, stage, students of one year, as `actions.Forecast` has them."""
    if pupils.empty:
        return pd.DataFrame(columns=["school_code", "stage", "students"])
    rows = pupils[
        (pupils["year"] == year)
        & pupils["school_code"].notna()
        & pupils["grade"].isna()
        & pupils["stage"].isin(STAGES)
    ]
    return rows[["school_code", "stage", "students"]].reset_index(drop=True)


def grades_in(pupils: pd.DataFrame, year: int) -> pd.DataFrame:
    """school_code, stage, grade, students of one year, for grades that are known."""
    rows = pupils[(pupils["year"] == year) & pupils["school_code"].notna() & pupils["grade"].notna()]
    return rows[["school_code", "stage", "grade", "students"]].reset_index(drop=True)


def pupils_table(con: duckdb.DuckDBPyConnection, pupils: pd.DataFrame) -> pa.Table:
    """A forecast in the shape of `plan.enrolment_forecast`, without the run's columns."""
    if pupils.empty:
        return con.execute("select * exclude (run_id) from plan.enrolment_forecast limit 0").to_arrow_table()
    con.register("planning_pupils", pa.Table.from_pandas(pupils, preserve_index=False))
    try:
        return con.execute(sql_of("enrolment_forecast")).to_arrow_table()
    finally:
        con.unregister("planning_pupils")


def _frame(con: duckdb.DuckDBPyConnection, name: str) -> pd.DataFrame:
    return con.execute(sql_of(name)).df()


def sql_of(name: str) -> str:
    """The text of a query of schema `plan`."""
    return (MODELS / "plan" / f"{name}.sql").read_text(encoding="utf-8")
