"""A district in the oracle's form, and shares of it: sums, limits, impossible values and unknown values.

Keep out: what each indicator asks for (``assurance``, ``outside``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from youjun_pipeline_tests.oracle import figures as f
from youjun_pipeline_tests.oracle.schools import Options, Row, School, Section, Tables

Pair = tuple[Fraction | None, Fraction | None]
"""A part and its whole, each None where it is not known."""


@dataclass(frozen=True)
class Item:
    """A judged district item; ``value`` if it is a single figure."""

    status: str
    value: Fraction | None = None
    target: Fraction | None = None


@dataclass(frozen=True)
class District:
    """The data by which the items are judged."""

    tables: Tables
    options: Options
    schools: Mapping[str, School]
    sections: Mapping[tuple[str, str], Section]

    def rows(self, dataset: str) -> Sequence[Row]:
        return self.tables.get(dataset) or ()

    def figure(self, item: str) -> Fraction | None:
        """The value of an assurance item."""
        return next((f.maybe(r.get("value")) for r in self.rows("assurance") if r["item"] == item), None)

    def conclusion(self, item: str) -> str:
        """The status by an assurance item's explicit conclusion."""
        said = next((r.get("conclusion") for r in self.rows("assurance") if r["item"] == item), None)
        return {"met": f.MET, "not_met": f.BELOW}.get(said or "", f.NO_DATA)

    def in_scope(self) -> list[School]:
        return [school for school in self.schools.values() if school.in_scope]


def together(statuses: Iterable[str]) -> str:
    """Several conditions that must all hold: first a known failure decides, then a gap, then success."""
    seen = set(statuses)
    if seen & f.FAILING:
        return f.BELOW
    return f.NO_DATA if f.NO_DATA in seen else f.MET


def share(
    part: Fraction | None, whole: Fraction | None, at_least: Any, nobody: str = f.NOT_APPLICABLE
) -> Item:
    """``part / whole`` compared with a limit, cross-multiplied; ``nobody``: the status if the whole is zero."""
    target = f.exact(at_least)
    if part is None or whole is None or whole < 0:
        return Item(f.NO_DATA, None, target)
    if whole == 0:
        return Item(nobody if part == 0 else f.NO_DATA, None, target)
    return Item(f.MET if part >= target * whole else f.BELOW, part / whole, target)


def above(part: Fraction | None, whole: Fraction | None) -> bool:
    """Whether both are reported, and the part is more than its whole."""
    return part is not None and whole is not None and part > whole


def of_whole(part: Fraction | None, whole: Fraction | None) -> Pair:
    """A part and its whole as reported in one place; unknown if the part exceeds the whole or the whole is negative."""
    if above(part, whole):
        return None, None
    if whole is not None and whole < 0:
        return None, None
    return part, whole


def summed(pairs: Iterable[Pair]) -> Pair:
    """Parts and wholes of all places together, None if one place is not known."""
    kept = list(pairs)
    return added(part for part, _ in kept), added(whole for _, whole in kept)


def added(parts: Iterable[Any]) -> Fraction | None:
    """Sum of figures, None if there are none or one is blank."""
    figures = [f.maybe(part) for part in parts]
    if not figures or None in figures:
        return None
    return sum((n for n in figures if n is not None), Fraction(0))


def newest(rows: Iterable[Row], column: str) -> list[Row]:
    """The rows of the newest year."""
    kept = list(rows)
    last = max((int(row[column]) for row in kept), default=None)
    return [row for row in kept if int(row[column]) == last]


def decided(sure: Sequence[Pair], unsure: Sequence[Pair], limit: Any) -> Item:
    """A share over places that count and places that may or may not count: the verdict must be the same in both cases."""
    if not unsure:
        return share(*summed(sure), limit)
    if any(None in pair for pair in (*sure, *unsure)):
        return Item(f.NO_DATA, None, f.exact(limit))

    def over(pair: Pair) -> Fraction:
        return (pair[0] or Fraction(0)) - f.exact(limit) * (pair[1] or Fraction(0))

    known, doubts = sum(map(over, sure), Fraction(0)), [over(pair) for pair in unsure]
    nothing = Fraction(0)
    worst_case = known + sum((min(d, nothing) for d in doubts), nothing)
    best_case = known + sum((max(d, nothing) for d in doubts), nothing)
    status = f.MET if worst_case >= 0 else f.BELOW if best_case < 0 else f.NO_DATA
    return Item(status, None, f.exact(limit))
