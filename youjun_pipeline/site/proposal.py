"""The page of a least-cost plan: who gives and who receives, its cost, the obstacles, the price of each limit.

Keep out: HTML (templates/proposal.html), the look of the charts (proposal_charts), finding a plan (planning).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from youjun_pipeline.site import words
from youjun_pipeline.site.read import District, Evaluation, grouped
from youjun_pipeline.vocabulary import word
from youjun_pipeline.vocabulary import words as vocabulary_words

VERDICT = words.Signs(
    {
        verdict: words.Sign(css, sign, vocabulary_words("verdict")[verdict])
        for verdict, css, sign in (
            ("proved", "met", "✓"),
            ("partial", "near", "△"),
            ("refuted", "below", "✕"),
            ("infeasible", "below", "✕"),
            ("unknown", "nodata", "?"),
            ("failed", "nodata", "?"),
        )
    }
)
# Plans with these verdicts can be used; for other evaluations the page shows only the reason why there is no plan.
USABLE = ("proved", "partial")
# A curve that rises by less than this share counts as flat: the rise is the solver's noise.
FLAT = 1e-4


class Cell(NamedTuple):
    """What a school receives and gives for an indicator, in words, and the class that colours it."""

    css: str
    gets: list[str]
    gives: list[str]


def proposal_of(district: District) -> Evaluation | None:
    """The evaluation to which the district's plan belongs; None without a plan."""
    return next((e for e in reversed(district.evaluations) if e.rows["proposal_summary"]), None)


def proposal_context(e: Evaluation) -> dict[str, Any]:
    """What templates/proposal.html shows of an evaluation's plan."""
    head = e.rows["proposal_summary"][0]
    lines, effect = e.rows["proposal"], e.rows["proposal_effect"]
    codes = [code for code in e.indicator if any(line.indicator_code == code for line in lines)]
    sums = grouped(lines, lambda x: (x.proposal_action, _kind(x), x.unit))
    curves = grouped(e.rows["price_curve"], lambda p: (p.curve, p.stage, p.indicator_code))
    binding = {key: points for key, points in curves.items() if _binds(points)}
    return {
        "e": e,
        "head": head,
        "verdict": VERDICT[head.verdict],
        "is_usable": head.verdict in USABLE,
        "obstacles": e.rows["proposal_obstacle"],
        "totals": [
            (word("proposal_action", action), what, len(rows), _sum(r.quantity for r in rows), unit, _cost(rows))
            for (action, what, unit), rows in sums.items()
        ],
        "codes": codes,
        "schools": _schools(lines, codes),
        "lines": lines,
        "coefficients": [r for r in effect if r.level == "stage"],
        "left": [r for r in effect if r.is_left],
        "limit_points": _points(e, [k for k in binding if k[0] == "coefficient"], binding),
        "school_points": _points(e, [k for k in binding if k[0] != "coefficient"], binding),
        "idle": [f"{words.STAGE[k[1]]} {k[2]}" for k in curves if k not in binding and k[0] == "coefficient"],
        "knees": [(_panel(e, key), p) for key, points in binding.items() for p in points if p.is_knee],
        "eased": e.rows["shadow_price"],
        "quantity": quantity,
        "action_word": vocabulary_words("proposal_action"),
    }  # fmt: skip


def _kind(line: Any) -> str:
    """The kind of a line, without its grade."""
    if line.grade is None:
        return str(line.what)
    return "学生" if line.proposal_action == "divert" else "班级"


def _sum(values: Iterable[float | None]) -> float:
    """The sum of the known values. A line without a price adds nothing, and the page says that there are no prices."""
    return float(sum(v for v in values if v is not None))


def _cost(rows: Iterable[Any]) -> float | None:
    costs = [r.cost for r in rows]
    return None if all(c is None for c in costs) else _sum(costs)


def _schools(lines: list[Any], codes: list[str]) -> list[dict[str, Any]]:
    """Every school that gives or receives, the most expensive first; a line's cost counts at the receiving school."""
    found: dict[str, dict[str, Any]] = {}

    def of(code: str, name: str | None) -> dict[str, Any]:
        return found.setdefault(code, {"school_code": code, "school_name": name, "cost": None, "cells": {}})

    def note(school: dict[str, Any], x: Any, side: str) -> None:
        sums = school["cells"].setdefault(x.indicator_code, {"gets": {}, "gives": {}})[side]
        sums[_kind(x), x.unit] = sums.get((_kind(x), x.unit), 0.0) + x.quantity

    for x in lines:
        own = of(x.school_code, x.school_name)
        receiver = own
        if x.to_school_code:
            receiver = of(x.to_school_code, x.to_school_name)
            note(own, x, "gives")
            note(receiver, x, "gets")
        else:
            note(own, x, "gives" if x.proposal_action == "take_out" else "gets")
        if x.cost is not None:
            receiver["cost"] = (receiver["cost"] or 0.0) + x.cost
    mixed = {code: len({_kind(x) for x in lines if x.indicator_code == code}) > 1 for code in codes}
    for school in found.values():
        school["cells"] = [_cell(school["cells"].get(code), mixed[code]) for code in codes]
    return sorted(
        found.values(), key=lambda s: (-(s["cost"] or 0.0), s["school_name"] or "", s["school_code"])
    )


def _cell(sums: dict[str, dict[tuple[str, str], float]] | None, is_mixed: bool) -> Cell:
    """A school's sums for one indicator; if the indicator has several kinds, each sum names its kind."""
    if sums is None:
        return Cell("none", [], [])
    gets, gives = (
        [f"{quantity(q)} {unit}{' ' + kind if is_mixed else ''}" for (kind, unit), q in sums[side].items()]
        for side in ("gets", "gives")
    )
    return Cell("near" if gives else "met", gets, gives)


def quantity(value: float) -> str:
    """A quantity of a line; if two decimals would show 0.00, it is written as less than 0.01."""
    return words.plain(value) if round(value, 2) else "不足 0.01"


def _binds(points: list[Any]) -> bool:
    """Whether the limit costs anything in the tried range; a flat curve is not drawn."""
    known = [p.value for p in points if p.value is not None]
    return any(p.value is None for p in points) or max(known) - min(known) > FLAT * max(map(abs, known))


def _panel(e: Evaluation, key: tuple[str, str | None, str | None]) -> str:
    curve, stage, code = key
    if curve != "coefficient" or code is None:
        return word("curve", curve) or curve
    name = e.indicator[code].short_name if code in e.indicator else ""
    return f"{words.STAGE.get(stage, stage)} {code} {name}"


def _points(
    e: Evaluation,
    keys: list[tuple[str, str | None, str | None]],
    curves: dict[tuple[str, str | None, str | None], list[Any]],
) -> list[dict[str, Any]]:
    """The data of the charts: a panel for each curve, without points that nothing allowed reaches."""
    return [
        {
            "panel": f"{_panel(e, key)}（{p.unit}）",
            "order": order,
            "at": p.at,
            "value": p.value,
            "mark": "拐点" if p.is_knee else "现行上限或方案" if p.is_now else "试算",
        }
        for order, key in enumerate(keys)
        for p in curves[key]
        if p.value is not None
    ]
