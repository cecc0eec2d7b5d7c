"""The leader's page of an evaluation: does it pass, what blocks, what changed, what will not be met, who is late, the money.

Sentences from tables, and the matrix of townships by indicators. Keep out: HTML (templates/leader.html), judging.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

from youjun_pipeline.site import words
from youjun_pipeline.site.read import District, Evaluation
from youjun_pipeline.site.wall import total, unknown_schools

# To be read at a glance, the page names this many of a kind and counts the rest.
MOST = 5
NO_TOWNSHIP = "未填镇街"


class Money(NamedTuple):
    """Budget and spending of an indicator (万元) by `mart.indicator_money`; unreported amounts are None."""

    indicator: Any
    budget: float | None
    spent: float | None
    over: float | None
    is_over: bool | None


class TownCell(NamedTuple):
    """Sections of a township for one indicator: not met, without data, in all."""

    failing: int
    unknown: int
    total: int


def leader_context(district: District, e: Evaluation) -> dict[str, Any]:
    """What templates/leader.html shows."""
    findings = e.rows["finding"]
    spending = money(e)
    late = [m for m in e.rows["measure_status"] if m.overdue]
    return {
        "sign": words.verdict(e.verdict),
        "failing_schools": words.known_count(e.verdict.schools_failing, unknown_schools(e)),
        "unknown_schools": unknown_schools(e),
        "unknown": e.verdict.indicators_no_data,
        "waiting": [f for f in findings if f.state == "closed" and not f.signed_off],
        "overspent": [m for m in spending if m.over],
        # if the budget is missing or was not read completely, nobody can say whether it was exceeded
        "money_in_doubt": [m for m in spending if m.spent is not None and m.is_over is None],
        "late": late,
        "late_by": sorted(
            (u for u in e.rows["unit_accountability"] if u.overdue),
            key=lambda u: (-u.overdue, -(u.slippage_days or 0), u.unit),
        )[:MOST],
        "blocking": (e.verdict.blocking or [])[:MOST],
        "more_blocking": max(len(e.verdict.blocking or []) - MOST, 0),
        "change": _change(district, e),
        "coming": _coming(district, e),
        "budget": total([m.budget for m in spending]),
        "spent": total([m.spent for m in spending]),
        "columns": e.school_indicators,
        "towns": town_matrix(e),
    }


def money(e: Evaluation) -> list[Money]:
    """Budget and spending of each indicator that has either, in the order of the catalogue."""
    rows = [r for r in e.rows["indicator_money"] if r.indicator_code in e.indicator]
    rows.sort(key=lambda r: e.indicator[r.indicator_code].sort_order)
    return [
        Money(
            e.indicator[r.indicator_code],
            r.budget_wan,
            r.spent_wan,
            r.over_wan if r.is_over_budget else None,
            r.is_over_budget,
        )
        for r in rows
        if not (r.budget_wan is None and r.spent_wan is None)
    ]


def _change(district: District, e: Evaluation) -> dict[str, Any] | None:
    """What changed since the phase before, and why; None for the first phase."""
    rows = e.rows["phase_change"]
    place = district.evaluations.index(e)
    if not place or not rows:
        return None
    now = {d.indicator_code: d.status for d in e.rows["district_indicator"]}
    before = {d.indicator_code: d.status for d in district.evaluations[place - 1].rows["district_indicator"]}
    mended = [
        c for c, s in now.items() if s not in (*words.FAILING, "no_data") and before.get(c) in words.FAILING
    ]
    broken = [c for c, s in now.items() if s in words.FAILING and before.get(c) not in (*words.FAILING, None)]
    return {
        "previous": district.evaluations[place - 1].phase_name,
        "schools": [r for r in rows if r.level == "district"],
        "mended": mended,
        "broken": broken,
    }


def _coming(district: District, e: Evaluation) -> dict[str, Any] | None:
    """What will not be met by the end of the next phase, by plan and with today's delays; None without a projection."""
    rows = e.rows["projection"]
    later = [o.phase_id for o in district.evaluations if o.row.phase_order > e.row.phase_order]
    known = {r.coming_phase_id for r in rows}
    coming = next((p for p in [*later, *sorted(known)] if p in known), None)
    if coming is None:
        return None
    given = [r for r in rows if r.coming_phase_id == coming]
    basis = next((b for b in ("slippage", "planned", "verified") if any(r.basis == b for r in given)), None)
    chosen = sorted((r for r in given if r.basis == basis), key=lambda r: -(r.findings_left or 0))
    return {
        "phase_id": coming,
        "basis": words.BASIS.get(str(basis), basis or ""),
        "fails": [r for r in chosen if r.passes is False],
        "unknown": [r for r in chosen if r.passes is None],
    }


def town_matrix(e: Evaluation) -> list[tuple[str, list[TownCell], int, int]]:
    """For each township its cells in the order of the school indicators, and how many are not met or not known; worst first."""
    codes = [i.indicator_code for i in e.school_indicators]
    counts: dict[str, Counter[tuple[str, str]]] = {}
    for value in e.rows["school_indicator"]:
        school = e.school.get(value.school_code)
        town = str((school.township if school else None) or NO_TOWNSHIP)
        kind = (
            "failing" if value.status in words.FAILING else "unknown" if value.status == "no_data" else "met"
        )
        if value.status != "not_applicable":
            counts.setdefault(town, Counter())[value.indicator_code, kind] += 1
    lines = []
    for town, found in counts.items():
        cells = [
            TownCell(
                found[c, "failing"],
                found[c, "unknown"],
                sum(found[c, k] for k in ("failing", "unknown", "met")),
            )
            for c in codes
        ]
        lines.append((town, cells, sum(c.failing for c in cells), sum(c.unknown for c in cells)))
    return sorted(lines, key=lambda line: (-line[2], -line[3], line[0]))
