"""Judging schools and their sections: R1–R7, G4, G5 and the school rule.

Belongs here: sections 2, 5 (school level) and 8 of the standard.
Keep out: G3 (``rooms``), the balance between schools (``balance``) and everything of the district (``district``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction

from youjun_pipeline_tests.oracle import figures as f
from youjun_pipeline_tests.oracle.hidden import DATASET_OF, is_here
from youjun_pipeline_tests.oracle.rooms import judge_rooms
from youjun_pipeline_tests.oracle.school_data import (
    SchoolData,
    SchoolIndicator,
    SchoolVerdict,
    is_rural,
    of_teachers,
    reported,
    total,
    with_waiver,
)
from youjun_pipeline_tests.oracle.schools import Options, School, split_share


def has_small_rural_waiver(school: School, options: Options) -> bool:
    """W3: rural schools with 50–99 pupils, and teaching points of that size anywhere."""
    eligible = is_rural(school, options) or school.school_type == f.TEACHING_POINT
    return eligible and school.compulsory in f.W3_PUPILS


def resource_of(
    code: str, school: School, stage: str, data: SchoolData, options: Options
) -> tuple[Fraction | None, Fraction, str | None]:
    """The section's plain resource, a waiver's addition, and that waiver if the school may use it."""
    teachers, site = data.teachers.get((school.code, stage)), data.facilities.get(school.code)
    extra, waiver = Fraction(0), None
    if is_here(data.lost, DATASET_OF[code], school.code, stage):
        teachers = site = None
    if code == "R1":
        degrees = ("doctorate", "master", "bachelor") + (("associate",) if stage == f.PRIMARY else ())
        return of_teachers(teachers, degrees), extra, waiver
    if code == "R2":
        return of_teachers(teachers, ("backbone",)), extra, waiver
    if code == "R3":
        if "W3" in options.active_waivers and has_small_rural_waiver(school, options):
            extra, waiver = reported(teachers, ("visiting_pe_art",)), "W3"
        return of_teachers(teachers, ("pe", "music", "fine_art", "art")), extra, waiver
    whole: Fraction | None
    if code == "R4":
        area, sports = total(site, ("teaching_area_m2",)), total(site, ("indoor_sports_area_m2",))
        whole = None if area is None or sports is None or sports > area else area - sports
    elif code == "R5":
        whole = total(site, ("outdoor_sports_area_m2", "indoor_sports_area_m2"))
        if "W5" in options.active_waivers and school.row.get("dense_urban") is True:
            extra, waiver = reported(site, ("other_sports_area_m2", "rented_sports_area_m2")), "W5"
    elif code == "R6":
        wan = total(site, ("equipment_value_wan",))
        whole = None if wan is None else wan * f.YUAN_IN_WAN
    else:
        whole = total(site, ("multimedia_rooms",))
    share = split_share(school.pupils, stage, school.preschool)
    if whole is None or share is None:
        return None, Fraction(0), waiver
    return whole * share, extra * share, waiver


def grade(value: Fraction, threshold: Fraction) -> str:
    """``met``, ``near`` or ``below`` for a resource value."""
    if value >= threshold:
        return f.MET
    return f.NEAR if value >= threshold * f.FLOOR_SHARE else f.BELOW


def judge_resource(
    code: str, school: School, stage: str, data: SchoolData, options: Options
) -> SchoolIndicator:
    """One of R1–R7 in one section."""
    plain, extra, waiver = resource_of(code, school, stage, data, options)
    students, threshold, per = school.pupils[stage], f.THRESHOLD[code][stage], f.PER[code]
    applied = (waiver,) if waiver else ()
    blank = SchoolIndicator(
        school.code,
        stage,
        code,
        f.NO_DATA,
        f.NO_DATA,
        students,
        threshold=threshold,
        threshold_strict=threshold,
        floor=threshold * f.FLOOR_SHARE,
        applied=applied,
    )
    if plain is None or students is None:
        return blank
    resource = plain + extra
    value, value_strict = resource * per / students, plain * per / students
    waived, strict = grade(value, threshold), grade(value_strict, threshold)
    return replace(
        blank,
        status=with_waiver(strict, waived),
        status_strict=strict,
        numerator=resource,
        numerator_strict=plain,
        value=value,
        value_strict=value_strict,
        gap=max(Fraction(0), threshold * students / per - resource),
        waiver=waiver if waived != strict else None,
        rounding_sensitive=grade(f.half_up(value, 2), threshold) != waived,
    )


def judge_size(school: School, options: Options) -> SchoolIndicator:
    """G4: compulsory pupils of one school; a vocational school may have none."""
    pupils, known = school.compulsory, school.compulsory_known
    if school.school_type == f.VOCATIONAL:
        strict_limit = limit = 0
        applied: tuple[str, ...] = ()
    else:
        # A site with one stage counts as a school of that stage, whatever its type.
        through = school.school_type in f.ALL_THROUGH and school.stage == f.COMPULSORY
        strict_limit = limit = f.SIZE_ALL_THROUGH if through else f.SIZE_SINGLE
        migrants = school.row.get("migrant_students")
        entitled = (school.built_year or 9999) <= f.WG4_BUILT_UNTIL or (
            bool(pupils)
            and migrants is not None
            and f.WG4_MIGRANTS_ABOVE * f.exact(pupils) < f.exact(migrants) <= f.exact(pupils)
        )
        covered = not through or school.school_type != f.TWELVE_YEAR or options.size_waiver_covers_twelve_year
        applied = ("W-G4",) if "W-G4" in options.active_waivers and entitled and covered else ()
        if applied:
            limit = f.WG4_ALL_THROUGH if through else f.WG4_SINGLE

    def status_under(size: int) -> str:
        if school.school_type not in f.TEACHES:
            return f.NO_DATA
        return f.BELOW if known > size else (f.MET if pupils is not None else f.NO_DATA)

    waived, strict = status_under(limit), status_under(strict_limit)
    value = Fraction(known)
    return SchoolIndicator(
        school.code,
        school.stage,
        "G4",
        with_waiver(strict, waived),
        strict,
        pupils,
        numerator=value if waived != f.NO_DATA else None,
        numerator_strict=value if strict != f.NO_DATA else None,
        value=value if waived != f.NO_DATA else None,
        value_strict=value if strict != f.NO_DATA else None,
        threshold=Fraction(limit) if school.school_type in f.TEACHES else None,
        threshold_strict=Fraction(strict_limit) if school.school_type in f.TEACHES else None,
        gap=max(Fraction(0), value - limit) if waived != f.NO_DATA else None,
        waiver=applied[0] if applied and strict != waived else None,
        applied=applied,
        partial=waived == f.BELOW and pupils is None,
    )


def judge_class_sizes(school: School, stage: str, data: SchoolData) -> SchoolIndicator:
    """G5: the class roster of one section. Numerator: classes over the limit; gap: pupils over the limit."""
    roster, limit = data.classes.get((school.code, stage), []), f.CLASS_SIZE[stage]
    sizes = [int(row["students"]) for row in roster if row.get("students") is not None]
    over = [size - limit for size in sizes if size > limit]
    complete = bool(roster) and len(sizes) == len(roster)
    complete = complete and not is_here(data.lost, "classes", school.code, stage)
    status = f.BELOW if over else (f.MET if complete else f.NO_DATA)
    judged = status != f.NO_DATA
    return SchoolIndicator(
        school.code,
        stage,
        "G5",
        status,
        status,
        school.pupils[stage],
        numerator=Fraction(len(over)) if judged else None,
        numerator_strict=Fraction(len(over)) if judged else None,
        value=Fraction(max(sizes)) if judged else None,
        value_strict=Fraction(max(sizes)) if judged else None,
        threshold=Fraction(limit),
        threshold_strict=Fraction(limit),
        gap=Fraction(sum(over)) if judged else None,
        partial=judged and not complete,
    )


def judge_school(school: School, data: SchoolData, options: Options) -> list[SchoolIndicator]:
    """Every judgement of one school; a school out of scope has none, except a vocational one's G4."""
    attached = school.school_type == f.VOCATIONAL and school.compulsory_known > 0
    if attached and (options.include_private or not school.is_private):
        return [judge_size(school, options)]
    if not school.in_scope:
        return []
    judged = [
        judge_resource(code, school, stage, data, options)
        for stage in school.sections
        for code in f.RESOURCES
    ]
    judged += [judge_class_sizes(school, stage, data) for stage in school.sections]
    return [*judged, judge_rooms(school, data, options), judge_size(school, options)]


def resource_rule(statuses: Iterable[str]) -> bool | None:
    """The school rule over R1–R7: six met and none below; None if missing data leave it open."""
    seen = list(statuses)
    met, unknown = sum(s in f.COUNTS_AS_MET for s in seen), seen.count(f.NO_DATA)
    if f.BELOW in seen or met + unknown < f.MUST_BE_MET:
        return False
    return None if unknown else True


def verdict_of(school: School, stage: str, judged: Iterable[SchoolIndicator]) -> SchoolVerdict:
    """The school rule for one section from its judgements."""
    resources = {j.indicator: j for j in judged if j.stage == stage and j.indicator in f.RESOURCES}
    statuses = [resources[code].status for code in f.RESOURCES]
    return SchoolVerdict(
        school_code=school.code,
        stage=stage,
        students=school.pupils[stage],
        resource_met=sum(status in f.COUNTS_AS_MET for status in statuses),
        resource_near=statuses.count(f.NEAR),
        resource_below=statuses.count(f.BELOW),
        resource_no_data=statuses.count(f.NO_DATA),
        passes_resource_rule=resource_rule(statuses),
        passes_strict=resource_rule(resources[code].status_strict for code in f.RESOURCES),
        failing_indicators=tuple(code for code in f.RESOURCES if resources[code].status in f.FAILING),
    )
