"""The forecast of pupils on the pages of a district and its schools: chart, meaning of each year, schools at risk.

Keep out: HTML (templates/forecast.html, templates/school_forecast.html), the look of the chart (forecast_charts).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from youjun_pipeline.site import words
from youjun_pipeline.site.read import District, Evaluation, grouped

STAGES = ("primary", "junior")
# A page lists schools that are more likely to fail than not; the others are in `plan.forecast_verdict`.
LIKELY = 0.5


def school_year(e: Evaluation) -> int:
    """The school year of an evaluation's figures, by the year in which it begins."""
    day = e.effective_on
    return int(day.year) - (day.month < 8)


def forecast_context(district: District) -> dict[str, Any]:
    """What templates/forecast.html shows of a district's newest evaluation."""
    e = district.newest
    verdicts = grouped(e.rows["forecast_verdict"], lambda r: r.level)
    return {
        "e": e,
        "chart": chart_data(district, None),
        "years": _years(e, verdicts["district"], verdicts["stage"]),
        "warnings": e.rows["forecast_warning"],
        "pupils": _pupils(e),
        "coefficients": _coefficients(verdicts["stage"]),
        "all_years": sorted({r.year for r in verdicts["stage"]}),
        "risks": _risks(verdicts["school"]),
        "seats": _seats(verdicts["school"]),
    }


def chart_data(district: District, school: str | None) -> list[dict[str, Any]]:
    """Pupils by year and stage of a school, or of the district: delivered, then forecast; empty without a forecast."""
    e = district.newest
    forecast_rows = [r for r in e.rows["enrolment_forecast"] if r.school_code == school and r.stage in STAGES]
    if not forecast_rows:
        return []
    # if a school year has several evaluations, the newest one
    delivered: dict[tuple[int, str], float] = {}
    for phase in district.evaluations:
        for stage in STAGES:
            known = list(_delivered(phase, school, stage))
            if known:
                delivered[school_year(phase), stage] = sum(known)
    first = min(r.year for r in forecast_rows)
    points = [
        {"year": year, "stage": words.STAGE[stage], "kind": "填报", "students": n, "low": None, "high": None}
        for (year, stage), n in sorted(delivered.items())
        if year < first
    ]
    return points + [
        {"year": r.year, "stage": words.STAGE[r.stage], "kind": "预测", "students": round(r.students, 1)}
        | {"low": _rounded(r.low), "high": _rounded(r.high)}
        for r in forecast_rows
    ]


def _delivered(e: Evaluation, school: str | None, stage: str) -> Iterable[int]:
    for s in [e.school[school]] if school in e.school else [] if school else e.rows["school"]:
        students = getattr(s, f"{stage}_students")
        if students:
            yield students


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def _pupils(e: Evaluation) -> list[tuple[int, dict[str, Any]]]:
    """The district's pupils by year and stage."""
    own = [r for r in e.rows["enrolment_forecast"] if r.school_code is None]
    return [(year, {r.stage: r for r in rows}) for year, rows in grouped(own, lambda r: r.year).items()]


def _years(e: Evaluation, districts: list[Any], stages: list[Any]) -> list[tuple[int, dict[str, Any]]]:
    """By year and basis the district's verdict, its failing schools and the coefficients over their limit."""
    years: dict[int, dict[str, Any]] = {}
    for r in districts:
        over = [
            f"{words.STAGE[s.stage]} {s.indicator_code}"
            for s in stages
            if s.year == r.year and s.basis == r.basis and s.status in words.FAILING
        ]
        years.setdefault(r.year, {})[r.basis] = {"row": r, "sign": words.STATUS[r.status], "over": over}
    return sorted(years.items())


def _coefficients(stages: list[Any]) -> list[tuple[Any, dict[int, Any]]]:
    """Each coefficient with its forecast by year, without the plan."""
    own = [r for r in stages if r.basis == "now"]
    keyed = grouped(own, lambda r: (r.stage != "primary", r.indicator_code))
    return [(rows[0], {r.year: r for r in rows}) for _, rows in sorted(keyed.items())]


def _risks(schools: list[Any]) -> list[tuple[Any, list[Any]]]:
    """School indicators that are met now and will probably not be met, with the years; the earliest first."""
    own = [
        r
        for r in schools
        if r.basis == "now"
        and r.status_now not in words.FAILING
        and (r.status in words.FAILING or (r.probability_failing or 0) >= LIKELY)
    ]
    keyed = grouped(own, lambda r: (r.school_code, r.stage, r.indicator_code))
    return sorted(
        ((rows[0], rows) for rows in keyed.values()), key=lambda x: (x[0].year, x[0].school_name or "")
    )


def _seats(schools: list[Any]) -> list[tuple[Any, float]]:
    """Sections that will lack seats, with the largest number that they will lack."""
    most: dict[tuple[str, str], Any] = {}
    for r in schools:
        if r.basis == "now" and r.seats_short:
            known = most.get((r.school_code, r.stage))
            if known is None or r.seats_short > known.seats_short:
                most[r.school_code, r.stage] = r
    return sorted(((r, r.seats_short) for r in most.values()), key=lambda x: -x[1])


def school_forecast(district: District, code: str) -> dict[str, Any]:
    """The chart of a school and the consequences of its future pupils."""
    own = [
        r
        for r in district.newest.rows["forecast_verdict"]
        if r.level == "school" and r.school_code == code and r.basis == "now"
    ]
    keyed = grouped(own, lambda r: (r.stage, r.indicator_code))
    return {"chart": chart_data(district, code), "risks": [(rows[0], rows) for rows in keyed.values()]}
