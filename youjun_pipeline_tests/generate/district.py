"""Whole made-up districts: every type of school, values at the limits, waiver cases and blanks.

Belongs here: choosing schools and pupils, the options, and blanking; resources are in ``resources``, district
figures in ``figures``.
Keep out: cases that the standard leaves open (a 完全中学 with primary pupils, a conclusion without evidence): on these oracle and
pipeline could differ without a mistake in either.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from youjun_pipeline_tests.generate import figures, resources
from youjun_pipeline_tests.generate.columns import COLUMNS, blank_row

Rows = list[dict[str, Any]]

PROFILES = ("mixed", "passing", "edge", "sparse", "cv_limit")
"""What a district is like.

mixed: some of everything; passing: meets the standard; edge: values of schools at their limits; sparse: many
blanks; cv_limit: passes with all 14 CVs exactly at their limits, or fails by one thing more in one of the best
schools.
"""

WAIVERS = ("W3", "W5", "W-G3", "W-G3r", "W-G4")
# The first schools of every district but a passing one cover all types; the rest are drawn.
EVERY_TYPE = (
    "小学",
    "教学点",
    "教学点",
    "初级中学",
    "九年一贯制学校",
    "完全中学",
    "十二年一贯制学校",
    "特殊教育学校",
    "职业学校",
    "高级中学",
)
DRAWN = ("小学",) * 10 + ("教学点",) * 2 + ("初级中学",) * 4 + ("九年一贯制学校",) * 3 + ("完全中学",)
ODD_PUPILS = (100, 200, 500, 1000, 2000, 2001, 2400, 2401)
"""Pupil numbers at which thresholds come out whole or a limit is met to the pupil."""

# Share of cells blanked, by profile.
BLANKS = {"mixed": 0.004, "passing": 0.0, "edge": 0.0, "sparse": 0.03, "cv_limit": 0.0}
CONTRADICTIONS = {
    "teachers": (
        ("certified", "full_time"),
        ("full_time", "staff"),
        ("trained_360h", "full_time"),
        ("backbone", "full_time"),
        ("pe", "full_time"),
        ("bachelor", "full_time"),
    ),
    "facilities": (("indoor_sports_area_m2", "teaching_area_m2"),),
    "schools": (
        ("catchment_primary_students", "primary_students"),
        ("catchment_junior_students", "junior_students"),
    ),
    "school_finance": (("training_budget_wan", "public_funds_budget_wan"),),
    "recognition": (("valid", "issued"), ("satisfied", "valid")),
}
NEVER_BLANK = frozenset({"school_name", "campus"})


@dataclass(frozen=True)
class GeneratedDistrict:
    """A district: its rows for the oracle (``tables``) and its ``[options]`` (``settings``)."""

    tables: dict[str, Rows | None]
    settings: dict[str, Any]
    profile: str


def pupils_for(rng: random.Random, school_type: str, number: int, profile: str) -> dict[str, int]:
    """Pupils per stage of a new school."""

    def draw(low: int, high: int) -> int:
        if profile != "passing" and rng.random() < 0.3:
            return rng.choice(ODD_PUPILS)
        return rng.randint(low, high)

    if school_type == "教学点":
        few = rng.choice((50, 51, 60, 99)) if number % 2 or rng.random() < 0.5 else rng.randint(1, 49)
        return {"primary": few}
    if school_type == "小学":
        small = rng.random() < 0.2
        return {"primary": rng.choice((49, 50, 75, 99, 100)) if small else draw(120, 1500)}
    if school_type == "初级中学":
        return {"junior": rng.randint(40, 99) if rng.random() < 0.1 else draw(150, 1400)}
    if school_type == "九年一贯制学校":
        pairs = [(450, 500), (166, 210), (780, 200), (1400, 1100)]
        if profile != "passing":
            pairs += [(1500, 1000), (1501, 1000), (1900, 1100), (1901, 1100), (60, 30), (100, 0)]
        chosen = rng.choice(pairs) if rng.random() < 0.6 else (rng.randint(150, 900), rng.randint(120, 800))
        return {"primary": chosen[0], "junior": chosen[1]}
    if school_type == "完全中学":
        return {"junior": draw(200, 1500), "senior": rng.choice((0, 500, rng.randint(100, 1800)))}
    if school_type == "十二年一贯制学校":
        return {
            "primary": rng.randint(200, 1100),
            "junior": rng.randint(200, 900),
            "senior": rng.randint(100, 900),
        }
    if school_type == "职业学校":
        attached = profile != "passing" and rng.random() < 0.4
        return {"junior": rng.randint(10, 60) if attached else 0, "senior": rng.randint(200, 900)}
    return {"senior": rng.randint(300, 1500)} if school_type == "高级中学" else {"primary": 35, "junior": 20}


def school_row(rng: random.Random, code: str, number: int, school_type: str, profile: str) -> dict[str, Any]:
    """One row of the register."""
    pupils = pupils_for(rng, school_type, number, profile)
    compulsory = pupils.get("primary", 0) + pupils.get("junior", 0)
    small = compulsory < 120
    urban_rural = rng.choice(("乡村", "乡村", "镇区") if small else ("城区", "镇区", "城区", "乡村"))
    migrant_share = rng.choice((0.0, 0.1, 0.3, 0.5, 0.51, 0.8))
    # Half to the pupil is no majority; one more is.
    migrants = compulsory // 2 if migrant_share == 0.5 else int(compulsory * migrant_share)
    row = blank_row(
        "schools",
        school_code=code,
        school_name=f"第{number + 1}{'教学点' if school_type == '教学点' else school_type}",
        township=rng.choice(("东马圈镇", "黄庄街道", "城关镇")),
        school_type=school_type,
        sponsor_code="10" if rng.random() < 0.1 else str(rng.choice((1, 2, 3, 4))),
        urban_rural=urban_rural,
        built_year=rng.choice((1956, 1998, 2009, 2010, 2011, 2015, 2016, 2017, 2021)),
        boarding=rng.random() < 0.15,
        dense_urban=urban_rural == "城区" and rng.random() < 0.3,
        migrant_students=migrants,
    )
    for stage in ("primary", "junior", "senior"):
        # A stage that is not taught may be left blank or given as 0; both mean the same.
        row[f"{stage}_students"] = pupils.get(stage, rng.choice((None, 0)))
    for stage in ("primary", "junior"):
        enrolled = pupils.get(stage)
        if enrolled is not None:
            off = 0 if profile == "passing" or rng.random() < 0.9 else rng.randint(1, 5)
            row[f"catchment_{stage}_students"] = max(0, enrolled - off)
    return row


def settings_for(rng: random.Random, profile: str) -> dict[str, Any]:
    """The district's options."""
    settings: dict[str, Any] = {
        "include_private": rng.random() < 0.7,
        "music_art_rule": rng.choice(("each", "each", "combined", "per_stage")),
        "rural_waiver_places": rng.choice(("rural", "rural_and_town")),
        "size_waiver_covers_twelve_year": rng.random() < 0.3,
        "waivers": [waiver for waiver in WAIVERS if rng.random() < 0.6],
        "special_education_funding_yuan": rng.choice((6000, 7000, 8000)),
        "fund_schools_out_of_scope": rng.random() < 0.7,
        "count_private_teachers": rng.random() < 0.7,
        "survey_methods": rng.choice(("together", "together", "each"))
        if profile != "passing"
        else "together",
    }
    if profile != "sparse" or rng.random() < 0.7:
        settings |= {"funding_norm_primary_yuan": 720, "funding_norm_junior_yuan": 940}
    return settings


def blank_at_random(rng: random.Random, tables: dict[str, Rows], rate: float) -> None:
    """Blank some cells outside the keys, and delete some schools' rows, in place."""
    for dataset, rows in tables.items():
        columns = COLUMNS[dataset]
        keys = {
            "schools": {"school_code"},
            "classes": {"school_code", "stage", "grade", "class_no"},
            "teachers": {"school_code", "stage"},
            "facilities": {"school_code"},
            "special_rooms": {"school_code", "kind", "room_no"},
            "quality_monitoring": {"cycle", "grade", "subject"},
            "school_finance": {"school_code", "year"},
            "graduation_cohorts": {"school_code", "year"},
            "assurance": {"item", "evidence"},
            "recognition": {"year", "respondent_group", "method", "valid", "satisfied"},
            "district_figures": {"item", "year", "value"},
        }[dataset]
        # One blank class size opens a whole section, so rosters get fewer of them.
        chance = rate / 20 if dataset == "classes" else rate
        for row in rows:
            for column in columns:
                if column not in keys and column not in NEVER_BLANK and rng.random() < chance:
                    row[column] = None
        for row in rows:
            # more than the whole: a figure that cannot be
            for part, whole in CONTRADICTIONS.get(dataset, ()):
                if row[whole] is not None and rng.random() < rate / 4:
                    row[part] = row[whole] + 1
        if dataset in {"teachers", "facilities"}:
            rows[:] = [row for row in rows if rng.random() >= rate / 2]


YEAR_OF = {
    "school_finance": "year",
    "graduation_cohorts": "year",
    "recognition": "year",
    "quality_monitoring": "cycle",
}
# Cells without which a row cannot be kept.
KEYS = {
    "schools": ("school_code",),
    "classes": ("school_code", "stage", "grade", "class_no"),
    "teachers": ("school_code", "stage"),
    "facilities": ("school_code",),
    "special_rooms": ("school_code", "kind", "room_no"),
    "quality_monitoring": ("cycle", "grade", "subject"),
    "school_finance": ("school_code", "year"),
    "graduation_cohorts": ("school_code", "year"),
    "assurance": ("item",),
    "recognition": ("year", "respondent_group"),
    "district_figures": ("item", "year"),
}


def lose_rows(rng: random.Random, tables: dict[str, Rows | None], number: int) -> None:
    """Spoil ``number`` rows in place: an unreadable (blank) key, an unknown school code, a future year, or an unknown item.

    Either one of the district's own rows is spoilt, or a spoilt row is added.
    """
    for n in range(number):
        dataset = rng.choice([name for name, rows in tables.items() if rows])
        rows = tables[dataset] or []
        row = rng.choice(rows)
        if rng.random() < 0.5:
            row = dict(row)
            rows.append(row)
        column = rng.choice(KEYS[dataset])
        if dataset in YEAR_OF and rng.random() < 0.4:
            row[YEAR_OF[dataset]] = 2030 + n
            continue
        if dataset == "assurance" and rng.random() < 0.4:
            row.update(item=f"其他{n}", value=None, conclusion="not_met", evidence="文件")
            continue
        is_code = column == "school_code" and dataset != "schools"
        row[column] = f"99999999{n:02d}" if is_code and rng.random() < 0.5 else None


RESOURCE_TABLES = ("schools", "classes", "teachers", "facilities", "special_rooms")
WHOLE_TABLES = {"school_finance": "year", "graduation_cohorts": "year"}


def make_campus(rng: random.Random, tables: dict[str, Rows], number: int) -> None:
    """Make one school of one stage a campus of another, in place; sometimes the other one is a campus too.

    Money and graduates are reported for the whole school, so if a year has two rows, the host's row stays.
    """
    split = {r["school_code"] for r in tables["schools"] if r["campus"] is not None}
    single = [
        r
        for r in tables["schools"]
        if r["school_type"] in ("小学", "初级中学") and r["school_code"] not in split
    ]
    host, guest = rng.sample(single, 2)
    new, old, name = host["school_code"], guest["school_code"], f"{'东西'[number]}校区"
    if rng.random() < 0.5:
        # The type of the whole; the stages that are elsewhere are blank or 0.
        guest["school_type"] = rng.choice(("九年一贯制学校", guest["school_type"]))
        for stage in ("primary", "junior", "senior"):
            guest[f"{stage}_students"] = guest[f"{stage}_students"] or rng.choice((None, 0))
    for dataset in RESOURCE_TABLES:
        for row in tables[dataset]:
            if row["school_code"] == old:
                row |= {"school_code": new, "campus": name}
    for dataset, year in WHOLE_TABLES.items():
        taken = {row[year] for row in tables[dataset] if row["school_code"] == new}
        tables[dataset][:] = [
            row for row in tables[dataset] if row["school_code"] != old or row[year] not in taken
        ]
        for row in tables[dataset]:
            if row["school_code"] == old:
                row["school_code"] = new
    if rng.random() < 0.3:
        for dataset in RESOURCE_TABLES:
            for row in tables[dataset]:
                if row["school_code"] == new and row["campus"] is None:
                    row["campus"] = f"本部{number}"


def attach_preschools(
    rng: random.Random, tables: dict[str, Rows], settings: dict[str, Any], profile: str
) -> None:
    """Attach kindergarten classes to some primary schools, in place; the district sets their weight only sometimes."""
    settings["preschool_weight"] = rng.choice((None, 0.7, 0.45)) if profile != "passing" else None
    for row in tables["schools"]:
        if row["primary_students"] and rng.random() < 0.15:
            row["preschool_students"] = rng.choice((0, 30, 100))


def drop_datasets(rng: random.Random, tables: dict[str, Rows], profile: str) -> dict[str, Rows | None]:
    """Leave some datasets undelivered, with a low probability."""
    share = {"sparse": 0.06, "mixed": 0.01}.get(profile, 0.0)
    return {
        name: None if name != "schools" and rng.random() < share else rows for name, rows in tables.items()
    }


def types_for(rng: random.Random, n_schools: int, profile: str) -> tuple[str, ...]:
    """The types of a district's schools."""
    if profile == "cv_limit":
        # Pairs of each stage; a CV at its limit takes as many poor schools as rich ones.
        pairs = max(2, n_schools // 2)
        return ("小学",) * 2 * (pairs - pairs // 3) + ("初级中学",) * 2 * (pairs // 3 or 1)
    drawn = tuple(rng.choice(DRAWN) for _ in range(max(0, n_schools - len(EVERY_TYPE))))
    return (EVERY_TYPE + drawn)[:n_schools]


def generate_district(
    seed: int,
    *,
    n_schools: int = 24,
    profile: str | None = None,
    code: str = "120114",
    leading_zero: bool = True,
    lost: int = 0,
    extras: bool = False,
) -> GeneratedDistrict:
    """A whole district from a seed: the same arguments always give the same rows.

    Args:
        seed: decides everything, including the profile if none is given (one of ``PROFILES``, in turn).
        n_schools: schools in the register, of every type from 10 up (cv_limit: about that many, in pairs).
        profile: see ``PROFILES``.
        code: the six digits with which the school codes begin.
        leading_zero: give the second school a code that begins with 0.
        extras: add campuses with rows of their own and attached kindergarten classes, which few districts have.
        lost: add rows with unreadable keys, in any dataset.
    """
    profile = profile or PROFILES[seed % len(PROFILES)]
    if profile not in PROFILES:
        raise ValueError(f"profile is one of {PROFILES}, not {profile!r}")
    rng = random.Random(f"{seed}/{n_schools}/{profile}")
    # A CV at its limit is a matter of resources alone; all else is as in a passing district.
    manner = "passing" if profile == "cv_limit" else profile
    schools = []
    for number, school_type in enumerate(types_for(rng, n_schools, profile)):
        prefix = "0" + code[1:] if leading_zero and number == 1 else code
        schools.append(school_row(rng, f"{prefix}{number + 1:04d}", number, school_type, manner))
        if profile == "cv_limit":
            paired_pupils(schools[-1])
    settings = settings_for(rng, manner)
    tables: dict[str, Rows] = {"schools": schools}
    tables |= resources.resource_tables(rng, schools, manner)
    tables |= figures.figure_tables(rng, schools, settings, manner)
    if profile == "cv_limit":
        settings["include_private"] = True
        resources.set_cv_limit(tables, beyond=rng.random() < 0.5)
    if extras:
        for number in range(rng.choice((0, 1, 2))):
            make_campus(rng, tables, number)
        attach_preschools(rng, tables, settings, manner)
        settings["apply_unverified"] = rng.random() < 0.5
        if manner != "passing" and "funding_norm_primary_yuan" in settings and rng.random() < 0.3:
            # Below the nation's, which then counts.
            settings |= {"funding_norm_primary_yuan": 600, "funding_norm_junior_yuan": 860}
    blank_at_random(rng, tables, BLANKS[profile])
    for rows in shuffled(rng, tables.values()):
        rng.shuffle(rows)
    delivered = drop_datasets(rng, tables, profile)
    lose_rows(rng, delivered, lost)
    return GeneratedDistrict(delivered, settings, profile)


def paired_pupils(school: dict[str, Any]) -> None:
    """Give a school with one stage the same number of pupils as all schools of that stage, in place."""
    stage, pupils = ("primary", 200) if school["school_type"] == "小学" else ("junior", 1000)
    school[f"{stage}_students"] = school[f"catchment_{stage}_students"] = pupils
    school["migrant_students"] = pupils // 2


def shuffled(rng: random.Random, lists: Iterable[Rows]) -> list[Rows]:
    """Shuffle the lists without a fixed order; half of the deliveries are sorted by school."""
    return [rows for rows in lists if rng.random() < 0.5]
