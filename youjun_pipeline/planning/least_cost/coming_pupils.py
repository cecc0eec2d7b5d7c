"""An evaluation with the pupils of a coming school year instead of today's, for a plan that holds on its target date.

Belongs here: putting the forecast into a temporary database, and judging there again everything that depends on it. Keep out: the
forecast (`enrolment`), the plan.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING

import pyarrow as pa

from youjun_pipeline.planning.actions import Action, ActionError, Step, carry_out
from youjun_pipeline.planning.enrolment import expected, forecast_of, pupils_in
from youjun_pipeline.planning.judge import figures_of
from youjun_pipeline.warehouse.catalogues import load_standard
from youjun_pipeline.warehouse.connection import IN_MEMORY, connect
from youjun_pipeline.warehouse.inputs import input_tables
from youjun_pipeline.warehouse.models import behind, build
from youjun_pipeline.warehouse.run import RunScope, begin_run
from youjun_pipeline.warehouse.scenario import VERDICTS
from youjun_pipeline.warehouse.stand_in import take_the_place
from youjun_pipeline.warehouse.tables import describe, ensure_tables

if TYPE_CHECKING:
    import duckdb

READS = (*VERDICTS, "mart.evaluation", "rule.g3_music_art_rooms", "core.chosen_file")


class NoForecastError(ValueError):
    """There is no forecast of that year; the message says which years there are."""


def coming_pupils(year: int, day: date) -> Action:
    """The action of a scenario that sets the pupils of a school year."""
    return Action("0", "forecast_pupils", day, scope="全区", quantity=float(year))


def pupils_sentence(year: int | None) -> str:
    """In words, whose pupils a plan is for; None: the delivered pupils."""
    return "按已填报的学生数" if year is None else f"按 {year} 学年的预测学生数"


def forecast_fault(con: duckdb.DuckDBPyConnection, district: str, phase: str, year: int) -> str | None:
    """Why a school year has no forecast, and what to do about it; None if it has one."""
    pupils = expected(con, [(district, phase)]).pupils
    years = sorted({int(y) for y in pupils["year"]}) if len(pupils) else []
    if year in years and len(pupils_in(pupils, year)):
        return None
    ask = "或不填，按已填报的学生数编制"
    if not years:
        return f"没有 {year} 学年的预测：没有可据以预测的各年级在校生数；请补报名册，{ask}"
    return f"没有 {year} 学年的预测，请改为 {years[0]} 至 {years[-1]} 之间的学年，{ask}"


@contextmanager
def expecting(
    con: duckdb.DuckDBPyConnection, district: str, phase: str, year: int
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory in which the evaluation has the pupils forecast for a school year; `con` does not change.

    `con` has an open run. Raises NoForecastError.
    """
    as_of, stale_days = con.execute("select getvariable('as_of'), getvariable('stale_days')").fetchall()[0]
    with connect(IN_MEMORY) as own:
        ensure_tables(own)
        load_standard(own)
        for table in input_tables(con):
            _copy(con, own, table, district)
        begin_run(own, RunScope("coming-pupils", (phase,), as_of, (district,), stale_days))
        expect_pupils(own, district, phase, year)
        yield own


def _copy(con: duckdb.DuckDBPyConnection, own: duckdb.DuckDBPyConnection, table: str, district: str) -> None:
    """Copy one table of deliveries, but only the rows that a district needs."""
    columns = describe(con, table)
    wanted, asked = "", [district]
    if "district_code" in columns:
        wanted = " where district_code = $1"
    elif "content_sha256" in columns:
        wanted = " where content_sha256 in (select content_sha256 from raw.delivered_file where district_code = $1)"
    else:
        asked = []
    own.register("copied_rows", con.execute(f"from {table}{wanted}", asked).to_arrow_table())
    picked = ", ".join(f'"{c}"::{t} as "{c}"' for c, t in columns.items())
    own.execute(f"create or replace table {table} as select {picked} from copied_rows")
    own.unregister("copied_rows")


def expect_pupils(con: duckdb.DuckDBPyConnection, district: str, phase: str, year: int) -> None:
    """Give the evaluation the pupils that are forecast for a school year, and judge it again.

    Use it only on a temporary database: the evaluation no longer uses the delivered figures in it.

    Raises:
        NoForecastError: that year has no forecast.
    """
    step = Step(figures_of(con, district, phase))
    try:
        step = carry_out(step, coming_pupils(year, date(year, 9, 1)), forecast_of(con, district, phase))
    except ActionError as error:
        raise NoForecastError(str(error)) from error
    files = dict[str, str]()
    for dataset in sorted(step.figures.changed):
        con.register(
            f"coming_{dataset}", pa.Table.from_pandas(step.figures.frames[dataset], preserve_index=False)
        )
        columns = {c: t for c, t in describe(con, f"accepted.{dataset}").items() if c != "content_sha256"}
        picked = ", ".join(f'"{c}"::{t} as "{c}"' for c, t in columns.items())
        files[dataset] = f"(select {picked} from coming_{dataset})"
    try:
        take_the_place(con, district, phase, files)
    finally:
        for dataset in step.figures.changed:
            con.unregister(f"coming_{dataset}")
    for model in behind(READS):
        build(con, model)
