"""The steps of a refresh that fill schema `plan`, by the name of their table.

This module is loaded with the definitions, so it imports nothing heavy before a step runs. Keep out: the work (`refresh`).
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from youjun_pipeline.ingest.beside import PRICES
from youjun_pipeline.warehouse.scenario import VERDICTS

if TYPE_CHECKING:
    import duckdb

log = logging.getLogger("youjun")

SCENARIO_TABLE, FORECAST_TABLE = "plan.scenario", "plan.enrolment_forecast"
PROPOSAL_TABLE = "plan.proposal_summary"
_ASKED = f"""
    select 1 from temp.run_evaluation semi join (
        select district_code from raw.planning_file where list_contains($1, file)
        union all
        select district_code from {PROPOSAL_TABLE}
    ) using (district_code)
    limit 1
"""
PROPOSAL_READS = (*VERDICTS, "mart.evaluation", "rule.g3_music_art_rooms", "core.chosen_file")
READS = (
    *VERDICTS,
    *("mart.section", "mart.school", "rule.plan_effect"),
    *(
        "core.target",
        "core.school_form",
        "rule.coming_merger",
        "core.school_successor",
        "core.school",
        "core.parameter",
    ),
)


def build_scenarios(con: duckdb.DuckDBPyConnection) -> int:
    """`refresh.build_scenarios`."""
    from youjun_pipeline.planning import refresh

    return refresh.build_scenarios(con)


def build_forecast(con: duckdb.DuckDBPyConnection) -> int:
    """`refresh.build_forecast`."""
    from youjun_pipeline.planning import refresh

    return refresh.build_forecast(con)


def build_proposals(con: duckdb.DuckDBPyConnection) -> int:
    """`proposals.build_proposals`; without the extra `planning` it proposes nothing and logs a warning.

    If no district of the run has prices now or had a plan before, the step ends at once: the solvers take a second to load.
    """
    if not con.execute(_ASKED, [list(PRICES)]).fetchall():
        return 0
    try:
        from youjun_pipeline.planning import proposals
    except ModuleNotFoundError as error:
        log.warning("没有编制最省方案：缺少 %s，请安装附加包 youjun-pipeline[planning]", error.name)
        return 0

    return proposals.build_proposals(con)
