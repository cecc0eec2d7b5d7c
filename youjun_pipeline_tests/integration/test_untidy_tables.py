"""Tables that people made for people: rows that are not data are reported and left out, and no data are lost."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter
import xlwt

from youjun_pipeline.contracts import load_datasets
from youjun_pipeline.contracts.model import HELPER_SHEET
from youjun_pipeline.ingest.files import ReadResult, read_file
from youjun_pipeline.ingest.results import Place
from youjun_pipeline.ingest.validate import validate
from youjun_pipeline_tests.integration.delivered_files import (
    CLASS_HEADER,
    CLASS_ROWS,
    CLASSES,
    FACILITIES,
    SCHOOLS,
    write_csv,
    write_xlsx,
)

SCHOOL_HEADER: list[Any] = ["学校标识码", "学校名称", "办学类型", "小学在校生数"]
SCHOOL_ROWS: list[list[Any]] = [["01", "甲小学", "小学", 100], ["02", "乙小学", "小学", 200]]


def read(path: Path, dataset: Any = CLASSES) -> ReadResult:
    result = read_file(path, dataset)
    assert result.failure is None, result.failure
    return result


def numbers(result: ReadResult) -> list[int]:
    return [int(number) for number in result.frame["row_number"]]


def test_sums_are_told_and_left_out_wherever_they_stand(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        SCHOOL_HEADER,
        ["合计", None, None, 300],
        SCHOOL_ROWS[0],
        [None, "城区小计", None, 100],
        SCHOOL_ROWS[1],
        ["总　计：", None, None, 300],
        [None, None, "平均", 150],
    ]
    result = read(
        write_csv(tmp_path / "schools.csv", [["" if c is None else c for c in r] for r in rows]), SCHOOLS
    )
    assert numbers(result) == [3, 5]
    text = "第 2、4、6、7 行是合计或平均，不是一行数据，没有读取"
    assert result.notices == [text]
    assert result.places[text] == Place("", (2, 4, 6, 7), is_harmless=True)


def test_an_item_that_ends_in_sum_is_no_sum(tmp_path: Path) -> None:
    rows = [["项目", "年度", "数值"], ["财政教育支出合计", "2023", "12"], ["合计", "2023", "12"]]
    result = read(write_csv(tmp_path / "district_figures.csv", rows), load_datasets()["district_figures"])
    assert numbers(result) == [2]


def test_remarks_and_signatures_are_left_out_and_never_quoted(tmp_path: Path) -> None:
    rows = [
        CLASS_HEADER,
        *CLASS_ROWS,
        [],
        ["注：1. 以2023年8月31日为准"],
        ["2. 借读生不计入。"],
        ["填表人：张三", "", "", "联系电话：13800000000"],
        ["武清区教育局"],
    ]
    result = read(write_csv(tmp_path / "classes.csv", rows))
    assert numbers(result) == [2, 3]
    assert result.notices[-1] == "第 5、6、7、8 行是表注或签名，没有作为数据"
    assert not any("张三" in text or "1380" in text for text in result.notices)


def test_a_heading_between_rows_is_refused_as_a_code(tmp_path: Path) -> None:
    rows: list[list[Any]] = [CLASS_HEADER, CLASS_ROWS[0], ["二、初中部"], CLASS_ROWS[1]]
    result = read(write_csv(tmp_path / "classes.csv", rows))
    assert numbers(result) == [2, 3, 4]
    checked = validate(CLASSES, result.frame.assign(content_sha256="x"))
    told = checked.rejections.query("row_number == 3 and column_name == 'school_code'")["message"].tolist()
    assert told == ["学校标识码“二、初中部”不是代码，代码只有数字、字母和 -，请核对是否填错了列"]
    assert checked.accepted.num_rows == 2


def test_numbers_of_columns_are_no_row(tmp_path: Path) -> None:
    rows: list[list[Any]] = [SCHOOL_HEADER, ["甲", "乙", "1", "2"], *SCHOOL_ROWS]
    result = read(write_csv(tmp_path / "schools.csv", rows), SCHOOLS)
    assert (numbers(result), result.notices) == ([3, 4], ["第 2 行是栏号，没有作为数据"])


@pytest.mark.parametrize("merged", [[], ["A2:A3", "B2:B3", "C2:C3", "D2:F2"]])
def test_a_header_over_two_rows_is_read_together(tmp_path: Path, merged: list[str]) -> None:
    top = ["学校标识码", "学校名称", "办学类型", "在校生数（人）", None, None]
    bottom = [None, None, None, "小学", "初中", "高中"]
    rows: list[list[Any]] = [["某区学校情况"], top, bottom, ["01", "甲学校", "九年一贯制学校", 100, 50, None]]
    with xlsxwriter.Workbook(tmp_path / "schools.xlsx") as book:
        sheet = book.add_worksheet()
        for cells in merged:
            sheet.merge_range(cells, None)
        for r, row in enumerate(rows):
            for c, value in enumerate(row):
                if value is not None:
                    sheet.write(r, c, value)
    result = read(tmp_path / "schools.xlsx", SCHOOLS)
    assert result.frame[["primary_students", "junior_students"]].values.tolist() == [["100", "50"]]
    assert [c.header for c in result.columns if c.column_name == "junior_students"] == ["初中在校生数（人）"]
    assert (result.notices, result.ignored_headers) == ([], [])


def test_a_spoilt_header_above_a_whole_one_does_not_hide_its_rows(tmp_path: Path) -> None:
    spoilt = [*CLASS_HEADER[:4], "人"]
    path = write_csv(tmp_path / "classes.csv", [["表一"], spoilt, *CLASS_ROWS, CLASS_HEADER, CLASS_ROWS[0]])
    failure = read_file(path, CLASSES).failure
    assert failure is not None and failure.rule == "ambiguous_header"
    assert failure.message == (
        "文件第 2 行和第 5 行都像表头，其间第 3–4 行不知属于哪一个。请只在数据之上保留一个完整的表头，其余删除。"
    )


def test_rows_that_a_filter_hides_are_read_and_told(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "classes.xlsx") as book:
        sheet = book.add_worksheet("班级")
        for number, row in enumerate([CLASS_HEADER, *CLASS_ROWS]):
            sheet.write_row(number, 0, row)
        sheet.set_row(2, None, None, {"hidden": True})
    old = xlwt.Workbook()
    page = old.add_sheet("班级")
    for r, row in enumerate([CLASS_HEADER, *CLASS_ROWS]):
        for c, value in enumerate(row):
            page.write(r, c, value)
    page.row(2).hidden = True
    old.save(str(tmp_path / "classes.xls"))
    for name in ("classes.xlsx", "classes.xls"):
        result = read(tmp_path / name)
        assert numbers(result) == [2, 3]
        (notice,) = result.notices
        assert notice.startswith("工作表“班级”：第 3 行是隐藏的（可能被筛选掉了），也读取了")


def test_a_formula_without_a_result_is_not_taken_for_blank(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in [CLASS_HEADER, *CLASS_ROWS]:
        sheet.append(row)
    sheet["E2"] = "=40+1"
    sheet["A3"] = '="01"'
    book.save(tmp_path / "classes.xlsx")
    result = read(tmp_path / "classes.xlsx")
    assert result.frame["students"].tolist()[0] == "#公式没有结果"
    told = validate(CLASSES, result.frame.assign(content_sha256="x")).rejections["message"].tolist()
    assert told == [
        "学生数“#公式没有结果”不是数，是公式的出错结果，请改正公式，或直接填写内容",
        "学校标识码“#公式没有结果”是公式的出错结果，请改正公式，或直接填写内容",
    ]


def test_columns_and_sheets_that_only_help_are_no_cause_for_a_notice(tmp_path: Path) -> None:
    path = write_xlsx(
        tmp_path / "facilities.xlsx",
        {
            "办学条件": [["学校标识码", "学校名称", "运动场地面积"], ["01", "甲小学", 100]],
            "说明": [[f"{HELPER_SHEET}。"], ["学校标识码", "运动场地面积"], ["02", 200]],
        },
    )
    result = read(path, FACILITIES)
    assert result.frame["school_code"].tolist() == ["01"]
    assert (result.notices, result.ignored_headers) == ([], [])


def test_other_workbooks_under_these_names_are_refused(tmp_path: Path) -> None:
    for member, kind in {"xl/workbook.bin": "Excel 二进制工作簿", "content.xml": "OpenDocument 表格"}.items():
        with zipfile.ZipFile(tmp_path / "classes.xlsx", "w") as archive:
            archive.writestr(member, b"x")
        failure = read_file(tmp_path / "classes.xlsx", CLASSES).failure
        assert failure is not None and f"内容其实是 {kind}" in failure.message.replace("是Op", "是 Op")
        assert "另存为 .xlsx" in failure.message


def test_sectors_in_a_circle_end_neither_the_program_nor_its_memory(tmp_path: Path) -> None:
    path = tmp_path / "classes.xls"
    book = xlwt.Workbook()
    page = book.add_sheet("S")
    for r in range(300):
        page.write(r, 0, f"学校{r}")
    book.save(str(path))
    data = bytearray(path.read_bytes())
    (table,) = struct.unpack_from("<I", data, 0x4C)
    at = (table + 1) * 512
    # The second sector of the workbook leads back to the first.
    struct.pack_into("<I", data, at + 4, 0)
    path.write_bytes(data)
    failure = read_file(path, CLASSES).failure
    assert failure is not None and "文件不完整或已损坏" in failure.message


@pytest.mark.parametrize("place", ["XFD1048576", "A1048576", "ZZZ999999"])
def test_a_far_cell_is_found_whatever_extent_the_sheet_states(tmp_path: Path, place: str) -> None:
    write_xlsx(tmp_path / "whole.xlsx", {"S": [CLASS_HEADER, *CLASS_ROWS]})
    with (
        zipfile.ZipFile(tmp_path / "whole.xlsx") as source,
        zipfile.ZipFile(tmp_path / "classes.xlsx", "w") as target,
    ):
        for name in source.namelist():
            data = source.read(name)
            target.writestr(name, data.replace(b'r="E3"', f'r="{place}"'.encode()))
    failure = read_file(tmp_path / "classes.xlsx", CLASSES).failure
    assert (
        failure is not None
        and "工作表“S”有" in failure.message
        and "请删除表格以外多余的单元格" in failure.message
    )


def test_a_header_merged_over_the_first_row_does_not_take_it(tmp_path: Path) -> None:
    """The row has a code of its own: it was once skipped as a part of the header, without a message."""
    rows = [CLASS_HEADER, *CLASS_ROWS]
    path = write_xlsx(tmp_path / "classes.xlsx", {"S": [row[:4] for row in rows]}, merged=["E1:E2"])
    book = openpyxl.load_workbook(path)
    book["S"]["E1"], book["S"]["E3"] = CLASS_HEADER[4], CLASS_ROWS[1][4]
    book.save(path)
    result = read_file(path, CLASSES)
    assert result.failure is None
    assert result.frame["school_code"].tolist() == [row[0] for row in CLASS_ROWS]
    assert result.frame["students"].isna().tolist() == [True, False]
    assert any("E 列第 1–2 行是合并单元格，只有第一行有值" in notice for notice in result.notices)
