"""A published database made of a few rows, for tests of its readers; no files are read, and nothing is judged.

Keep out: what a test expects.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from youjun_pipeline.warehouse.connection import connect
from youjun_pipeline.warehouse.manifest import MANIFEST_NAME
from youjun_pipeline.warehouse.swap import FILE_NAME
from youjun_pipeline.warehouse.tables import declared_tables

Rows = Mapping[str, Sequence[Mapping[str, Any]]]

CODE, PHASE, RUN = "120114", "2023-startup", "run-1"
RESOURCES = tuple(f"R{n}" for n in range(1, 8))
EVALUATION: dict[str, Any] = {
    "district_code": CODE,
    "phase_id": PHASE,
    "district_name": "试验区",
    "phase_name": "启动",
    "phase_order": 1,
    "starts": date(2023, 7, 1),
    "ends": date(2023, 9, 30),
    "as_of": date(2026, 1, 1),
    "effective_on": date(2023, 9, 30),
    "standard_id": "national-2017",
    "data_origin": "reported",
    "include_private": True,
    "music_art_rule": "each",
    "active_waivers": [],
    "district_waivers": [],
    "is_closed": False,
}


def publish_rows(published: Path, rows: Rows, run_id: str = RUN) -> Path:
    """Write `rows`, by full table name, as the publication in the folder `published`; returns its file.

    It has every declared table. District, phase and run of a row default to those of this module.
    """
    published.mkdir(parents=True, exist_ok=True)
    path = published / FILE_NAME
    path.unlink(missing_ok=True)
    with connect(path) as con:
        for table in declared_tables().values():
            con.execute(table.create_sql())
        for name, given in rows.items():
            columns = declared_tables()[name].columns
            for row in given:
                known = {"district_code": CODE, "phase_id": PHASE, "run_id": run_id}
                whole = {k: v for k, v in {**known, **row}.items() if k in columns or k in row}
                names = ", ".join(f'"{column}"' for column in whole)
                marks = ", ".join("?" * len(whole))
                con.execute(f"insert into {name} ({names}) values ({marks})", list(whole.values()))
    manifest = {"publication": {"file": FILE_NAME, "run_id": run_id}, "folders": {}}
    (published / MANIFEST_NAME).write_text(json.dumps(manifest), encoding="utf-8")
    return path


def resource(
    school_code: str, code: str, value: float | None, status: str, stage: str = "primary", **given: Any
) -> dict[str, Any]:
    """A row of `mart.school_indicator` about a resource."""
    row = {
        "school_code": school_code,
        "stage": stage,
        "indicator_code": code,
        "value": value,
        "status": status,
    }
    return {**row, "rounding_sensitive": False, "waiver": None, **given}


def one_section(
    school_code: str, name: str, passes: bool | None = True, **given: Any
) -> dict[str, list[dict[str, Any]]]:
    """Roster row, section and verdict of a primary school that meets all seven; `given` is for the roster row."""
    whole = {"school_code": school_code, "school_name": name}
    return {
        "mart.school": [{**whole, "school_type": "小学", "in_scope": True, "primary_students": 400, **given}],
        "mart.section": [
            {
                **whole,
                "school_type": "小学",
                "stage": "primary",
                "in_scope": True,
                "students": 400,
                "classes": 10,
                "grades": 6,
            }
        ],
        "mart.school_verdict": [
            {**whole, "stage": "primary", "students": 400, "passes_resource_rule": passes, "reason": name}
        ],
        "mart.school_indicator": [
            {**resource(school_code, code, 10.0, "met"), "school_name": name} for code in RESOURCES
        ],
    }


def together(*parts: Rows) -> dict[str, list[Mapping[str, Any]]]:
    """The rows of several parts, table by table."""
    tables: dict[str, list[Mapping[str, Any]]] = {}
    for part in parts:
        for name, rows in part.items():
            tables.setdefault(name, []).extend(rows)
    return tables
