"""Pupils of coming years from a district's own deliveries, and what they would do to its verdicts.

Rolls by grade come from the class lists of past deliveries, one school year each; births from `district_figures`. Belongs here:
rolls in, `plan.enrolment_forecast` and `plan.forecast_verdict` out. Keep out: the method (`forecast`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa

from youjun_pipeline.planning.figures import STAGES
from youjun_pipeline.planning.forecast import HORIZON, Method, forecast
from youjun_pipeline.planning.judge import Case, figures_of, judged
from youjun_pipeline.warehouse.models import MODELS

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Outlook:
    """`pupils`: the forecast of every school and district by evaluation; `verdicts`: what it means with all else as it is."""

    pupils: pa.Table
    verdicts: pa.Table


def outlook(
    con: duckdb.DuckDBPyConnection,
    evaluations: Sequence[tuple[str, str]],
    method: Method | None = None,
    *,
    years: Sequence[int] = tuple(range(1, HORIZON + 1)),
    fewest_years: int = 1,
) -> Outlook:
    """Forecast the pupils of evaluations (district_code, phase_id) of the begun run, and judge each coming year.

    Every year of every district goes through the models in one pass, with the schools' pupils of that year and all else as
    delivered. A district without class lists has no forecast.

    Args:
        con: with a run begun.
        evaluations: district_code and phase_id; one per district.
        method: what differs from the defaults of the method.
        years: which years ahead are judged.
        fewest_years: districts with fewer school years of rolls are left out.
    """
    wanted = pd.DataFrame(evaluations, columns=["district_code", "phase_id"])
    con.register("planning_outlook", pa.Table.from_pandas(wanted, preserve_index=False))
    try:
        rolls, births = _rolls(con), _frame(con, "births")
        known = rolls.groupby("district_code")["year"].transform("nunique")
        rolls = rolls[known >= fewest_years]
        said = forecast(rolls, births, method=method) if len(rolls) else pd.DataFrame()
        if said.empty:
            return Outlook(_empty(con, "enrolment_forecast"), _empty(con, "forecast_verdict"))
        said = said.merge(wanted, on="district_code")
        con.register("planning_said", pa.Table.from_pandas(said, preserve_index=False))
        try:
            pupils = con.execute(_sql("enrolment_forecast")).to_arrow_table()
            cases = [
                case for district, phase in evaluations for case in _cases(con, said, district, phase, years)
            ]
            if not cases:
                return Outlook(pupils, _empty(con, "forecast_verdict"))
            with judged(con, cases):
                return Outlook(pupils, con.execute(_sql("forecast_verdict")).to_arrow_table())
        finally:
            con.unregister("planning_said")
    finally:
        con.unregister("planning_outlook")


def pupils_in(said: pd.DataFrame, year: int) -> pd.DataFrame:
    """school_code, stage, students of one year, as `actions.Forecast` has them."""
    rows = said[
        (said["year"] == year)
        & said["school_code"].notna()
        & said["grade"].isna()
        & said["stage"].isin(STAGES)
    ]
    return rows[["school_code", "stage", "students"]].reset_index(drop=True)


def _rolls(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    rolls = _frame(con, "rolls")
    return rolls.astype({"grade": int, "year": int, "students": float}) if len(rolls) else rolls


def _frame(con: duckdb.DuckDBPyConnection, name: str) -> pd.DataFrame:
    return con.execute(_sql(name)).df()


def _sql(name: str) -> str:
    return (MODELS / "plan" / f"{name}.sql").read_text(encoding="utf-8")


def _empty(con: duckdb.DuckDBPyConnection, table: str) -> pa.Table:
    return con.execute(f"select * exclude (run_id) from plan.{table} limit 0").to_arrow_table()


def _cases(
    con: duckdb.DuckDBPyConnection, said: pd.DataFrame, district: str, phase: str, years: Sequence[int]
) -> list[Case]:
    """The district as delivered with the pupils of each coming year."""
    own = said[(said["district_code"] == district) & said["horizon"].isin(years)]
    if own.empty:
        return []
    figures = figures_of(con, district, phase)
    return [
        Case(f"year-{year}", district, phase, figures.with_pupils(_whole(pupils_in(own, int(year)))))
        for year in sorted(own["year"].unique())
    ]


def _whole(pupils: pd.DataFrame) -> pd.DataFrame:
    """Whole pupils; a school keeps at least one, since a forecast closes no school."""
    return pupils.assign(students=pupils["students"].round().clip(lower=1))
