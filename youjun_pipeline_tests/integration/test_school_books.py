"""One workbook for each school, and the district's files composed from them, with the origin of each row."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest
import xlwt

from youjun_pipeline.contracts import load_datasets
from youjun_pipeline.ingest.files import read_file
from youjun_pipeline.templates.books import TemplateError
from youjun_pipeline.templates.data_sheet import header_of
from youjun_pipeline.templates.school_books import compose_books, write_school_books
from youjun_pipeline_tests.integration.test_templates import EVIL, ROSTER

FIRST, SECOND, THIRD = ("0011000001", "0011000002", "0011000003")


def put(path: Path, dataset: str, row: int, **values: object) -> None:
    """Type into a school's workbook."""
    book = openpyxl.load_workbook(path)
    contract = load_datasets()[dataset]
    sheet = book[contract.title]
    at = {str(cell.value): cell.column for cell in sheet[1]}
    for name, value in values.items():
        sheet.cell(row, at[header_of(contract.columns[name])]).value = value
    book.save(path)


@pytest.fixture
def books(tmp_path: Path) -> Path:
    folder = tmp_path / "schools"
    assert [p.name for p in write_school_books(folder, ROSTER)] == [
        f"{c}.xlsx" for c in (FIRST, SECOND, THIRD)
    ]
    return folder


def test_the_districts_files_come_from_the_schools(books: Path, tmp_path: Path) -> None:
    put(books / f"{FIRST}.xlsx", "facilities", 2, teaching_area_m2=1234.5)
    put(
        books / f"{FIRST}.xlsx",
        "classes",
        2,
        school_code=FIRST,
        stage="小学",
        grade="一年级",
        class_no="1",
        students=40,
    )
    put(books / f"{SECOND}.xlsx", "teachers", 2, full_time=30)
    book = openpyxl.load_workbook(books / f"{FIRST}.xlsx")
    book["填报信息"]["B5"], book["填报信息"]["B6"] = "张老师", "李校长"
    book.save(books / f"{FIRST}.xlsx")
    (books / f"{THIRD}.xlsx").unlink()
    out = tmp_path / "2024-06-30"
    result = compose_books(books, out, ROSTER)
    assert (result.faults, result.schools) == ([], 2)
    assert result.notices == [f"还没有交的学校 1 所：完全中学（{THIRD}）"]
    read = read_file(out / "facilities.xlsx", load_datasets()["facilities"])
    assert (read.notices, read.ignored_headers) == ([], [])
    assert read.frame[["school_code", "teaching_area_m2"]].fillna("").values.tolist() == [
        [FIRST, "1234.5"],
        [SECOND, ""],
    ]
    assert len(read_file(out / "classes.xlsx", load_datasets()["classes"]).frame) == 1
    rows = list(openpyxl.load_workbook(out / "facilities.xlsx").worksheets[0].iter_rows(values_only=True))
    assert rows[0][-5:] == ("来源文件", "来源行", "填报单位", "填表人", "审核人")
    assert rows[1][-5:] == (f"{FIRST}.xlsx", "办学条件 第 2 行", EVIL, "张老师", "李校长")
    roster = read_file(out / "schools.xlsx", load_datasets()["schools"]).frame
    assert roster["school_code"].tolist() == [FIRST, SECOND]


def test_a_school_twice_or_two_schools_in_one_stop_the_whole(books: Path, tmp_path: Path) -> None:
    put(books / f"{SECOND}.xlsx", "facilities", 3, school_code=THIRD, teaching_area_m2=1)
    (books / "副本.xlsx").write_bytes((books / f"{FIRST}.xlsx").read_bytes())
    (books / "坏.xlsx").write_bytes(b"nothing")
    out = tmp_path / "out"
    result = compose_books(books, out)
    text = "\n".join(result.faults)
    assert f"学校 {FIRST} 有 2 个工作簿：{FIRST}.xlsx、副本.xlsx" in text
    assert f"{SECOND}.xlsx：一个工作簿应当只填一所学校，现有：{SECOND}、{THIRD}" in text
    assert "坏.xlsx：" in text
    assert not out.exists() and result.written == {}


def test_nothing_is_written_over(books: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "classes.csv").write_text("x", encoding="utf-8")
    with pytest.raises(TemplateError, match="已有 classes"):
        compose_books(books, out)
    with pytest.raises(TemplateError, match="没有学校的工作簿"):
        compose_books(out, tmp_path / "other")


def test_an_old_workbook_counts_and_other_files_are_named(books: Path, tmp_path: Path) -> None:
    for code in (FIRST, SECOND, THIRD):
        (books / f"{code}.xlsx").unlink()
    book = xlwt.Workbook()
    contract = load_datasets()["facilities"]
    sheet = book.add_sheet(contract.title)
    for column, (header, value) in enumerate([("学校标识码", FIRST), ("教学及辅助用房面积", 1234.5)]):
        sheet.write(0, column, header)
        sheet.write(1, column, value)
    book.save(str(books / "第一小学.XLS"))
    (books / "第二小学.csv").write_text("学校标识码\n", encoding="utf-8")
    result = compose_books(books, tmp_path / "out")
    assert (result.faults, result.schools) == ([], 1)
    assert result.notices == ["不是工作簿（.xlsx 或 .xls），没有汇总：第二小学.csv"]
    composed = read_file(tmp_path / "out" / "facilities.xlsx", contract).frame
    assert composed["school_code"].tolist() == [FIRST]
    assert composed["teaching_area_m2"].tolist() == ["1234.5"]


def test_nothing_in_a_schools_workbook_is_passed_over(books: Path, tmp_path: Path) -> None:
    """A renamed sheet, an unknown column, a folder, and a code in another spelling."""
    put(books / f"{FIRST}.xlsx", "facilities", 2, school_code=f"{FIRST}.0", teaching_area_m2=1234.5)
    book = openpyxl.load_workbook(books / f"{FIRST}.xlsx")
    title = load_datasets()["facilities"].title
    book[title].cell(1, 20).value = "操场数"
    book.create_sheet("空白页")
    book.save(books / f"{FIRST}.xlsx")
    (books / "河西镇").mkdir()
    result = compose_books(books, tmp_path / "out", ROSTER)
    assert (result.faults, result.schools) == ([], 3)
    assert result.notices == [
        "是文件夹，没有汇总：河西镇；请把工作簿放在同一个文件夹里",
        f"{FIRST}.xlsx 工作表“{title}”：不认识“操场数”列，没有读取",
    ]
    book[title].title = f"{title}(2)"
    book.save(books / f"{FIRST}.xlsx")
    result = compose_books(books, tmp_path / "again", ROSTER)
    (fault,) = result.faults
    assert fault.startswith(f"{FIRST}.xlsx 工作表“{title}(2)”不知是哪个表，没有读取")
