"""Which pupils can go to a neighbour: between which sections, in which grades, how many; and from fractions to whole pupils.

Keep out: the cost in resources (`proposal`), classes and rooms (`seats`).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from youjun_pipeline.planning.least_cost.cones import Vector
from youjun_pipeline.planning.least_cost.district import DIVERT, Diversion, Model
from youjun_pipeline.planning.least_cost.figures import Figures
from youjun_pipeline.planning.least_cost.neighbours import Neighbours
from youjun_pipeline.planning.least_cost.prices import Prices
from youjun_pipeline.planning.least_cost.seats import Moves, Seated, seat


def diversion_of(figures: Figures, prices: Prices | None) -> tuple[Diversion, Moves] | None:
    """Every pair of neighbours with the most pupils who can go, and the same by grade; None without neighbours."""
    pairs = figures.neighbours
    if not pairs:
        return None
    price = np.array([_price(pair, prices) for pair in pairs])
    moves = _moves(figures, price)
    high = np.bincount(moves.pair, weights=moves.high, minlength=len(pairs)).astype(float)
    source, target = (np.array([getattr(pair, end) for pair in pairs]) for end in ("source", "target"))
    return Diversion(source, target, price, high), moves


def _price(pair: Neighbours, prices: Prices | None) -> float:
    """The price of one pupil; without prices each pupil counts 1."""
    if prices is None or prices.pupils is None:
        return 1.0
    by_distance = float(prices.pupils.price_per_km or 0) * (pair.metres or 0.0) / 1000
    return float(prices.pupils.price) + by_distance


def _moves(figures: Figures, price: Vector) -> Moves:
    """What the pairs allow, by grade; the entering grade is the lowest grade of a section."""
    seats = figures.seats
    rows = {(int(s), int(g)): n for n, (s, g) in enumerate(zip(seats.section, seats.grade, strict=True))}
    lowest: dict[int, int] = {}
    for section, grade in rows:
        lowest[section] = min(grade, lowest.get(section, grade))
    found = [
        (rows[pair.source, grade], rows[pair.target, grade], number)
        for number, pair in enumerate(figures.neighbours)
        for section, grade in rows
        if section == pair.source
        and (pair.target, grade) in rows
        and (not pair.entering_grades_only or grade == lowest[section])
    ]
    source, target, pair = (np.array([f[i] for f in found], dtype=np.int64) for i in range(3))
    # a class that lost its last pupil would disappear from the roster, so each class keeps one
    high = np.maximum(seats.pupils[source] - seats.classes[source], 0) if len(found) else np.zeros(0)
    return Moves(source, target, price[pair], high, pair)


class Seating:
    """Turns the fractional diversion of the relaxation into whole pupils, with the classes and rooms they need."""

    def __init__(self, figures: Figures, moves: Moves | None, seconds: float) -> None:
        self.figures, self.moves, self.seconds = figures, moves, seconds
        self.seated: Seated | None = None

    def __call__(self, model: Model, values: Vector) -> Vector | None:
        """Whole pupils of each pair, close to those of `values`; None if classes and schools allow no such pupils."""
        block = model.block(DIVERT)
        assert block is not None
        assert self.moves is not None
        wanted = replace(self.moves, wanted=values[block.at])
        self.seated = seat(self.figures.seats, wanted, self.seconds)
        if self.seated is None:
            return None
        return np.bincount(wanted.pair, weights=self.seated.moved, minlength=block.size).astype(float)
