"""What a run shows of its rows: counts for each phase, previews, tables in Markdown.

Keep out: which asset shows it (`assets`, `published`), and judging: the rows already contain the verdicts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

from youjun_pipeline.warehouse.models import Built
from youjun_pipeline.warehouse.tables import EVALUATION_KEY, declared_tables

if TYPE_CHECKING:
    import duckdb

PREVIEW_ROWS, PREVIEW_COLUMNS, LONGEST_PREVIEW, MOST_LINES = 5, 10, 40, 100
# Messages about a file are shown in full; a file with a thousand faults has one message for each kind.
LONGEST_CELL = 400
# Numbers plotted over time, besides the number of rows; SELECTs of phase_id and a number.
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


def markdown_table(
    head: Sequence[str], rows: Iterable[Sequence[object]], longest: int = LONGEST_CELL
) -> dg.MarkdownMetadataValue:
    """Rows as a Markdown table, at most `MOST_LINES` of them; cells are cut after `longest` characters."""
    rows = list(rows)
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    lines += ["| " + " | ".join(_cell(value, longest) for value in row) + " |" for row in rows[:MOST_LINES]]
    if len(rows) > MOST_LINES:
        lines += ["", f"……共 {len(rows)} 行"]
    return dg.MetadataValue.md("\n".join(lines))


def _cell(value: object, longest: int) -> str:
    text = "" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
    text = " ".join(text.replace("|", "\\|").split())
    return text if len(text) <= longest else text[:longest] + "…"


def show_rows(
    context: dg.AssetExecutionContext,
    con: duckdb.DuckDBPyConnection,
    full_name: str,
    built: Built,
    seconds: float,
) -> None:
    """Record with a table's materialisation how many rows it now has for each phase of the run, and show some.

    All rows of a phase count, also those of closed or unchanged evaluations that the run did not make. Dagster keeps an event for
    every phase and shows the last one, in an unknown order. So each event has the numbers of its own phase. Each event is short,
    because these events are most of the history.
    """
    key = dg.AssetKey(full_name.split("."))
    declared = declared_tables().get(full_name)
    per_evaluation = declared.is_per_evaluation if declared else set(EVALUATION_KEY) <= built.columns.keys()
    whole: dict[str, Any] = {"seconds": round(seconds, 3)}
    is_shown = declared is not None and declared.schema == "mart"
    if not declared and built.columns:
        columns = [dg.TableColumn(name, type_) for name, type_ in built.columns.items()]
        whole["dagster/column_schema"] = dg.TableSchema(columns)
    if not per_evaluation:
        columns_there = declared.columns if declared else built.columns
        there = "semi join raw.district using (district_code)" if "district_code" in columns_there else ""
        whole["dagster/row_count"] = con.execute(f"select count(*) from {full_name} {there}").fetchall()[0][0]
        if is_shown:
            whole["preview"] = _previews(con, full_name, "''").get("", dg.MetadataValue.md(""))
    context.add_asset_metadata(whole, key)
    if not per_evaluation:
        return
    rows = by_phase(con, f"select phase_id, count(*) from {full_name}")
    label, figure = FIGURES.get(full_name, ("", ""))
    figures = by_phase(con, figure) if figure else {}
    previews = _previews(con, full_name, "phase_id") if is_shown else {}
    for phase in context.partition_keys:
        found: dict[str, Any] = {"dagster/partition_row_count": rows.get(phase, 0)}
        if label:
            found[label] = figures.get(phase, 0)
        if phase in previews:
            found["preview"] = previews[phase]
        context.add_asset_metadata(found, key, phase)


def by_phase(con: duckdb.DuckDBPyConnection, select: str) -> dict[str, int]:
    """The number that `select phase_id, … from …` gives for every phase, without removed districts and phases."""
    found = con.execute(f"{select} semi join raw.phase using (district_code, phase_id) group by phase_id")
    return dict(found.fetchall())


def _previews(
    con: duckdb.DuckDBPyConnection, full_name: str, phase: str
) -> dict[str, dg.MarkdownMetadataValue]:
    """The first rows of each phase (an SQL expression), by phase."""
    head = [c for c in declared_tables()[full_name].columns if c != "run_id"][:PREVIEW_COLUMNS]
    columns = ", ".join(f'"{c}"' for c in head)
    rows = con.execute(
        f"select {phase}, {columns} from {full_name} "
        f"qualify row_number() over (partition by {phase} order by {columns}) <= {PREVIEW_ROWS} order by all"
    ).fetchall()
    found: dict[str, list[tuple[object, ...]]] = {}
    for name, *row in rows:
        found.setdefault(name, []).append(tuple(row))
    return {name: markdown_table(head, some, LONGEST_PREVIEW) for name, some in found.items()}
