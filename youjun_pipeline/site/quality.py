"""What is doubtful in a district's data: missing data, open suspicions, failed checks, refused values.

Keep out: HTML (templates/quality.html), judging what is suspicious (models).
"""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

from youjun_pipeline.contracts import load_datasets
from youjun_pipeline.site import words
from youjun_pipeline.site.read import District, Evaluation

# The page shows only this many rows, to stay readable; quality.rejected_row and quality.unused_row have all.
MOST_REJECTED = 300
# The columns of `suspicion_answers`, in the order in which they are copied.
ANSWER_COLUMNS = ("answered_on", "dataset", "school_code", "rule", "answer", "answered_by")


class Doubt(NamedTuple):
    """A suspicion: its evaluation, its row, the indicators whose verdict it changed at the school, its answer as an empty row."""

    e: Evaluation
    row: Any
    turned: list[str]
    answer_row: str


def quality_context(district: District) -> dict[str, Any]:
    """What templates/quality.html shows."""
    suspicions = [
        Doubt(e, s, turned(e, s), answer_row(s))
        for e in reversed(district.evaluations)
        for s in e.rows["suspicion"]
    ]
    rejected = district.rows["rejected_row"]
    return {
        "open": [d for d in suspicions if not d.row.answer],
        "answered": [d for d in suspicions if d.row.answer],
        "answer_header": "\t".join(
            load_datasets()["suspicion_answers"].columns[c].zh for c in ANSWER_COLUMNS
        ),
        "missing": [(e, m) for e in reversed(district.evaluations) for m in e.rows["missing_input"]],
        "checks": district.rows["check_result"],
        "rejected": rejected[:MOST_REJECTED],
        "rejected_count": len(rejected),
        "rejected_by_dataset": Counter(r.dataset for r in rejected).most_common(),
        "unused": unused_groups(district.rows["unused_row"]),
        "phase_names": {e.phase_id: e.phase_name for e in district.evaluations},
    }


def turned(e: Evaluation, suspicion: Any) -> list[str]:
    """Indicators that use the suspicious figure and have another verdict at the school than in the phase before."""
    if not suspicion.school_code or not suspicion.column_name:
        return []
    name = f"{suspicion.dataset}.{suspicion.column_name}"
    changes = {
        c.indicator_code: f"{c.indicator_code} {words.status(c.status_before)}→{words.status(c.status_after)}"
        for c in e.by_school["phase_change"].get(suspicion.school_code, [])
        if c.level == "school" and c.status_before != c.status_after
    }
    return [
        said
        for code, said in sorted(changes.items())
        if any(
            r["input"] == name and r["school_code"] == suspicion.school_code for r in e.facts.lineage(code)
        )
    ]


def answer_row(suspicion: Any) -> str:
    """The row of `suspicion_answers` for the answer, with empty day, answer and name; cells are separated by tabs."""
    dataset = load_datasets().get(suspicion.dataset)
    cells = [
        "",
        dataset.title if dataset else suspicion.dataset,
        suspicion.school_code or "",
        suspicion.rule,
        "",
        "",
    ]
    return "\t".join(" ".join(str(c).split()) for c in cells)


def unused_groups(rows: list[Any]) -> list[tuple[Any, int]]:
    """Unused rows grouped by file and reason: the first row of each group, and the number of rows."""
    groups: dict[tuple[Any, ...], tuple[Any, int]] = {}
    for row in rows:
        key = (row.delivery, row.dataset, row.file, row.rule)
        first, count = groups.get(key, (row, 0))
        groups[key] = (first, count + row.rows)
    return list(groups.values())
