"""The next step in a school's plan."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

from youjun_pipeline.reports.naming import item_words
from youjun_pipeline.reports.schools.plan import Plan, milestone_due, next_due

TODAY: Any = SimpleNamespace(effective_on=date(2024, 6, 30))


def finding(*measures: str) -> dict[str, Any]:
    return {"state": "open", "measures": list(measures)}


def measure(no: str, due: date, baseline: date, state: str = "in_progress") -> dict[str, Any]:
    row = {"measure_no": no, "indicator_code": "R4", "due": due, "baseline_due": baseline, "state": state}
    return {**row, "description": "扩建"}


def milestone(due: date, measure_no: str | None = "M1", **given: Any) -> dict[str, Any]:
    row = {"milestone_no": "N1", "measure_no": measure_no, "indicator_code": "R4", "task": "竣工", "due": due}
    return {**row, "baseline_due": due, "state": "not_started", **given}


def test_findings_without_a_measure_ask_for_one_first() -> None:
    plan = Plan(
        "1", "甲小学", [finding(), finding("M1")], [measure("M1", date(2024, 9, 1), date(2024, 9, 1))]
    )
    assert next_due(plan, TODAY) == "先定措施（1 个问题没有对应措施）；2024-09-01 扩建"
    assert next_due(Plan("1", "甲小学", [finding()]), TODAY) == "先定措施（1 个问题没有对应措施）"
    assert next_due(Plan("1", "甲小学"), TODAY) == "问题均已解决"


def test_a_milestone_follows_its_measure_that_was_moved() -> None:
    moved = measure("M1", date(2025, 8, 31), date(2024, 12, 31))
    plan = Plan("1", "甲小学", [finding("M1")], [moved])
    assert milestone_due(milestone(date(2024, 6, 30)), plan) == (date(2025, 2, 28), True)
    assert milestone_due(milestone(date(2024, 6, 30), None), plan) == (date(2025, 2, 28), True)
    # given another date itself, done, of another measure, or with one that stands
    assert milestone_due(milestone(date(2024, 6, 30), baseline_due=date(2024, 5, 1)), plan)[1] is False
    assert milestone_due(milestone(date(2024, 6, 30), state="done"), plan)[1] is False
    assert milestone_due(milestone(date(2024, 6, 30), "M2"), plan)[1] is False
    plan.measures.append(measure("M2", date(2024, 12, 31), date(2024, 12, 31)))
    assert milestone_due(milestone(date(2024, 6, 30), None), plan)[1] is False


def test_an_item_of_monitoring_is_a_grade_and_a_subject() -> None:
    row = {"school_name": None, "level": "district", "indicator_code": "Q9", "item": "4科学"}
    assert item_words(row) == "4 年级科学"
    assert item_words({**row, "item": "Q9"}) == "全县事项"
    assert item_words({**row, "level": "stage"}) == "校际差异系数"
