"""How a number was computed, for the pages: the lines of its explanation, each figure with the place of its cell.

Keep out: the explanations themselves (`explain`), HTML.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from youjun_pipeline.explain.district import BY_MACHINE, district_steps, input_rows_are_many, stage_steps
from youjun_pipeline.explain.facts import Facts
from youjun_pipeline.explain.school import school_steps
from youjun_pipeline.explain.text import INDENT, Line, Used, figure, input_name, place, refused_text
from youjun_pipeline.reports.evaluation import Row
from youjun_pipeline.site.names import anchor
from youjun_pipeline.vocabulary import words

# A status is shown in words and by its sign; its code is only for machines.
_CODES = re.compile("（(" + "|".join(words("status")) + ")）")


class Step(NamedTuple):
    """A line: its indentation, its text, the place of the figure, and what was refused there."""

    depth: int
    text: str
    place: str
    refused: str


class InputTable(NamedTuple):
    """What every school reported for one indicator: a column per figure, a row per school and stage."""

    columns: list[tuple[str, str]]
    rows: list[tuple[str, str, list[tuple[str, str]]]]


def how_anchor(phase: str, indicator: str, stage: str) -> str:
    """The anchor on a school's page where a value is explained."""
    return anchor(f"{phase}-{indicator.lower()}-{stage}")


def school_derivation(facts: Facts, value: Any) -> list[Step]:
    """The steps of a row of `mart.school_indicator` (a named tuple)."""
    inputs = facts.lineage(value.indicator_code, value.school_code, value.stage)
    return steps(school_steps(facts.evaluation, value._asdict(), inputs))


def stage_derivation(facts: Facts, balance: Any) -> list[Step]:
    """The steps of a row of `mart.stage_balance`."""
    return steps(stage_steps(facts, balance._asdict()))


def district_derivation(facts: Facts, row: Any) -> list[Step]:
    """The steps of a row of `mart.district_indicator`."""
    return steps(district_steps(facts, row._asdict()))


def steps(lines: Sequence[Line]) -> list[Step]:
    """Lines of an explanation as steps."""
    found = []
    for line in lines:
        text = line.label if isinstance(line, Used) else line.strip()
        lead = line.indent if isinstance(line, Used) else line[: len(line) - len(line.lstrip())]
        where, refused = (place(line.row), refused_text(line.row)) if isinstance(line, Used) else ("", "")
        text = _CODES.sub("", text).replace(BY_MACHINE, "，逐校见下表")
        found.append(Step(len(lead) // len(INDENT), text, where, refused))
    return found


def input_table(facts: Facts, indicator: str) -> InputTable | None:
    """Every school's figures for a district indicator that sums them up; None if the explanation lists them one by one."""
    inputs = facts.lineage(indicator)
    if not input_rows_are_many(inputs):
        return None
    names = list(dict.fromkeys(r["input"] for r in inputs))
    schools = {s["school_code"]: s["school_name"] for s in facts.schools}
    found: dict[tuple[str, str], dict[str, Row]] = {}
    for row in inputs:
        found.setdefault((row["school_code"] or "", row["stage"] or ""), {})[row["input"]] = row
    columns = []
    for name in names:
        first = next((r for r in inputs if r["input"] == name and r["file"]), None)
        where = (
            f"{first['delivery']}/{first['file']} {first['source_column'] or ''} 列" if first else "没有报送"
        )
        columns.append((input_name(name), where))
    return InputTable(
        columns,
        [
            (schools.get(code, code), stage, [_cell(cells.get(name)) for name in names])
            for (code, stage), cells in found.items()
        ],
    )


def _cell(row: Row | None) -> tuple[str, str]:
    if row is None:
        return "", ""
    said = row["detail"] if row["value"] is None and row["detail"] else figure(row["value"])
    where = f"第 {row['row']} 行" if row["row"] is not None else ""
    return said, where + refused_text(row)
