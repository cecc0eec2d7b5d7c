"""District items that come from figures and conclusions: G1, G2, G6–G15, Q1–Q9, S1 and the vetoes.

Belongs here: sections 5 (district level), 6 and 7 of the standard, one small function per indicator.
Keep out: what is rolled up from schools (R1–R7, G3–G5); that is in ``district``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from youjun_pipeline_tests.oracle import figures as f
from youjun_pipeline_tests.oracle.schools import Options, Row, School, Section, Tables


@dataclass(frozen=True)
class Item:
    """A judged district item; ``value`` where it is one figure."""

    status: str
    value: Fraction | None = None
    target: Fraction | None = None


@dataclass(frozen=True)
class District:
    """What the items are judged from."""

    tables: Tables
    options: Options
    schools: Mapping[str, School]
    sections: Mapping[tuple[str, str], Section]

    def rows(self, dataset: str) -> Sequence[Row]:
        return self.tables.get(dataset) or ()

    def figure(self, item: str) -> Fraction | None:
        """The value of an assurance item."""
        return next((f.maybe(r.get("value")) for r in self.rows("assurance") if r["item"] == item), None)

    def conclusion(self, item: str) -> str:
        """The status an assurance item's explicit conclusion gives."""
        said = next((r.get("conclusion") for r in self.rows("assurance") if r["item"] == item), None)
        return {"met": f.MET, "not_met": f.BELOW}.get(said or "", f.NO_DATA)

    def in_scope(self) -> list[School]:
        return [school for school in self.schools.values() if school.in_scope]


def together(statuses: Iterable[str]) -> str:
    """Several conditions that must all hold: a known failure decides, then a gap, then success."""
    seen = set(statuses)
    if seen & f.FAILING:
        return f.BELOW
    return f.NO_DATA if f.NO_DATA in seen else f.MET


def share(part: Fraction | None, whole: Fraction | None, at_least: Any) -> Item:
    """``part / whole`` against a limit, compared cross-multiplied; nothing to share is not applicable."""
    target = f.exact(at_least)
    if part is None or whole is None:
        return Item(f.NO_DATA, None, target)
    if whole == 0:
        return Item(f.NOT_APPLICABLE, None, target)
    return Item(f.MET if part >= target * whole else f.BELOW, part / whole, target)


def added(parts: Iterable[Any]) -> Fraction | None:
    """Sum of figures, None if there is none or one is blank."""
    figures = [f.maybe(part) for part in parts]
    if not figures or None in figures:
        return None
    return sum((n for n in figures if n is not None), Fraction(0))


def newest(rows: Iterable[Row], column: str) -> list[Row]:
    """The rows of the newest year."""
    kept = list(rows)
    last = max((int(row[column]) for row in kept), default=None)
    return [row for row in kept if int(row[column]) == last]


def teachers_share(district: District, column: str) -> Item:
    """G9, G12: the teachers of all sections in scope, all of whom must be counted in ``column``."""
    rows = {(str(r["school_code"]), r["stage"]): r for r in district.rows("teachers")}
    mine = [rows.get(key, {}) for key, section in district.sections.items() if section.in_scope]
    return share(added(r.get(column) for r in mine), added(r.get("full_time") for r in mine), 1)


def small_school_funding(district: District) -> Item:
    """G6: the newest budget of every school of 1–99 pupils against 100 pupils' funding."""
    options = district.options
    norms = {
        f.PRIMARY: f.maybe(options.funding_norm_primary_yuan),
        f.JUNIOR: f.maybe(options.funding_norm_junior_yuan),
    }
    if not any(norms.values()):
        return Item(f.NO_DATA)
    statuses = []
    for school in district.schools.values():
        under_50 = school.school_type == f.TEACHING_POINT and not school.in_scope
        if school.school_type in f.OUT_OF_SCOPE or (school.is_private and not options.include_private):
            continue
        if under_50 and not options.fund_schools_out_of_scope:
            continue
        if not school.sections or school.compulsory_known >= f.SMALL_SCHOOL:
            continue
        finance = [r for r in district.rows("school_finance") if str(r["school_code"]) == school.code]
        budget = added(r.get("public_funds_budget_wan") for r in newest(finance, "year"))
        needed = [norms[stage] for stage in school.sections]
        if school.compulsory is None or budget is None or None in needed:
            statuses.append(f.NO_DATA)
            continue
        weighted = sum((norms[s] or 0) * (school.pupils[s] or 0) for s in school.sections)
        norm = Fraction(weighted) / school.compulsory
        statuses.append(f.MET if budget * f.YUAN_IN_WAN >= f.SMALL_SCHOOL * norm else f.BELOW)
    return Item(together(statuses))


def rotation(district: District) -> Item:
    """G11: teachers rotated, and the backbone teachers among them."""
    rotated = district.figure("G11.rotated")
    first = share(rotated, district.figure("G11.eligible"), f.ROTATED_SHARE)
    second = share(district.figure("G11.rotated_backbone"), rotated, f.ROTATED_BACKBONE_SHARE)
    return Item(together([first.status, second.status]), first.value, first.target)


def catchment(district: District) -> Item:
    """G13: enrolment by catchment over urban and town public day schools in scope, per stage."""
    statuses = []
    for stage in f.STAGES:
        mine = []
        for school in district.in_scope():
            row = school.row
            if stage not in school.sections or school.is_private or row.get("boarding") is True:
                continue
            if school.urban_rural is not None and school.urban_rural not in f.URBAN_OR_TOWN:
                continue
            if None in (row.get("sponsor_code"), row.get("boarding"), school.urban_rural):
                # Nobody can say whether the school belongs to the sum.
                statuses.append(f.NO_DATA)
            mine.append(row)
        part = added(row.get(f"catchment_{stage}_students") for row in mine)
        whole = added(row.get(f"{stage}_students") for row in mine)
        if mine:
            statuses.append(share(part, whole, f.CATCHMENT_SHARE[stage]).status)
    return Item(together(statuses))


def places(district: District) -> Item:
    """G14: places allotted to junior schools, and the conclusion that rural ones are favoured."""
    allotted = share(district.figure("G14.allotted"), district.figure("G14.places"), f.ALLOTTED_SHARE)
    return Item(together([allotted.status, district.conclusion("G14")]), allotted.value, allotted.target)


def migrants(district: District) -> Item:
    """G15: migrant children in public or government-bought places."""
    placed = added([district.figure("G15.public"), district.figure("G15.purchased")])
    return share(placed, district.figure("G15.eligible"), f.MIGRANT_PLACES_SHARE)


def retention(district: District) -> Item:
    """Q1: district sums of the newest graduation year."""
    ours = [
        row
        for row in district.rows("graduation_cohorts")
        if (school := district.schools.get(str(row["school_code"]))) and school.in_scope
    ]
    rows = newest(ours, "year")
    graduates, moved_in, moved_out, entrants, deaths = (
        added(row.get(column) for row in rows)
        for column in ("graduates", "transferred_in", "transferred_out", "entrants", "deaths")
    )
    if graduates is None or moved_in is None or moved_out is None or entrants is None or deaths is None:
        return Item(f.NO_DATA, None, f.RETENTION)
    return share(graduates - moved_in + moved_out, entrants - deaths, f.RETENTION)


def training_budget(district: District) -> Item:
    """Q4: the newest budget of every school in scope."""
    statuses = []
    for school in district.in_scope():
        finance = [r for r in district.rows("school_finance") if str(r["school_code"]) == school.code]
        rows = newest(finance, "year")
        training = added(r.get("training_budget_wan") for r in rows)
        funds = added(r.get("public_funds_budget_wan") for r in rows)
        statuses.append(share(training, funds, f.TRAINING_SHARE).status)
    return Item(together(statuses), None, f.TRAINING_SHARE)


def monitored(row: Row) -> str:
    """One subject of one grade: level and between-school rate."""
    level, rate = f.maybe(row.get("level")), f.maybe(row.get("between_school_rate"))
    reached = f.NO_DATA if level is None else (f.MET if level >= f.LEVEL_AT_LEAST else f.BELOW)
    even = f.NO_DATA if rate is None else (f.MET if rate < f.RATE_BELOW else f.BELOW)
    return together([reached, even])


def monitoring(district: District) -> dict[tuple[int, str], tuple[Row, str]]:
    """The newest cycle of each grade and subject with its status."""
    found: dict[tuple[int, str], list[Row]] = {}
    for row in district.rows("quality_monitoring"):
        found.setdefault((int(row["grade"]), row["subject"]), []).append(row)
    last = {key: newest(rows, "cycle")[0] for key, rows in found.items()}
    return {key: (row, monitored(row)) for key, row in last.items()}


def satisfaction(district: District) -> Item:
    """S1: satisfied of valid answers, all groups of the newest survey together."""
    rows = newest(district.rows("recognition"), "year")
    return share(added(r.get("satisfied") for r in rows), added(r.get("valid") for r in rows), f.SATISFIED)


def district_items(district: District) -> dict[str, Item]:
    """Every indicator that is judged for the district alone, by code."""
    items = {code: Item(district.conclusion(code)) for code in ("G1", "G10", "Q3", "Q5", "Q6", "Q7", "Q8")}
    items |= {code: Item(district.conclusion(code)) for code in f.VETOES}
    norms = (district.options.funding_norm_primary_yuan, district.options.funding_norm_junior_yuan)
    items["G2"] = Item(together([district.conclusion("G2"), f.NO_DATA if None in norms else f.MET]))
    items["G6"] = small_school_funding(district)
    items["G7"] = share(
        district.figure("G7.funds_yuan"),
        district.figure("G7.students"),
        district.options.special_education_funding_yuan,
    )
    items["G8"] = share(
        district.figure("G8.teacher_salary_yuan"), district.figure("G8.civil_servant_salary_yuan"), 1
    )
    items["G9"] = teachers_share(district, "trained_360h")
    items["G11"] = rotation(district)
    items["G12"] = teachers_share(district, "certified")
    items["G13"] = catchment(district)
    items["G14"] = places(district)
    items["G15"] = migrants(district)
    items["Q1"] = retention(district)
    items["Q2"] = share(district.figure("Q2.enrolled"), district.figure("Q2.eligible"), f.DISABLED_ENROLLED)
    items["Q4"] = training_budget(district)
    subjects = [status for _, status in monitoring(district).values()]
    items["Q9"] = Item(together(subjects) if subjects else f.NO_DATA)
    items["S1"] = satisfaction(district)
    return items
