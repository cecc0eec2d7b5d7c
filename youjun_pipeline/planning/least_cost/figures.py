"""The figures of one evaluation as the program needs them, read from the tables of the models.

Keep out: judging. Thresholds, limits and the split are those that the models used.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from youjun_pipeline.planning.least_cost.cones import Vector
from youjun_pipeline.planning.least_cost.district import Lever, Sections
from youjun_pipeline.planning.least_cost.donors import Donors, read_donors
from youjun_pipeline.planning.least_cost.neighbours import Neighbours, read_neighbours
from youjun_pipeline.planning.least_cost.prices import LeverKind, Prices, lever_kinds
from youjun_pipeline.planning.least_cost.seats import Seats

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

    from youjun_pipeline.standard import Catalogue

# Without a bound from the district, a school may get this many times the need of its largest section.
PLENTY = 4.0


class UnknownFiguresError(ValueError):
    """Missing figures make a proof impossible; the message lists them and says what to do."""


@dataclass(frozen=True)
class Figures:
    """One evaluation: sections, seats, and the names behind their indices."""

    sections: Sections
    seats: Seats
    schools: list[str]  # school codes by place
    names: dict[str, str]
    section_keys: list[tuple[str, str]]  # school code and stage of each section
    indicators: list[str]
    neighbours: list[Neighbours]
    too_large: list[tuple[str, float]]  # schools that no lever reaches, and pupils over their size
    fullest: Vector  # pupils of the largest class of each grade row of the seats
    donors: Donors


def read_figures(
    con: duckdb.DuckDBPyConnection, district: str, phase: str, catalogue: Catalogue, prices: Prices | None
) -> Figures:
    """Read one evaluation of the run in `con`.

    Raises:
        UnknownFiguresError: a section's indicator, its pupils, classes or rooms are not known.
    """
    key = [district, phase]
    resource = con.execute(
        """
        select i.school_code, i.school_name, i.stage, i.indicator_code, i.students, i.numerator, i.threshold, i.per, i.factor,
            i.base
        from mart.school_indicator i
        where i.district_code = ? and i.phase_id = ? and i.per is not null
        order by i.school_code, i.stage, i.indicator_code
        """,
        key,
    ).df()
    _refuse_unknown(con, key)
    indicators = [code for code, entry in catalogue.indicators.items() if entry.category == "resource"]
    keys = list(dict.fromkeys(zip(resource["school_code"], resource["stage"], strict=True)))
    schools = sorted({school for school, _ in keys})
    stages = [name for name, entry in catalogue.stages.items() if entry.is_evaluated]
    grid = resource.set_index(["school_code", "stage", "indicator_code"])
    order = [(school, stage, code) for school, stage in keys for code in indicators]
    rows = grid.loc[order]

    def shaped(values: pd.Series) -> Vector:
        return values.to_numpy(float).reshape(len(keys), len(indicators))

    pupils = shaped(rows["students"])[:, 0]
    limit = _limits(con, key, stages, indicators)
    unit = np.array([_step_of(catalogue, code) for code in indicators])
    sections = Sections(
        place=np.array([schools.index(school) for school, _ in keys]),
        stage=np.array([stages.index(stage) for _, stage in keys]),
        pupils=pupils,
        have=shaped(rows["numerator"]),
        per_pupil=shaped(rows["threshold"]) / shaped(rows["per"]),
        step=shaped(rows["factor"]) / shaped(rows["base"]) * pupils[:, None] / shaped(rows["per"]) * unit,
        limit=limit,
        floor_share=float(catalogue.parameters["floor_share"].value),
        must_meet=int(catalogue.parameters["min_met"].value),
    )
    names = dict(zip(resource["school_code"], resource["school_name"], strict=True))
    seats, fullest = _seats(con, key, keys, schools, stages, catalogue, prices)
    return Figures(
        sections,
        seats,
        schools,
        names,
        keys,
        indicators,
        read_neighbours(con, key, keys, prices),
        _too_large(con, key, names),
        fullest,
        read_donors(con, key, keys, schools, catalogue),
    )


def _limits(
    con: duckdb.DuckDBPyConnection, key: list[str], stages: list[str], indicators: list[str]
) -> Vector:
    """The coefficients' limits, stages × indicators."""
    limit_rows = con.execute(
        "select stage, indicator_code, cv_limit from mart.stage_balance where district_code = ? and phase_id = ?",
        key,
    ).fetchall()
    limit = np.full((len(stages), len(indicators)), 1e6)
    for stage, code, value in limit_rows:
        limit[stages.index(stage), indicators.index(code)] = value
    return limit


def levers_of(
    figures: Figures, prices: Prices | None, allowed: list[str] | None = None
) -> tuple[list[Lever], list[str]]:
    """The levers that a plan may use, and their ids in the same order; without prices each unit costs 1."""
    levers, ids = [], []
    s = figures.sections
    for name, kind in lever_kinds().items():
        if kind.indicator not in figures.indicators:
            continue
        indicator = figures.indicators.index(kind.indicator)
        size = len(figures.schools) if kind.by_school else len(figures.section_keys)
        price = prices.levers.get(name) if prices else None
        is_allowed = (price is None or price.allowed) and (allowed is None or name in allowed)
        most = _plenty(s, indicator)
        if price is not None and price.most is not None:
            most = float(price.most)
        high = np.full(size, most if is_allowed else 0.0)
        for site in prices.sites if prices else ():
            if site.lever == name and site.school in figures.schools:
                high[_sites_of(figures, kind, site.school)] = float(site.most)
        move = (
            float(price.move_price)
            if price is not None and price.move_price is not None and is_allowed
            else None
        )
        levers.append(
            Lever(
                indicator,
                kind.by_school,
                kind.is_whole,
                np.full(size, float(price.price) if price is not None else 1.0),
                np.floor(high) if kind.is_whole else high,
                move_price=move,
                movable=figures.donors.most(name) if move is not None else None,
                people=None if kind.by_school else figures.donors.people,
                carries=_carried(figures, kind),
                most_moved=float(price.most_moved)
                if price is not None and price.most_moved is not None
                else None,
                may_take_out=not kind.is_whole or kind.indicator == figures.indicators[-1],
            )
        )
        ids.append(name)
    return levers, ids


def _carried(figures: Figures, kind: LeverKind) -> int | None:
    other = lever_kinds()[kind.carries].indicator if kind.carries else None
    return figures.indicators.index(other) if other in figures.indicators else None


def _sites_of(figures: Figures, kind: LeverKind, school: str) -> list[int]:
    if kind.by_school:
        return [figures.schools.index(school)]
    return [n for n, (code, _) in enumerate(figures.section_keys) if code == school]


def _plenty(sections: Sections, indicator: int) -> float:
    step = sections.step[:, indicator]
    need = sections.need[:, indicator]
    return float(np.ceil(PLENTY * (need / np.where(step > 0, step, np.inf)).max())) + 10


def _step_of(catalogue: Catalogue, code: str) -> float:
    """The size of one reported unit in the unit of the numerator: 万元 are judged in 元."""
    entry: Any = catalogue.indicators[code]
    times = {part.times for part in entry.inputs if part.waiver is None and part.times}
    return float(catalogue.parameters[times.pop()].value) if times else 1.0


def _refuse_unknown(con: duckdb.DuckDBPyConnection, key: list[str]) -> None:
    missing = con.execute(
        """
        select school_name, string_agg(indicator_code, '、' order by indicator_code) from (
            select school_code, school_name, indicator_code from mart.school_indicator
            where district_code = $1 and phase_id = $2 and status = 'no_data'
            -- a school without enough rooms fails, whatever area was not reported; one with enough is not known
            union
            select g.school_code, s.school_name, g.indicator_code from rule.g3_music_art_rooms g
            join core.school s using (district_code, phase_id, school_code)
            join core.room r using (district_code, phase_id, school_code)
            where g.district_code = $1 and g.phase_id = $2 and r.area_m2 is null
        ) group by school_code, school_name order by school_code
        """,
        key,
    ).fetchall()
    if missing:
        lines = "\n".join(f"  {name}：{codes}" for name, codes in missing)
        raise UnknownFiguresError(f"{len(missing)} 所学校缺数据，方案无法证明达标；请先补报：\n{lines}")


def _seats(
    con: duckdb.DuckDBPyConnection,
    key: list[str],
    keys: list[tuple[str, str]],
    schools: list[str],
    stages: list[str],
    catalogue: Catalogue,
    prices: Prices | None,
) -> tuple[Seats, Vector]:
    """Grades, classes and rooms; and the pupils of the largest class of each grade row."""
    grades = con.execute(
        """
        select a.school_code, a.stage, a.grade, sum(a.students), count(*), max(a.students)
        from core.chosen_file f join accepted.classes a using (content_sha256)
        where f.district_code = ? and f.phase_id = ? and f.dataset = 'classes'
        group by all order by all
        """,
        key,
    ).fetchall()
    index = {pair: n for n, pair in enumerate(keys)}
    known = [row for row in grades if (row[0], row[1]) in index]
    if len({(r[0], r[1]) for r in known}) < len(keys):
        raise UnknownFiguresError("没有逐班名册（classes），无法安排班级；班额分档不足以编制方案")
    largest_class, largest_school = _largest(con, key, keys, schools)
    rooms = np.zeros((len(schools), 2))
    rule = con.execute(
        "select music_art_rule from mart.evaluation where district_code = ? and phase_id = ?", key
    ).fetchall()[0][0]
    for school, music, art in con.execute(
        "select school_code, music, art from rule.g3_music_art_rooms where district_code = ? and phase_id = ?",
        key,
    ).fetchall():
        rooms[schools.index(school)] = music, art
    count = len(schools)
    more_classes, more_rooms = _capacity(con, key, schools, index, known)
    seats = Seats(
        section=np.array([index[r[0], r[1]] for r in known]),
        grade=np.array([r[2] for r in known]),
        pupils=np.array([float(r[3]) for r in known]),
        classes=np.array([float(r[4]) for r in known]),
        place=np.array([schools.index(school) for school, _ in keys]),
        stage=np.array([stages.index(stage) for _, stage in keys]),
        largest_class=np.array([largest_class[pair] for pair in keys]),
        largest_school=largest_school,
        fewest=_fewest(con, key, schools),
        rooms=rooms,
        classes_per_room=float(catalogue.parameters["classes_per_room"].value),
        room_rule=rule,
        more_classes=more_classes,
        more_rooms=more_rooms,
        class_price=np.full(count, float(prices.classes.price) if prices and prices.classes else 1.0),
        room_price=np.full(count, float(prices.rooms.price) if prices and prices.rooms else 1.0),
    )
    return seats, np.array([float(r[5]) for r in known])


def _largest(
    con: duckdb.DuckDBPyConnection, key: list[str], keys: list[tuple[str, str]], schools: list[str]
) -> tuple[dict[tuple[str, str], float], Vector]:
    """The largest class of each section (G5) and the largest school (G4), with the limits that the models used."""
    largest_class = dict.fromkeys(keys, np.inf)
    largest_school = np.full(len(schools), np.inf)
    found = con.execute(
        "select school_code, stage, indicator_code, threshold from mart.school_indicator "
        "where district_code = ? and phase_id = ? and indicator_code in ('G4', 'G5')",
        key,
    ).fetchall()
    for school, stage, code, threshold in found:
        if code == "G5":
            largest_class[(school, stage)] = threshold
        elif school in schools:
            largest_school[schools.index(school)] = threshold
    return largest_class, largest_school


def _fewest(con: duckdb.DuckDBPyConnection, key: list[str], schools: list[str]) -> Vector:
    """The smallest number of compulsory pupils with which each school is still judged, shape (s,)."""
    fewest = np.zeros(len(schools))
    for school, least in con.execute(
        "select s.school_code, t.min_students from core.school s join temp.run_evaluation e using (district_code, phase_id) "
        "join standard.school_type t on t.standard_id = e.standard_id and t.school_type = s.school_type "
        "where s.district_code = ? and s.phase_id = ? and t.min_students is not null",
        key,
    ).fetchall():
        if school in schools:
            fewest[schools.index(school)] = float(least)
    return fewest


def _capacity(
    con: duckdb.DuckDBPyConnection,
    key: list[str],
    schools: list[str],
    index: dict[tuple[str, str], int],
    grades: list[tuple[Any, ...]],
) -> tuple[Vector, Vector]:
    """How many classes and rooms each school can still get; without a figure of the school there is no limit."""
    classes, rooms = np.full(len(schools), np.inf), np.full(len(schools), np.inf)
    there = {school: sum(r[4] for r in grades if r[0] == school) for school in schools}
    for school, design, idle in con.execute(
        "select a.school_code, a.design_classes, a.idle_rooms from core.chosen_file f "
        "join accepted.site_capacity a using (content_sha256) "
        "where f.district_code = ? and f.phase_id = ? and f.dataset = 'site_capacity'",
        key,
    ).fetchall():
        if school in schools and design is not None:
            classes[schools.index(school)] = max(design - there[school], 0)
        if school in schools and idle is not None:
            rooms[schools.index(school)] = idle
    return classes, rooms


def with_capacity(
    con: duckdb.DuckDBPyConnection,
    district: str,
    phase: str,
    figures: Figures,
    levers: list[Lever],
    ids: list[str],
) -> None:
    """Limit the levers to what, by the district's figures, can be built on a site or moved away from it."""
    for lever, name in zip(levers, ids, strict=True):
        kind = lever_kinds()[name]
        for column, bound in ((kind.room_for, lever.high), (kind.movable, lever.movable)):
            if column is None or bound is None:
                continue
            for school, value in con.execute(
                f"select a.school_code, a.{column} from core.chosen_file f join accepted.site_capacity a using (content_sha256) "
                "where f.district_code = ? and f.phase_id = ? and f.dataset = 'site_capacity'",
                [district, phase],
            ).fetchall():
                if school in figures.schools and value is not None:
                    at = figures.schools.index(school)
                    bound[at] = min(bound[at], float(value))


def _too_large(
    con: duckdb.DuckDBPyConnection, key: list[str], names: dict[str, str]
) -> list[tuple[str, float]]:
    """Schools that no lever reaches, such as vocational schools with compulsory pupils; their names are added to the others."""
    found = con.execute(
        "select school_code, school_name, gap from mart.school_indicator where district_code = ? and phase_id = ? "
        "and indicator_code = 'G4' and status = 'below' order by school_code",
        key,
    ).fetchall()
    beyond = [(code, name, gap) for code, name, gap in found if code not in names]
    names.update({code: name for code, name, _ in beyond})
    return [(code, float(gap)) for code, _, gap in beyond]
