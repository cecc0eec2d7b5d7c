"""District items from figures and conclusions: G1, G2, G6–G15, Q1–Q8 and the vetoes.

Belongs here: sections 5 (district level), 6 and 7 of the standard, one small function per indicator.
Keep out: Q9 and S1 (``outside``); what is rolled up from schools (R1–R7, G3–G5), which is in ``district``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction

from youjun_pipeline_tests.oracle import figures as f
from youjun_pipeline_tests.oracle.hidden import whole_of
from youjun_pipeline_tests.oracle.outside import all_subjects, satisfaction, survey_year
from youjun_pipeline_tests.oracle.schools import Row, School
from youjun_pipeline_tests.oracle.shares import (
    District,
    Item,
    Pair,
    above,
    added,
    decided,
    of_whole,
    share,
    summed,
    together,
)


def judged_year(rows: Iterable[Row], expected: Mapping[str, int | None]) -> int | None:
    """The newest year for which every expected school has a row; if there is no such year, the newest of all.

    ``expected``: codes of schools with the first year for which they can report something (None: any year).
    """
    by_year: dict[int, set[str]] = {}
    for row in rows:
        if str(row["school_code"]) in expected:
            by_year.setdefault(int(row["year"]), set()).add(str(row["school_code"]))
    complete = [
        year
        for year, codes in by_year.items()
        if all(code in codes for code, first in expected.items() if first is None or first <= year)
    ]
    return max(complete or by_year, default=None)


def teachers_share(district: District, column: str) -> Item:
    """G9, G12: the teachers of all sections in scope; all of them must count in ``column``."""
    rows = {(str(r["school_code"]), r["stage"]): r for r in district.rows("teachers")}
    sure: list[Pair] = []
    unsure: list[Pair] = []
    for key, section in district.sections.items():
        school = district.schools[key[0]]
        if not section.in_scope or (school.is_private and not district.options.count_private_teachers):
            continue
        row = rows.get(key, {})
        is_told = district.options.count_private_teachers or school.row.get("sponsor_code") is not None
        full_time, staff = f.maybe(row.get("full_time")), f.maybe(row.get("staff"))
        pair = of_whole(f.maybe(row.get(column)), full_time)
        if above(full_time, staff):
            pair = (None, None)
        (sure if is_told else unsure).append(pair)
    return decided(sure, unsure, 1)


def wholes(schools: Iterable[School]) -> dict[str, list[School]]:
    """Campuses by the code of their whole school; a school without campuses is its own whole."""
    found: dict[str, list[School]] = {}
    for school in schools:
        found.setdefault(whole_of(school.code), []).append(school)
    return found


def founded(schools: Iterable[School], later: int = 0) -> dict[str, int | None]:
    """The first year for which a whole school can report something: ``later`` years after its oldest campus was built."""
    return {
        code: None
        if any(s.built_year is None for s in parts)
        else min(s.built_year or 0 for s in parts) + later
        for code, parts in wholes(schools).items()
    }


def small_schools(district: District) -> list[School]:
    """Schools and teaching points known to have fewer than a hundred pupils; those under 50 if the district chose so.

    The size of a school is that of all its campuses together.
    """
    options = district.options
    found = []
    every = wholes(district.schools.values())
    for school in district.schools.values():
        under_50 = school.school_type == f.TEACHING_POINT and not school.in_scope
        if school.school_type in f.OUT_OF_SCOPE or (school.is_private and not options.include_private):
            continue
        if under_50 and not options.fund_schools_out_of_scope:
            continue
        whole = every[whole_of(school.code)]
        if school.sections and sum(s.compulsory_known for s in whole) < f.SMALL_SCHOOL:
            found.append(school)
    return found


def small_school_funding(district: District) -> Item:
    """G6: the budget of every school of 1–99 pupils against 100 pupils' funding."""
    if not any(district.options.funding_norm(stage) for stage in f.STAGES):
        return Item(f.NO_DATA)
    small = small_schools(district)
    first, every = founded(small), wholes(district.schools.values())
    finance = district.rows("school_finance")
    year = judged_year(finance, first)
    budgets = {
        str(r["school_code"]): f.maybe(r.get("public_funds_budget_wan")) for r in finance if r["year"] == year
    }
    statuses = []
    for code, since in first.items():
        if code not in budgets and year is not None and (since or year) > year:
            continue
        sections = [(school, stage) for school in every[code] for stage in school.sections]
        budget, norms = budgets.get(code), [district.options.funding_norm(stage) for _, stage in sections]
        if budget is None or None in norms or any(school.compulsory is None for school in every[code]):
            statuses.append(f.NO_DATA)
            continue
        counts = [school.pupils[stage] or 0 for school, stage in sections]
        weighted = sum((norm or 0) * n for norm, n in zip(norms, counts, strict=True))
        needed = f.SMALL_SCHOOL * Fraction(weighted) / sum(counts)
        statuses.append(f.MET if budget * f.YUAN_IN_WAN >= needed else f.BELOW)
    return Item(together(statuses))


def rotation(district: District) -> Item:
    """G11: rotated teachers, and the backbone teachers among them."""
    rotated, eligible = district.figure("G11.rotated"), district.figure("G11.eligible")
    backbone = district.figure("G11.rotated_backbone")
    if above(rotated, eligible) or above(backbone, rotated):
        # the middle one of the three is part of both shares
        return Item(f.NO_DATA)
    first = share(rotated, eligible, f.ROTATED_SHARE)
    second = share(backbone, rotated, f.ROTATED_BACKBONE_SHARE)
    return Item(together([first.status, second.status]), first.value, first.target)


def counts_in_catchment(school: School) -> bool | None:
    """Whether G13 counts a school: urban or town, public, day; None if it is not known."""
    row = school.row
    told = [
        None if school.urban_rural is None else school.urban_rural in f.URBAN_OR_TOWN,
        None if row.get("sponsor_code") is None else not school.is_private,
        None if row.get("boarding") is None else not row["boarding"],
    ]
    return False if False in told else None if None in told else True


def catchment(district: District) -> Item:
    """G13: enrolment by catchment over urban and town public day schools in scope, per stage.

    For schools that may or may not count, the best and the worst choice are tried: both must give the same verdict.
    """
    statuses = []
    for stage in f.STAGES:
        sure: list[Pair] = []
        unsure: list[Pair] = []
        for school in district.in_scope():
            if stage not in school.sections or (counts := counts_in_catchment(school)) is False:
                continue
            row = school.row
            pair = of_whole(
                f.maybe(row.get(f"catchment_{stage}_students")), f.maybe(row.get(f"{stage}_students"))
            )
            (sure if counts else unsure).append(pair)
        if not sure and not unsure:
            continue
        statuses.append(decided(sure, unsure, f.CATCHMENT_SHARE[stage]).status)
    return Item(together(statuses))


def places(district: District) -> Item:
    """G14: places allotted to junior schools, and the conclusion that rural schools get preference."""
    to_juniors = district.figure("G14.allotted")
    if above(district.figure("G14.allotted_rural"), to_juniors):
        to_juniors = None
    allotted = share(*of_whole(to_juniors, district.figure("G14.places")), f.ALLOTTED_SHARE)
    return Item(together([allotted.status, district.conclusion("G14")]), allotted.value, allotted.target)


def migrants(district: District) -> Item:
    """G15: migrant children in public places or places bought by the government."""
    placed = added([district.figure("G15.public"), district.figure("G15.purchased")])
    return share(*of_whole(placed, district.figure("G15.eligible")), f.MIGRANT_PLACES_SHARE)


def yearly(
    district: District,
    dataset: str,
    expected: Mapping[str, int | None],
    part: Mapping[str, int],
    whole: Mapping[str, int],
) -> list[Pair]:
    """Part and whole of each expected school in the judged year; columns are added with their signs."""
    rows = district.rows(dataset)
    year = judged_year(rows, expected)
    found = {str(r["school_code"]): r for r in rows if int(r["year"]) == year}
    pairs = []
    for code, first in expected.items():
        if code not in found and year is not None and first is not None and first > year:
            continue
        row = found.get(code, {})
        sides = []
        for columns in (part, whole):
            values = {c: f.maybe(row.get(c)) for c in columns}
            sides.append(added(None if v is None else columns[c] * v for c, v in values.items()))
        pairs.append(of_whole(*sides))
    return pairs


def graduating(district: District) -> dict[str, int | None]:
    """Schools with a junior stage, and the first year in which they have graduates."""
    return founded([s for s in district.in_scope() if f.JUNIOR in s.sections], f.JUNIOR_YEARS)


def year_of(district: District, code: str) -> int | None:
    """The year on which an indicator of yearly figures is judged; None for other indicators, and if nothing is reported."""
    if code == "Q1":
        return judged_year(district.rows("graduation_cohorts"), graduating(district))
    if code == "Q4":
        return judged_year(district.rows("school_finance"), founded(district.in_scope()))
    if code == "G6":
        return judged_year(district.rows("school_finance"), founded(small_schools(district)))
    return survey_year(district) if code == "S1" else None


def retention(district: District) -> Item:
    """Q1: district sums of the newest graduation year that every school has reported."""
    part = {"graduates": 1, "transferred_in": -1, "transferred_out": 1}
    pairs = yearly(district, "graduation_cohorts", graduating(district), part, {"entrants": 1, "deaths": -1})
    return share(*summed(pairs), f.RETENTION)


def training_budget(district: District) -> Item:
    """Q4: every school in scope, in the newest year that all schools have reported."""
    expected = founded(district.in_scope())
    pairs = yearly(
        district, "school_finance", expected, {"training_budget_wan": 1}, {"public_funds_budget_wan": 1}
    )
    statuses = [share(*pair, f.TRAINING_SHARE, f.NO_DATA).status for pair in pairs]
    return Item(together(statuses) if statuses else f.NO_DATA, None, f.TRAINING_SHARE)


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
        district.options.special_education_yuan,
    )
    items["G8"] = share(
        district.figure("G8.teacher_salary_yuan"),
        district.figure("G8.civil_servant_salary_yuan"),
        1,
        f.NO_DATA,
    )
    items["G9"] = teachers_share(district, "trained_360h")
    items["G11"] = rotation(district)
    items["G12"] = teachers_share(district, "certified")
    items["G13"] = catchment(district)
    items["G14"] = places(district)
    items["G15"] = migrants(district)
    items["Q1"] = retention(district)
    enrolled = of_whole(district.figure("Q2.enrolled"), district.figure("Q2.eligible"))
    items["Q2"] = share(*enrolled, f.DISABLED_ENROLLED)
    items["Q4"] = training_budget(district)
    items["Q9"] = all_subjects(district)
    items["S1"] = satisfaction(district)
    return items
