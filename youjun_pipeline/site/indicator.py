"""One indicator of an evaluation: the schools against its limit, and the schools that cause the CV.

Keep out: HTML (templates/indicator.html), the look of the charts (charts).
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from youjun_pipeline.site import words
from youjun_pipeline.site.derivation import how_anchor, stage_derivation
from youjun_pipeline.site.names import school_page
from youjun_pipeline.site.read import Evaluation, grouped
from youjun_pipeline.site.wall import value_text

# Nobody reads more bars than this; the table below the chart has every school.
BARS = 15
# If each school has its own limit (rooms by classes), no limit lines are drawn: so many lines would say nothing.
MOST_LIMITS = 3
STAGE_ORDER = ("primary", "junior", "compulsory")


def indicator_context(e: Evaluation, code: str) -> dict[str, Any]:
    """What templates/indicator.html shows of indicator `code`."""
    values = grouped((v for v in e.rows["school_indicator"] if v.indicator_code == code), lambda v: v.stage)
    return {
        "indicator": e.indicator[code],
        "row": next((d for d in e.rows["district_indicator"] if d.indicator_code == code), None),
        "stages": [_stage(e, code, stage, values[stage]) for stage in STAGE_ORDER if stage in values],
    }


def _stage(e: Evaluation, code: str, stage: str, values: list[Any]) -> dict[str, Any]:
    indicator = e.indicator[code]
    balance = next(
        (b for b in e.rows["stage_balance"] if b.indicator_code == code and b.stage == stage), None
    )
    shares = {
        c.school_code: c
        for c in e.rows["balance_contribution"]
        if c.indicator_code == code and c.stage == stage
    }
    limits = sorted({v.threshold for v in values if v.threshold is not None})
    break_even = next((c.level_break_even for c in shares.values()), None)
    schools = [_school(e, indicator, v, shares.get(v.school_code), break_even) for v in values]
    worst_first = -1 if indicator.direction == "at_most" else 1
    schools.sort(
        key=lambda s: (
            s["value"].value is None,
            worst_first * (s["value"].value or 0),
            s["value"].school_code,
        )
    )
    return {
        "stage": stage,
        "balance": balance,
        "steps": stage_derivation(e.facts, balance) if balance else [],
        "schools": schools,
        "limits": limits,
        "floor": next((v.floor for v in values if v.floor is not None), None),
        "break_even": break_even,
        "counts": [(s, n) for k, s in words.STATUS.items() if (n := sum(v.status == k for v in values))],
        "change": [
            c for c in e.rows["phase_change"]
            if c.level == "stage" and c.indicator_code == code and c.stage == stage
        ],
        "chart": _chart_data(indicator, balance, schools, limits, break_even) if len(limits) <= MOST_LIMITS else None,
    }  # fmt: skip


def _school(
    e: Evaluation, indicator: Any, value: Any, share: Any, break_even: float | None
) -> dict[str, Any]:
    return {
        "value": value,
        "text": value_text(value, indicator),
        "href": school_page(e.district_code, value.school_code) + f"#{e.anchor}",
        "how": school_page(e.district_code, value.school_code)
        + f"#{how_anchor(e.phase_id, value.indicator_code, value.stage)}",
        "sign": words.STATUS[value.status],
        "share": share,
        "adding_widens": None if share is None or break_even is None else share.value >= break_even,
    }


def _chart_data(
    indicator: Any, balance: Any, schools: list[dict[str, Any]], limits: list[float], break_even: float | None
) -> dict[str, Any]:
    """The data of both charts, under the names that their specifications use (charts)."""
    floor = next((s["value"].floor for s in schools if s["value"].floor is not None), None)
    lines = [
        *((limit, "标准") for limit in limits),
        (floor, "底线"),
        (balance and balance.mean, "全县均值"),
        (break_even, "差异临界值"),
    ]
    shown = [s for s in schools if s["value"].value is not None]
    # The chart identifies a school by its name, so two schools with one name would become one bar.
    namesakes = Counter(s["value"].school_name for s in shown)
    ranked = sorted((s for s in shown if s["share"]), key=lambda s: -(s["share"].variance_share or 0))[:BARS]
    return {
        "unit": indicator.unit,
        "schools": [
            {
                "name": s["value"].school_name,
                "value": s["value"].value,
                "students": s["value"].students,
                "state": s["sign"].name,
            }
            for s in shown
        ],
        "lines": [{"value": value, "label": label} for value, label in lines if value is not None],
        "shares": [
            {
                "name": s["value"].school_name
                + (f" {s['value'].school_code}" if namesakes[s["value"].school_name] > 1 else ""),
                "share": s["share"].variance_share,
                "side": "高于均值" if balance and s["value"].value >= balance.mean else "低于均值",
                "value": s["value"].value,
            }
            for s in ranked
        ],
    }
