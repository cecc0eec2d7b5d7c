"""The number of unfinished measures at the end of each month, from the history of reports, compared with the plan.

Keep out: HTML (templates/trend.html), how a measure's state is decided (models/rule/progress_state.sql).
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, NamedTuple

from youjun_pipeline.site.read import District, Evaluation

# Of two reports of the same day and delivery the less advanced one counts, as in rule.progress_state.
ADVANCE = {"not_started": 1, "in_progress": 2, "cancelled": 3, "done": 4}
SETTLED = ("done", "cancelled")


class Month(NamedTuple):
    """A month's last day (or the day of the data): measures not done according to reports, and measures not due by the plan.

    `left` is None before the first report, because then nothing was known.
    """

    day: date
    left: int | None
    planned: int | None


def months(district: District) -> tuple[Evaluation | None, list[Month]]:
    """The newest evaluation with reports on its plan, and its months, from the first report or due date to the data's day."""
    for e in reversed(district.evaluations):
        reports = [
            r for r in e.rows["progress_report"]
            if r.milestone_no is None and r.refused_because is None and r.measure_no in e.measure
        ]  # fmt: skip
        if reports and e.effective_on:
            first = e.row.plan_issued_on or min(r.reported_on for r in reports)
            return e, [_month(e, reports, day) for day in _ends(min(first, e.effective_on), e.effective_on)]
    return None, []


def _month(e: Evaluation, reports: list[Any], day: date) -> Month:
    said: dict[str, Any] = {}
    known = [r for r in reports if r.reported_on <= day]
    for r in sorted(known, key=lambda r: (r.reported_on, r.delivery, -ADVANCE.get(r.state, 0))):
        said[r.measure_no] = r.state
    settled = sum(state in SETTLED for state in said.values())
    dues = [m.baseline_due for m in e.measure.values()]
    planned = None if None in dues else sum(due > day for due in dues)
    return Month(day, len(e.measure) - settled if known else None, planned)


def _ends(first: date, last: date) -> list[date]:
    """The last days of the months, beginning with the month of `first`, and `last` itself."""
    found, day = [], first
    while (end := (day.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)) < last:
        found.append(end)
        day = end + timedelta(days=1)
    return [*found, last]


def month_points(found: list[Month]) -> list[dict[str, Any]]:
    """The data of the chart `monthly`; a month without any known number has no point."""
    return [
        {"month": f"{m.day:%Y-%m}", "order": place, "what": what, "left": left}
        for place, m in enumerate(found)
        for what, left in (("未完成", m.left), ("按原定时间应剩", m.planned))
        if left is not None
    ]
