"""The plan of an evaluation in full: measures, milestones, who owns them, what the plan lacks, what comes next.

Keep out: HTML (templates/plan.html).
"""

from __future__ import annotations

from typing import Any

from youjun_pipeline.site import words
from youjun_pipeline.site.read import Evaluation, grouped


def plan_context(e: Evaluation, phase_names: dict[str, str]) -> dict[str, Any]:
    """What templates/plan.html shows; `phase_names` are those of all the district's phases."""
    measures = e.rows["measure_status"]
    severities = {severity: n for n, severity in enumerate(words.SEVERITY)}
    return {
        "measures": measures,
        "states": [words.WORK_STATE[s].name for s in words.WORK_STATE if any(m.state == s for m in measures)],
        "milestones": e.rows["milestone_status"],
        "progress": e.rows["remediation_progress"],
        "units": e.rows["unit_accountability"],
        "audit": sorted(e.rows["plan_audit"], key=lambda a: severities.get(a.severity, len(severities))),
        "severities": [
            s.name for k, s in words.SEVERITY.items() if any(a.severity == k for a in e.rows["plan_audit"])
        ],
        "targets": list(grouped(e.rows["target_progress"], lambda t: t.target_no).values()),
        "projection": e.rows["projection"],
        "reconciliation": sorted(
            e.rows["reconciliation"], key=lambda r: (r.agrees is not False, r.agrees is True)
        ),
        "not_passed": e.rows["reported_not_passed"],
        "waivers": e.rows["waiver_register"],
        "phase_names": phase_names,
    }
