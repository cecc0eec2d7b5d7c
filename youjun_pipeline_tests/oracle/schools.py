"""Schools and sections: which exist, which are in scope, and how shared resources are split.

Belongs here: sections 1 and 3 of the standard and the options a district may set.
Keep out: judging; that is in ``sections`` (schools) and ``district``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any

from youjun_pipeline_tests.oracle import figures as f

Row = Mapping[str, Any]
Tables = Mapping[str, Sequence[Row] | None]
"""Dataset name to its rows; a dataset that is absent or None was not delivered, an empty list was."""


@dataclass(frozen=True)
class Options:
    """The options of a district.

    ``active_waivers`` are those in force in the evaluated phase, which is judged by the standard of the day ``effective_on``.
    """

    include_private: bool = True
    music_art_rule: str = "each"
    preschool_weight: Any = None
    rural_waiver_places: str = "rural"
    size_waiver_covers_twelve_year: bool = False
    active_waivers: frozenset[str] = frozenset()
    special_education_funding_yuan: Any = None
    funding_norm_primary_yuan: Any = None
    funding_norm_junior_yuan: Any = None
    fund_schools_out_of_scope: bool = True
    count_private_teachers: bool = True
    survey_rule: str = "national"
    survey_methods: str = "together"
    subjects_not_monitored: Sequence[str] = ()
    apply_unverified: bool = False
    effective_on: date = date(2023, 9, 30)
    delivered_in: int = 2023

    def __post_init__(self) -> None:
        unknown = sorted(set(self.active_waivers) - set(f.WAIVERS))
        if unknown or self.music_art_rule not in {"each", "combined", "per_stage"}:
            raise ValueError(f"unknown waivers {unknown} or music_art_rule {self.music_art_rule!r}")

    @property
    def special_education_yuan(self) -> Fraction:
        """The area that G7 asks for: by the national standard of the day, or by the district's higher one."""
        later = self.effective_on >= f.SPECIAL_EDUCATION_FROM
        national = Fraction(f.SPECIAL_EDUCATION_THEN if later else f.SPECIAL_EDUCATION_YUAN)
        return max(national, f.maybe(self.special_education_funding_yuan) or national)

    def funding_norm(self, stage: str) -> Fraction | None:
        """The norm that the district states, but at least the national norm of the day."""
        stated = f.maybe(getattr(self, f"funding_norm_{stage}_yuan"))
        raised = self.apply_unverified and self.effective_on >= f.RAISED_FLOOR_FROM
        floor = (f.RAISED_FLOOR if raised else f.FUNDING_FLOOR)[stage]
        return None if stated is None else max(stated, floor)

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> Options:
        """Read from the ``[options]`` of a district.toml; its ``waivers`` are in force besides those of the day."""
        known = {name: settings[name] for name in cls.__dataclass_fields__ if name in settings}
        day = settings.get("effective_on", cls.effective_on)
        national = f.WAIVERS if f.WAIVERS_FROM <= day <= f.WAIVERS_UNTIL else ()
        return cls(**{**known, "active_waivers": frozenset({*national, *settings.get("waivers", ())})})


@dataclass(frozen=True)
class School:
    """One school. ``pupils`` has None for a stage that is taught and whose pupils are not reported."""

    code: str
    name: str | None
    school_type: str | None
    pupils: Mapping[str, int | None]
    sections: tuple[str, ...]
    in_scope: bool
    urban_rural: str | None
    built_year: int | None
    is_private: bool
    preschool: Fraction
    may_be_left_out: bool
    row: Row = field(repr=False)

    @property
    def stage(self) -> str:
        """Stage of a judgement on the school: its only stage, or ``compulsory`` for both."""
        return self.sections[0] if len(self.sections) == 1 else f.COMPULSORY

    @property
    def compulsory_known(self) -> int:
        """The reported primary and junior pupils."""
        return sum(self.pupils[stage] or 0 for stage in f.STAGES)

    @property
    def compulsory(self) -> int | None:
        """Primary and junior pupils, None if one number is not known."""
        return None if any(self.pupils[stage] is None for stage in f.STAGES) else self.compulsory_known


@dataclass(frozen=True)
class Section:
    """One school in one compulsory stage."""

    school_code: str
    stage: str
    students: int | None
    in_scope: bool


def pupils_told(row: Row, stage: str) -> int | None:
    """The pupils of a stage, None if the cell is blank or unreadable."""
    told = row.get(f"{stage}_students")
    return None if told is None or not str(told).isdecimal() else int(told)


def pupils_by_stage(row: Row) -> dict[str, int | None]:
    """Reported pupils; a blank is unknown in a stage that the type teaches, and none in any other stage.

    An unreadable type may teach every stage. A text that is no number is unknown in any stage.
    """
    taught = f.TEACHES.get(row.get("school_type") or "", f.ALL_STAGES)
    counts = [pupils_told(row, stage) or 0 for stage in f.ALL_STAGES]
    if row.get("campus") is not None and any(counts):
        taught = ()  # a campus has one stage, and the one that is told is it
    pupils: dict[str, int | None] = {}
    for stage in f.ALL_STAGES:
        is_blank = row.get(f"{stage}_students") is None
        pupils[stage] = 0 if is_blank and stage not in taught else pupils_told(row, stage)
    return pupils


def read_school(row: Row, options: Options) -> School:
    """One row of ``schools`` with its sections and whether it is in scope."""
    pupils = pupils_by_stage(row)
    sections = tuple(stage for stage in f.STAGES if pupils[stage] is None or pupils[stage])
    school_type = row.get("school_type")
    sponsor = row.get("sponsor_code")
    is_private = sponsor is not None and str(sponsor).strip() == f.PRIVATE_SPONSOR
    known = [pupils[stage] for stage in f.STAGES]
    too_small = (
        school_type == f.TEACHING_POINT
        and None not in known
        and sum(n or 0 for n in known) < f.TEACHING_POINT_FROM
    )
    in_scope = (
        bool(sections)
        and school_type not in f.OUT_OF_SCOPE
        and (options.include_private or not is_private)
        and not too_small
    )
    return School(
        code=str(row["school_code"]),
        name=row.get("school_name"),
        school_type=school_type,
        pupils=pupils,
        sections=sections,
        in_scope=in_scope,
        urban_rural=row.get("urban_rural"),
        built_year=None if row.get("built_year") is None else int(row["built_year"]),
        is_private=is_private,
        preschool=(f.maybe(options.preschool_weight) or Fraction(0))
        * int(row.get("preschool_students") or 0),
        may_be_left_out=in_scope and not options.include_private and sponsor is None,
        row=row,
    )


def read_schools(tables: Tables, options: Options) -> dict[str, School]:
    """Every school of the register by its code."""
    schools = [read_school(row, options) for row in tables.get("schools") or ()]
    return {school.code: school for school in schools}


def sections_of(schools: Iterable[School]) -> dict[tuple[str, str], Section]:
    """Every section that exists, in scope or not, by school code and stage."""
    return {
        (school.code, stage): Section(school.code, stage, school.pupils[stage], school.in_scope)
        for school in schools
        for stage in school.sections
    }


def split_share(
    pupils: Mapping[str, int | None], stage: str, preschool: Fraction = Fraction(0)
) -> Fraction | None:
    """The stage's share of the resources that a school's stages use together; None if any pupils are unknown.

    ``preschool``: the weighted children of attached kindergarten classes, which also take a share.
    """
    counts = {s: pupils.get(s, 0) for s in f.ALL_STAGES}
    if any(n is None for n in counts.values()):
        return None
    weighted = {s: f.WEIGHT[s] * (n or 0) for s, n in counts.items()}
    return weighted[stage] / (sum(weighted.values()) + preschool)
