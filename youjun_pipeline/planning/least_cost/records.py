"""An answer as rows of the tables `plan.proposal*`, `plan.price_curve` and `plan.shadow_price`, by the tables' short names.

Keep out: sentences (`text`), filling the tables (`refresh`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from youjun_pipeline.planning.least_cost.answer import Answer, NoAnswer
from youjun_pipeline.planning.least_cost.coming_pupils import pupils_sentence
from youjun_pipeline.planning.least_cost.curve import BUDGET, SCHOOLS, Point
from youjun_pipeline.planning.least_cost.lines import Line
from youjun_pipeline.planning.least_cost.obstacles import Obstacle
from youjun_pipeline.planning.least_cost.prices import Prices, lever_kinds
from youjun_pipeline.planning.least_cost.shadow import Shadow, shadow_sentence
from youjun_pipeline.planning.least_cost.text import (
    cost_sentence,
    line_sentence,
    money_unit,
    obstacle_sentence,
    verdict_sentence,
)

TABLES = (
    "proposal_summary",
    "proposal",
    "proposal_effect",
    "proposal_obstacle",
    "price_curve",
    "shadow_price",
)
INFEASIBLE, UNKNOWN, FAILED, INPUT = "infeasible", "unknown", "failed", "input"
Records = dict[str, list[dict[str, Any]]]


def answer_records(
    answer: Answer, prices: Prices | None, points: Sequence[Point], eased: Sequence[Shadow]
) -> Records:
    """All rows of a plan."""
    found, unit = answer.found, money_unit(prices)
    key = {"district_code": found.district, "phase_id": found.phase}
    names = found.figures.names
    summary = {
        **key,
        "verdict": answer.verdict,
        "solver_status": found.status,
        "cost": found.cost,
        "unit": unit or None,
        "bound": found.bound,
        "bound_of": found.bound_of if found.bound is not None else None,
        "gap": found.gap,
        "every_indicator_cost": found.every_indicator_cost,
        "left_at_floor": len(found.left),
        "lines": len(found.lines),
        "obstacles": len(found.beyond),
        "summary": f"{verdict_sentence(answer)}。{cost_sentence(answer, unit)}",
        **_pupils(found.pupils_of),
    }
    return {
        "proposal_summary": [summary],
        "proposal": [
            {**key, **_line(number, line, names, unit)} for number, line in enumerate(found.lines, 1)
        ],
        "proposal_effect": _effect(answer),
        "proposal_obstacle": _obstacles(key, found.beyond, names),
        "price_curve": [{**key, **_point(point, unit)} for point in points],
        "shadow_price": [
            {
                **key,
                "rank": rank,
                "limit_kind": s.limit,
                "school_code": s.school,
                "school_name": names.get(s.school) if s.school else None,
                "stage": s.stage,
                "indicator_code": s.indicator,
                "what": s.what,
                "step": s.step,
                "step_unit": s.step_unit or None,
                "saves": s.saves,
                "unit": s.unit,
                "sentence": shadow_sentence(s, names),
            }
            for rank, s in enumerate(eased, 1)
        ],
    }


def no_answer_records(district: str, phase: str, answer: NoAnswer) -> Records:
    """Rows of a district that no plan can make pass."""
    key = {"district_code": district, "phase_id": phase}
    summary = f"在允许的手段和上限内没有方案可以达标，至少 {len(answer.obstacles)} 处要让步"
    head = {**key, "verdict": INFEASIBLE, "obstacles": len(answer.obstacles), "summary": summary}
    head |= _pupils(answer.pupils_of)
    return {
        "proposal_summary": [head],
        "proposal_obstacle": _obstacles(key, answer.obstacles, answer.figures.names),
    }


def refused_records(district: str, phase: str, verdict: str, message: str) -> Records:
    """Rows of a district whose inputs cannot be used or whose solver failed: every line of the message becomes a row."""
    key = {"district_code": district, "phase_id": phase}
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    head = {**key, "verdict": verdict, "obstacles": len(lines), "summary": lines[0] if lines else message}
    rows = [
        {**key, "obstacle_no": number, "obstacle": INPUT, "sentence": line}
        for number, line in enumerate(lines, 1)
    ]
    return {"proposal_summary": [head], "proposal_obstacle": rows}


def _pupils(year: int | None) -> dict[str, Any]:
    return {"pupils_of": year, "pupils": pupils_sentence(year)}


def _line(number: int, line: Line, names: Mapping[str, str], unit: str) -> dict[str, Any]:
    return {
        "line_no": f"P{number:04d}",
        "proposal_action": line.kind,
        "lever": line.lever,
        "what": line.what,
        "school_code": line.school,
        "school_name": names.get(line.school),
        "to_school_code": line.to_school,
        "to_school_name": names.get(line.to_school) if line.to_school else None,
        "stage": line.stage,
        "grade": line.grade,
        "indicator_code": line.indicator,
        "quantity": line.quantity,
        "unit": line.unit,
        "cost": line.cost,
        "due": line.due,
        "sentence": line_sentence(line, names, unit),
    }


def _effect(answer: Answer) -> list[dict[str, Any]]:
    left = set(answer.found.left)
    return [
        {
            **row,
            "is_left": (row["school_code"], row["stage"], row["indicator_code"]) in left
            if row["level"] == "school"
            else None,
        }
        for row in answer.proof.effect
    ]


def _obstacles(
    key: Mapping[str, str], obstacles: Iterable[Obstacle], names: Mapping[str, str]
) -> list[dict[str, Any]]:
    return [
        {
            **key,
            "obstacle_no": number,
            "obstacle": o.what,
            "school_code": o.school,
            "school_name": names.get(o.school) if o.school else None,
            "stage": o.stage,
            "indicator_code": o.indicator,
            "short": o.short,
            "sentence": obstacle_sentence(o, names),
        }
        for number, o in enumerate(obstacles, 1)
    ]


def _point(point: Point, unit: str) -> dict[str, Any]:
    units = {kind.indicator: kind.unit for kind in lever_kinds().values()}
    of = {SCHOOLS: unit, BUDGET: "所"}.get(point.curve) or unit or units.get(point.indicator or "")
    return {
        "curve": point.curve,
        "stage": point.stage,
        "indicator_code": point.indicator,
        "at": point.at,
        "value": point.value,
        "unit": of,
        "is_now": point.is_now,
        "is_knee": point.is_knee,
    }
