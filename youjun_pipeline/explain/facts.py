"""What the publication says about one evaluation, read once for all explained numbers.

Keep out: how the rows are used (`school`, `district`).
"""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING, Any

from youjun_pipeline.reports.evaluation import Evaluation, Row

if TYPE_CHECKING:
    import duckdb

# The columns of `mart.lineage` that an explanation needs; the keys of the evaluation are the same in all rows.
_LINEAGE = (
    "school_code, stage, indicator_code, input, value, detail, factor, share, waiver, delivery, file, sheet, row, "
    "column_name, source_column, header"
)


class Facts:
    """The rows of one evaluation by table, and the figures behind its numbers."""

    def __init__(self, con: duckdb.DuckDBPyConnection, evaluation: Evaluation) -> None:
        self._con = con
        self.evaluation = evaluation
        self._tables: dict[str, list[Row]] = {}

    def rows(self, table: str, order: str) -> list[Row]:
        """All rows of a table of the publication in this order (SQL); every table is always read in the same order."""
        if table not in self._tables:
            self._tables[table] = self.evaluation.rows(self._con, table, "*", order)
        return self._tables[table]

    @cached_property
    def _lineage(self) -> dict[str, list[Row]]:
        found: dict[str, list[Row]] = defaultdict(list)
        rows = self.evaluation.rows(
            self._con, "mart.lineage", _LINEAGE, "input, file, sheet, row, school_code"
        )
        for row in rows:
            if row["value"] is None and row["detail"] is None:
                row["refused"] = self._refused.get(_place(row)) or self._refused.get(_place(row)[:-1])
            found[row["indicator_code"]].append(row)
        return found

    @cached_property
    def _by_section(self) -> dict[tuple[str, str, str], list[Row]]:
        found: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
        for code, rows in self._lineage.items():
            for row in rows:
                found[code, row["school_code"], row["stage"]].append(row)
        return found

    def lineage(self, indicator: str, school: str | None = None, stage: str | None = None) -> list[Row]:
        """The inputs of one judgement in the order of their places; without school and stage, all inputs of the indicator."""
        if school is None:
            return self._lineage.get(indicator, [])
        return self._by_section.get((indicator, school, str(stage)), [])

    @cached_property
    def _refused(self) -> dict[tuple[Any, ...], Row]:
        """What was refused, by its place: cells with a column, whole rows without a column."""
        cursor = self._con.execute(
            "select delivery, file, sheet, row, column_name, value, message from quality.rejected_row where district_code = ?",
            [self.evaluation.district_code],
        )
        names = [column[0] for column in cursor.description or []]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        return {
            (_place(r) if r["column_name"] else _place(r)[:-1]): r
            for r in rows
            if r["file"] and r["row"] is not None
        }

    @cached_property
    def values(self) -> dict[tuple[str, str], list[Row]]:
        """Rows of `mart.school_indicator` by stage and indicator."""
        found: dict[tuple[str, str], list[Row]] = defaultdict(list)
        for row in self.rows("mart.school_indicator", "stage desc, school_code, indicator_code"):
            found[row["stage"], row["indicator_code"]].append(row)
        return found

    @cached_property
    def contributions(self) -> dict[tuple[str, str], list[Row]]:
        """Rows of `mart.balance_contribution` by stage and indicator, the largest share first."""
        found: dict[tuple[str, str], list[Row]] = defaultdict(list)
        for row in self.rows("mart.balance_contribution", "variance_share desc nulls last, school_code"):
            found[row["stage"], row["indicator_code"]].append(row)
        return found

    @cached_property
    def schools(self) -> list[Row]:
        """The roster."""
        return self.rows("mart.school", "school_code")


def _place(row: Row) -> tuple[Any, ...]:
    return row["delivery"], row["file"], row["sheet"] or "", row["row"], row["column_name"]
