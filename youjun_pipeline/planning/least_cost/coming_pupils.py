"""An evaluation with the pupils of a coming school year in place of today's, for a plan that holds on its target date.

Belongs here: the forecast put in, in a database that nobody keeps, and all that rests on it judged again. Keep out: the
forecast (`enrolment`), the plan.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pyarrow as pa

from youjun_pipeline.planning.actions import Action, ActionError, Step, carry_out
from youjun_pipeline.planning.enrolment import forecast_of
from youjun_pipeline.planning.judge import figures_of
from youjun_pipeline.warehouse.models import behind, build
from youjun_pipeline.warehouse.scenario import VERDICTS
from youjun_pipeline.warehouse.stand_in import take_the_place
from youjun_pipeline.warehouse.tables import describe

if TYPE_CHECKING:
    import duckdb

READS = (*VERDICTS, "mart.evaluation", "rule.g3_music_art_rooms", "core.chosen_file")


class NoForecastError(ValueError):
    """There is no forecast of that year; the message says which years there are."""


def coming_pupils(year: int, day: date) -> Action:
    """The action of a scenario that takes the pupils of a school year."""
    return Action("0", "forecast_pupils", day, scope="全区", quantity=float(year))


def expect_pupils(con: duckdb.DuckDBPyConnection, district: str, phase: str, year: int) -> None:
    """Give the evaluation the pupils that are forecast for a school year, and judge it again.

    Only for a database that nobody keeps: the delivered figures are no longer chosen in it.

    Raises:
        NoForecastError: nothing is forecast for that year.
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
