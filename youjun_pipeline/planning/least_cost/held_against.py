"""Checks what prices say of schools and levers against the evaluation that they are for.

Keep out: what a prices file itself may say (`prices`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from youjun_pipeline.planning.least_cost.prices import Prices

if TYPE_CHECKING:
    import duckdb


def price_faults(
    con: duckdb.DuckDBPyConnection, district: str, phase: str, prices: Prices
) -> list[tuple[str, str]]:
    """The places in the prices (`sites.0.school`) that name a school missing from the roster, each with its fault."""
    known = {
        code
        for (code,) in con.execute(
            "select school_code from core.school where district_code = ? and phase_id = ?", [district, phase]
        ).fetchall()
    }
    return [
        (f"sites.{number}.school", f"学校名册中没有 {site.school}，请核对学校标识码")
        for number, site in enumerate(prices.sites)
        if site.school not in known
    ]
