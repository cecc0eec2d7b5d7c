"""`mart.rule_impact`: which verdicts of the run would differ under the rules of the comparisons on file.

Belongs here: filling that table. Keep out: the other rules themselves (`standard.comparison`), judging by them
(`scenario`).
"""

from __future__ import annotations

from collections.abc import Iterable

import duckdb

from youjun_pipeline.sql import transaction
from youjun_pipeline.standard import Catalogue, Comparison, usable_comparisons
from youjun_pipeline.warehouse.models import MODELS, replace_rows
from youjun_pipeline.warehouse.run import district_slices, narrowed_to
from youjun_pipeline.warehouse.scenario import VERDICTS, Variant, scenario
from youjun_pipeline.warehouse.tables import declared_tables

TABLE = "mart.rule_impact"
READS = VERDICTS
# Evaluations are compared so many at a time: each takes some 7 MB until its verdicts are told apart (700 at once: 5.1 GB).
SLICE = 150


def build_rule_impact(
    con: duckdb.DuckDBPyConnection,
    comparisons: Iterable[Comparison] | None = None,
    catalogues: Iterable[Catalogue] = (),
) -> int:
    """Replace the rows of the run's evaluations; returns how many there are now.

    Without given comparisons it uses all usable ones on file (faults of the others become notices). `catalogues` are those that a
    comparison names and the warehouse does not have.
    """
    compared = usable_comparisons()[0] if comparisons is None else list(comparisons)
    variants = [Variant(c.id, c.standard, c.options, c.without_waivers) for c in compared]
    select = (MODELS / "scenario" / "rule_impact.sql").read_text(encoding="utf-8")
    con.execute("create or replace temp table run_comparison (comparison varchar, title varchar)")
    for c in compared:
        con.execute("insert into temp.run_comparison values (?, ?)", [c.id, c.title])
    columns, rows = declared_tables()[TABLE].columns, 0
    for districts in district_slices(con, SLICE):
        with (
            narrowed_to(con, districts),
            scenario(con, variants, catalogues=catalogues),
            transaction(con),
        ):
            rows += replace_rows(con, TABLE, f"(\n{select}\n)", columns)
    return rows
