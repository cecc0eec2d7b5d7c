"""A district as a program: the possible purchases, moves and diversions, and the limits that they must meet.

Sections (one school in one stage) have pupils and, for each resource indicator, an amount. Levers change amounts: buying, moving
between schools, taking out of use. Diversion changes pupils, if neighbours are known. Belongs here: the shape of the program.
Keep out: where the figures come from (`figures`), how the program is solved (`program`, `relaxation`), and every number of the
standard: limits arrive as figures.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from youjun_pipeline.planning.least_cost.cones import Cones, Program, Vector

Index = NDArray[np.int64]
# Taking out of use costs nothing and lowers provision. This small price keeps it to what the limits need.
TAKE_OUT_PRICE = 0.01
ADD, GIVE, TAKE, OUT, LEAVE, DIVERT = "add", "give", "take", "take_out", "leave", "divert"


@dataclass(frozen=True)
class Sections:
    """n sections, K resource indicators.

    Args:
        place: the school of each section, shape (n,).
        stage: 0 … stages-1, shape (n,).
        pupils: shape (n,).
        have: amounts as the models count them, with waivers and split, shape (n, K).
        per_pupil: the threshold as an amount per pupil, shape (n, K).
        step: how much one unit of the lever adds to the section's amount, shape (n, K).
        limit: the coefficient's limit, shape (stages, K).
        floor_share: the share of the threshold that no indicator may fall below.
        must_meet: how many of the K indicators a section must meet in full.
    """

    place: Index
    stage: Index
    pupils: Vector
    have: Vector
    per_pupil: Vector
    step: Vector
    limit: Vector
    floor_share: float
    must_meet: int

    @property
    def need(self) -> Vector:
        return self.per_pupil * self.pupils[:, None]


@dataclass(frozen=True)
class Lever:
    """One way to change one indicator's amounts: at sections (teachers) or at schools (what all stages share).

    Args:
        indicator: 0 … K-1.
        by_school: whether one unit serves all sections of the school.
        is_whole: whether only whole units exist.
        price: of one unit added, for each site (section or school).
        high: the most units that can be added, for each site.
        move_price: of one unit moved between two sites; None if the kind cannot move.
        movable: the most units that can leave a site, for each site; the donor always keeps its threshold.
        people: the most people who can leave a site, counted over all levers with such a figure; None if nobody moves.
        carries: another indicator in which the moved teachers count too; None if they count in the lever's own only.
        most_moved: the most units moved in all.
        shares_most: whether `most_moved` limits all levers with this mark together.
        may_take_out: whether units may be taken out of use (this is listed separately, at the end).
    """

    indicator: int
    by_school: bool
    is_whole: bool
    price: Vector
    high: Vector
    move_price: float | None = None
    movable: Vector | None = None
    most_moved: float | None = None
    shares_most: bool = False
    people: Vector | None = None
    carries: int | None = None
    may_take_out: bool = False


@dataclass(frozen=True)
class Diversion:
    """Pupils of one section may go to another of the same stage; both belong to schools of one compulsory stage.

    Args:
        source, target: sections, shape (p,).
        price: of one diverted pupil, shape (p,).
        high: the most pupils diverted, shape (p,).
    """

    source: Index
    target: Index
    price: Vector
    high: Vector


@dataclass(frozen=True)
class Aims:
    """What the plan must reach beyond the standard, and by which means.

    `every_indicator`: all K must be met instead of `must_meet`. `coefficient_at_most` replaces higher limits. `above_threshold`:
    values must reach at least this many times the threshold. `budget`: in the unit of the prices. `only`: plan only this
    indicator.
    """

    every_indicator: bool = False
    coefficient_at_most: float | None = None
    above_threshold: float = 1.0
    budget: float | None = None
    only: int | None = None
    take_out: bool = False
    with_coefficients: bool = True


@dataclass(frozen=True)
class Block:
    """A group of adjacent variables: `kind` of `lever`, one per site (or pair, or member)."""

    kind: str
    start: int
    size: int
    lever: int | None = None

    @property
    def at(self) -> slice:
        return slice(self.start, self.start + self.size)


@dataclass
class Model:
    """The program of a district and what its variables and rows stand for."""

    program: Program
    blocks: list[Block]
    members: Index  # flat index section·K + indicator of every member of a cone
    program_gain: sparse.csr_array  # change of every amount by each variable, shape (n·K, m)
    row_kinds: list[tuple[str, Index]] = field(default_factory=list)

    def block(self, kind: str, lever: int | None = None) -> Block | None:
        return next((b for b in self.blocks if b.kind == kind and (lever is None or b.lever == lever)), None)


def build(
    sections: Sections,
    levers: list[Lever],
    aims: Aims,
    diversion: Diversion | None = None,
    *,
    whole: bool = False,
) -> Model:
    """The program of a district. With `whole` it uses whole units, and the choice `LEAVE` is whole too."""
    return _Builder(sections, levers, aims, diversion, whole).model()


class _Builder:
    def __init__(
        self, sections: Sections, levers: list[Lever], aims: Aims, diversion: Diversion | None, whole: bool
    ) -> None:
        self.s, self.levers, self.aims, self.diversion, self.whole = sections, levers, aims, diversion, whole
        self.n, self.k = sections.have.shape
        self.columns: list[tuple[Vector, Vector, Vector, bool]] = []  # cost, low, high, whole
        self.blocks: list[Block] = []
        self.gain: list[sparse.coo_array] = []
        self.rows: list[sparse.csr_array] = []
        self.bounds: list[tuple[Vector, Vector]] = []
        self.kinds: list[tuple[str, Index]] = []
        self.chosen = np.arange(self.k) if aims.only is None else np.array([aims.only])

    def model(self) -> Model:
        for number, lever in enumerate(self.levers):
            if lever.indicator in self.chosen:
                self._lever(number, lever)
        if self._may_leave():
            size = self.n * self.k
            self._block(LEAVE, None, np.zeros(size), np.zeros(size), np.ones(size), self.whole, None)
        if self.diversion is not None and len(self.diversion.source):
            d = self.diversion
            self._block(DIVERT, None, d.price, np.zeros(len(d.price)), d.high, self.whole, None)
        self._finish()
        self._thresholds()
        self._balances()
        self._pupils_stay()
        self._budget()
        return Model(self._program(), self.blocks, self.members, self.all_gain, self.kinds)

    def _may_leave(self) -> bool:
        return not self.aims.every_indicator and self.aims.only is None and self.s.must_meet < self.k

    def _block(
        self,
        kind: str,
        lever: int | None,
        cost: Vector,
        low: Vector,
        high: Vector,
        whole: bool,
        gain: sparse.coo_array | None,
    ) -> None:
        start = sum(block.size for block in self.blocks)
        self.blocks.append(Block(kind, start, len(cost), lever))
        self.columns.append((cost, low, high, whole))
        self.gain.append(gain if gain is not None else sparse.coo_array((self.n * self.k, len(cost))))

    def sites(self, lever: Lever) -> Index:
        return self.s.place if lever.by_school else np.arange(self.n)

    def _lever(self, number: int, lever: Lever) -> None:
        site = self.sites(lever)
        size = len(lever.price)
        gain = self._gain(lever.indicator, site, size)
        whole = self.whole and lever.is_whole
        zero = np.zeros(size)
        self._block(ADD, number, lever.price, zero, lever.high, whole, gain)
        spare = _spare(self.s, lever, site, size)
        if lever.move_price is not None and lever.movable is not None:
            high, moved = np.minimum(lever.movable, spare), gain
            if lever.carries is not None:
                high = np.minimum(high, _spare(self.s, replace(lever, indicator=lever.carries), site, size))
                moved = sparse.coo_array(gain + self._gain(lever.carries, site, size))
            high = np.floor(high + 1e-9) if whole else high
            self._block(GIVE, number, zero, zero, high, whole, -moved)
            self._block(
                TAKE, number, np.full(size, lever.move_price), zero, np.full(size, high.sum()), whole, moved
            )
        if lever.may_take_out and self.aims.take_out:
            high = np.floor(spare + 1e-9) if whole else spare
            self._block(OUT, number, TAKE_OUT_PRICE * lever.price, zero, high, whole, -gain)

    def _gain(self, indicator: int, site: Index, size: int) -> sparse.coo_array:
        """What one unit at each site adds to the amounts of an indicator, shape (n·K, size)."""
        flat = np.arange(self.n) * self.k + indicator
        return sparse.coo_array((self.s.step[:, indicator], (flat, site)), shape=(self.n * self.k, size))

    def _finish(self) -> None:
        self.m = sum(block.size for block in self.blocks)
        self.all_gain = sparse.csr_array(sparse.hstack(self.gain, format="csr"))
        self.members = (np.arange(self.n)[:, None] * self.k + self.chosen[None, :]).ravel()
        shift = sparse.csr_array((self.n, self.m))
        divert = next((b for b in self.blocks if b.kind == DIVERT), None)
        if divert is not None and self.diversion is not None:
            d, at = self.diversion, np.arange(divert.start, divert.start + divert.size)
            ones = np.ones(len(at))
            shift = sparse.csr_array(
                (np.r_[-ones, ones], (np.r_[d.source, d.target], np.r_[at, at])), shape=(self.n, self.m)
            )
        self.shift = shift

    def _row(self, kind: str, rows: sparse.sparray, low: Vector, high: Vector) -> None:
        self.rows.append(sparse.csr_array(rows))
        self.bounds.append((low, high))
        self.kinds.append((kind, np.arange(len(low))))

    def _thresholds(self) -> None:
        """R ≥ t·P. If the value may be left: R ≥ floor·t·P and R ≥ t·P − (1 − floor)·t·Pmax·leave."""
        s, aims = self.s, self.aims
        section, indicator = self.members // self.k, self.members % self.k
        per_pupil = s.per_pupil[section, indicator] * aims.above_threshold
        have = s.have.ravel()[self.members]
        gain = self.all_gain[self.members]
        shift = self.shift[section]
        leave = next((b for b in self.blocks if b.kind == LEAVE), None)
        base = gain - sparse.diags_array(per_pupil) @ shift
        low = per_pupil * s.pupils[section] - have
        if leave is None:
            self._row("threshold", base, low, np.full(len(low), np.inf))
            return
        most = s.pupils.copy()
        if self.diversion is not None:
            most = most + np.bincount(self.diversion.target, weights=self.diversion.high, minlength=self.n)
        given_up = (
            (1 - s.floor_share) * s.per_pupil[section, indicator]
            + per_pupil
            - s.per_pupil[section, indicator]
        )
        allowance = sparse.csr_array(
            (given_up * most[section], (np.arange(len(section)), leave.start + self.members)),
            shape=(len(section), self.m),
        )
        self._row("threshold", base + allowance, low, np.full(len(low), np.inf))
        floor = s.floor_share * s.per_pupil[section, indicator]
        self._row(
            "floor",
            gain - sparse.diags_array(floor) @ shift,
            floor * s.pupils[section] - have,
            np.full(len(low), np.inf),
        )
        count = sparse.csr_array(
            (
                np.ones(self.n * self.k),
                (np.repeat(np.arange(self.n), self.k), leave.start + np.arange(self.n * self.k)),
            ),
            shape=(self.n, self.m),
        )
        self._row("leave", count, np.full(self.n, -np.inf), np.full(self.n, float(self.k - s.must_meet)))

    def _balances(self) -> None:
        """As much is taken as is given; teachers stay within their stage."""
        for block in [b for b in self.blocks if b.kind == GIVE]:
            lever = self.levers[block.lever or 0]
            take = next(b for b in self.blocks if b.kind == TAKE and b.lever == block.lever)
            group = np.zeros(block.size, dtype=int) if lever.by_school else self.s.stage
            groups = int(group.max()) + 1
            at = np.arange(block.size)
            rows = sparse.csr_array(
                (
                    np.r_[np.ones(block.size), -np.ones(block.size)],
                    (np.r_[group, group], np.r_[block.start + at, take.start + at]),
                ),
                shape=(groups, self.m),
            )
            self._row("balance", rows, np.zeros(groups), np.zeros(groups))
            if lever.most_moved is not None:
                given = sparse.csr_array(
                    (np.ones(block.size), (np.zeros(block.size, int), block.start + at)), shape=(1, self.m)
                )
                self._row("moved", given, np.array([-np.inf]), np.array([lever.most_moved]))

    def _pupils_stay(self) -> None:
        """A section keeps at least one pupil."""
        if self.shift.nnz:
            self._row("pupils", self.shift, 1 - self.s.pupils, np.full(self.n, np.inf))

    def _budget(self) -> None:
        if self.aims.budget is not None:
            cost = np.concatenate([c for c, *_ in self.columns])
            self._row(
                "budget", sparse.csr_array(cost[None, :]), np.array([-np.inf]), np.array([self.aims.budget])
            )

    def _program(self) -> Program:
        s, aims = self.s, self.aims
        cost, low, high = (np.concatenate([column[i] for column in self.columns]) for i in range(3))
        whole = np.concatenate([np.full(len(c), w) for c, _, _, w in self.columns])
        section, indicator = self.members // self.k, self.members % self.k
        limit = s.limit if aims.coefficient_at_most is None else np.minimum(s.limit, aims.coefficient_at_most)
        if not aims.with_coefficients:
            limit = np.full_like(limit, 1e6)
        keys, cone = np.unique(s.stage[section] * self.k + indicator, return_inverse=True)
        cones = Cones(
            s.have.ravel()[self.members],
            sparse.csr_array(self.all_gain[self.members]),
            s.pupils[section],
            sparse.csr_array(self.shift[section]),
            cone,
            limit[keys // self.k, keys % self.k],
        )
        rows = sparse.vstack(self.rows, format="csr")
        lows, highs = (np.concatenate([b[i] for b in self.bounds]) for i in range(2))
        return Program(cost, low, high, whole, rows, lows, highs, cones)


def _spare(sections: Sections, lever: Lever, site: Index, size: int) -> Vector:
    """How many units each site can lose without any of its sections falling below the threshold."""
    step = sections.step[:, lever.indicator]
    over = np.maximum(sections.have[:, lever.indicator] - sections.need[:, lever.indicator], 0)
    spare = np.full(size, np.inf)
    np.minimum.at(spare, site, np.where(step > 0, over / np.where(step > 0, step, 1), 0))
    return np.where(np.isfinite(spare), spare, 0)


def with_limit(sections: Sections, stage: int, indicator: int, limit: float) -> Sections:
    """The same sections with another limit for one coefficient, for a point of a curve."""
    changed = sections.limit.copy()
    changed[stage, indicator] = limit
    return replace(sections, limit=changed)
