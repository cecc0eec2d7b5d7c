"""Which sections pupils may go between: pairs that the district gave, and of them those that change nothing else.

Keep out: how many go (`diversion`, `seats`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from youjun_pipeline.planning.least_cost.prices import Prices

if TYPE_CHECKING:
    import duckdb

# A waiver with one of these conditions is lost or won with pupils or with the size of a class.
BY_PUPILS = ("min_students", "max_students", "max_class_students")


@dataclass(frozen=True)
class Neighbours:
    """Sections between which pupils may move, from `source` to `target`; in entering grades only where that is said."""

    source: int
    target: int
    entering_grades_only: bool
    metres: float | None = None


def read_neighbours(
    con: duckdb.DuckDBPyConnection, key: list[str], keys: list[tuple[str, str]], prices: Prices | None
) -> list[Neighbours]:
    """Pairs of sections of one stage. Left out are schools of two stages, whose split would change with their pupils, and those
    with a waiver that hangs on their pupils.
    """
    stages: dict[str, list[str]] = {}
    for school, stage in keys:
        stages.setdefault(school, []).append(stage)
    index = {pair: n for n, pair in enumerate(keys)}
    pairs = con.execute(
        "select a.school_code, a.neighbour_code, coalesce(a.entering_grades_only, false), "  # not said: every grade may
        "a.distance_m::double from core.chosen_file f join accepted.neighbours a using (content_sha256) "
        "where f.district_code = ? and f.phase_id = ? and f.dataset = 'neighbours' order by all",
        key,
    ).fetchall()
    free = _single(con, key) - _waived(con, key)
    price = prices.pupils if prices else None
    within = float(price.within_m) if price and price.within_m is not None else np.inf
    by_distance = bool(price and (price.within_m is not None or price.price_per_km))
    return [
        Neighbours(index[source, stage], index[target, stage], entering, metres)
        for source, target, entering, metres in pairs
        if source in free and target in free
        # a distance that nobody knows is not within the limit, and no distance of nothing
        if not by_distance or (metres is not None and metres <= within)
        for stage in stages.get(source, [])
        if (target, stage) in index
    ]


def _single(con: duckdb.DuckDBPyConnection, key: list[str]) -> set[str]:
    """Schools whose resources serve one stage alone."""
    found = con.execute(
        "select school_code from mart.school_indicator where district_code = ? and phase_id = ? and per is not null "
        "group by school_code having min(share) = 1",
        key,
    ).fetchall()
    return {school for (school,) in found}


def _waived(con: duckdb.DuckDBPyConnection, key: list[str]) -> set[str]:
    """Schools that would lose a waiver with a pupil more or fewer."""
    found = con.execute(
        "select w.school_code from core.school_waiver w join temp.run_evaluation e using (district_code, phase_id) "
        "join standard.waiver_condition c on c.standard_id = e.standard_id and c.waiver = w.waiver "
        "where w.district_code = ? and w.phase_id = ? and c.condition in (select unnest(?))",
        [*key, list(BY_PUPILS)],
    ).fetchall()
    return {school for (school,) in found}
