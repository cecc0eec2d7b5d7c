"""One school over the phases: its values against the limits, its findings, its plan and what is due.

Keep out: HTML (templates/school.html).
"""

from __future__ import annotations

from typing import Any

from youjun_pipeline.site import words
from youjun_pipeline.site.derivation import how_anchor, school_derivation
from youjun_pipeline.site.read import District, Evaluation
from youjun_pipeline.site.wall import value_text

# A full bar means this many times the limit or more.
FULL_BAR = 2.0


def school_codes(district: District) -> list[str]:
    """Codes of the schools that were in scope in any phase, sorted."""
    return sorted({s.school_code for e in district.evaluations for s in e.rows["school"] if s.in_scope})


def school_context(district: District, code: str) -> dict[str, Any]:
    """What templates/school.html shows of the school `code`: its newest phase first."""
    phases = [e for e in district.evaluations if code in e.school]
    newest = phases[-1].school[code]
    return {
        "school": newest,
        "earlier_names": sorted({e.school[code].school_name for e in phases} - {newest.school_name}),
        "is_gone": phases[-1] is not district.newest,
        "phases": [_phase(e, code) for e in reversed(phases)],
        "history": _history(phases, code),
        "history_phases": phases,
        "phase_names": {e.phase_id: e.phase_name for e in district.evaluations},
    }


def _phase(e: Evaluation, code: str) -> dict[str, Any]:
    values = e.by_school["school_indicator"].get(code, [])
    findings = e.by_school["finding"].get(code, [])
    open_findings = [f for f in findings if f.state != "closed"]
    numbers = list(dict.fromkeys(n for f in [*open_findings, *findings] for n in f.measures or []))
    measures = [e.measure[n] for n in numbers if n in e.measure]
    stages = list(dict.fromkeys(v.stage for v in e.by_school["school_verdict"].get(code, [])))
    return {
        "e": e,
        "school": e.school[code],
        "sections": [
            (
                verdict,
                words.PASSES[verdict.passes_resource_rule],
                [_bar(e, v) for v in values if v.stage == verdict.stage and v.floor is not None],
            )
            for verdict in e.by_school["school_verdict"].get(code, [])
        ],
        "others": [_bar(e, v) for v in values if v.floor is None],
        "how": [
            (how_anchor(e.phase_id, v.indicator_code, v.stage), _bar(e, v), school_derivation(e.facts, v))
            for v in values
        ],
        "stages": stages,
        "findings": findings,
        "measures": measures,
        "milestones": [m for m in e.rows["milestone_status"] if m.measure_no in set(numbers)],
        "waivers": e.by_school["waiver_register"].get(code, []),
        "suspicions": [s for s in e.by_school["suspicion"].get(code, []) if not s.answer],
        "changes": e.by_school["phase_change"].get(code, []),
    }


def _bar(e: Evaluation, value: Any) -> dict[str, Any]:
    """A value, its threshold and its floor, as per cent of a full bar."""
    indicator = e.indicator[value.indicator_code]
    bar: dict[str, Any] = {
        "value": value,
        "indicator": indicator,
        "sign": words.STATUS[value.status],
        "text": value_text(value, indicator),
        "width": None,
    }
    if value.value is not None and value.threshold:
        bar["width"] = 100 * min(value.value / value.threshold, FULL_BAR) / FULL_BAR
        bar["limit"] = 100 / FULL_BAR
        bar["floor"] = 100 * value.floor / value.threshold / FULL_BAR if value.floor is not None else None
        bar["is_cut"] = value.value > value.threshold * FULL_BAR
    return bar


def _history(phases: list[Evaluation], code: str) -> list[tuple[str, Any, list[Any]]]:
    """For each stage and indicator the school's cells in all phases."""
    keys: dict[tuple[str, str], list[Any]] = {}
    for n, e in enumerate(phases):
        for v in e.by_school["school_indicator"].get(code, []):
            cells = keys.setdefault((v.stage, v.indicator_code), [None] * len(phases))
            cells[n] = (words.STATUS[v.status], value_text(v, e.indicator[v.indicator_code]), v.value)
    indicators = phases[-1].indicator
    order = sorted(keys, key=lambda k: (k[0] != "primary", indicators[k[1]].sort_order))
    return [(words.STAGE[stage], indicators[i], keys[stage, i]) for stage, i in order]
