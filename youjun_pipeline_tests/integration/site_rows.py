"""A publication in which all texts are the same: it shows how the site treats a district that uses one name for everything.

Keep out: what a test expects.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from youjun_pipeline.warehouse.tables import declared_tables
from youjun_pipeline_tests.integration.published_rows import CODE, EVALUATION, PHASE, RESOURCES, RUN

FILL: dict[str, Any] = {
    "INTEGER": 1,
    "BIGINT": 1,
    "DOUBLE": 1.0,
    "BOOLEAN": True,
    "DATE": date(2023, 8, 1),
    "TIMESTAMP": datetime(2023, 8, 1),
}
# Columns whose values are the pipeline's own words; every other text is a district's.
OWN: dict[str, Any] = {
    "district_code": CODE,
    "phase_id": PHASE,
    "run_id": RUN,
    "standard_id": "national-2017",
    "indicator_code": "R4",
    "stage": "primary",
    "status": "below",
    "status_strict": "below",
    "category": "resource",
    "level": "school",
    "direction": "at_least",
    "passes": False,
    "passed": False,
    "answer": None,
}
TABLES: dict[str, dict[str, Any]] = {
    "mart.evaluation": EVALUATION,
    "mart.indicator": {"level": "section", "display_decimals": 2},
    "mart.school_indicator": {"threshold": 4.5, "floor": 3.825, "gap": 350.0, "rounding_sensitive": False},
    "mart.school_verdict": {"resource_met": 0, "resource_below": 7, "passes_resource_rule": False},
    "mart.stage_balance": {"cv": 0.6, "cv_limit": 0.5, "rounding_sensitive": False},
    "mart.balance_contribution": {"break_even": 2.1, "level_break_even": 2.0},
    "mart.lineage": {"input": "facilities.teaching_area_m2", "waiver": None, "factor": 1.0},
    "mart.monitoring_subject": {"level": 1},
    "mart.finding": {"state": "open", "signed_off": False, "first_phase_id": PHASE},
}
TEXTS_KEPT = ("data_origin", "music_art_rule", "active_waivers", "district_waivers")


def rows_named(name: str) -> dict[str, list[dict[str, Any]]]:
    """One row in every table that the site shows, where every text of a district is `name`; one row per indicator if needed."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for table in declared_tables().values():
        if table.schema not in ("mart", "quality"):
            continue
        row = {c: _filled(type_, name) for c, (type_, _) in table.columns.items() if c not in TEXTS_KEPT}
        row |= {c: v for c, v in OWN.items() if c in table.columns} | TABLES.get(table.full_name, {})
        rows[table.full_name] = [row]
    for full_name in ("mart.indicator", "mart.school_indicator"):
        rows[full_name] = [rows[full_name][0] | {"indicator_code": code} for code in RESOURCES]
    for text in ("district_name", "phase_name"):
        rows["mart.evaluation"][0][text] = name
    return rows


def _filled(type_: str, name: str) -> Any:
    if type_.endswith("[]"):
        return [_filled(type_.removesuffix("[]"), name)]
    return name if type_ == "VARCHAR" else FILL[type_]
