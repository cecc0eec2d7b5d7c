"""A made-up district, delivery by delivery, for tests of how findings are followed.

Belongs here: writing a roster in which one class per school decides G5, and the plan's datasets beside it. Keep out:
what a test expects.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from youjun_pipeline_tests.generate import PLAIN, Phase, write_delivery, write_district

PHASES = (
    Phase("p1", "启动", date(2023, 7, 1), date(2023, 12, 31)),
    Phase("p2", "攻坚", date(2024, 1, 1), date(2024, 6, 30)),
    Phase("p3", "验收", date(2024, 7, 1), date(2024, 12, 31)),
    Phase("p4", "认定", date(2025, 1, 1), date(2025, 12, 31)),
)
DAYS = ("2023-08-31", "2024-05-31", "2024-11-30", "2025-05-31")
"""A delivery in each phase. The plan was issued on 2023-07-28."""

TOO_MANY, ENOUGH = 50, 40
Rows = Sequence[Mapping[str, Any]]


def primary_school(code: str, name: str, **given: Any) -> dict[str, Any]:
    """A roster row of a primary school."""
    row = {
        "school_code": code,
        "school_name": name,
        "township": "试验镇",
        "school_type": "小学",
        "sponsor_code": "2",
    }
    return {**row, "urban_rural": "镇区", "primary_students": 400, **given}


def one_class(code: str, students: int, stage: str = "primary") -> dict[str, Any]:
    """The class that makes G5 of the school fail or pass."""
    grade = 4 if stage == "primary" else 8
    return {"school_code": code, "stage": stage, "grade": grade, "class_no": "1", "students": students}


def write_rows(folder: Path, dataset: str, rows: Rows) -> None:
    """One csv file with the English headers; it has every column that any of the rows has."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{dataset}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names, restval="")
        writer.writeheader()
        writer.writerows(rows)


def write_story(
    folder: Path,
    judged: Mapping[str, Mapping[str, Rows]],
    plan: Mapping[str, Mapping[str, Rows]],
    code: str = "120114",
) -> None:
    """A district in `folder`: by delivery day the judged datasets (`schools`, `classes`) and those of the plan."""
    first, *later = judged
    district = write_district(folder, judged[first], {}, PHASES, style=PLAIN, delivered_on=first, code=code)
    for day in later:
        write_delivery(district, day, judged[day], style=PLAIN)
    for day, datasets in plan.items():
        for dataset, rows in datasets.items():
            write_rows(district / "deliveries" / day, dataset, rows)
