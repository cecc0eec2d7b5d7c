"""One district in one phase, from delivered rows to its verdict.

Belongs here: the roll-up of schools to the district and the district verdict.
Keep out: judging single schools (``sections``), CVs (``balance``) and district figures (``assurance``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from youjun_pipeline_tests.oracle import assurance, balance, hidden, outside, shares
from youjun_pipeline_tests.oracle import figures as f
from youjun_pipeline_tests.oracle.balance import Contribution, StageBalance
from youjun_pipeline_tests.oracle.school_data import SchoolData, SchoolIndicator, SchoolVerdict
from youjun_pipeline_tests.oracle.schools import (
    Options,
    Row,
    School,
    Section,
    Tables,
    read_schools,
    sections_of,
)
from youjun_pipeline_tests.oracle.sections import judge_school, verdict_of


@dataclass(frozen=True)
class DistrictIndicator:
    """One indicator of the district. The failing counts are of schools, by the stage of their judgement."""

    indicator: str
    status: str
    status_strict: str
    value: Fraction | None = None
    target: Fraction | None = None
    failing_primary: int = 0
    failing_junior: int = 0
    failing_compulsory: int = 0
    cv_primary_status: str | None = None
    cv_junior_status: str | None = None


@dataclass(frozen=True)
class DistrictVerdict:
    """The verdict; anything open counts as not passed. ``blocking`` lists what prevents a pass."""

    passes: bool
    passes_strict: bool
    schools_in_scope: int
    schools_failing: int
    failing_out_of_scope: int
    indicators_failing: int
    blocking: tuple[str, ...]


@dataclass(frozen=True)
class Evaluation:
    """Everything that the oracle computes, with the keys of the mart tables without district and phase."""

    schools: Mapping[str, School]
    sections: Mapping[tuple[str, str], Section]
    school_indicator: Mapping[tuple[str, str, str], SchoolIndicator]
    school_verdict: Mapping[tuple[str, str], SchoolVerdict]
    stage_balance: Mapping[tuple[str, str], StageBalance]
    balance_contribution: Mapping[tuple[str, str, str], Contribution]
    monitoring_subject: Mapping[tuple[int, str], tuple[Row, str]]
    district_indicator: Mapping[str, DistrictIndicator]
    district_verdict: DistrictVerdict


def stage_balances(
    judged: Iterable[SchoolIndicator],
    lost: tuple[hidden.Lost, ...] = (),
) -> tuple[dict[tuple[str, str], StageBalance], dict[tuple[str, str, str], Contribution]]:
    """All 14 CVs by stage and indicator, and each section's contribution."""
    rows = list(judged)
    balances, contributions = {}, {}
    for stage in f.STAGES:
        for code in f.RESOURCES:
            mine = [j for j in rows if j.stage == stage and j.indicator == code]
            sections = {
                j.school_code: (j.numerator, j.numerator_strict, j.students)
                for j in mine
                if j.numerator is not None and j.numerator_strict is not None and j.students
            }
            balances[stage, code] = balance.balance_of(code, stage, sections, len(mine) - len(sections))
            if hidden.opens_balance(lost, code, stage):
                balances[stage, code] = replace(
                    balances[stage, code], status=f.NO_DATA, status_strict=f.NO_DATA, rounding_sensitive=False
                )
            for part in balance.contributions_of(code, {k: (w, n) for k, (w, _, n) in sections.items()}):
                contributions[stage, code, part.school_code] = part
    return balances, contributions


def worst(sections: Iterable[str], cvs: Iterable[str]) -> str:
    """The district's status of a resource from its sections and CVs; without any of these it is no data."""
    sections, cvs = list(sections), list(cvs)
    if f.BELOW in sections or f.BELOW in cvs:
        return f.BELOW
    if f.NEAR in sections:
        return f.NEAR
    return f.NO_DATA if f.NO_DATA in [*sections, *cvs] or not sections else f.MET


def from_schools(
    code: str,
    judged: Iterable[SchoolIndicator],
    balances: Mapping[tuple[str, str], StageBalance],
    lost: tuple[hidden.Lost, ...] = (),
) -> DistrictIndicator:
    """R1–R7, G3, G4 and G5 of the district."""
    mine = [j for j in judged if j.indicator == code]
    nowhere = [f.NO_DATA] if code not in f.RESOURCES and hidden.opens_district(lost, code) else []
    failing = {
        stage: len({j.school_code for j in mine if j.stage == stage and j.status in f.FAILING})
        for stage in (*f.STAGES, f.COMPULSORY)
    }
    cvs = {stage: balances[stage, code] for stage in f.STAGES} if code in f.RESOURCES else {}
    return DistrictIndicator(
        code,
        worst([*(j.status for j in mine), *nowhere], (cv.status for cv in cvs.values())),
        worst([*(j.status_strict for j in mine), *nowhere], (cv.status_strict for cv in cvs.values())),
        failing_primary=failing[f.PRIMARY],
        failing_junior=failing[f.JUNIOR],
        failing_compulsory=failing[f.COMPULSORY],
        cv_primary_status=cvs[f.PRIMARY].status if cvs else None,
        cv_junior_status=cvs[f.JUNIOR].status if cvs else None,
    )


def passing(status: str) -> bool:
    """Whether a status prevents a pass: anything open or failing does, nothing to judge does not."""
    return status in f.COUNTS_AS_MET or status == f.NOT_APPLICABLE


def decide(
    schools: Mapping[str, School],
    judged: Iterable[SchoolIndicator],
    verdicts: Mapping[tuple[str, str], SchoolVerdict],
    balances: Mapping[tuple[str, str], StageBalance],
    indicators: Mapping[str, DistrictIndicator],
    *,
    roster_is_torn: bool = False,
) -> DistrictVerdict:
    """校校达标、项项达标: every section by the school rule, every CV, and every G, Q, S and V."""
    others = [indicators[code] for code in f.INDICATORS if code not in f.RESOURCES]
    blocking = sorted(
        {
            f"section {v.school_code} {v.stage}"
            for v in verdicts.values()
            if v.passes_resource_rule is not True
        }
        | {f"cv {b.stage} {b.indicator}" for b in balances.values() if not passing(b.status)}
        | {i.indicator for i in others if not passing(i.status)}
    )
    passes_strict = (
        all(v.passes_strict is True for v in verdicts.values())
        and all(passing(b.status_strict) for b in balances.values())
        and all(passing(i.status_strict) for i in others)
    )
    failing = {j.school_code for j in judged if j.status in f.FAILING}
    return DistrictVerdict(
        passes=bool(verdicts) and not blocking and not roster_is_torn,
        passes_strict=bool(verdicts) and passes_strict and not roster_is_torn,
        schools_in_scope=sum(school.in_scope for school in schools.values()),
        schools_failing=len(failing),
        failing_out_of_scope=sum(not schools[code].in_scope for code in failing),
        indicators_failing=sum(i.status in f.FAILING for i in indicators.values()),
        blocking=tuple(blocking),
    )


def unsettled(judgement: SchoolIndicator) -> SchoolIndicator:
    """A judgement of a school if it is not known whether the school is judged."""
    return replace(
        judgement,
        status=f.NO_DATA,
        status_strict=f.NO_DATA,
        value=None,
        value_strict=None,
        gap=None,
        numerator=None,
        numerator_strict=None,
        rounding_sensitive=False,
        waiver=None,
        partial=False,
    )


def evaluate(tables: Tables, options: Options | None = None) -> Evaluation:
    """Evaluate one district in one phase.

    ``tables`` maps dataset names to rows with the English column names and typed values (None = blank, stages
    ``primary``/``junior``, kinds ``music``/``art``, conclusions ``met``/``not_met``, flags bool, levels int).
    A dataset that was not delivered is absent or None; a delivered one without rows is an empty list. If a cell of a row's key is
    None, it could not be read, and the row is lost.
    """
    options = options or Options()
    tables, lost = hidden.sift(tables, options.delivered_in)
    schools = read_schools(tables, options)
    # a school that is judged or not is like a row of the roster that cannot be read
    lost += tuple(
        hidden.Lost("schools", None, None, None, None, None) for s in schools.values() if s.may_be_left_out
    )
    sections = sections_of(schools.values())
    data = SchoolData.of(tables, lost)
    plainly = {code: judge_school(school, data, options) for code, school in schools.items()}
    by_school = {
        code: [unsettled(j) for j in found] if schools[code].may_be_left_out else found
        for code, found in plainly.items()
    }
    judged = [judgement for found in by_school.values() for judgement in found]
    verdicts = {
        key: verdict_of(schools[key[0]], key[1], by_school[key[0]])
        for key, section in sections.items()
        if section.in_scope
    }
    # the spread of what is reported is told all the same
    balances, contributions = stage_balances([j for found in plainly.values() for j in found], lost)
    district = shares.District(tables, options, schools, sections)
    indicators = {
        code: from_schools(code, judged, balances, lost) for code in (*f.RESOURCES, "G3", "G4", "G5")
    }
    people = outside.population_year(district)
    small = {school.code for school in assurance.small_schools(district)}
    looked_at = {code: school.in_scope or code in small for code, school in schools.items()}
    for code, parts in assurance.wholes(schools.values()).items():
        looked_at[code] = any(looked_at[part.code] for part in parts)
    for code, item in assurance.district_items(district).items():
        status = hidden.touch(item.status, code, lost, assurance.year_of(district, code), people, looked_at)
        indicators[code] = DistrictIndicator(code, status, status, item.value, item.target)
    return Evaluation(
        schools=schools,
        sections=sections,
        school_indicator={(j.school_code, j.stage, j.indicator): j for j in judged},
        school_verdict=verdicts,
        stage_balance=balances,
        balance_contribution=contributions,
        monitoring_subject=outside.monitoring(district),
        district_indicator={code: indicators[code] for code in f.INDICATORS},
        district_verdict=decide(
            schools,
            judged,
            verdicts,
            balances,
            indicators,
            roster_is_torn=any(x.dataset == "schools" for x in lost),
        ),
    )
