"""A district over its phases: coefficients and failing schools against their limits, the causes of changes, the remaining work.

Keep out: HTML (templates/trend.html), the look of the charts (trend_charts).
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from youjun_pipeline.site import words
from youjun_pipeline.site.monthly import SETTLED, month_points, months
from youjun_pipeline.site.read import District, Evaluation

STAGES = ("primary", "junior")


def trend_context(district: District) -> dict[str, Any]:
    """What templates/trend.html shows."""
    phases = district.evaluations
    planned, by_month = months(district)
    return {
        "phases": phases,
        "planned": planned,
        "months": by_month,
        "data": {
            "cvs": _coefficients(phases),
            "failing": _failing(phases),
            "waterfall": _waterfall(phases),
            "left": _left(phases),
            "months": month_points(by_month),
        },
        "waterfalls": [(e, _steps(e)) for e in phases if _steps(e)],
        "failing": [
            (e, words.known_count(e.verdict.schools_failing, e.verdict.indicators_no_data)) for e in phases
        ],
        "left": [(e, _states(e), _done(e)) for e in phases],
        "failing_text": "各阶段未达标学校（所）："
        + "，".join(
            f"{e.phase_name} {words.known_count(e.verdict.schools_failing, e.verdict.indicators_no_data)}"
            for e in phases
        ),
        "left_text": "各阶段结束时未解决的问题："
        + "，".join(f"{e.phase_name} {_states(e)['open'] + _states(e)['reopened']} 个" for e in phases),
        "flips": [(e, _flips(e)) for e in phases if _flips(e)],
    }


def _coefficients(phases: list[Evaluation]) -> list[dict[str, Any]]:
    """The data of the chart `coefficients`: every known CV with its limit."""
    return [
        {
            "phase": e.phase_name,
            "order": place,
            "indicator": f"{row.indicator_code} {e.indicator[row.indicator_code].short_name}",
            "stage": words.STAGE[row.stage],
            "cv": row.cv,
            "limit": row.cv_limit,
            "state": words.STATUS[row.status].name,
        }
        for place, e in enumerate(phases)
        for row in sorted(e.rows["stage_balance"], key=lambda r: r.indicator_code)
        if row.cv is not None and row.indicator_code in e.indicator
    ]


def _failing(phases: list[Evaluation]) -> list[dict[str, Any]]:
    """Failing schools of each phase; a phase without any known number has no bar."""
    return [
        {
            "phase": e.phase_name,
            "order": place,
            "schools": e.verdict.schools_failing,
            "all": e.verdict.schools_in_scope,
        }
        for place, e in enumerate(phases)
        if e.verdict.schools_in_scope and (e.verdict.schools_failing or not e.verdict.indicators_no_data)
    ]


def _steps(e: Evaluation) -> list[Any]:
    """The changes in the number of failing schools, by cause."""
    return [r for r in e.rows["phase_change"] if r.level == "district" and r.value_before is not None]


def _waterfall(phases: list[Evaluation]) -> list[dict[str, Any]]:
    """The data of the chart `waterfall`: the number before, each cause from the end of the previous one, the number after."""
    bars: list[dict[str, Any]] = []
    for e in phases:
        rows = _steps(e)
        if not rows or rows[0].value_after is None:
            continue
        level = rows[0].value_before
        bars.append(_bar(e, len(bars), "上一阶段", 0.0, level, "合计"))
        for row in rows:
            if row.effect:
                name = words.CAUSE.get(row.cause, row.cause)
                kind = "增加" if row.effect > 0 else "减少"
                bars.append(_bar(e, len(bars), name, level, level + row.effect, kind))
                level += row.effect
        bars.append(_bar(e, len(bars), "本阶段", 0.0, rows[0].value_after, "合计"))
    return bars


def _bar(e: Evaluation, order: int, name: str, start: float, end: float, kind: str) -> dict[str, Any]:
    text = f"{end - start:+.0f}" if kind != "合计" else f"{end:.0f}"
    low, high = min(start, end), max(start, end)
    return {
        "phase": e.phase_name,
        "order": order,
        "name": name,
        "low": low,
        "high": high,
        "kind": kind,
        "text": text,
    }


def _states(e: Evaluation) -> Counter[str]:
    return Counter(f.state for f in e.rows["finding"])


def _done(e: Evaluation) -> tuple[int, int, int]:
    """Measures done, overdue, and all."""
    rows = e.rows["measure_status"]
    return sum(m.state == "done" for m in rows), sum(bool(m.overdue) for m in rows), len(rows)


def _left(phases: list[Evaluation]) -> list[dict[str, Any]]:
    """The data of the chart `burn_down`: findings not closed and measures not settled at the end of each phase."""
    found = []
    for place, e in enumerate(phases):
        if e.rows["finding"]:
            states = _states(e)
            found.append(_point(e, place, "未解决问题", states["open"] + states["reopened"]))
        if e.measure:
            left = sum(m.state not in SETTLED for m in e.measure.values())
            found.append(_point(e, place, "未完成措施", left))
    return found


def _point(e: Evaluation, place: int, what: str, left: int) -> dict[str, Any]:
    return {"phase": e.phase_name, "order": place, "what": what, "left": left}


def _flips(e: Evaluation) -> list[Any]:
    """Coefficients and indicators of the district whose verdict changed, a row for each."""
    seen, rows = set(), []
    for row in e.rows["phase_change"]:
        key = (row.level, row.indicator_code, row.stage)
        if row.level in ("stage", "indicator") and row.status_before != row.status_after and key not in seen:
            seen.add(key)
            rows.append(
                (row, [r for r in e.rows["phase_change"] if (r.level, r.indicator_code, r.stage) == key])
            )
    return rows
