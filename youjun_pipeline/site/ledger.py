"""The ledger (销号台账) of an evaluation: each finding with its opening, its closing, its sign-off and its evidence.

Keep out: HTML (templates/ledger.html), deciding what is signed off (models).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from youjun_pipeline.site.read import Evaluation, grouped


class Entry(NamedTuple):
    """A finding, its progress, its accepted inspection if any, and the inspections that did not count."""

    finding: Any
    step: str
    accepted: Any
    refused: list[Any]


STEPS = ("未解决", "待销号", "已销号")


def ledger_context(e: Evaluation) -> dict[str, Any]:
    """What templates/ledger.html shows."""
    entries = ledger(e)
    return {
        "entries": entries,
        "counts": [(step, sum(x.step == step for x in entries)) for step in STEPS],
        "steps": STEPS,
        "acceptances": e.rows["acceptance"],
        "history": e.rows["progress_report"],
    }


def ledger(e: Evaluation) -> list[Entry]:
    """Every finding of the evaluation: open findings first, and of these the oldest first."""
    held = grouped(
        ((finding, a) for a in e.rows["acceptance"] for finding in a.findings or []), lambda pair: pair[0]
    )
    entries = [_entry(f, [a for _, a in held.get(f.finding_id, [])]) for f in e.rows["finding"]]
    return sorted(entries, key=lambda x: (STEPS.index(x.step), -(x.finding.days_open or 0)))


def _entry(f: Any, held: list[Any]) -> Entry:
    step = STEPS[0] if f.state != "closed" else STEPS[2] if f.signed_off else STEPS[1]
    accepted = next((a for a in held if f.finding_id in (a.signed_off or [])), None)
    return Entry(f, step, accepted, [a for a in held if a is not accepted])
