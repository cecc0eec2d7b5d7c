"""`youjun propose`: the least-cost plan of one evaluation, in a database in memory that leaves the warehouse alone.

Belongs here: laying out the evaluation, and writing the plan's files. Keep out: how a plan is found (`answer`).
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from youjun_pipeline.ingest.districts import District, scan
from youjun_pipeline.planning.least_cost.answer import Answer, Line, NoAnswer, answer
from youjun_pipeline.planning.least_cost.district import Aims
from youjun_pipeline.planning.least_cost.prices import lever_kinds, read_prices
from youjun_pipeline.planning.least_cost.text import answer_text
from youjun_pipeline.settings import Settings
from youjun_pipeline.standard import load_catalogue
from youjun_pipeline.vocabulary import word

if TYPE_CHECKING:
    import duckdb

MEASURE_TYPES = {
    "above_degree_teachers": "教师配备",
    "teaching_area": "改扩建",
    "sports_area": "改扩建",
    "equipment": "设备调配",
}
PLAN_FILE, MEASURES_FILE = "最省方案.csv", "measures.csv"


class ProposeError(ValueError):
    """What was asked for does not exist; the message says what does."""


@dataclass(frozen=True)
class Request:
    """What `youjun propose` was asked: `aims` and which levers may be used (None: all that the prices allow)."""

    district: str
    phase: str
    aims: Aims
    levers: list[str] | None = None
    seconds: float = 60.0
    folder: Path | None = None


# Computes one phase of a district in a database that leaves no trace; None where it has nothing to evaluate yet.
Evaluated = Callable[[District, str], AbstractContextManager["duckdb.DuckDBPyConnection | None"]]


def propose_plan(settings: Settings, request: Request, evaluated: Evaluated) -> tuple[str, bool]:
    """The answer as text, and whether there is a plan that the models let pass.

    Raises:
        ProposeError: no such district, phase or lever.
        PricesError, UnknownFiguresError: the inputs cannot be used; the message lists every fault.
        SolverFailedError: the solver came to no end that it vouches for.
    """
    found = scan(settings.data)
    district = next((d for d in found.districts if d.code == request.district), None)
    if district is None:
        there = "、".join(d.code for d in found.districts) or "无"
        raise ProposeError(f"没有区县 {request.district}；现有：{there}")
    phases = [phase.id for phase in district.phases]
    if request.phase not in phases:
        raise ProposeError(f"没有阶段 {request.phase}；现有：{'、'.join(phases)}")
    unknown = sorted(set(request.levers or ()) - set(lever_kinds()))
    if unknown:
        raise ProposeError(f"没有这些手段：{'、'.join(unknown)}；可用：{'、'.join(lever_kinds())}")
    prices = read_prices(district.folder)
    aims = request.aims
    if aims.budget is None and prices is not None and prices.budget is not None:
        aims = Aims(**(vars(aims) | {"budget": float(prices.budget)}))
    with evaluated(district, request.phase) as con:
        if con is None:
            why = "；".join(failure.message for failure in district.failures)
            raise ProposeError(f"阶段 {request.phase} 还没有可以评估的数据：{why}")
        result = answer(
            con,
            request.district,
            request.phase,
            load_catalogue(district.standard),
            prices,
            aims,
            allowed=request.levers,
            seconds=request.seconds,
        )
    text = answer_text(result, prices)
    if isinstance(result, NoAnswer) or not result.proof.holds:
        return text, False
    if request.folder is not None:
        text += "\n\n" + "\n".join(f"已写出 {path}" for path in write_plan(result, request.folder))
    return text, True


def write_plan(found: Answer, folder: Path) -> list[Path]:
    """Write every line of the plan, and the same as rows of `measures`, so that it can become the district's plan."""
    folder.mkdir(parents=True, exist_ok=True)
    names = found.figures.names
    plan, measures = folder / PLAN_FILE, folder / MEASURES_FILE
    with plan.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["手段", "内容", "学校标识码", "学校名称", "学段", "指标", "数量", "单位", "造价"])
        for line in found.lines:
            stage = word("stage", line.stage) or ""
            cost = "" if line.cost is None else round(line.cost, 2)
            name = names.get(line.school, "")
            writer.writerow(
                [
                    line.action,
                    line.what,
                    line.school,
                    name,
                    stage,
                    line.indicator,
                    round(line.quantity, 6),
                    line.unit,
                    cost,
                ]
            )
    with measures.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["措施编号", "指标", "学段", "涉及学校", "措施类型", "措施内容", "数量", "单位"])
        for number, line in enumerate(found.lines, start=1):
            stage = word("stage", line.stage) or ""
            text = f"{line.action}{line.what} {line.quantity:g} {line.unit}"
            writer.writerow(
                [
                    f"P{number:04d}",
                    line.indicator,
                    stage,
                    line.school,
                    _measure_type(line),
                    text,
                    f"{line.quantity:.6f}",
                    line.unit,
                ]
            )
    return [plan, measures]


def _measure_type(line: Line) -> str:
    if line.action.startswith("分流"):
        return "分流"
    by_name = {kind.name: MEASURE_TYPES.get(name) for name, kind in lever_kinds().items()}
    return by_name.get(line.what) or "功能调整"
