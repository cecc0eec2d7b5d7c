"""The tables of the least-cost plan in a refresh, for the newest evaluation of each district with a prices file.

Belongs here: which districts get a plan, and filling the declared tables. Keep out: how a plan is found (`least_cost`). A
district with unusable inputs does not stop the others: its row of `plan.proposal_summary` gives the reason.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from youjun_pipeline.planning.actions import ActionError
from youjun_pipeline.planning.least_cost.answer import Answer, Found, NoAnswer, find
from youjun_pipeline.planning.least_cost.coming_pupils import expecting, forecast_fault
from youjun_pipeline.planning.least_cost.command import with_prices
from youjun_pipeline.planning.least_cost.curve import curves
from youjun_pipeline.planning.least_cost.district import Aims
from youjun_pipeline.planning.least_cost.failure import SolverFailedError
from youjun_pipeline.planning.least_cost.figures import UnknownFiguresError
from youjun_pipeline.planning.least_cost.prices import (
    Prices,
    PricesError,
    prices_file,
    pupils_fault,
    read_prices,
)
from youjun_pipeline.planning.least_cost.proof import Draft, Proof, prove
from youjun_pipeline.planning.least_cost.records import (
    FAILED,
    TABLES,
    UNKNOWN,
    Records,
    answer_records,
    no_answer_records,
    refused_records,
)
from youjun_pipeline.planning.least_cost.shadow import shadows
from youjun_pipeline.planning.least_cost.text import money_unit
from youjun_pipeline.planning.refresh import newest
from youjun_pipeline.sql import transaction
from youjun_pipeline.standard import load_catalogue
from youjun_pipeline.warehouse.models import replace_rows
from youjun_pipeline.warehouse.tables import declared_tables

if TYPE_CHECKING:
    import duckdb

log = logging.getLogger("youjun")

# The most seconds that a refresh spends on one district: on the plan, and on its curves.
SECONDS, CURVE_SECONDS = 60.0, 60.0


def build_proposals(con: duckdb.DuckDBPyConnection) -> int:
    """Fill the tables of the least-cost plan for the run's districts; returns the rows of `plan.proposal_summary`."""
    asked = [(c, p, folder) for c, p, folder in newest(con) if folder and prices_file(folder)]
    records, found = list[Records](), list[_Planned]()
    for district, phase, folder in asked:
        result = _found(con, district, phase, folder)
        if isinstance(result, dict):
            records.append(result)
        else:
            found.append(result)
    to_prove = iter(_proofs(con, [planned.plan.draft for planned in found if planned.proof is None]))
    for planned in found:
        plan, prices, proof = planned.plan, planned.prices, planned.proof or next(to_prove)
        if isinstance(proof, ActionError):
            told = f"求得的方案不能照办，没有采用：{proof}"
            log.warning("区县 %s：%s", plan.draft.district, told)
            records.append(refused_records(plan.draft.district, plan.draft.phase, FAILED, told))
            continue
        answer = Answer(plan, proof)
        eased = shadows(plan, money_unit(prices))
        records.append(answer_records(answer, prices, curves(plan, CURVE_SECONDS), eased))
    return _fill(con, records)


@dataclass(frozen=True)
class _Planned:
    """A plan. `proof` is what the models say of it, already filled if the plan is for the pupils of a coming year."""

    plan: Found
    prices: Prices | None
    proof: Proof | ActionError | None


def _found(con: duckdb.DuckDBPyConnection, district: str, phase: str, folder: Path) -> _Planned | Records:
    """The plan of a district, or the rows that say why there is no plan."""
    standard = con.execute(
        "select standard_id from temp.run_evaluation where district_code = ? and phase_id = ?",
        [district, phase],
    ).fetchall()[0][0]
    try:
        prices = read_prices(folder)
        year = prices.pupils_of if prices is not None else None
        with _pupils_of(con, district, phase, folder, year) as own:
            aims, catalogue = with_prices(Aims(), prices), load_catalogue(standard)
            result = find(own, district, phase, catalogue, prices, aims, seconds=SECONDS, pupils_of=year)
            if isinstance(result, NoAnswer):
                return no_answer_records(district, phase, result)
            return _Planned(result, prices, None if own is con else _proofs(own, [result.draft])[0])
    except (PricesError, UnknownFiguresError) as error:
        log.warning("区县 %s 没有最省方案：%s", district, str(error).splitlines()[0])
        return refused_records(district, phase, UNKNOWN, str(error))
    except SolverFailedError as error:
        log.warning("区县 %s 的求解器没有给出可信的结果：%s", district, error)
        return refused_records(district, phase, FAILED, f"求解器没有给出可信的结果：{error}")


@contextmanager
def _pupils_of(
    con: duckdb.DuckDBPyConnection, district: str, phase: str, folder: Path, year: int | None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The database with the plan's pupils: `con`, or one in memory with the pupils forecast for `year`."""
    if year is None:
        yield con
        return
    if fault := forecast_fault(con, district, phase, year):
        raise PricesError(pupils_fault(folder, year, fault))
    with expecting(con, district, phase, year) as own:
        yield own


def _proofs(con: duckdb.DuckDBPyConnection, drafts: list[Draft]) -> list[Proof | ActionError]:
    """The proof of every plan, or why its lines cannot be carried out; a faulty plan does not affect the others."""
    try:
        return list(prove(con, drafts))
    except ActionError as error:
        if len(drafts) == 1:
            return [error]
        return [proof for draft in drafts for proof in _proofs(con, [draft])]


def _fill(con: duckdb.DuckDBPyConnection, records: list[Records]) -> int:
    """Replace the run's rows of every table."""
    made = 0
    with transaction(con):
        for name in TABLES:
            full = f"plan.{name}"
            columns = list(declared_tables()[full].columns)
            rows = [{c: row.get(c) for c in columns} for record in records for row in record.get(name, ())]
            if not rows:
                replace_rows(con, full, f"(from {full} limit 0)", columns)
                continue
            con.register("proposal_rows", pa.Table.from_pylist(rows))
            count = replace_rows(con, full, "proposal_rows", columns)
            con.unregister("proposal_rows")
            made = count if name == TABLES[0] else made
    return made
