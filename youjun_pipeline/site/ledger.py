"""The ledger (销号台账) of an evaluation: each finding with its opening, its closing, its sign-off and what it rests on.

Keep out: HTML (templates/ledger.html), deciding what is signed off (models).
"""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple

from youjun_pipeline.site.read import District, Evaluation, grouped


class Entry(NamedTuple):
    """A finding: since when, until when, days open, its accepted inspection if any, and all that were held of it."""

    finding: Any
    opened_on: date | None
    closed_on: date | None
    days: int | None
    step: str
    accepted: Any
    refused: list[Any]


STEPS = ("未解决", "待销号", "已销号")


def ledger_context(district: District, e: Evaluation) -> dict[str, Any]:
    """What templates/ledger.html shows."""
    entries = ledger(district, e)
    return {
        "entries": entries,
        "counts": [(step, sum(x.step == step for x in entries)) for step in STEPS],
        "steps": STEPS,
        "acceptances": e.rows["acceptance"],
        "history": e.rows["progress_report"],
    }


def ledger(district: District, e: Evaluation) -> list[Entry]:
    """Every finding of the evaluation, what is open first, the longest open first."""
    phases = district.evaluations[: district.evaluations.index(e) + 1]
    days = {p.phase_id: p.row.effective_on for p in phases}
    states = {p.phase_id: {f.finding_id: f.state for f in p.rows["finding"]} for p in phases}
    held = grouped(
        ((finding, a) for a in e.rows["acceptance"] for finding in a.findings or []), lambda pair: pair[0]
    )
    entries = [
        _entry(f, days, states, e, [a for _, a in held.get(f.finding_id, [])]) for f in e.rows["finding"]
    ]
    return sorted(entries, key=lambda x: (STEPS.index(x.step), -(x.days or 0)))


def _entry(
    f: Any, days: dict[str, date], states: dict[str, dict[str, str]], e: Evaluation, held: list[Any]
) -> Entry:
    opened = days.get(f.first_phase_id)
    closed = _closed_on(f.finding_id, days, states) if f.state == "closed" else None
    until = closed or e.row.effective_on
    step = STEPS[0] if f.state != "closed" else STEPS[2] if f.signed_off else STEPS[1]
    accepted = next((a for a in held if f.finding_id in (a.signed_off or [])), None)
    return Entry(
        f, opened, closed, (until - opened).days if opened else None, step, accepted,
        [a for a in held if a is not accepted],
    )  # fmt: skip


def _closed_on(finding: str, days: dict[str, date], states: dict[str, dict[str, str]]) -> date | None:
    """The day of the phase from which on it has stayed closed."""
    since = None
    for phase, found in states.items():
        if found.get(finding) == "closed":
            since = since or days[phase]
        else:
            since = None
    return since
