"""What a run shows of the rows it made: counts for each phase, previews, tables in Markdown.

Keep out: which asset shows it (`assets`, `published`), and judging: the rows say it themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

from youjun_pipeline.warehouse.models import Built
from youjun_pipeline.warehouse.tables import EVALUATION_KEY, declared_tables

if TYPE_CHECKING:
    import duckdb

PREVIEW_ROWS, PREVIEW_COLUMNS, LONGEST_CELL, MOST_LINES = 5, 12, 60, 100
# What a plot over time is about, beside the rows; SELECTs of phase_id and a number.
FIGURES = {
    "mart.school_verdict": (
        "failing_sections",
        "select phase_id, count(*) filter (not passes_resource_rule) from mart.school_verdict",
    ),
    "mart.district_verdict": (
        "failing_schools",
        "select phase_id, sum(schools_failing)::bigint from mart.district_verdict",
    ),
}


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> dg.MarkdownMetadataValue:
    """Rows as a Markdown table, long cells cut, at most `MOST_LINES` of them."""
    rows = list(rows)
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    lines += ["| " + " | ".join(map(_cell, row)) + " |" for row in rows[:MOST_LINES]]
    if len(rows) > MOST_LINES:
        lines += ["", f"……共 {len(rows)} 行"]
    return dg.MetadataValue.md("\n".join(lines))


def _cell(value: object) -> str:
    text = "" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
    text = " ".join(text.replace("|", "\\|").split())
    return text if len(text) <= LONGEST_CELL else text[:LONGEST_CELL] + "…"


def show_rows(
    context: dg.AssetExecutionContext,
    con: duckdb.DuckDBPyConnection,
    full_name: str,
    built: Built,
    seconds: float,
) -> None:
    """Note on the materialisation of a table how many rows it now has for each phase of the run.

    What is the same for all phases (a preview, the columns of a table that is not declared) stands on the last phase
    alone: Dagster keeps an event for every phase, and the history is mostly these.
    """
    key = dg.AssetKey(full_name.split("."))
    phases = list(context.partition_keys)
    declared = declared_tables().get(full_name)
    per_evaluation = declared.is_per_evaluation if declared else set(EVALUATION_KEY) <= built.columns.keys()
    context.add_asset_metadata({"seconds": round(seconds, 3)}, key)
    whole: dict[str, Any] = {}
    if per_evaluation:
        rows = _by_phase(con, f"select phase_id, count(*) from {full_name}")
        label, figure = FIGURES.get(full_name, ("", ""))
        figures = _by_phase(con, figure) if figure else {}
        for phase in phases:
            found: dict[str, Any] = {"dagster/partition_row_count": rows.get(phase, 0)}
            if label:
                found[label] = figures.get(phase, 0)
            context.add_asset_metadata(found, key, phase)
    else:
        whole["dagster/row_count"] = built.rows
    if not declared and built.columns:
        columns = [dg.TableColumn(name, type_) for name, type_ in built.columns.items()]
        whole["dagster/column_schema"] = dg.TableSchema(columns)
    if declared and declared.schema == "mart":
        whole["preview"] = _preview(con, full_name, phases[-1] if per_evaluation else None)
    if whole:
        context.add_asset_metadata(whole, key, phases[-1])


def _by_phase(con: duckdb.DuckDBPyConnection, select: str) -> dict[str, int]:
    found = con.execute(
        f"{select} semi join run_evaluation using (district_code, phase_id) group by phase_id"
    )
    return dict(found.fetchall())


def _preview(con: duckdb.DuckDBPyConnection, full_name: str, phase: str | None) -> dg.MarkdownMetadataValue:
    head = [c for c in declared_tables()[full_name].columns if c != "run_id"][:PREVIEW_COLUMNS]
    columns = ", ".join(f'"{c}"' for c in head)
    where = "where phase_id = $1" if phase else "where $1::varchar is null"
    rows = con.execute(f"select {columns} from {full_name} {where} limit {PREVIEW_ROWS}", [phase]).fetchall()
    return markdown_table(head, rows)
