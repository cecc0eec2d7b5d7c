"""`youjun propose`: the least-cost plan of one evaluation, made in a database in memory; the warehouse does not change.

Belongs here: setting up the evaluation and the request. Keep out: how a plan is found (`answer`), its files (`write`).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from youjun_pipeline.ingest.districts import District, scan
from youjun_pipeline.planning.least_cost.answer import REFUTED, Answer, NoAnswer, find
from youjun_pipeline.planning.least_cost.coming_pupils import expect_pupils, forecast_fault
from youjun_pipeline.planning.least_cost.curve import curves
from youjun_pipeline.planning.least_cost.district import Aims
from youjun_pipeline.planning.least_cost.prices import (
    Prices,
    PricesError,
    lever_kinds,
    pupils_fault,
    read_prices,
)
from youjun_pipeline.planning.least_cost.proof import prove
from youjun_pipeline.planning.least_cost.records import answer_records
from youjun_pipeline.planning.least_cost.shadow import shadows
from youjun_pipeline.planning.least_cost.text import answer_text, money_unit
from youjun_pipeline.planning.least_cost.write import write_plan
from youjun_pipeline.reports import proposal, proposal_schools
from youjun_pipeline.reports.evaluation import published_evaluations
from youjun_pipeline.settings import Settings
from youjun_pipeline.standard import load_catalogue

if TYPE_CHECKING:
    import duckdb


# This value asks for the delivered pupils, whatever the prices say.
DELIVERED = 0


class ProposeError(ValueError):
    """The requested thing does not exist; the message says what exists."""


@dataclass(frozen=True)
class Request:
    """What `youjun propose` was asked: `aims`, and which levers may be used (None: all that the prices allow).

    `pupils_of`: the school year whose forecast pupils the plan is for. `DELIVERED`: the delivered pupils. None: as the prices
    say.
    """

    district: str
    phase: str
    aims: Aims
    levers: list[str] | None = None
    seconds: float = 60.0
    folder: Path | None = None
    pupils_of: int | None = None


# Computes one phase of a district in a temporary database; None if the phase has nothing to evaluate yet.
Evaluated = Callable[[District, str], AbstractContextManager["duckdb.DuckDBPyConnection | None"]]


def propose_plan(settings: Settings, request: Request, evaluated: Evaluated) -> tuple[str, bool]:
    """The answer as text, and whether the models let the plan pass, apart from what no lever can mend.

    Raises:
        ProposeError: no such district, phase, lever or forecast.
        PricesError, UnknownFiguresError: the inputs cannot be used; the message lists every fault.
        SolverFailedError: the solver ended without an answer that it vouches for.
    """
    districts = scan(settings.data).districts
    district = next((d for d in districts if d.code == request.district), None)
    if district is None:
        there = "、".join(d.code for d in districts) or "无"
        raise ProposeError(f"没有区县 {request.district}；现有：{there}")
    phases = [phase.id for phase in district.phases]
    if request.phase not in phases:
        raise ProposeError(f"没有阶段 {request.phase}；现有：{'、'.join(phases)}")
    unknown = sorted(set(request.levers or ()) - set(lever_kinds()))
    if unknown:
        raise ProposeError(f"没有这些手段：{'、'.join(unknown)}；可用：{'、'.join(lever_kinds())}")
    prices = read_prices(district.folder)
    if request.aims.budget is not None and (prices is None or not prices.is_priced):
        raise ProposeError("没有单价（prices.toml），资金上限无从比较；请先填写单价，或不用 --budget")
    with evaluated(district, request.phase) as con:
        if con is None:
            why = "；".join(failure.message for failure in district.failures)
            raise ProposeError(f"阶段 {request.phase} 还没有可以评估的数据：{why}")
        year = _expect(con, request, district.folder, prices)
        found = find(
            con,
            request.district,
            request.phase,
            load_catalogue(district.standard),
            prices,
            with_prices(request.aims, prices),
            allowed=request.levers,
            seconds=request.seconds,
            pupils_of=year,
        )
        result = found if isinstance(found, NoAnswer) else Answer(found, *prove(con, [found.draft]))
        text = answer_text(result, prices)
        if isinstance(result, NoAnswer) or result.verdict == REFUTED:
            return text, False
        if request.folder is not None:
            paths = write_plan(result, request.folder) + _write_books(con, result, prices, request)
            text += "\n\n" + "\n".join(f"已写出 {path}" for path in paths)
    return text, True


def _expect(
    con: duckdb.DuckDBPyConnection, request: Request, folder: Path, prices: Prices | None
) -> int | None:
    """Give the evaluation the pupils that the request or the prices name. Returns the school year; None: delivered pupils."""
    said = prices.pupils_of if prices is not None else None
    year = said if request.pupils_of is None else request.pupils_of or None
    if year is None:
        return None
    if fault := forecast_fault(con, request.district, request.phase, year):
        if request.pupils_of is not None:
            raise ProposeError(f"--pupils-of {year}：{fault}")
        raise PricesError(pupils_fault(folder, year, fault))
    expect_pupils(con, request.district, request.phase, year)
    return year


def _write_books(
    con: duckdb.DuckDBPyConnection, result: Answer, prices: Prices | None, request: Request
) -> list[Path]:
    """The leader's workbook and the drafts for the schools, as a refresh writes them beside the publication."""
    assert request.folder is not None
    found = result.found
    points, eased = curves(found, request.seconds), shadows(found, money_unit(prices))
    tables = answer_records(result, prices, points, eased)
    evaluation = next(
        e
        for e in published_evaluations(con)
        if (e.district_code, e.phase_id) == (request.district, request.phase)
    )
    book, drafts = (request.folder / f"{title}.xlsx" for title in (proposal.TITLE, proposal_schools.TITLE))
    proposal.write_book(tables, evaluation, book)
    proposal_schools.write_drafts(tables, evaluation, drafts)
    return [book, drafts]


def with_prices(aims: Aims, prices: Prices | None) -> Aims:
    """The aims, with money and margins from the prices where the request does not set them."""
    if prices is None:
        return aims
    changed: dict[str, float] = {}
    if aims.budget is None and prices.money is not None:
        changed["budget"] = float(prices.money)
    if aims.coefficient_at_most is None and prices.coefficient_at_most is not None:
        changed["coefficient_at_most"] = float(prices.coefficient_at_most)
    if aims.above_threshold == 1.0 and prices.above_threshold is not None:
        changed["above_threshold"] = float(prices.above_threshold)
    return replace(aims, **changed)  # type: ignore[arg-type]
