"""Balance between schools: the coefficient of variation of each stage and indicator.

Belongs here: section 4 of the standard, exact except for the one square root.
Keep out: which sections count; the caller passes the sections that reported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction

from youjun_pipeline_tests.oracle import figures as f


@dataclass(frozen=True)
class Contribution:
    """The effect of one section on a CV.

    ``break_even`` is the value from which more resource for this section no longer lowers the CV, with the others unchanged:
    Σ(R²/P) / ΣR over the others, None if they have nothing. ``level_break_even`` divides the sections in their present state:
    X·(1 + CV²), the same for all. ``marginal_effect`` is the change of the CV per unit of resource given to the section, in the
    resource's own unit. It is None, like ``variance_share``, if there is no variance.
    """

    school_code: str
    value: Fraction
    weight: Fraction
    variance_share: Fraction | None
    marginal_effect: float | None
    break_even: Fraction | None
    level_break_even: Fraction | None


@dataclass(frozen=True)
class StageBalance:
    """One stage and indicator, in the indicator's unit; ``_strict`` is without waivers."""

    stage: str
    indicator: str
    schools: int
    schools_no_data: int
    students: int
    mean: Fraction | None
    variance: Fraction | None
    cv_squared: Fraction | None
    cv_squared_strict: Fraction | None
    std: float | None
    cv: float | None
    cv_strict: float | None
    cv_limit: Fraction
    status: str
    status_strict: str
    rounding_sensitive: bool


def root(square: Fraction) -> float:
    """Square root, correctly rounded except perhaps for the last bit."""
    with localcontext() as context:
        context.prec = 60
        return float((Decimal(square.numerator) / Decimal(square.denominator)).sqrt())


def judge_cv(cv_squared: Fraction | None, stage: str) -> str:
    """``met``, ``below`` or, without a CV, ``not_applicable``; squares are compared, within the tolerance."""
    if cv_squared is None:
        return f.NOT_APPLICABLE
    limit = f.CV_LIMIT[stage] * (1 + f.CV_TOLERANCE)
    return f.MET if cv_squared <= limit * limit else f.BELOW


def moments(
    sections: Sequence[tuple[Fraction, int]],
) -> tuple[Fraction | None, Fraction | None, Fraction | None]:
    """X, S² and CV² of (resource, pupils) pairs; None if they do not exist."""
    pupils = sum(n for _, n in sections)
    if not pupils:
        return None, None, None
    mean = sum((r for r, _ in sections), Fraction(0)) / pupils
    variance = sum((Fraction(n, pupils) * (r / n - mean) ** 2 for r, n in sections), Fraction(0))
    return mean, variance, variance / (mean * mean) if mean else None


def contributions_of(code: str, sections: Mapping[str, tuple[Fraction, int]]) -> tuple[Contribution, ...]:
    """Each section's share of the variance, by school code."""
    mean, variance, cv_squared = moments(list(sections.values()))
    if mean is None or variance is None:
        return ()
    pupils, resources = sum(n for _, n in sections.values()), sum(r for r, _ in sections.values())
    level = None if cv_squared is None else mean * (1 + cv_squared)
    found = []
    for school, (resource, n) in sections.items():
        weight = Fraction(n, pupils)
        slope = None
        others = [part for other, part in sections.items() if other != school]
        turn = (
            sum((r * r / p for r, p in others), Fraction(0)) / all_of
            if (all_of := sum(r for r, _ in others))
            else None
        )
        if cv_squared and level is not None:
            # d(CV)/dR_i from CV² = ΣP·Σ(R²/P)/(ΣR)² − 1.
            slope = float(pupils * (resource / n - level) / (resources * resources)) / root(cv_squared)
        found.append(
            Contribution(
                school,
                resource / n * f.PER[code],
                weight,
                weight * (resource / n - mean) ** 2 / variance if variance else None,
                slope,
                None if turn is None else turn * f.PER[code],
                None if level is None else level * f.PER[code],
            )
        )
    return tuple(found)


def balance_of(
    code: str,
    stage: str,
    sections: Mapping[str, tuple[Fraction, Fraction, int]],
    schools_no_data: int = 0,
) -> StageBalance:
    """The CV over the ``sections`` that reported (school code to waived resource, plain resource, pupils).

    Missing sections leave the status open whatever the others show, even if the others have no CV.
    """
    mean, variance, squared = moments([(waived, n) for waived, _, n in sections.values()])
    _, _, squared_strict = moments([(plain, n) for _, plain, n in sections.values()])
    waived, strict = judge_cv(squared, stage), judge_cv(squared_strict, stage)
    status = f.BY_WAIVER if waived == f.MET and strict == f.BELOW else waived
    per = f.PER[code]
    cv = None if squared is None else root(squared)
    shown = None if squared is None else f.half_up(Fraction(root(squared)), 3)
    return StageBalance(
        stage=stage,
        indicator=code,
        schools=len(sections),
        schools_no_data=schools_no_data,
        students=sum(n for _, _, n in sections.values()),
        mean=None if mean is None else mean * per,
        variance=None if variance is None else variance * per * per,
        cv_squared=squared,
        cv_squared_strict=squared_strict,
        std=None if variance is None else root(variance) * float(per),
        cv=cv,
        cv_strict=None if squared_strict is None else root(squared_strict),
        cv_limit=f.CV_LIMIT[stage],
        status=f.NO_DATA if schools_no_data else status,
        status_strict=f.NO_DATA if schools_no_data else strict,
        rounding_sensitive=shown is not None and judge_cv(shown * shown, stage) != waived,
    )
