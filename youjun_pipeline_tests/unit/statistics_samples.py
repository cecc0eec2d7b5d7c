"""Made-up schools and their official forms, for the tests of reading statistics.

Belongs here: samples that several test modules use. Keep out: what a test expects.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from youjun_pipeline.ingest.statistics.cells import Cell
from youjun_pipeline.ingest.statistics.reading import StatisticsRead, read_statistics
from youjun_pipeline_tests.generate.columns import blank_row
from youjun_pipeline_tests.generate.statistics import Look, workbook
from youjun_pipeline_tests.generate.statistics_forms import FORMS, School, Sheet


def teachers(full_time: int, backbone: int = 3) -> dict[str, Any]:
    return {
        "full_time": full_time,
        "doctorate": 0,
        "master": 2,
        "bachelor": 20,
        "associate": 5,
        "backbone": backbone,
        "pe": 4,
        "music": 2,
        "fine_art": 1,
        "art": 0,
    }


def nine_year(**changes: Any) -> School:
    """A nine-year school: 166 primary pupils in 5 classes, 210 junior pupils in 5 classes."""
    row = blank_row(
        "schools",
        school_code="2112000001",
        school_name="石各庄九年一贯制学校",
        school_type="九年一贯制学校",
        urban_rural="镇区",
    )
    given: dict[str, Any] = {
        "row": row,
        "students": {"primary": 166, "junior": 210},
        "teachers": {"primary": teachers(30), "junior": teachers(32, 4)},
        "classes": {"primary": [25, 26, 35, 40, 40], "junior": [40, 41, 42, 43, 44]},
        "facilities": {
            "teaching_area_m2": 5200.5,
            "indoor_sports_area_m2": 600,
            "outdoor_sports_area_m2": 9000,
            "multimedia_rooms": 12,
            "equipment_value_wan": 88.25,
        },
    }
    return School(**(given | changes))


def primary(code: str = "2112000002", name: str = "河西小学", **changes: Any) -> School:
    """A primary school of 100 pupils whose forms have no classes."""
    row = blank_row(
        "schools",
        school_code=code,
        school_name=name,
        school_type="小学",
        urban_rural="乡村",
        sponsor_code="10",
    )
    given: dict[str, Any] = {
        "row": row,
        "students": {"primary": 100},
        "teachers": {"primary": teachers(28, 1)},
        "classes": {},
        "facilities": None,
    }
    return School(**(given | changes))


def read_forms(
    folder: Path, school: School, look: Look, change: Callable[[dict[str, Sheet]], None] = lambda _: None
) -> StatisticsRead:
    """What is read from a school's workbook after a change to its sheets, by name."""
    sheets = FORMS[look.generation](school, school.row["school_type"] if look.suffix else "")
    change({sheet.name: sheet for sheet in sheets})
    path = folder / "book.xlsx"
    path.write_bytes(workbook([sheet for sheet in sheets if sheet.cells], look))
    return read_statistics(path, "statistics/book.xlsx")


def values(cells: list[Cell]) -> dict[str, str]:
    """`dataset.column` with stage and band -> text as read."""
    return {" ".join(filter(None, (f"{c.dataset}.{c.column}", c.stage, c.item))): c.value for c in cells}


def places(cells: list[Cell]) -> dict[str, str]:
    """`dataset.column` with stage and band -> sheet and cell as Excel shows it."""
    return {
        " ".join(filter(None, (f"{c.dataset}.{c.column}", c.stage, c.item))): f"{c.sheet}!{c.letter}{c.row}"
        for c in cells
    }


def put(sheet: str, **cells: object) -> Callable[[dict[str, Sheet]], None]:
    """A change of cells, named as in Excel."""

    def change(sheets: dict[str, Sheet]) -> None:
        for name, value in cells.items():
            letters = name.rstrip("0123456789")
            column = sum((ord(letter) - 64) * 26**i for i, letter in enumerate(reversed(letters))) - 1
            row = int(name[len(letters) :]) - 1
            sheets[sheet].cells[row, column] = value  # type: ignore[assignment]
            # Of merged cells only the first is shown.
            sheets[sheet].merged = [
                (r0, c0, r1, c1)
                for r0, c0, r1, c1 in sheets[sheet].merged
                if not (r0 <= row <= r1 and c0 <= column <= c1)
            ]

    return change
