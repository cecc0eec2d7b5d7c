"""Classes, special rooms and whole pupils: what the limits on school size, class size and rooms per class need.

Everything here is whole: pupils by grade, classes, rooms. If pupils can go to a neighbour, they fill the existing classes of
their grade; otherwise classes are added. Keep out: resources per pupil (`district`), and every number of the standard: limits
arrive as figures.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from youjun_pipeline.planning.least_cost.cones import Vector
from youjun_pipeline.planning.least_cost.district import Index
from youjun_pipeline.planning.least_cost.failure import OutOfTimeError

# What HiGHS says where there is certainly no answer (scipy.optimize.milp).
INFEASIBLE = 2
EACH, COMBINED, PER_STAGE = "each", "combined", "per_stage"
# The weight of a pupil more or fewer than the resources asked for, as a share of a pupil's price: pupils and resources are
# settled in turn.
NEARNESS = 0.5


@dataclass(frozen=True)
class Seats:
    """Grades, classes and rooms of the schools of a district.

    Args:
        section: the section of each grade row, shape (r,).
        grade: 1 … 9, shape (r,).
        pupils, classes: of each grade row, shape (r,).
        place: the school of each section, shape (n,).
        stage: of each section, shape (n,).
        largest_class: the highest number of pupils in a class, by section, shape (n,).
        largest_school: the highest number of compulsory pupils, by school, shape (s,); inf if nothing limits it.
        fewest: the fewest compulsory pupils with which a school is judged, shape (s,): diversion never takes a school out of the
            assessment.
        rooms: music and art rooms that are large enough, by school, shape (s, 2).
        classes_per_room: one room of each kind for so many classes.
        room_rule: `each`, `combined` or `per_stage` (standard, §5 G3).
        more_classes: how many classes a school can still open, shape (s,); inf if it is not known.
        more_rooms: how many rooms a school can still get, by building or converting, shape (s,).
        class_price, room_price: of one more, by school, shape (s,).
    """

    section: Index
    grade: Index
    pupils: Vector
    classes: Vector
    place: Index
    stage: Index
    largest_class: Vector
    largest_school: Vector
    fewest: Vector
    rooms: Vector
    classes_per_room: float
    room_rule: str
    more_classes: Vector
    more_rooms: Vector
    class_price: Vector
    room_price: Vector

    @property
    def schools(self) -> int:
        return len(self.largest_school)


@dataclass(frozen=True)
class Moves:
    """Pupils of a grade row who can go to another row of the grade: rows, price per pupil, what the resources ask for."""

    source: Index
    target: Index
    price: Vector
    high: Vector
    pair: Index
    wanted: Vector | None = None  # pupils of each pair


@dataclass(frozen=True)
class Seated:
    """Whole pupils per move, classes to add per grade row, music and art rooms to add per school, and their cost.

    If no pupils were wanted, no arrangement costs less than `bound`.
    """

    moved: Vector
    classes: Vector
    rooms: Vector
    cost: float
    bound: float


def seat(seats: Seats, moves: Moves | None, seconds: float = 30.0) -> Seated | None:
    """The cheapest whole pupils, classes and rooms within the limits on classes, schools and rooms; None if there are none.

    Raises OutOfTimeError if nothing was found in `seconds`.
    """
    draft = _Draft(seats, moves)
    result = milp(
        draft.cost,
        constraints=[LinearConstraint(rows, low, high) for rows, low, high in draft.rows],
        bounds=Bounds(np.zeros(draft.size), draft.high),
        integrality=draft.whole,
        options={"time_limit": seconds, "mip_rel_gap": 1e-4},
    )
    if result.x is None:
        if result.status != INFEASIBLE:
            raise OutOfTimeError("班级和专用教室的安排")
        return None
    values = np.where(draft.whole == 1, np.round(result.x), result.x)
    rooms = values[draft.rooms].reshape(2, seats.schools).T
    cost = float(draft.true_cost @ values)
    bound = result.get("mip_dual_bound")
    return Seated(
        values[draft.moves], values[draft.classes], rooms, cost, 0.0 if bound is None else float(bound)
    )


class _Draft:
    """The variables side by side: moves, classes per grade row, rooms (music, then art), deviations."""

    def __init__(self, seats: Seats, moves: Moves | None) -> None:
        self.s = seats
        self.m = moves
        count = 0 if moves is None else len(moves.source)
        pairs = 0 if moves is None or moves.wanted is None else len(moves.wanted)
        r, s = len(seats.section), seats.schools
        self.moves = slice(0, count)
        self.classes = slice(count, count + r)
        self.rooms = slice(count + r, count + r + 2 * s)
        self.far = slice(count + r + 2 * s, count + r + 2 * s + 2 * pairs)
        self.size = self.far.stop
        self.rows: list[tuple[sparse.csr_array, Vector, Vector]] = []
        school = seats.place[seats.section]
        own = np.zeros(0) if moves is None else moves.price
        self.true_cost = np.r_[
            own, seats.class_price[school], seats.room_price, seats.room_price, np.zeros(2 * pairs)
        ]
        weight = NEARNESS * (own.max() if len(own) and own.max() > 0 else 1.0)
        self.cost = self.true_cost + np.r_[np.zeros(self.far.start), np.full(2 * pairs, weight)]
        own_high = np.zeros(0) if moves is None else np.floor(moves.high)
        self.high = np.r_[
            own_high,
            seats.more_classes[school],
            seats.more_rooms,
            seats.more_rooms,
            np.full(2 * pairs, np.inf),
        ]
        self.whole = np.r_[np.ones(self.far.start), np.zeros(2 * pairs)].astype(int)
        self._class_size()
        self._school_size()
        self._rooms()
        self._class_room()
        self._near()

    def _matrix(self, rows: Index, columns: Index, values: Vector, height: int) -> sparse.csr_array:
        return sparse.csr_array((values, (rows, columns)), shape=(height, self.size))

    def _shift(self, row_of: Index, height: int) -> sparse.csr_array:
        """The changes by the moves, with the grade rows summed by `row_of`."""
        if self.m is None:
            return sparse.csr_array((height, self.size))
        at = np.arange(len(self.m.source))
        ones = np.ones(len(at))
        return self._matrix(
            np.r_[row_of[self.m.source], row_of[self.m.target]], np.r_[at, at], np.r_[-ones, ones], height
        )

    def _class_size(self) -> None:
        s, r = self.s, len(self.s.section)
        largest = s.largest_class[s.section]
        added = self._matrix(np.arange(r), self.classes.start + np.arange(r), -largest, r)
        self.rows.append(
            (self._shift(np.arange(r), r) + added, np.full(r, -np.inf), largest * s.classes - s.pupils)
        )

    def _school_size(self) -> None:
        s = self.s
        school = s.place[s.section]
        there = np.bincount(school, weights=s.pupils, minlength=s.schools)
        kept = (s.fewest > 0) & (there >= s.fewest)
        if kept.any() and self.m is not None:
            rows = self._shift(school, s.schools)[np.flatnonzero(kept)]
            self.rows.append((rows, (s.fewest - there)[kept], np.full(kept.sum(), np.inf)))
        limited = np.isfinite(s.largest_school)
        if limited.any():
            rows = self._shift(school, s.schools)[np.flatnonzero(limited)]
            self.rows.append((rows, np.full(limited.sum(), -np.inf), (s.largest_school - there)[limited]))

    def _rooms(self) -> None:
        """Rooms ≥ classes / classes_per_room, of each kind, of both together, or stage by stage."""
        s = self.s
        r = len(s.section)
        group = (
            s.place[s.section] if s.room_rule != PER_STAGE else s.place[s.section] * 2 + s.stage[s.section]
        )
        keys, row_of = np.unique(group, return_inverse=True)
        school = keys if s.room_rule != PER_STAGE else keys // 2
        classes = np.bincount(row_of, weights=s.classes, minlength=len(keys))
        added = self._matrix(row_of, self.classes.start + np.arange(r), np.full(r, -1.0), len(keys))
        at = np.arange(len(keys))
        for kind in (0, 1):
            columns = [self.rooms.start + kind * s.schools + school]
            have = s.rooms[school, kind]
            if s.room_rule == COMBINED:
                columns = [self.rooms.start + k * s.schools + school for k in (0, 1)]
                have = s.rooms[school].sum(axis=1)
            rows = added + sum(
                self._matrix(at, c, np.full(len(keys), s.classes_per_room), len(keys)) for c in columns
            )
            self.rows.append(
                (sparse.csr_array(rows), classes - s.classes_per_room * have, np.full(len(keys), np.inf))
            )
            if s.room_rule == COMBINED:
                break

    def _class_room(self) -> None:
        s, r = self.s, len(self.s.section)
        rows = self._matrix(s.place[s.section], self.classes.start + np.arange(r), np.ones(r), s.schools)
        self.rows.append((rows, np.full(s.schools, -np.inf), s.more_classes))

    def _near(self) -> None:
        """Pupils of a pair = what was wanted + over − under."""
        if self.m is None or self.m.wanted is None:
            return
        pairs = len(self.m.wanted)
        at = np.arange(pairs)
        moves = self._matrix(self.m.pair, np.arange(len(self.m.pair)), np.ones(len(self.m.pair)), pairs)
        far = self._matrix(
            np.r_[at, at],
            self.far.start + np.r_[at, pairs + at],
            np.r_[np.full(pairs, -1.0), np.ones(pairs)],
            pairs,
        )
        self.rows.append((sparse.csr_array(moves + far), self.m.wanted, self.m.wanted))
