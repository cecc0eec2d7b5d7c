"""The page of a scenario, and the page that compares scenarios.

Keep out: HTML (templates/scenario.html, templates/scenarios.html), judging (planning).
"""

from __future__ import annotations

from typing import Any

from youjun_pipeline.reports.words import item_word
from youjun_pipeline.site import words
from youjun_pipeline.site.names import scenario_page
from youjun_pipeline.site.read import District, Evaluation, grouped
from youjun_pipeline.vocabulary import words as vocabulary_words

CHANGE = vocabulary_words("change")
ACTION = vocabulary_words("action")
# If there are more lines than this, only their number is shown.
MOST = 200


def scenarios_of(district: District) -> list[tuple[Evaluation, str, list[Any]]]:
    """Every scenario with the evaluation from which it starts and its rows, one for each phase end."""
    return [
        (e, str(scenario_id), rows)
        for e in district.evaluations
        for scenario_id, rows in grouped(e.rows["scenario"], lambda r: r.scenario_id).items()
    ]


def scenario_title(e: Evaluation, row: Any) -> str:
    """The name of a scenario, with the figures from which it starts."""
    return f"{row.title}（以{e.phase_name}数据为基准）"


def scenario_context(e: Evaluation, scenario_id: str, ends: list[Any]) -> dict[str, Any]:
    """What templates/scenario.html shows: a line for each phase end, and the last one in full."""
    last = ends[-1]
    indicators = _at(e, "scenario_indicator", scenario_id, last)
    verdicts = grouped(_at(e, "scenario_verdict", scenario_id, last), lambda r: r.level)
    actions = [a for a in e.rows["scenario_action"] if a.scenario_id == scenario_id]
    receiving = {a.to_school_code for a in actions if a.step and a.to_school_code}
    by_change = grouped(indicators, lambda r: r.change)
    broken = [*by_change["broken"], *(r for r in by_change["opened"] if r.status_after in words.FAILING)]
    left = [r for r in indicators if r.status_after in words.FAILING and r not in broken]
    effects = grouped(
        (c for c in e.rows["scenario_change"] if c.scenario_id == scenario_id),
        lambda c: (c.stage, c.indicator_code),
    )
    return {
        "e": e,
        "ends": ends,
        "last": last,
        "verdict": {side: words.PASSES[getattr(last, f"passes_{side}")] for side in ("before", "after")},
        "broken": [(r, r.school_code in receiving) for r in broken],
        "mended": by_change["mended"],
        "left": [
            (code, stage, rows[:MOST], len(rows))
            for (code, stage), rows in grouped(left, lambda r: (r.indicator_code, r.stage)).items()
        ],
        "left_count": len(left),
        "coefficients": [(r, effects.get((r.stage, r.indicator_code), [])) for r in verdicts["stage"]],
        "items": [r for r in verdicts["district_indicator"] if r.change not in ("same", "moved")],
        "actions": [a for a in actions if a.step],
        "nothing": [a for a in actions if not a.step],
        "item_word": item_word,
        "change_words": CHANGE,
        "action_words": ACTION,
    }


def _at(e: Evaluation, table: str, scenario_id: str, end: Any) -> list[Any]:
    return [r for r in e.rows[table] if r.scenario_id == scenario_id and r.at_phase_id == end.at_phase_id]


def comparison_context(district: District) -> dict[str, Any]:
    """What templates/scenarios.html shows: scenarios with the same base side by side, each at the end of the last phase."""
    groups = []
    for e in district.evaluations:
        own = [(s, rows[-1]) for found, s, rows in scenarios_of(district) if found is e]
        if not own:
            continue
        cvs: dict[tuple[str, str], dict[str, Any]] = {}
        for scenario_id, last in own:
            for r in _at(e, "scenario_verdict", scenario_id, last):
                if r.level == "stage":
                    cvs.setdefault((r.stage, r.indicator_code), {})[scenario_id] = r
        order = sorted(cvs, key=lambda k: (k[0] != "primary", k[1]))
        groups.append(
            {
                "e": e,
                "scenarios": [
                    (row, words.PASSES[row.passes_after], scenario_page(district.code, e.phase_id, s))
                    for s, row in own
                ],
                "before": words.PASSES[own[0][1].passes_before],
                "coefficients": [
                    (
                        stage,
                        code,
                        next(iter(cvs[stage, code].values())),
                        [cvs[stage, code].get(s) for s, _ in own],
                    )
                    for stage, code in order
                ],
            }
        )
    return {"groups": groups, "change_words": CHANGE}
