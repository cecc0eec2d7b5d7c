"""What is doubtful in a district's data: what is missing, open suspicions, failed checks, values sent back.

Keep out: HTML (templates/quality.html), judging what is suspicious (models).
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from youjun_pipeline.site.read import District

# A page is for reading; all rows are in quality.rejected_row and quality.unused_row.
MOST_REJECTED = 300


def quality_context(district: District) -> dict[str, Any]:
    """What templates/quality.html shows."""
    suspicions = [(e, s) for e in reversed(district.evaluations) for s in e.rows["suspicion"]]
    rejected = district.rows["rejected_row"]
    return {
        "open": [(e, s) for e, s in suspicions if not s.answer],
        "answered": [(e, s) for e, s in suspicions if s.answer],
        "missing": [(e, m) for e in reversed(district.evaluations) for m in e.rows["missing_input"]],
        "checks": district.rows["check_result"],
        "rejected": rejected[:MOST_REJECTED],
        "rejected_count": len(rejected),
        "rejected_by_dataset": Counter(r.dataset for r in rejected).most_common(),
        "unused": unused_groups(district.rows["unused_row"]),
        "phase_names": {e.phase_id: e.phase_name for e in district.evaluations},
    }


def unused_groups(rows: list[Any]) -> list[tuple[Any, int]]:
    """Unused rows told once per file and reason: the first of them, and how many rows it stands for."""
    groups: dict[tuple[Any, ...], tuple[Any, int]] = {}
    for row in rows:
        key = (row.delivery, row.dataset, row.file, row.rule)
        first, count = groups.get(key, (row, 0))
        groups[key] = (first, count + row.rows)
    return list(groups.values())
