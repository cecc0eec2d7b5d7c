"""The figures of the standard, typed in by hand for the independent check.

Belongs here: thresholds, weights, areas and limits as in the standard's text.
Keep out: values read from the pipeline's catalogue: the two must be able to disagree.
"""

import math
from datetime import date
from fractions import Fraction
from typing import Any

PRIMARY, JUNIOR, SENIOR, COMPULSORY = "primary", "junior", "senior", "compulsory"
STAGES = (PRIMARY, JUNIOR)
ALL_STAGES = (PRIMARY, JUNIOR, SENIOR)

MET, NEAR, BELOW, NO_DATA, NOT_APPLICABLE, BY_WAIVER = (
    "met",
    "near",
    "below",
    "no_data",
    "not_applicable",
    "met_by_waiver",
)
COUNTS_AS_MET = frozenset({MET, BY_WAIVER})
FAILING = frozenset({NEAR, BELOW})


def exact(number: Any) -> Fraction:
    """A figure as an exact fraction; a float counts as the decimal number that it prints."""
    return number if isinstance(number, Fraction) else Fraction(str(number))


def maybe(number: Any) -> Fraction | None:
    """``exact``, where a blank stays blank."""
    return None if number is None else exact(number)


def half_up(value: Fraction, digits: int) -> Fraction:
    """Rounded for display as people do it: a half goes up (no figure here is negative)."""
    return Fraction(math.floor(value * 10**digits + Fraction(1, 2)), 10**digits)


# Resource indicators (section 2 of the standard)
RESOURCES = ("R1", "R2", "R3", "R4", "R5", "R6", "R7")
SPLIT_RESOURCES = frozenset({"R4", "R5", "R6", "R7"})
PER = {code: Fraction(100 if code in {"R1", "R2", "R3", "R7"} else 1) for code in RESOURCES}
THRESHOLD = {
    "R1": {PRIMARY: Fraction("4.2"), JUNIOR: Fraction("5.3")},
    "R2": {PRIMARY: Fraction(1), JUNIOR: Fraction(1)},
    "R3": {PRIMARY: Fraction("0.9"), JUNIOR: Fraction("0.9")},
    "R4": {PRIMARY: Fraction("4.5"), JUNIOR: Fraction("5.8")},
    "R5": {PRIMARY: Fraction("7.5"), JUNIOR: Fraction("10.2")},
    "R6": {PRIMARY: Fraction(2000), JUNIOR: Fraction(2500)},
    "R7": {PRIMARY: Fraction("2.3"), JUNIOR: Fraction("2.4")},
}
FLOOR_SHARE = Fraction("0.85")
MUST_BE_MET = 6
YUAN_IN_WAN = 10_000

# Shared resources of all-through schools (section 3)
WEIGHT = {PRIMARY: Fraction(1), JUNIOR: Fraction("1.1"), SENIOR: Fraction("1.32")}

# Balance (section 4)
CV_LIMIT = {PRIMARY: Fraction("0.50"), JUNIOR: Fraction("0.45")}
CV_TOLERANCE = Fraction(1, 10**9)

# School types (section 1)
TEACHES: dict[str, tuple[str, ...]] = {
    "小学": (PRIMARY,),
    "教学点": (PRIMARY,),
    "初级中学": (JUNIOR,),
    "九年一贯制学校": (PRIMARY, JUNIOR),
    "完全中学": (JUNIOR, SENIOR),
    "十二年一贯制学校": (PRIMARY, JUNIOR, SENIOR),
    "高级中学": (SENIOR,),
    "特殊教育学校": (),
    "职业学校": (),
}
ALL_THROUGH = frozenset({"九年一贯制学校", "十二年一贯制学校"})
OUT_OF_SCOPE = frozenset({"特殊教育学校", "职业学校"})
VOCATIONAL, TEACHING_POINT, TWELVE_YEAR = "职业学校", "教学点", "十二年一贯制学校"
COMPLETE_SECONDARY = "完全中学"
TEACHING_POINT_FROM = 50
PRIVATE_SPONSOR = "10"
RURAL, TOWN, URBAN_OR_TOWN = "乡村", "镇区", frozenset({"城区", "镇区"})

# Government assurance (section 5)
CLASSES_PER_ROOM = 12
ROOM_AREA = {"music": Fraction(96), "art": Fraction(90)}
SIZE_SINGLE, SIZE_ALL_THROUGH = 2000, 2500
CLASS_SIZE = {PRIMARY: 45, JUNIOR: 50}
SMALL_SCHOOL = 100
ROTATED_SHARE, ROTATED_BACKBONE_SHARE = Fraction("0.10"), Fraction("0.20")
CATCHMENT_SHARE = {PRIMARY: Fraction(1), JUNIOR: Fraction("0.95")}
ALLOTTED_SHARE, MIGRANT_PLACES_SHARE = Fraction("0.50"), Fraction("0.85")
# 7000 yuan from 2025-03-01, 6000 before
SPECIAL_EDUCATION_YUAN, SPECIAL_EDUCATION_FROM, SPECIAL_EDUCATION_THEN = 6000, date(2025, 3, 1), 7000
# The raised norms count only where the district takes numbers that were not checked against a printed text.
FUNDING_FLOOR = {PRIMARY: Fraction(650), JUNIOR: Fraction(850)}
RAISED_FLOOR_FROM, RAISED_FLOOR = date(2023, 1, 1), {PRIMARY: Fraction(720), JUNIOR: Fraction(940)}
JUNIOR_YEARS = 3
GOVERNMENT = tuple(f"G{n}" for n in range(1, 16))

# Education quality (section 6)
RETENTION, DISABLED_ENROLLED, TRAINING_SHARE = Fraction("0.95"), Fraction("0.95"), Fraction("0.05")
LEVEL_AT_LEAST, RATE_BELOW = 3, Fraction("0.15")
SUBJECTS = {
    "语文": {"语文"},
    "数学": {"数学"},
    "科学": {"科学"},
    "体育": {"体育", "体育与健康"},
    "艺术": {"艺术", "音乐、美术", "音乐美术"},
    "德育": {"德育", "道德与法治", "品德", "品德与社会", "思想品德"},
}
MONITORED_GRADE = {PRIMARY: 4, JUNIOR: 8}
QUALITY = tuple(f"Q{n}" for n in range(1, 10))

# Recognition and vetoes (section 7)
SATISFIED = Fraction("0.85")
SAMPLE_SHARE, PARENTS_SHARE = Fraction("0.0015"), Fraction(1, 2)
PARENTS = {"家长", "学生家长"}
RESPONDENTS = (
    {"学生"},
    PARENTS,
    {"教师"},
    {"校长"},
    {"人大代表和政协委员", "人大代表", "政协委员", "人大代表、政协委员", "人大代表政协委员", "两代表一委员"},
    {"其他群众", "群众", "社会群众"},
)
VETOES = tuple(f"V{n}" for n in range(1, 8))
INDICATORS = (*RESOURCES, *GOVERNMENT, *QUALITY, "S1", *VETOES)

# Waivers (section 8)
W3_PUPILS = range(50, 100)
WG3_BUILT_UNTIL, WG3_AREA = 2016, {"music": Fraction(73), "art": Fraction(67)}
WG3R_PUPILS_UNDER, WG3R_CLASS_UNDER = 100, 30
WG3R_AREA = {PRIMARY: Fraction(54), JUNIOR: Fraction(61), COMPULSORY: Fraction(61)}
WG4_BUILT_UNTIL, WG4_MIGRANTS_ABOVE = 2010, Fraction("0.50")
WG4_SINGLE, WG4_ALL_THROUGH = 2400, 3000
# Three years from the 规程: then every waiver holds for everybody, and later where a district says so.
WAIVERS_FROM, WAIVERS_UNTIL = date(2019, 10, 1), date(2022, 9, 30)
WAIVERS = ("W3", "W5", "W-G3", "W-G3r", "W-G4")
