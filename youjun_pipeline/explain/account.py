"""The explanation of one number: what it is, the lines that lead to it, the figures it is computed from.

Keep out: the sums (`school`, `district`), finding the requested number (`find`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from youjun_pipeline.explain.district import district_text, stage_text
from youjun_pipeline.explain.facts import Facts
from youjun_pipeline.explain.school import school_text
from youjun_pipeline.explain.text import Line, heading, input_name
from youjun_pipeline.reports.evaluation import Row

# The columns common to all judged rows, in the order of the JSON.
_JUDGED = (
    "indicator_code", "school_code", "school_name", "stage", "value", "value_strict", "cv", "cv_strict", "cv_limit", "mean",
    "std", "students", "numerator", "share", "target", "threshold", "floor", "gap", "status", "status_strict", "waiver",
    "reason", "summary", "rounding_sensitive",
)  # fmt: skip
_PLACE = ("delivery", "file", "sheet", "row", "source_column", "header")


@dataclass(frozen=True)
class Account:
    """One explained number: its row of a table of verdicts, the lines, and all its rows of `mart.lineage`."""

    facts: Facts
    level: str
    judged: Row
    lines: list[Line]
    inputs: list[Row]

    @classmethod
    def of_stage(cls, facts: Facts, row: Row) -> Account:
        """Explain a row of `mart.stage_balance`: it is computed from the schools' values, not from cells of its own."""
        return cls(facts, "stage", row, stage_text(facts, row), [])

    @classmethod
    def of_district(cls, facts: Facts, row: Row) -> Account:
        """Explain a row of `mart.district_indicator`; one that is judged by schools is computed from their values."""
        code = row["indicator_code"]
        is_own = facts.evaluation.catalogue.indicators[code].level == "district"
        inputs = facts.lineage(code) if is_own else []
        return cls(facts, "district", row, district_text(facts, row), inputs)

    @property
    def text(self) -> str:
        """As text, line by line."""
        return "\n".join(str(line) for line in self.lines)

    def as_json(self) -> dict[str, Any]:
        """The same for machines: the verdict's figures, the steps as text, each figure with its place."""
        evaluation = self.facts.evaluation
        entry = evaluation.catalogue.indicators[self.judged["indicator_code"]]
        said = set(heading(evaluation, self.judged["indicator_code"]))
        return {
            "district_code": evaluation.district_code,
            "phase_id": evaluation.phase_id,
            "level": self.level,
            "indicator_name": entry.name,
            "clause": entry.clause,
            "formula": entry.formula_text,
            **{name: self.judged[name] for name in _JUDGED if name in self.judged},
            "steps": [line.strip() for line in self.lines[1:] if isinstance(line, str) and line not in said],
            "inputs": [_input(row) for row in self.inputs],
        }


def _input(row: Row) -> dict[str, Any]:
    refused = row.get("refused")
    return {
        "input": row["input"],
        "name": input_name(row["input"]),
        **{
            name: row[name]
            for name in ("school_code", "stage", "value", "detail", "factor", "share", "waiver")
        },
        **{name: row[name] for name in _PLACE},
        "refused_text": refused["value"] if refused else None,
        "refused_because": refused["message"] if refused else None,
    }


def judged_school(facts: Facts, row: Row) -> Account:
    """A row of `mart.school_indicator` explained."""
    inputs = facts.lineage(row["indicator_code"], row["school_code"], row["stage"])
    return Account(facts, "school", row, school_text(facts.evaluation, row, inputs), inputs)


def accounts_of(facts: Facts, school: str | None = None) -> list[Account]:
    """Every number of a school; without a school, of the whole evaluation: district, coefficients, schools."""
    rows: Iterable[Row] = facts.rows("mart.school_indicator", "stage desc, school_code, indicator_code")
    if school is not None:
        return [judged_school(facts, row) for row in rows if row["school_code"] == school]
    return [
        *(Account.of_district(facts, r) for r in facts.rows("mart.district_indicator", "indicator_code")),
        *(Account.of_stage(facts, r) for r in facts.rows("mart.stage_balance", "stage desc, indicator_code")),
        *(judged_school(facts, row) for row in rows),
    ]
