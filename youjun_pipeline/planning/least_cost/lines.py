"""What a plan does, line by line: one thing at one school, or from one school to another, with its cost and its action.

A line says in the words of the district what the mathematics found (`proposal`, `seats`). Its action is also what a scenario file
would say. So the proof (`proof`) and the written files (`write`) cannot differ. Keep out: how the plan is found, when it is
carried out (`calendar`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from youjun_pipeline.planning.actions import Action
from youjun_pipeline.planning.least_cost.district import Lever
from youjun_pipeline.planning.least_cost.figures import Figures
from youjun_pipeline.planning.least_cost.prices import LeverKind, lever_kinds
from youjun_pipeline.planning.least_cost.proposal import Plan
from youjun_pipeline.planning.least_cost.seats import Moves, Seated
from youjun_pipeline.standard import Catalogue

ADD, MOVE, TAKE_OUT, DIVERT, CLASS, ROOM, REGROUP = (
    *("add", "move", "take_out", "divert", "add_class", "add_room"),
    "regroup",
)
ROOMS = {"music": ("音乐专用教室", "music_room_area_m2"), "art": ("美术专用教室", "art_room_area_m2")}
# Smaller quantities are the solver's noise.
LEAST = 1e-9


@dataclass(frozen=True)
class Line:
    """One thing to do. `cost` is in the unit of the prices, None without prices; `due` is None until the line has a date.

    `kind` is one of the words above. `lever` is an id of levers.toml; None for pupils, classes and rooms. `item` is the action's
    item. `area_m2` is the area of a room.
    """

    kind: str
    what: str
    school: str
    stage: str | None
    indicator: str
    quantity: float
    unit: str
    cost: float | None
    to_school: str | None = None
    grade: int | None = None
    lever: str | None = None
    item: str | None = None
    area_m2: float | None = None
    due: date | None = None

    def action(self, number: int, day: date) -> Action:
        """The line as an action of a scenario."""
        described = {
            "school": self.school,
            "to_school": self.to_school,
            "stage": self.stage,
            "grade": self.grade,
            "item": self.item,
            "quantity": self.quantity,
            "area_m2": self.area_m2,
        }
        kind, fields = _ACTIONS[(self.kind, self.lever)]
        return Action(
            action_no=f"P{number:04d}",
            kind=kind,
            effective_on=self.due or day,
            **{field: described[field] for field in fields},  # type: ignore[arg-type]
        )


_MOVED = ("school", "to_school", "quantity", "item")
_BUILT = ("school", "item", "quantity")
_TEACHERS = ("school", "stage", "quantity", "item")
# from (kind of line, lever) to (action of a scenario, its item)
_ACTIONS: dict[tuple[str, str | None], tuple[str, tuple[str, ...]]] = {
    (ADD, "above_degree_teachers"): ("add_teachers", _TEACHERS),
    (ADD, "backbone_teachers"): ("qualify_teachers", _TEACHERS),
    (ADD, "sports_art_teachers"): ("add_teachers", _TEACHERS),
    (ADD, "teaching_area"): ("extend", _BUILT),
    (ADD, "sports_area"): ("extend", _BUILT),
    (ADD, "equipment"): ("buy_equipment", _BUILT),
    (ADD, "multimedia_rooms"): ("add_rooms", _BUILT),
    **{
        (MOVE, lever): ("move_teachers", (*_TEACHERS, "to_school"))
        for lever in ("above_degree_teachers", "backbone_teachers", "sports_art_teachers")
    },
    (MOVE, "equipment"): ("move_equipment", _MOVED),
    **{
        (TAKE_OUT, lever): ("take_out", _BUILT)
        for lever in ("teaching_area", "sports_area", "equipment", "multimedia_rooms")
    },
    (DIVERT, None): ("divert_pupils", ("school", "to_school", "stage", "grade", "quantity")),
    (CLASS, None): ("add_classes", ("school", "stage", "grade", "quantity")),
    (ROOM, None): ("add_rooms", ("school", "item", "quantity", "area_m2")),
    (REGROUP, None): ("regroup", ("school", "stage", "grade")),
}


def lines_of(
    figures: Figures,
    levers: list[Lever],
    ids: list[str],
    plan: Plan,
    seated: Seated,
    moves: Moves | None,
    catalogue: Catalogue,
    *,
    priced: bool,
) -> list[Line]:
    """Every line of a plan, in the order in which a scenario carries them out."""
    lines = [
        *_pupils(figures, seated, moves, priced),
        *_classes(figures, seated, moves, priced),
        *_rooms(figures, seated, catalogue, priced),
    ]
    donors = figures.donors.copies()
    for number, (lever, name) in enumerate(zip(levers, ids, strict=True)):
        lines += _of_lever(figures, lever, name, number, plan, donors, priced)
    return lines


def _of_lever(
    figures: Figures,
    lever: Lever,
    name: str,
    number: int,
    plan: Plan,
    donors: Mapping[str, dict[str, np.ndarray]],
    priced: bool,
) -> Iterator[Line]:
    kind = lever_kinds()[name]
    added, given, taken, out = (
        figure[number].copy() for figure in (plan.added, plan.given, plan.taken, plan.out)
    )

    def line(
        how: str,
        site: int,
        quantity: float,
        price: float,
        to_school: str | None = None,
        column: str | None = None,
    ) -> Line:
        school, stage = (figures.schools[site], None) if lever.by_school else figures.section_keys[site]
        cost = quantity * price if priced else None
        item = column or _item(kind, how)
        return Line(
            how,
            kind.name,
            school,
            stage,
            kind.indicator,
            quantity,
            kind.unit,
            cost,
            to_school,
            None,
            name,
            item,
        )

    for site in map(int, np.flatnonzero(added > LEAST)):
        yield line(ADD, site, float(added[site]), float(lever.price[site]))
    groups = donors.get(name, {}), donors.get(kind.carries or "", {})
    for source, target, quantity in _paired(figures, lever, given, taken):
        to_school = figures.schools[target] if lever.by_school else figures.section_keys[target][0]
        for columns, part in _parted([group for group in groups if group], source, quantity):
            yield line(MOVE, source, part, lever.move_price or 0.0, to_school, columns)
    for site in map(int, np.flatnonzero(out > LEAST)):
        yield line(TAKE_OUT, site, float(out[site]), 0.0)


def _item(kind: LeverKind, how: str) -> str:
    """The columns that an action changes. A person counts as teacher and as staff in any case, so these are not named."""
    columns = kind.adds if how == ADD else kind.adds[:1]
    return "、".join(c for c in columns if c not in ("full_time", "staff"))


def _paired(
    figures: Figures, lever: Lever, given: np.ndarray, taken: np.ndarray
) -> Iterator[tuple[int, int, float]]:
    """Who gives to whom: units go to the first receiver that still needs some; where stages matter, within a stage.

    Any pairing will do: the limits set only how much each site gives and gets.
    """
    group = np.zeros(len(given), dtype=int) if lever.by_school else figures.sections.stage
    for stage in np.unique(group):
        givers = [s for s in np.flatnonzero(given > LEAST) if group[s] == stage]
        for target in [s for s in np.flatnonzero(taken > LEAST) if group[s] == stage]:
            while taken[target] > LEAST and givers:
                quantity = min(given[givers[0]], taken[target])
                yield int(givers[0]), int(target), float(quantity)
                given[givers[0]] -= quantity
                taken[target] -= quantity
                if given[givers[0]] <= LEAST:
                    givers.pop(0)


def _parted(
    groups: Sequence[dict[str, np.ndarray]], site: int, quantity: float
) -> Iterator[tuple[str, float]]:
    """The column, in every group, that the donor's units come from, and how many units; they are subtracted from the groups."""
    for column, have in groups[0].items():
        part = float(min(have[site], quantity))
        if part <= LEAST:
            continue
        have[site] -= part
        quantity -= part
        if len(groups) == 1:
            yield column, part
        else:
            for more, share in _parted(groups[1:], site, part):
                yield f"{column}、{more}", share


def _pupils(figures: Figures, seated: Seated, moves: Moves | None, priced: bool) -> Iterator[Line]:
    if moves is None:
        return
    for move in np.flatnonzero(seated.moved > 0.5):
        source, target = (
            figures.section_keys[figures.seats.section[rows[move]]] for rows in (moves.source, moves.target)
        )
        grade, count = int(figures.seats.grade[moves.source[move]]), round(seated.moved[move])
        cost = count * float(moves.price[move]) if priced else None
        school, stage = source
        yield Line(DIVERT, f"{grade} 年级学生", school, stage, "G5", count, "人", cost, target[0], grade)


def _classes(figures: Figures, seated: Seated, moves: Moves | None, priced: bool) -> Iterator[Line]:
    """Classes to open, and grades whose pupils are spread evenly because one of their classes is too large."""
    seats = figures.seats
    touched = set[int]()
    if moves is not None:
        went = np.flatnonzero(seated.moved > 0.5)
        touched = {*moves.source[went].tolist(), *moves.target[went].tolist()}
    for row in range(len(seats.section)):
        school, stage = figures.section_keys[seats.section[row]]
        grade, added = int(seats.grade[row]), round(seated.classes[row])
        if added:
            price = float(seats.class_price[seats.place[seats.section[row]]])
            cost = added * price if priced else None
            yield Line(CLASS, f"{grade} 年级", school, stage, "G5", added, "班", cost, None, grade)
        elif row not in touched and figures.fullest[row] > seats.largest_class[seats.section[row]]:
            yield Line(
                REGROUP,
                f"{grade} 年级均衡编班",
                school,
                stage,
                "G5",
                1,
                "次",
                0.0 if priced else None,
                None,
                grade,
            )


def _rooms(figures: Figures, seated: Seated, catalogue: Catalogue, priced: bool) -> Iterator[Line]:
    for place, column in zip(*np.nonzero(seated.rooms > 0.5), strict=True):
        kind = ("music", "art")[column]
        what, area = ROOMS[kind]
        count = round(seated.rooms[place, column])
        yield Line(
            ROOM,
            what,
            figures.schools[place],
            None,
            "G3",
            count,
            "间",
            count * float(figures.seats.room_price[place]) if priced else None,
            item=kind,
            area_m2=float(catalogue.parameters[area].value),
        )
