"""Unfinished measures by month: what the history of reports said at each month's end, and what the plan had left."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

from youjun_pipeline.site.monthly import month_points, months


def report(measure: str, on: date, state: str | None, **given: Any) -> SimpleNamespace:
    known = {"milestone_no": None, "refused_because": None, "delivery": on}
    return SimpleNamespace(**(known | {"measure_no": measure, "reported_on": on, "state": state} | given))


def district(reports: list[SimpleNamespace], dues: dict[str, date | None]) -> Any:
    measures = {no: SimpleNamespace(baseline_due=due) for no, due in dues.items()}
    newest = SimpleNamespace(
        rows={"progress_report": reports},
        measure=measures,
        effective_on=date(2024, 3, 10),
        row=SimpleNamespace(plan_issued_on=date(2023, 12, 5)),
    )
    return SimpleNamespace(evaluations=[newest])


DUES: dict[str, date | None] = {"A": date(2024, 1, 31), "B": date(2024, 2, 29), "C": date(2024, 12, 31)}


def test_each_month_says_what_was_reported_by_its_end() -> None:
    reports = [
        report("A", date(2024, 1, 20), "done"),
        # of one day and delivery the less advanced speaks; a milestone, a refused report and an unknown measure say nothing
        report("B", date(2024, 2, 1), "done"),
        report("B", date(2024, 2, 1), "in_progress"),
        report("C", date(2024, 2, 2), "done", milestone_no="C-1"),
        report("C", date(2024, 2, 2), "done", refused_because="before_plan"),
        report("X", date(2024, 2, 2), "done"),
        # what was done is taken back, what nobody can read is not done
        report("A", date(2024, 3, 1), "in_progress"),
        report("B", date(2024, 3, 5), None),
        report("C", date(2024, 3, 5), "cancelled"),
    ]
    _, found = months(district(reports, DUES))
    assert [tuple(m) for m in found] == [
        (date(2023, 12, 31), None, 3),
        (date(2024, 1, 31), 2, 2),
        (date(2024, 2, 29), 2, 1),
        (date(2024, 3, 10), 2, 1),
    ]
    points = month_points(found)
    assert len(points) == 7, "a month without any report has no point and is no 3 of 3 left"
    assert [p["month"] for p in points if p["what"] == "未完成"] == ["2024-01", "2024-02", "2024-03"]


def test_a_plan_with_an_open_date_has_no_line_and_no_reports_no_chart() -> None:
    _, found = months(district([report("A", date(2024, 1, 20), "done")], DUES | {"C": None}))
    assert {m.planned for m in found} == {None}
    assert months(district([], DUES)) == (None, [])
