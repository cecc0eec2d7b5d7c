"""The complete plan of an evaluation: measures, milestones, who is responsible, what the plan lacks, what comes next.

Keep out: HTML (templates/plan.html).
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from youjun_pipeline.site import words
from youjun_pipeline.site.leader import money
from youjun_pipeline.site.read import Evaluation, grouped


def plan_context(e: Evaluation, phase_names: dict[str, str]) -> dict[str, Any]:
    """What templates/plan.html shows; `phase_names` are those of all the district's phases."""
    measures = e.rows["measure_status"]
    return {
        "measures": measures,
        "states": [words.WORK_STATE[s].name for s in words.WORK_STATE if any(m.state == s for m in measures)],
        "milestones": e.rows["milestone_status"],
        "money": money(e),
        "progress": e.rows["remediation_progress"],
        "units": e.rows["unit_accountability"],
        "audit": audit_groups(e.rows["plan_audit"]),
        "severities": [
            s.name for k, s in words.SEVERITY.items() if any(a.severity == k for a in e.rows["plan_audit"])
        ],
        "targets": list(grouped(e.rows["target_progress"], lambda t: t.target_no).values()),
        "projection": projection_grid(e, phase_names),
        "reconciliation": sorted(
            e.rows["reconciliation"], key=lambda r: (r.agrees is not False, r.agrees is True)
        ),
        "not_passed": e.rows["reported_not_passed"],
        "waivers": e.rows["waiver_register"],
        "phase_names": phase_names,
    }


class AuditGroup(NamedTuple):
    """One weakness of the plan with all its consequences, the worst of them first."""

    severity: str
    rows: list[Any]


_QUOTED = re.compile("“([^”]+)”")


def audit_groups(rows: list[Any]) -> list[AuditGroup]:
    """Findings of the audit by cause: one rule about one building is one cause, however many measures it affects."""
    severities = {severity: n for n, severity in enumerate(words.SEVERITY)}

    def rank(row: Any) -> int:
        return severities.get(row.severity, len(severities))

    groups = grouped(sorted(rows, key=rank), _cause)
    return [AuditGroup(found[0].severity, found) for found in groups.values()]


def _cause(row: Any) -> tuple[str, str]:
    """A rule, and the building if the rule names one."""
    named = _QUOTED.findall(row.message or "")
    about = named[0] if named and "building" in row.rule else ""
    return row.rule, about


def projection_grid(e: Evaluation, phase_names: dict[str, str]) -> dict[str, Any]:
    """The projection as a grid: a row for each indicator and stage, a column for each coming phase and basis."""
    rows = e.rows["projection"]
    order = list(phase_names)
    coming = sorted(
        {r.coming_phase_id for r in rows}, key=lambda p: (order.index(p) if p in order else len(order), p)
    )
    bases = [b for b in words.BASIS if any(r.basis == b for r in rows)]
    cells = {(r.indicator_code, r.stage, r.coming_phase_id, r.basis): r for r in rows}
    lines = sorted(
        {(r.indicator_code, r.stage) for r in rows},
        key=lambda k: (
            e.indicator[k[0]].sort_order if k[0] in e.indicator else 0,
            k[1] != "primary",
            k[1] or "",
        ),
    )
    return {
        "columns": [(phase, basis) for phase in coming for basis in bases],
        "phases": [(phase, len(bases)) for phase in coming],
        "lines": [
            (code, stage, [cells.get((code, stage, p, b)) for p in coming for b in bases])
            for code, stage in lines
        ],
    }
