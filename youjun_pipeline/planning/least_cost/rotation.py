"""Teachers who must rotate anyway: how many of them a plan can send where it needs them.

The standard asks that a share of the teachers who may rotate does rotate, and that a share of these are backbone teachers. A plan
moves no more than these shares, rounded up: as many backbone teachers as are asked for, and as many others as the rest. Keep out:
numbers of the standard (catalogue), where the teachers go (`proposal`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from youjun_pipeline.planning.least_cost.district import Lever
from youjun_pipeline.planning.least_cost.figures import Figures, UnknownFiguresError
from youjun_pipeline.planning.least_cost.prices import Prices, lever_kinds

if TYPE_CHECKING:
    import duckdb

    from youjun_pipeline.standard import Catalogue


def with_rotation(
    con: duckdb.DuckDBPyConnection,
    key: Sequence[str],
    catalogue: Catalogue,
    prices: Prices | None,
    figures: Figures,
    levers: list[Lever],
    ids: Sequence[str],
) -> list[Lever]:
    """The levers; if the prices allow rotation, levers of teachers can move as many as must rotate.

    Raises UnknownFiguresError if it was not reported how many may rotate.
    """
    if prices is None or prices.rotation is None:
        return levers
    changed = list(levers)
    for number, name in enumerate(ids):
        rotates = lever_kinds()[name].rotates
        if rotates is None or not levers[number].high.any():
            continue
        most = _most(con, key, catalogue, rotates.indicator)
        is_backbone = rotates.limit != "district"
        changed[number] = replace(
            levers[number],
            move_price=float(prices.rotation.move_price),
            movable=figures.donors.most(name),
            most_moved=float(most[rotates.limit]),
            shares_most=not is_backbone,
        )
    return changed


def _most(
    con: duckdb.DuckDBPyConnection, key: Sequence[str], catalogue: Catalogue, code: str
) -> dict[str, int]:
    """How many teachers must rotate, by the limit that asks for them; `district` does not count the backbone teachers."""
    indicator = catalogue.indicators[code]
    everyone, *parts = indicator.parts
    (figure,) = everyone.denominator
    found = con.execute(
        "select value from core.figure where district_code = ? and phase_id = ? and input = ? and school_code is null",
        [*key, figure],
    ).fetchall()
    if not found or found[0][0] is None:
        what = indicator.denominator_text.split("；")[0]
        raise UnknownFiguresError(f"没有填报{what}，不知道须交流多少人；请补报或删去轮岗（rotation）")
    most = {"district": math.ceil(Decimal(found[0][0]) * Decimal(indicator.limits["district"]))}
    for part in parts:
        if part.limit:
            most[part.limit] = math.ceil(most["district"] * Decimal(indicator.limits[part.limit]))
    most["district"] -= sum(count for limit, count in most.items() if limit != "district")
    return most
