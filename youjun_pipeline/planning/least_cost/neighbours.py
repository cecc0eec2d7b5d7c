"""Between which sections pupils can go: the pairs that the district gave, or pairs that are near by their coordinates.
Only pairs where a move of pupils changes nothing else. Keep out: how many pupils go (`diversion`, `seats`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from youjun_pipeline.planning.least_cost.prices import Prices

if TYPE_CHECKING:
    import duckdb

EARTH_RADIUS_M = 6_371_000.0
# A change of pupils or of class size can win or lose a waiver with one of these conditions.
BY_PUPILS = ("min_students", "max_students", "max_class_students")


@dataclass(frozen=True)
class Neighbours:
    """Sections between which pupils can move, from `source` to `target`; with the mark, only in entering grades."""

    source: int
    target: int
    entering_grades_only: bool
    metres: float | None = None


def read_neighbours(
    con: duckdb.DuckDBPyConnection, key: list[str], keys: list[tuple[str, str]], prices: Prices | None
) -> list[Neighbours]:
    """Pairs of sections of one stage. Schools of two stages are left out, because their split would change with their pupils.
    Schools with a waiver that depends on their pupils are left out too.
    """
    stages: dict[str, list[str]] = {}
    for school, stage in keys:
        stages.setdefault(school, []).append(stage)
    index = {pair: n for n, pair in enumerate(keys)}
    free = _single(con, key) - _waived(con, key)
    price = prices.pupils if prices else None
    within = float(price.within_m) if price and price.within_m is not None else np.inf
    pairs = _pairs(con, key, within)
    by_distance = bool(price and (price.within_m is not None or price.price_per_km))
    return [
        Neighbours(index[source, stage], index[target, stage], entering, metres)
        for source, target, entering, metres in pairs
        if source in free and target in free
        # an unknown distance is neither within the limit nor a distance of zero
        if not by_distance or (metres is not None and metres <= within)
        for stage in stages.get(source, [])
        if (target, stage) in index
    ]


def _pairs(
    con: duckdb.DuckDBPyConnection, key: list[str], within: float
) -> list[tuple[str, str, bool, float | None]]:
    """From, to, entering grades only, metres: the given pairs, or without given pairs all schools at most `within` metres apart.

    Without pairs and without a distance nobody is a neighbour. If a pair has no distance, it is computed from the coordinates.
    """
    metres = _metres(con, key)
    given = con.execute(
        "select a.school_code, a.neighbour_code, coalesce(a.entering_grades_only, false), "  # not said: every grade may
        "a.distance_m::double from core.chosen_file f join accepted.neighbours a using (content_sha256) "
        "where f.district_code = ? and f.phase_id = ? and f.dataset = 'neighbours' order by all",
        key,
    ).fetchall()
    if given or not np.isfinite(within):
        return [(a, b, only, metres.get((a, b)) if far is None else far) for a, b, only, far in given]
    return [(a, b, False, far) for (a, b), far in sorted(metres.items()) if far <= within]


def _metres(con: duckdb.DuckDBPyConnection, key: list[str]) -> dict[tuple[str, str], float]:
    """Metres as the crow flies between all schools with coordinates, both ways."""
    rows = con.execute(
        "select a.school_code, any_value(a.longitude)::double, any_value(a.latitude)::double "
        "from core.chosen_file f join accepted.site_capacity a using (content_sha256) "
        "where f.district_code = ? and f.phase_id = ? and f.dataset = 'site_capacity' "
        "and a.longitude is not null and a.latitude is not null "
        # if one school has several sites far apart, no site counts as the place of the school
        "group by a.school_code having count(*) = 1",
        key,
    ).fetchall()
    if not rows:
        return {}
    codes = [code for code, *_ in rows]
    east, north = np.radians([row[1] for row in rows]), np.radians([row[2] for row in rows])
    half = (
        np.sin((north[:, None] - north) / 2) ** 2
        + np.cos(north[:, None]) * np.cos(north) * np.sin((east[:, None] - east) / 2) ** 2
    )
    apart = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(half))
    return {(a, b): float(apart[i, j]) for i, a in enumerate(codes) for j, b in enumerate(codes) if i != j}


def _single(con: duckdb.DuckDBPyConnection, key: list[str]) -> set[str]:
    """Schools whose resources serve one stage alone."""
    found = con.execute(
        "select school_code from mart.school_indicator where district_code = ? and phase_id = ? and per is not null "
        "group by school_code having min(share) = 1",
        key,
    ).fetchall()
    return {school for (school,) in found}


def _waived(con: duckdb.DuckDBPyConnection, key: list[str]) -> set[str]:
    """Schools that would lose a waiver with one pupil more or one fewer."""
    found = con.execute(
        "select w.school_code from core.school_waiver w join temp.run_evaluation e using (district_code, phase_id) "
        "join standard.waiver_condition c on c.standard_id = e.standard_id and c.waiver = w.waiver "
        "where w.district_code = ? and w.phase_id = ? and c.condition in (select unnest(?))",
        [*key, list(BY_PUPILS)],
    ).fetchall()
    return {school for (school,) in found}
