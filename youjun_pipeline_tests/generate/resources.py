"""Teachers, buildings, classes and rooms of made-up schools.

Belongs here: the resources behind R1–R7, G3 and G5, drawn at, above and below the limits.
Keep out: the register itself (``district``) and district figures (``figures``).
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from decimal import ROUND_CEILING, Decimal
from typing import Any

from youjun_pipeline_tests.generate.columns import blank_row

Rows = list[dict[str, Any]]
STAGES = ("primary", "junior")

# Aims per unit of pupils; the oracle has its own copy, since a mistyped aim only moves where the cases fall.
PER_HUNDRED = {"R1": ("4.2", "5.3"), "R2": ("1", "1"), "R3": ("0.9", "0.9")}
SHARED = {"R4": ("4.5", "5.8"), "R5": ("7.5", "10.2"), "R6": ("2000", "2500"), "R7": ("0.023", "0.024")}
STEP = {"R4": Decimal("0.01"), "R5": Decimal("0.01"), "R6": Decimal(1), "R7": Decimal(1)}
WEIGHT = {"primary": Decimal(1), "junior": Decimal("1.1"), "senior": Decimal("1.32")}
CLASS_SIZE = {"primary": 45, "junior": 50}

# How a value lies to its limit, and how often, by profile.
AIMS = ("ample", "exact", "just_under", "at_floor", "under_floor", "low", "none", "huge")
CHANCES = {
    "mixed": (60, 14, 6, 4, 4, 7, 2, 3),
    "sparse": (70, 12, 6, 4, 3, 4, 1, 0),
    "edge": (10, 35, 20, 18, 15, 1, 1, 0),
    "passing": (70, 30, 0, 0, 0, 0, 0, 0),
}


def amount_for(rng: random.Random, needed: Decimal, step: Decimal, profile: str) -> Decimal:
    """An amount near the need; it is a multiple of ``step`` unless it is exactly the need."""

    def up(value: Decimal) -> Decimal:
        return (value / step).to_integral_value(ROUND_CEILING) * step

    # Whole things cannot be had in parts; areas can be exact to the digit.
    exact = needed if step < 1 else up(needed)
    aim = rng.choices(AIMS, CHANCES[profile])[0]
    if aim == "ample":
        return up(needed * Decimal(rng.randint(105, 150 if profile == "passing" else 220)) / 100)
    if aim == "low":
        return up(needed * Decimal(rng.randint(20, 80)) / 100)
    floor = needed * Decimal("0.85")
    found = {
        "exact": exact,
        "just_under": up(needed) - step,
        "at_floor": floor if step < 1 else up(floor),
        "under_floor": up(floor) - step,
        "none": Decimal(0),
        "huge": up(needed * 5),
    }[aim]
    return max(Decimal(0), found)


def parts_of(rng: random.Random, whole: int, parts: int) -> list[int]:
    """``whole`` split into this many parts, some of them 0."""
    cuts = sorted(rng.randint(0, whole) for _ in range(parts - 1))
    return [b - a for a, b in zip([0, *cuts], [*cuts, whole], strict=True)]


def pupils_of(school: Mapping[str, Any]) -> dict[str, int]:
    """Pupils of the stages a school has."""
    return {stage: n for stage in WEIGHT if (n := school[f"{stage}_students"])}


def teacher_row(
    rng: random.Random, school: Mapping[str, Any], stage: str, students: int, profile: str
) -> dict[str, Any]:
    """Teachers of one section."""
    which = STAGES.index(stage)

    def count(code: str) -> int:
        needed = Decimal(PER_HUNDRED[code][which]) * students / 100
        return int(amount_for(rng, needed, Decimal(1), profile))

    above, backbone, pe_art = count("R1"), count("R2"), count("R3")
    visiting: int | None = None
    small = school["urban_rural"] == "乡村" or school["school_type"] == "教学点"
    if small and students < 120 and profile != "passing":
        # One teacher is what such a school needs; some of it comes from elsewhere.
        visiting = rng.choice((None, 0, 1, 2))
        pe_art = rng.choice((0, 0, 1))
    degrees = parts_of(rng, above, 4 if stage == "primary" else 3)
    associate = degrees[3] if stage == "primary" else rng.randint(0, 3)
    full_time = max(sum(degrees[:3]) + associate, pe_art, backbone) + rng.randint(0, 3)
    complete = profile == "passing" or rng.random() < 0.97
    pe, music, fine_art, art = parts_of(rng, pe_art, 4)
    return blank_row(
        "teachers",
        school_code=school["school_code"],
        stage=stage,
        full_time=full_time,
        staff=full_time + rng.randint(0, 6),
        doctorate=degrees[0],
        master=degrees[1],
        bachelor=degrees[2],
        associate=associate,
        backbone=backbone,
        pe=pe,
        music=music,
        fine_art=fine_art,
        art=art,
        visiting_pe_art=visiting,
        certified=full_time if complete else max(0, full_time - 1),
        trained_360h=full_time if profile == "passing" or rng.random() < 0.97 else max(0, full_time - 2),
    )


def facility_row(
    rng: random.Random, school: Mapping[str, Any], pupils: Mapping[str, int], profile: str
) -> dict[str, Any]:
    """Buildings, grounds and equipment of one school, near the need of its first stage or of the stage with the largest need."""
    base = next((stage for stage in STAGES if stage in pupils), "senior")
    # Weighted pupils in terms of the first stage; exact, since 1.32 is 1.2 times 1.1.
    units = sum((Decimal(n) * WEIGHT[s] / WEIGHT[base] for s, n in pupils.items()), Decimal(0))

    def amount(code: str) -> Decimal:
        limits = dict(zip(STAGES, SHARED[code], strict=True))
        rate = Decimal(limits.get(base, SHARED[code][1]))
        if base == "primary" and "junior" in pupils and (profile == "passing" or rng.random() < 0.5):
            hungriest = max(rate, Decimal(limits["junior"]) / WEIGHT["junior"])
            # Two places keep the product, floor included, within the six that are stored.
            rate = hungriest.quantize(Decimal("0.0001") if code == "R7" else Decimal("0.01"), ROUND_CEILING)
        return amount_for(rng, rate * units, STEP[code], profile)

    teaching, sports = amount("R4"), amount("R5")
    indoor = (sports * rng.randint(0, 40) / 100).quantize(Decimal("0.01"))
    row = blank_row(
        "facilities",
        school_code=school["school_code"],
        teaching_area_m2=teaching + indoor,
        indoor_sports_area_m2=indoor,
        outdoor_sports_area_m2=sports - indoor,
        equipment_value_wan=amount("R6") / 10000,
        multimedia_rooms=int(amount("R7")),
    )
    if school["dense_urban"] and profile != "passing":
        other = (sports * rng.randint(1, 30) / 100).quantize(Decimal("0.01"))
        row["other_sports_area_m2"] = rng.choice((None, Decimal(0), other))
        row["rented_sports_area_m2"] = rng.choice((None, Decimal("800.5"), Decimal(3000)))
    return row


def class_rows(rng: random.Random, code: str, stage: str, students: int, profile: str) -> Rows:
    """The class roster of one section; its sizes add up to its pupils."""
    limit = CLASS_SIZE[stage]
    largest = rng.choice((25, 29, 30) if students < 120 else (25, 29, 30, 38, limit - 1, limit))
    if profile != "passing" and rng.random() < 0.12:
        largest = limit + rng.choice((1, 3, 12))
    count = -(-students // largest)
    sizes = [students // count + (number < students % count) for number in range(count)]
    if count > 1 and sizes[0] < largest and sizes[1] > largest - sizes[0]:
        # Let the first class be as large as was drawn, so that limits are met to the pupil.
        moved = largest - sizes[0]
        sizes[0], sizes[1] = sizes[0] + moved, sizes[1] - moved
    first, grades = (1, 6) if stage == "primary" else (7, 3)
    return [
        blank_row(
            "classes",
            school_code=code,
            stage=stage,
            grade=first + number % grades,
            class_no=str(number // grades + 1),
            students=size,
        )
        for number, size in enumerate(sizes)
    ]


def room_rows(rng: random.Random, school: Mapping[str, Any], classes: int, profile: str) -> Rows:
    """Music and art rooms of one school, with areas near every limit."""
    needed = -(-classes // 12)
    rows = []
    for kind, full in (("music", "96"), ("art", "90")):
        count = needed + rng.choice((0, 0, 1))
        areas: tuple[str, ...] = (full, "120", "100.5")
        if profile != "passing":
            count = max(0, count - (rng.random() < 0.2))
            if school["urban_rural"] == "乡村" and classes <= 4 and rng.random() < 0.6:
                areas = ("54", "61", "61", "60.9", "53.9")
            elif rng.random() < 0.25:
                areas = ("95.99", "89.99", "73", "72.99", "67", "66.5", "61", "60.9", "54", "53.9", "40")
        rows += [
            blank_row(
                "special_rooms",
                school_code=school["school_code"],
                kind=kind,
                room_no=f"{'M' if kind == 'music' else 'A'}{number + 1:02d}",
                area_m2=Decimal(rng.choice(areas)),
            )
            for number in range(count)
        ]
    return rows


def resource_tables(
    rng: random.Random, schools: Iterable[Mapping[str, Any]], profile: str
) -> dict[str, Rows]:
    """``teachers``, ``facilities``, ``classes`` and ``special_rooms`` of all schools."""
    tables: dict[str, Rows] = {name: [] for name in ("teachers", "facilities", "classes", "special_rooms")}
    for school in schools:
        pupils = pupils_of(school)
        taught = [stage for stage in STAGES if stage in pupils]
        tables["facilities"].append(facility_row(rng, school, pupils, profile))
        roster = []
        for stage in taught:
            tables["teachers"].append(teacher_row(rng, school, stage, pupils[stage], profile))
            roster += class_rows(rng, school["school_code"], stage, pupils[stage], profile)
        if profile in {"passing", "edge"} or rng.random() < 0.99:
            tables["classes"] += roster
        if profile in {"passing", "edge"} or rng.random() < 0.97:
            tables["special_rooms"] += room_rows(rng, school, len(roster), profile)
    return tables


# Poor and rich schools of a stage: x·(1 − limit) and x·(1 + limit) in equal numbers have the limit for a CV.
# The poor ones just reach their thresholds with 200 primary or 1000 junior pupils.
POOR_AND_RICH = {"primary": (1, 3), "junior": (11, 29)}
AT_CV_LIMIT = {
    "primary": {"R1": 9, "R2": 2, "R3": 2, "R4": 900, "R5": 1500, "R6": 400_000, "R7": 5},
    "junior": {"R1": 5, "R2": 1, "R3": 1, "R4": 550, "R5": 950, "R6": 230_000, "R7": 3},
}


def set_cv_limit(tables: Mapping[str, Rows], *, beyond: bool) -> None:
    """Give single-stage schools resources with all CVs exactly at their limits, in place.

    With ``beyond``, the last rich school of each stage has one more backbone teacher, so that R2's CVs are over the limit.
    """
    stages = {
        s["school_code"]: "primary" if s["school_type"] == "小学" else "junior" for s in tables["schools"]
    }
    order = {stage: [code for code, s in stages.items() if s == stage] for stage in STAGES}
    factors = {code: POOR_AND_RICH[stage][order[stage].index(code) % 2] for code, stage in stages.items()}
    for row in tables["teachers"]:
        code, stage = row["school_code"], row["stage"]
        amounts = {key: factors[code] * unit for key, unit in AT_CV_LIMIT[stage].items()}
        extra = int(beyond and code == order[stage][-1])
        row |= dict.fromkeys(("doctorate", "associate", "music", "fine_art", "art"), 0)
        row |= {"master": amounts["R1"] // 3, "bachelor": amounts["R1"] - amounts["R1"] // 3}
        row |= {"pe": amounts["R3"], "backbone": amounts["R2"] + extra}
        row |= dict.fromkeys(("full_time", "staff", "certified", "trained_360h"), amounts["R1"])
    for row in tables["facilities"]:
        code = row["school_code"]
        amounts = {key: factors[code] * unit for key, unit in AT_CV_LIMIT[stages[code]].items()}
        row |= {"teaching_area_m2": Decimal(amounts["R4"] + 120), "indoor_sports_area_m2": Decimal(120)}
        row |= {"outdoor_sports_area_m2": Decimal(amounts["R5"] - 120), "multimedia_rooms": amounts["R7"]}
        row |= {"equipment_value_wan": Decimal(amounts["R6"]) / 10000}
