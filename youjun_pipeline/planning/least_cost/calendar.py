"""When a plan's lines are done: by the plan's last day, or year by year as money arrives.

A line is done at the end of the year in which the money received so far covers this line and all earlier ones. Longer work starts
earlier and is paid in parts. The cheapest schools come first, so that most schools pass early. Keep out: what is done (`lines`).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from youjun_pipeline.planning.least_cost.lines import Line
from youjun_pipeline.planning.least_cost.prices import Prices

if TYPE_CHECKING:
    import duckdb


def dated(
    con: duckdb.DuckDBPyConnection, district: str, lines: list[Line], prices: Prices | None
) -> list[Line]:
    """The lines with the day by which each is done."""
    last = con.execute("select max(ends) from raw.phase where district_code = ?", [district]).fetchall()[0][0]
    if prices is None or not prices.is_priced or not prices.years:
        return [replace(line, due=last) for line in lines]
    return by_year(lines, {year.year: year.amount for year in prices.years}, last)


def by_year(lines: list[Line], money: dict[int, Decimal], last: date) -> list[Line]:
    """The lines with a date at the end of the year whose money covers them; no line is later than `last`."""
    totals: dict[str, float] = defaultdict(float)
    for line in lines:
        totals[_for(line)] += line.cost or 0.0
    order = sorted(range(len(lines)), key=lambda n: (totals[_for(lines[n])], _for(lines[n]), n))
    years, due = sorted(money), list(lines)
    spent, covered, at = 0.0, float(money[years[0]]), 0
    for number in order:
        spent += lines[number].cost or 0.0
        while spent > covered * (1 + 1e-9) and at + 1 < len(years):
            at += 1
            covered += float(money[years[at]])
        due[number] = replace(lines[number], due=min(date(years[at], 12, 31), last))
    return due


def _for(line: Line) -> str:
    """The school that a line is done for; where something moves, the school that receives it."""
    return line.school if line.to_school is None or line.kind == "divert" else line.to_school
