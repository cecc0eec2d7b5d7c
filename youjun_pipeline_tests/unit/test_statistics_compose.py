"""From cells of several workbooks to rows: what counts once, what is added, and what contradicts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from youjun_pipeline.contracts import load_datasets
from youjun_pipeline.ingest.statistics.compose import Composed, Source, compose
from youjun_pipeline.ingest.statistics.reading import read_statistics
from youjun_pipeline_tests.generate.statistics import Look, book_of, wide_row, wide_sheet, workbook
from youjun_pipeline_tests.generate.statistics_forms import WORD, School, Value
from youjun_pipeline_tests.unit.statistics_samples import nine_year, primary, teachers

DATASETS = [load_datasets()[name] for name in ("schools", "class_bands", "teachers", "facilities")]
PLAIN = Look(text_numbers=False)


def composed(
    folder: Path, *files: tuple[str, bytes], district: tuple[str, str] = ("120114", "武清区")
) -> Composed:
    sources, notices = [], []
    for name, data in files:
        path = folder / "delivered"
        path.write_bytes(data)
        read = read_statistics(path, name)
        assert read.failure is None, read.failure
        sources += [Source(f"{name}/{cell.member}" if cell.member else name, cell) for cell in read.cells]
        notices += read.notices
    return compose(sources, notices, district, DATASETS)


def export(stage: str, *rows: list[Value]) -> tuple[str, bytes]:
    return f"statistics/{WORD[stage]}.xlsx", workbook([wide_sheet(stage, rows)], PLAIN)


def rows(result: Composed, dataset: str, *columns: str) -> list[tuple[Any, ...]]:
    frame = result.results[dataset].frame
    return [
        tuple(None if value != value else value for value in line)
        for line in frame[list(columns)].itertuples(index=False, name=None)
    ]


def test_a_schools_own_workbook(tmp_path: Path) -> None:
    result = composed(tmp_path, ("statistics/a.xlsx", book_of(nine_year(), PLAIN)))
    schools = (
        "school_code",
        "school_name",
        "school_type",
        "sponsor_code",
        "urban_rural",
        "primary_students",
        "senior_students",
    )
    assert rows(result, "schools", *schools) == [
        ("2112000001", "石各庄九年一贯制学校", "312", None, "121", "166", None)
    ]
    assert rows(result, "teachers", "stage", "full_time", "doctorate", "art", "backbone", "certified") == [
        ("primary", "30", "0", "0", "3", None),
        ("junior", "32", "0", "0", "4", None),
    ]
    assert rows(
        result, "class_bands", "stage", "students_from", "students_to", "classes", "stage_classes"
    ) == [
        ("primary", "0", "25", "1", "5"),
        ("primary", "26", "30", "1", "5"),
        ("primary", "31", "35", "1", "5"),
        ("primary", "36", "40", "2", "5"),
        ("junior", "36", "40", "1", "5"),
        ("junior", "41", "45", "4", "5"),
    ]
    assert rows(result, "facilities", "teaching_area_m2", "rented_sports_area_m2") == [("5200.5", None)]


def test_empty_is_zero_and_a_star_is_nothing(tmp_path: Path) -> None:
    given: dict[str, Value] = {**teachers(28), "pe": 0, "music": -1, "art": "*", "backbone": -1}
    school = primary(teachers={"primary": given}, students={"primary": 0})
    result = composed(tmp_path, ("statistics/a.xlsx", book_of(school, PLAIN)))
    assert rows(result, "teachers", "full_time", "pe", "music", "art", "backbone") == [
        ("28", "0", None, None, None)
    ]
    assert rows(result, "schools", "primary_students", "junior_students") == [("0", None)]
    assert rows(result, "facilities", "school_code") == []


def test_private_schools_have_their_sponsor_code(tmp_path: Path) -> None:
    books = [
        ("statistics/a.xlsx", book_of(primary(), PLAIN)),
        ("statistics/b.xlsx", book_of(nine_year(), PLAIN)),
    ]
    result = composed(tmp_path, *books)
    assert rows(result, "schools", "school_name", "sponsor_code") == [
        ("河西小学", "10"),
        ("石各庄九年一贯制学校", None),
    ]
    wide = composed(
        tmp_path, export("primary", wide_row(primary(), "primary"), wide_row(nine_year(), "primary"))
    )
    assert rows(wide, "schools", "school_name", "sponsor_code") == [
        ("河西小学", "10"),
        ("石各庄九年一贯制学校", None),
    ]


def test_no_classes_at_all_is_not_no_report(tmp_path: Path) -> None:
    school = primary(classes={"primary": []}, students={"primary": 0})
    result = composed(tmp_path, ("statistics/a.xlsx", book_of(school, PLAIN)))
    assert rows(result, "class_bands", "stage", "students_from", "classes", "stage_classes") == [
        ("primary", "0", "0", "0")
    ]


def test_an_all_through_school_counts_once(tmp_path: Path) -> None:
    school = nine_year()
    result = composed(
        tmp_path, export("primary", wide_row(school, "primary")), export("junior", wide_row(school, "junior"))
    )
    assert rows(result, "schools", "school_code", "primary_students", "junior_students") == [
        ("2112000001", "166", "210")
    ]
    assert rows(result, "facilities", "teaching_area_m2", "equipment_value_wan") == [("5200.5", "88.25")]
    assert rows(result, "teachers", "stage", "full_time") == [("primary", "30"), ("junior", "32")]


def test_workbook_and_export_that_agree_are_one(tmp_path: Path) -> None:
    school = nine_year(row={**nine_year().row, "school_type": "312", "urban_rural": "121"}, type_code="312")
    result = composed(
        tmp_path,
        ("statistics/a.xlsx", book_of(nine_year(), PLAIN)),
        export("primary", wide_row(school, "primary")),
    )
    assert result.results["schools"].failure is None
    assert len(result.results["facilities"].frame) == 1


def test_contradictions_are_told_with_both_places(tmp_path: Path) -> None:
    other = nine_year(
        facilities={**(nine_year().facilities or {}), "teaching_area_m2": 0, "multimedia_rooms": 13}
    )
    result = composed(
        tmp_path,
        export("primary", wide_row(nine_year(), "primary")),
        export("junior", wide_row(other, "junior")),
    )
    failures = {name: read.failure for name, read in result.results.items()}
    failure = failures["schools"]
    assert failure is not None
    assert set(failures.values()) == {failure}
    assert failure.rule == "statistics_conflict"
    assert failure.message == (
        "同一数据在几处不一致，请核对后只保留正确的："
        "2112000001 本学年校舍建筑面积→教学及辅助用房→计：statistics/小学.xlsx › Sheet1 AM6 是“5200.5”、"
        "statistics/初中.xlsx › Sheet1 AM6 是“空（0）”、"
        "2112000001 占地面积及其他办学条件→网络多媒体教室：statistics/小学.xlsx › Sheet1 AR6 是“12”、"
        "statistics/初中.xlsx › Sheet1 AR6 是“13”"
    )


def test_a_contradiction_in_what_a_plain_file_delivers_is_none(tmp_path: Path) -> None:
    other = nine_year(facilities={**(nine_year().facilities or {}), "teaching_area_m2": 0})
    sources = []
    for name, data in (
        export("primary", wide_row(nine_year(), "primary")),
        export("junior", wide_row(other, "junior")),
    ):
        (tmp_path / "delivered").write_bytes(data)
        sources += [Source(name, cell) for cell in read_statistics(tmp_path / "delivered", name).cells]
    result = compose(sources, ["说明"], ("120114", "武清区"), [d for d in DATASETS if d.name != "facilities"])
    assert {name: read.failure for name, read in result.results.items()} == dict.fromkeys(
        ("schools", "class_bands", "teachers")
    )
    assert result.results["schools"].notices == ["说明"]


def test_attached_classes_count_with_their_host(tmp_path: Path) -> None:
    host = nine_year(
        row={**nine_year().row, "school_type": "初级中学", "school_name": "武清二中"},
        students={"junior": 210},
        teachers={"junior": teachers(32, 4)},
        classes={"junior": [42] * 5},
    )
    attached = nine_year(
        row={**nine_year().row, "school_name": "武清二中附设小学班"},
        type_code="219",
        students={"primary": 60},
        teachers={"primary": teachers(6, 1)},
        classes={"primary": [30, 30]},
        facilities=None,
    )
    files = [
        export("junior", wide_row(host, "junior")),
        export("primary", wide_row(attached, "primary", counted=False)),
    ]
    for given in (files, files[::-1]):
        result = composed(tmp_path, *given)
        assert rows(
            result, "schools", "school_name", "school_type", "primary_students", "junior_students"
        ) == [("武清二中", "初级中学", "60", "210")]
        assert sorted(rows(result, "teachers", "stage", "full_time")) == [("junior", "32"), ("primary", "6")]
        assert rows(result, "facilities", "teaching_area_m2") == [("5200.5",)], (
            "those of the attached row are left out"
        )


def test_attached_classes_in_a_workbook_of_their_own(tmp_path: Path) -> None:
    host = primary(
        "2112000005", "武清二中", students={"junior": 200}, teachers={"junior": teachers(20)}, type_code="311"
    )
    attached = primary("2112000005", "武清二中附设小学班", type_code="219", students={"primary": 40})
    books = [("statistics/a.xlsx", book_of(attached, PLAIN)), ("statistics/b.xlsx", book_of(host, PLAIN))]
    result = composed(tmp_path, *books)
    assert rows(result, "schools", "school_name", "school_type", "primary_students", "junior_students") == [
        ("武清二中", "311", "40", "200")
    ]


@pytest.mark.parametrize("parent", ["2112000002", "河西小学"])
def test_a_site_of_one_stage_is_a_campus_of_its_parent(tmp_path: Path, parent: str) -> None:
    buildings = {"teaching_area_m2": 300.25, "indoor_sports_area_m2": 0, "outdoor_sports_area_m2": 500}
    site = primary(
        "2112000003",
        "河东校点",
        students={"primary": 20},
        teachers={"primary": {**teachers(25, 1), "music": -1}},
        classes={"primary": [10, 10]},
        facilities={**buildings, "multimedia_rooms": 1, "equipment_value_wan": 2.5},
    )
    whole = primary(facilities=nine_year().facilities, classes={"primary": [25, 45]})
    lines = (wide_row(whole, "primary"), wide_row(site, "primary", counted=False, parent=parent))
    result = composed(tmp_path, export("primary", *lines))
    named = ("school_code", "campus")
    assert rows(result, "schools", *named, "school_name", "primary_students") == [
        ("2112000002", None, "河西小学", "100"),
        ("2112000002", "河东校点", "河东校点", "20"),
    ]
    assert rows(result, "facilities", *named, "teaching_area_m2", "multimedia_rooms") == [
        ("2112000002", None, "5200.5", "12"),
        ("2112000002", "河东校点", "300.25", "1"),
    ]
    assert rows(result, "teachers", *named, "full_time", "music") == [
        ("2112000002", None, "28", "2"),
        ("2112000002", "河东校点", "25", None),
    ]
    assert rows(result, "class_bands", *named, "students_from", "classes", "stage_classes") == [
        ("2112000002", None, "0", "1", "2"),
        ("2112000002", None, "41", "1", "2"),
        ("2112000002", "河东校点", "0", "2", "2"),
    ]


def test_sites_of_one_name_are_told_apart_by_their_codes(tmp_path: Path) -> None:
    lines = [wide_row(primary(), "primary")] + [
        wide_row(primary(f"211200000{n}", "东校区"), "primary", counted=False, parent="2112000002")
        for n in (3, 4)
    ]
    assert rows(composed(tmp_path, export("primary", *lines)), "schools", "school_code", "campus") == [
        ("2112000002", None),
        ("2112000002", "东校区2112000003"),
        ("2112000002", "东校区2112000004"),
    ]


def test_a_site_of_several_stages_counts_with_its_parent(tmp_path: Path) -> None:
    buildings = {"teaching_area_m2": 300.25, "indoor_sports_area_m2": 0, "outdoor_sports_area_m2": 500}
    site = nine_year(
        row=primary("2112000003", "河东校点").row,
        students={"primary": 20, "junior": 10},
        teachers={"primary": {**teachers(25, 1), "music": -1}, "junior": teachers(8)},
        classes={"primary": [10, 10], "junior": [10]},
        facilities={**buildings, "multimedia_rooms": 1, "equipment_value_wan": 2.5},
    )
    files = [
        export(stage, wide_row(nine_year(), stage), wide_row(site, stage, counted=False, parent="2112000001"))
        for stage in ("primary", "junior")
    ]
    result = composed(tmp_path, *files)
    assert rows(result, "schools", "school_code", "campus", "primary_students", "junior_students") == [
        ("2112000001", None, "186", "220")
    ]
    assert rows(result, "facilities", "teaching_area_m2", "multimedia_rooms", "equipment_value_wan") == [
        ("5500.75", "13", "90.75")
    ]
    assert rows(result, "teachers", "stage", "full_time", "bachelor", "music") == [
        ("primary", "55", "40", None),
        ("junior", "40", "40", "4"),
    ], "a part that is not known"


@pytest.mark.parametrize(
    ("parent", "told"),
    [("", "没有填写"), ("2112000099", "“2112000099”不在本次报表中"), ("河西", "“河西”不在本次报表中")],
)
def test_a_site_without_a_parent_is_turned_away(tmp_path: Path, parent: str, told: str) -> None:
    site = primary("2112000003", "河东校点", students={"primary": 20})
    result = composed(
        tmp_path,
        export(
            "primary", wide_row(primary(), "primary"), wide_row(site, "primary", counted=False, parent=parent)
        ),
    )
    assert rows(result, "schools", "school_code", "primary_students") == [("2112000002", "100")]
    (rejected,) = result.rejected
    assert (rejected.rule, rejected.school_code) == ("parent_school_unknown", "2112000003")
    assert (rejected.source.sheet, rejected.source.cell.row) == ("statistics/小学.xlsx › Sheet1", 7)
    assert rejected.message == (
        f"是不计校数的校点或附设班，其数据应并入所属学校，但所属学校{told}；"
        "请在宽表中补上“所属学校标识码”一列并填写，本行未计入"
    )


def test_schools_of_other_districts(tmp_path: Path) -> None:
    other = primary("2112000007", "宝坻小学", authority="120115000000")
    result = composed(tmp_path, export("primary", wide_row(primary(), "primary"), wide_row(other, "primary")))
    assert rows(result, "schools", "school_name") == [("河西小学",)]
    assert result.rejected == []
    assert (
        "statistics/小学.xlsx › Sheet1 有 1 所学校不属于本区，没有读取" in result.results["schools"].notices
    )
    result = composed(
        tmp_path,
        ("statistics/a.xlsx", book_of(primary(), PLAIN)),
        ("statistics/b.xlsx", book_of(other, PLAIN)),
    )
    assert rows(result, "schools", "school_name") == [("河西小学",)]
    assert [(r.rule, r.source.sheet, r.message) for r in result.rejected] == [
        (
            "school_of_another_district",
            "statistics/b.xlsx › 教基1001",
            "属地管理教育行政部门的代码是 120115000000，不是本区 120114；请移走这个工作簿，或核对代码，本校未计入",
        )
    ]


def test_rows_without_a_code_are_turned_away_one_by_one(tmp_path: Path) -> None:
    lines = [wide_row(primary(f"211200000{i}", f"第{i}小学"), "primary") for i in range(3)]
    lines[1][1] = lines[2][1] = ""
    result = composed(tmp_path, export("primary", *lines))
    assert rows(result, "schools", "school_name") == [("第0小学",)]
    assert [(r.rule, r.source.cell.row, r.source.cell.letter) for r in result.rejected] == [
        ("blank_required", 7, "B"),
        ("blank_required", 8, "B"),
    ]


@pytest.mark.parametrize("area", ["武清区", "天津市武清区", "武清"])
def test_districts_may_be_told_by_name(tmp_path: Path, area: str) -> None:
    def without_code(school: School, area: str) -> list[Value]:
        line = wide_row(school, "primary", area=area)
        line[4] = ""
        return line

    sheet = wide_sheet("primary", [without_code(primary(), area), without_code(nine_year(), "宝坻区")])
    for place, value in list(sheet.cells.items()):
        if value == "属地管理教育行政部门代码":
            sheet.cells[place] = "主管部门"
    result = composed(tmp_path, ("statistics/小学.xlsx", workbook([sheet], PLAIN)))
    assert rows(result, "schools", "school_name") == [("河西小学",)]


def test_every_value_is_told_with_its_cell(tmp_path: Path) -> None:
    result = composed(
        tmp_path, ("statistics/小学/a.xlsx", book_of(nine_year(), Look(coordinates=True, text_numbers=False)))
    )
    origins = {(o[0], o[3]): o[4:] for o in result.sources if o[0] != "teachers"}
    assert origins["schools", "primary_students"] == (
        "statistics/小学/a.xlsx",
        "教基3112",
        7,
        "J",
        "总 计×在校生数→合计",
    )
    assert origins["facilities", "equipment_value_wan"][1:4] == ("教基5176", 20, "E")
    frame = result.results["teachers"].frame
    assert list(zip(frame["sheet"], frame["row_number"], strict=True)) == [
        ("statistics/小学/a.xlsx › 教基4155", 7),
        ("statistics/小学/a.xlsx › 教基4156", 7),
    ]
    for dataset in DATASETS:
        frame = result.results[dataset.name].frame
        assert not frame.duplicated(["sheet", "row_number"]).any()
        assert list(frame.columns) == ["sheet", "row_number", *dataset.columns]


def test_bands_side_by_side_are_rows_of_their_own(tmp_path: Path) -> None:
    result = composed(tmp_path, export("primary", wide_row(nine_year(), "primary")))
    frame = result.results["class_bands"].frame
    assert list(frame["sheet"]) == [f"statistics/小学.xlsx › Sheet1 › {letter} 列" for letter in "MNOP"]
