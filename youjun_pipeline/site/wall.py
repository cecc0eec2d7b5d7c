"""The wall map (作战图) of an evaluation: every school by every indicator, what blocks, who is responsible for what.

Keep out: HTML (templates/wall.html), the full lists of the plan (plan).
"""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

from youjun_pipeline.reports.naming import limit_word
from youjun_pipeline.site import words
from youjun_pipeline.site.derivation import how_anchor
from youjun_pipeline.site.names import school_page
from youjun_pipeline.site.read import District, Evaluation, grouped

# Space to the right of the longest bar, so that a bar at the frame does not look cut off.
HEADROOM = 1.12
STAGES = ("primary", "junior")


class Cell(NamedTuple):
    """One school and indicator: sign, value as text and for sorting, reason, what is done about it, link to its sum."""

    sign: words.Sign
    text: str
    order: float | None
    title: str
    measures: list[str]
    has_no_measure: bool
    state: str | None
    place: str


class Line(NamedTuple):
    """A row of the map: a section."""

    school: Any
    href: str
    stage: str
    verdict: Any
    passes: words.Sign
    cells: list[Cell]
    is_failing: bool
    has_no_measure: bool


class Bar(NamedTuple):
    """A CV and its limit, both as per cent of the common scale."""

    row: Any
    sign: words.Sign
    width: float
    limit: float


def wall_context(district: District, e: Evaluation) -> dict[str, Any]:
    """What templates/wall.html shows."""
    lines = [_line(e, v) for v in e.rows["school_verdict"]]
    return {
        "columns": [(i, _failing(e, i.indicator_code)) for i in e.school_indicators],
        "lines": lines,
        "townships": sorted({line.school.township for line in lines if line.school.township}),
        "left_out": [s for s in e.rows["school"] if not s.in_scope],
        "annex": [_annex_row(e, d) for d in _in_order(e) if d.status in words.FAILING],
        "balance": balance(e),
        "finding_phases": finding_phases(district),
        "finding_matrix": finding_matrix(district),
        "categories": grouped(_in_order(e), lambda d: d.category),
        "late_measures": sorted((m for m in e.rows["measure_status"] if m.overdue), key=_due),
        "late_milestones": sorted((m for m in e.rows["milestone_status"] if m.overdue), key=_due),
        "not_passed": e.rows["reported_not_passed"],
        "school_changes": [c for c in e.rows["phase_change"] if c.level == "district"],
        "left": sum(f.state != "closed" for f in e.rows["finding"]),
        "has_plan": bool(e.measure),
        "unknown_schools": unknown_schools(e),
    }


def unknown_schools(e: Evaluation) -> int:
    """The number of schools with unknown values and without known failures."""
    failing = {v.school_code for v in e.rows["school_indicator"] if v.status in words.FAILING}
    unknown = {v.school_code for v in e.rows["school_indicator"] if v.status == "no_data"}
    return len(unknown - failing)


def _due(row: Any) -> tuple[bool, Any]:
    return row.due is None, row.due


def _in_order(e: Evaluation) -> list[Any]:
    """The district's indicators in the order of the catalogue."""
    return sorted(e.rows["district_indicator"], key=lambda d: e.indicator[d.indicator_code].sort_order)


def _failing(e: Evaluation, code: str) -> Any:
    return next((d for d in e.rows["district_indicator"] if d.indicator_code == code), None)


def _line(e: Evaluation, verdict: Any) -> Line:
    cells = [_cell(e, verdict.school_code, verdict.stage, i) for i in e.school_indicators]
    return Line(
        e.school[verdict.school_code],
        school_page(e.district_code, verdict.school_code) + f"#{e.anchor}",
        verdict.stage,
        verdict,
        words.PASSES[verdict.passes_resource_rule],
        cells,
        any(c.sign.css in ("near", "below") for c in cells),
        any(c.has_no_measure for c in cells),
    )


def _cell(e: Evaluation, school: str, stage: str, indicator: Any) -> Cell:
    value = e.judged(school, stage, indicator.indicator_code)
    if value is None:
        return Cell(words.BLANK, "", None, "", [], False, None, "")
    finding: Any = e.finding.get((school, value.stage, indicator.indicator_code))
    is_open = finding is not None and finding.state != "closed"
    measures = list(finding.measures or []) if is_open else []
    return Cell(
        words.STATUS[value.status],
        value_text(value, indicator),
        value.value,
        value.reason or "",
        measures,
        is_open and not measures and bool(e.measure),
        finding.state if finding else None,
        how_anchor(e.phase_id, value.indicator_code, value.stage),
    )


def value_text(value: Any, indicator: Any) -> str:
    """A school's value for display; if rounding would suggest another verdict, it gets more digits."""
    if value.value is None:
        return words.STATUS[value.status].name
    text = words.number(value.value, indicator.display_decimals + (4 if value.rounding_sensitive else 0))
    word = limit_word(indicator.direction)
    fails = value.status in words.FAILING and value.threshold is not None
    return f"{text} {word} {words.plain(value.threshold)}" if word and fails else text


def _annex_row(e: Evaluation, row: Any) -> dict[str, Any]:
    """An indicator that fails, as the annex of a plan lists it."""
    code = row.indicator_code
    measures = [m for m in e.rows["measure_status"] if m.indicator_code == code]
    findings = [f for f in e.rows["finding"] if f.indicator_code == code and f.state != "closed"]
    progress = [p for p in e.rows["remediation_progress"] if p.indicator_code == code]
    return {
        "row": row,
        "indicator": e.indicator[code],
        "schools": [
            (words.STAGE[stage], group)
            for stage, group in grouped((f for f in findings if f.school_code), lambda f: f.stage).items()
        ],
        "findings": len(findings),
        "without_measure": sum(not f.measures for f in findings),
        "measures": measures,
        "due": max((m.due for m in measures if m.due), default=None),
        "sections": _names(m.bureau_sections for m in measures),
        "units": _names(m.responsible_units for m in measures),
        "budget_wan": total(p.budget_wan for p in progress),
        "spent_wan": total(p.spent_wan for p in progress),
        "page": code if code in {i.indicator_code for i in e.school_indicators} else None,
    }


def _names(lists: Any) -> list[str]:
    """The distinct names in lists joined by 、, in order of first occurrence."""
    return list(dict.fromkeys(n for names in lists if names for n in names.split("、") if n))


def total(values: Any) -> float | None:
    """The sum of the known values; None if no value is known."""
    known = [v for v in values if v is not None]
    return sum(known) if known else None


def balance(e: Evaluation) -> list[tuple[Any, dict[str, Bar]]]:
    """The CVs by indicator and stage, on a common scale."""
    rows = e.rows["stage_balance"]
    longest = max([v for r in rows for v in (r.cv, r.cv_limit) if v is not None], default=1.0) * HEADROOM
    bars = {
        (r.indicator_code, r.stage): Bar(
            r, words.STATUS[r.status], 100 * (r.cv or 0) / longest, 100 * (r.cv_limit or 0) / longest
        )
        for r in rows
    }
    codes = [i for i in e.indicators if any((i.indicator_code, s) in bars for s in STAGES)]
    return [
        (i, {s: bars[i.indicator_code, s] for s in STAGES if (i.indicator_code, s) in bars}) for i in codes
    ]


def finding_phases(district: District) -> list[tuple[Evaluation, Counter[str], int]]:
    """For each phase the number of findings by state, and their total."""
    counts = [(e, Counter(f.state for f in e.rows["finding"])) for e in district.evaluations]
    return [(e, c, c.total()) for e, c in counts]


def finding_matrix(district: District) -> list[tuple[Any, str, list[int | None]]]:
    """For each indicator and stage the findings not closed, by phase; None for phases before the first finding."""
    keys: dict[tuple[str, str | None], list[int | None]] = {}
    phases = district.evaluations
    for n, e in enumerate(phases):
        for (code, stage), rows in grouped(e.rows["finding"], lambda f: (f.indicator_code, f.stage)).items():
            counts = keys.setdefault((code, stage), [None] * len(phases))
            counts[n] = sum(f.state != "closed" for f in rows)
    indicators = district.newest.indicator
    order = {"primary": 0, "junior": 1, "compulsory": 2, None: 3}
    known = sorted(
        (k for k in keys if k[0] in indicators),
        key=lambda k: (indicators[k[0]].sort_order, order.get(k[1], 4)),
    )
    return [(indicators[code], words.STAGE.get(stage, ""), keys[code, stage]) for code, stage in known]
