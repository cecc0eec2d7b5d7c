"""Official forms that were delivered as printed: their blanks are not zeros."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from youjun_pipeline.ingest.statistics.compose import Composed
from youjun_pipeline_tests.generate.statistics import book_of, wide_row
from youjun_pipeline_tests.generate.statistics_forms import School
from youjun_pipeline_tests.unit.statistics_samples import nine_year, primary, teachers
from youjun_pipeline_tests.unit.test_statistics_compose import PLAIN, composed, export, rows

NONE: dict[str, Any] = dict.fromkeys(teachers(0), None)
# The first column of figures in an export.
FIGURES = 11
NO_BUILDINGS: dict[str, Any] = dict.fromkeys(nine_year().facilities or {}, None)


def untouched(school: School) -> School:
    """The same school, whose forms have only its identity."""
    return School(
        row=school.row,
        students=dict.fromkeys(school.students, None),
        teachers=dict.fromkeys(school.teachers, NONE),
        classes={stage: [] for stage in school.classes},
        facilities=NO_BUILDINGS,
    )


def notices(result: Composed) -> str:
    return "；".join(result.results["schools"].notices)


def book(school: School) -> tuple[str, bytes]:
    return f"statistics/{school.row['school_name']}.xlsx", book_of(school, PLAIN)


def test_a_workbook_without_a_figure_reports_nothing(tmp_path: Path) -> None:
    result = composed(tmp_path, book(untouched(nine_year())), book(primary()))
    assert rows(result, "schools", "school_code", "primary_students", "junior_students") == [
        ("2112000001", None, None),
        ("2112000002", "100", None),
    ]
    assert rows(result, "teachers", "school_code") == [("2112000002",)]
    assert rows(result, "class_bands", "school_code") == rows(result, "facilities", "school_code") == []
    assert "statistics/石各庄九年一贯制学校.xlsx：2112000001 的报表没有填写任何数，按没有填报处理" in notices(
        result
    )


@pytest.mark.parametrize(
    ("change", "dataset", "told"),
    [
        ({"teachers": {"primary": NONE, "junior": teachers(32, 4)}}, "teachers", "教师"),
        ({"classes": {"primary": [], "junior": [40] * 5}}, "class_bands", "班额"),
        ({"facilities": NO_BUILDINGS}, "facilities", "校舍和设备"),
    ],
)
def test_a_form_without_a_figure_is_not_reported_where_there_are_pupils(
    tmp_path: Path, change: dict[str, Any], dataset: str, told: str
) -> None:
    result = composed(tmp_path, book(nine_year(**change)))
    stages = {stage for (stage,) in rows(result, dataset, "stage")} if dataset != "facilities" else set()
    assert stages == (set() if dataset == "facilities" else {"junior"})
    assert dataset != "facilities" or rows(result, dataset, "school_code") == []
    assert notices(result).startswith("statistics/石各庄九年一贯制学校.xlsx：2112000001 有学生，而工作表")
    assert f"的{told}没有填写任何数" in notices(result)


def test_what_may_be_none_is_none(tmp_path: Path) -> None:
    """A stage without pupils, a school without backbone teachers, a form with one entry."""
    school = nine_year(
        students={"primary": 166, "junior": None},
        teachers={"primary": teachers(30, 0), "junior": NONE},
        classes={"primary": [40] * 5, "junior": []},
        facilities={**NO_BUILDINGS, "teaching_area_m2": 5200, "multimedia_rooms": 4},
    )
    result = composed(tmp_path, book(school))
    assert rows(result, "schools", "primary_students", "junior_students") == [("166", "0")]
    assert rows(result, "teachers", "stage", "full_time", "backbone") == [
        ("primary", "30", "0"),
        ("junior", "0", "0"),
    ]
    assert rows(result, "facilities", "indoor_sports_area_m2", "equipment_value_wan") == [("0", "0")]
    assert notices(result) == ""


def test_a_row_of_an_export_without_a_figure_reports_nothing(tmp_path: Path) -> None:
    school = nine_year()
    blank = wide_row(primary(), "primary")
    blank[FIGURES:] = [None] * len(blank[FIGURES:])
    result = composed(tmp_path, export("primary", wide_row(school, "primary"), blank))
    assert rows(result, "schools", "school_code", "primary_students") == [
        ("2112000001", "166"),
        ("2112000002", None),
    ]
    assert rows(result, "teachers", "school_code") == [("2112000001",)]
    assert "2112000002 的报表没有填写任何数" in notices(result)


def test_classes_have_pupils(tmp_path: Path) -> None:
    result = composed(tmp_path, book(nine_year(students={"primary": None, "junior": 210})))
    assert rows(result, "schools", "primary_students", "junior_students") == [(None, "210")]
    assert notices(result).endswith("2112000001 有小学班，而没有填写学生数，按没有填报处理")


def test_teachers_without_pupils_are_told(tmp_path: Path) -> None:
    """The school is not judged: if a blank is 0, it says that it has no pupils."""
    result = composed(tmp_path, book(primary(students={"primary": None})))
    assert rows(result, "schools", "primary_students") == [("0",)]
    assert notices(result) == "statistics/河西小学.xlsx：2112000002 有专任教师，而学生数空白，按没有学生处理"


def test_attached_classes_have_no_buildings_of_their_own(tmp_path: Path) -> None:
    row = wide_row(nine_year(row={**nine_year().row, "school_type": "附设小学班"}), "primary")
    row[-12:] = [None] * 12
    result = composed(tmp_path, export("primary", row))
    assert rows(result, "schools", "primary_students") == [("166",)]
    assert "校舍" not in notices(result)
