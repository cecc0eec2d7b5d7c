"""The steps of a refresh that fill schema `plan`, by the table each is known by.

Loaded with the definitions, so nothing heavy is imported before a step runs. Keep out: the work (`refresh`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from youjun_pipeline.warehouse.scenario import VERDICTS

if TYPE_CHECKING:
    import duckdb

SCENARIO_TABLE, FORECAST_TABLE = "plan.scenario", "plan.enrolment_forecast"
READS = (*VERDICTS, "mart.section", "mart.school", "rule.plan_effect", "core.target", "core.school_form")


def build_scenarios(con: duckdb.DuckDBPyConnection) -> int:
    """`refresh.build_scenarios`."""
    from youjun_pipeline.planning import refresh

    return refresh.build_scenarios(con)


def build_forecast(con: duckdb.DuckDBPyConnection) -> int:
    """`refresh.build_forecast`."""
    from youjun_pipeline.planning import refresh

    return refresh.build_forecast(con)
