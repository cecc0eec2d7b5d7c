"""Cells of .xlsx and .xls mean what they show, or are refused with the reason: the same table in both formats."""

from __future__ import annotations

import datetime as dt
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import xlsxwriter
import xlwt

from youjun_pipeline.contracts import Dataset
from youjun_pipeline.ingest.files import ReadResult, read_file
from youjun_pipeline.ingest.validate import Validated, validate
from youjun_pipeline_tests.faults.bomb_books import MAIN, SHEET, STRINGS, STYLES, parts, sheet_xml
from youjun_pipeline_tests.faults.zips import write_zip
from youjun_pipeline_tests.integration.delivered_files import CLASSES, FACILITIES, SCHOOLS

HEADER = ["学校标识码", "学校名称", "办学类型", "建校年份", "小学在校生数"]
Styled = tuple[Any, str]


def write_xlsx(path: Path, rows: list[list[Any]], struck: str = "") -> Path:
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("表")
        for r, row in enumerate(rows):
            for c, cell in enumerate(row):
                value, code = cell if isinstance(cell, tuple) else (cell, "General")
                style = book.add_format({"num_format": code, "font_strikeout": value == struck})
                if isinstance(value, dt.date):
                    sheet.write_datetime(r, c, value, style)
                elif value is not None:
                    sheet.write(r, c, value, style)
    return path


def write_xls(path: Path, rows: list[list[Any]], struck: str = "") -> Path:
    book = xlwt.Workbook()
    sheet = book.add_sheet("表")
    for r, row in enumerate(rows):
        for c, cell in enumerate(row):
            value, code = cell if isinstance(cell, tuple) else (cell, "General")
            style = xlwt.easyxf("font: struck_out on" if value == struck else "", num_format_str=code)
            if value is not None:
                sheet.write(r, c, value, style)
    book.save(str(path))
    return path


WRITERS: dict[str, Callable[..., Path]] = {".xlsx": write_xlsx, ".xls": write_xls}


def checked(result: ReadResult, dataset: Dataset) -> Validated:
    assert result.failure is None, result.failure
    return validate(dataset, result.frame.assign(content_sha256="x"))


def accepted(result: ReadResult, dataset: Dataset, column: str) -> list[Any]:
    values: list[Any] = checked(result, dataset).accepted.column(column).to_pylist()
    return values


def messages(result: ReadResult, dataset: Dataset) -> list[str]:
    found: pd.Series[str] = checked(result, dataset).rejections["message"]
    return found.tolist()


@pytest.mark.parametrize("suffix", WRITERS)
def test_a_school_as_spreadsheets_write_it(tmp_path: Path, suffix: str) -> None:
    rows: list[list[Any]] = [
        HEADER,
        [(112000001, "0000000000"), "甲小学", "小学", (dt.date(1986, 1, 1), "yyyy"), 812],
        ["0112000002", "乙小学", "小学", (dt.date(1999, 9, 1), 'yyyy"年"'), (905, '0"人"')],
        ["0112000003", "丙小学", "小学", (1978, "yyyy-mm-dd"), (12.5, '0!.0,"万"')],
        ["0112000004", "丁小学", "小学", (1978, "yyyy"), (45, "yyyy-mm-dd")],
    ]
    result = read_file(WRITERS[suffix](tmp_path / f"schools{suffix}", rows), SCHOOLS)
    assert accepted(result, SCHOOLS, "school_code") == [f"011200000{n}" for n in range(1, 5)]
    assert accepted(result, SCHOOLS, "built_year") == [1986, 1999, None, None]
    assert accepted(result, SCHOOLS, "primary_students") == [812, 905, None, None]
    said = messages(result, SCHOOLS)
    assert len(said) == 4
    assert "“1905-05-31”是日期，不是年份，请把单元格格式改为“常规”" in said[0]
    assert "存储的是 12.5，格式是 0!.0" in said[1]
    assert "存储的像是年份，格式是 yyyy，显示成了 1905" in said[2]
    assert "“1900-02-14”是日期，不是数" in said[3]


@pytest.mark.parametrize("suffix", WRITERS)
def test_money_whose_format_shows_another_unit(tmp_path: Path, suffix: str) -> None:
    rows: list[list[Any]] = [
        ["学校标识码", "教学仪器设备资产值(万元)", "运动场地面积"],
        ["2111000001", (1863500, '0!.0000,"万"'), (6800, "0.00")],
        ["2111000003", (186.35, '0.00"万"'), (0.68, '0.00"万"')],
        ["2111000005", (0, '0!.0,"万"'), (0, '_ * #,##0.00_ ;_ * -#,##0.00_ ;_ * "-"??_ ;_ @_ ')],
    ]
    result = read_file(WRITERS[suffix](tmp_path / f"facilities{suffix}", rows), FACILITIES)
    values = accepted(result, FACILITIES, "equipment_value_wan")
    assert [None if v is None else float(v) for v in values] == [None, 186.35, 0]
    assert [
        None if v is None else float(v) for v in accepted(result, FACILITIES, "outdoor_sports_area_m2")
    ] == [*(6800, None, 0)]
    first, second = messages(result, FACILITIES)
    assert "存储的是 1863500" in first and "请把单元格格式改为“常规”" in first
    assert "含有“万”" in second


@pytest.mark.parametrize("suffix", WRITERS)
def test_rows_struck_through_are_told(tmp_path: Path, suffix: str) -> None:
    rows: list[list[Any]] = [HEADER[:3], ["2111000001", "甲小学", "小学"], ["2111000003", "乙小学", "小学"]]
    result = read_file(WRITERS[suffix](tmp_path / f"schools{suffix}", rows, "乙小学"), SCHOOLS)
    assert result.notices == ["工作表“表”：第 3 行有划了删除线的单元格，也读取了；如果已经作废，请删除"]


def test_a_part_of_a_text_struck_through_is_told(tmp_path: Path) -> None:
    """A figure corrected by hand: the old one is struck through, the new one follows in the same cell."""
    with xlsxwriter.Workbook(tmp_path / "schools.xlsx") as book:
        sheet = book.add_worksheet("表")
        sheet.write_row(0, 0, HEADER)
        sheet.write_row(1, 0, ["2111000001", "甲小学", "小学", 1986])
        sheet.write_rich_string(1, 4, book.add_format({"font_strikeout": True}), "9", "40")
    result = read_file(tmp_path / "schools.xlsx", SCHOOLS)
    assert result.notices == ["工作表“表”：第 2 行有划了删除线的单元格，也读取了；如果已经作废，请删除"]


def test_hidden_columns_are_told(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "schools.xlsx") as book:
        sheet = book.add_worksheet("表")
        sheet.write_row(0, 0, HEADER[:3])
        sheet.write_row(1, 0, ["2111000001", "甲小学", "小学"])
        sheet.set_column(1, 1, None, None, {"hidden": True})
    result = read_file(tmp_path / "schools.xlsx", SCHOOLS)
    assert result.notices == ["工作表“表”：B 列是隐藏的，也读取了；如果不是要交付的数据，请删除"]


def raw(path: Path, rows: str, styles: bytes | None = None, after: str = "") -> Path:
    """A workbook of the good classes and some rows as XML below them."""
    changed: dict[str, Any] = {SHEET: sheet_xml(rows, after)} | ({STYLES: styles} if styles else {})
    write_zip(path, parts(changed))
    return path


PERCENTS = f"<styleSheet {MAIN}><cellXfs><xf numFmtId='0'/><xf numFmtId='9'/><xf numFmtId='14'/></cellXfs></styleSheet>".encode()


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("<c r='E3' t='e'><v>#REF!</v></c>", "#REF!"),
        ('<c t = "e"\n r="E3"><v>#REF!</v></c>', "#REF!"),
        ('<c r="E3" t="e"><v>&#35;REF!</v></c>', "#REF!"),
        ('<c r="E3" t="e"><v><![CDATA[#REF!]]></v></c>', "#REF!"),
        (
            '<x:c xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main" r="E3" t="e"><x:v>#N/A</x:v></x:c>',
            "#N/A",
        ),
        ("<c r='E3' s='1'><v>0.6</v></c>", "60%"),
        ('<c s="1" r="E3"><v>0.6</v></c>', "60%"),
        ('<c r="E3" s="1"><!-- a --><v>0.6</v></c>', "60%"),
        ("<c r='E3'><f>1+1</f></c>", "#公式没有结果"),
        ('<c r="E3" s="2"><f>DATE(2024,8,31)</f><v>45535</v></c>', "2024-08-31"),
        ('<c r="E3" t="str"><f>TEXT(A1,"yyyy-mm-dd")</f><v>2024-08-31</v></c>', "2024-08-31"),
        ('<c r="E3" t="d"><v>2024-08-31</v></c>', "2024-08-31"),
    ],
)
def test_xml_is_read_as_xml(tmp_path: Path, cell: str, text: str) -> None:
    path = raw(tmp_path / "classes.xlsx", f'<row r="3"><c r="A3"><v>2111000003</v></c>{cell}</row>', PERCENTS)
    assert read_file(path, CLASSES).frame["students"].tolist() == ["42", text]


@pytest.mark.parametrize(
    "cell",
    [
        '<c r="E3"><v>4&#50;0</v></c>',
        '<c r="E3"><v>4<!-- a -->20</v></c>',
        '<c r="E3"><v>4<?a b?>20</v></c>',
        '<c r="E3"><v><![CDATA[420]]></v></c>',
        "<c r='E3' t='n'><v >4&#x32;0</v></c>",
        '<c r="E3" t="str"><f>A1</f><v><![CDATA[420]]></v></c>',
        '<x:c xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main" r="E3"><x:v>4&#50;0</x:v></x:c>',
    ],
)
def test_a_value_in_pieces_is_refused_and_never_cut_short(tmp_path: Path, cell: str) -> None:
    path = raw(tmp_path / "classes.xlsx", f'<row r="3"><c r="A3"><v>2111000003</v></c>{cell}</row>')
    failure = read_file(path, CLASSES).failure
    assert failure is not None and failure.rule == "file_unreadable"
    assert (
        "写得特殊（夹着注释、CDATA 或字符引用），读不准。请用 Excel 或 WPS 打开后另存为 .xlsx"
        in failure.message
    )


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ('<c r="E3"><v>40</v><v>99</v></c>', "写了两次"),
        ('<c r="E3"><v>40</v> <v></v></c>', "写了两次"),
        ('<c r="E3"><v>40</v><y:v xmlns:y="urn:x">99</y:v></c>', "写了两次"),
        ('<c r="E3" t="inlineStr"><is><t>40</t></is><is><t>99</t></is></c>', "写了两次"),
        ('<c r="E3" t="inlineStr"><is><t>40</t></is><v>99</v></c>', "写了两次"),
        ('<c r="E3" t="inlineStr"><v>40</v></c>', "写得特殊"),
        ('<c r="E3"><v>40</v><f>1+1</f></c>', "写得特殊"),
        ('<c r="E3"><v>4<b>9</b>0</v></c>', "单元格之外的内容（b）"),
        ('<C r="E3"><v>40</v></C>', "单元格之外的内容（C）"),
        ('<c r="E3"><v>40</v></c><c r="E3"><v>99</v></c>', "第 3 行的单元格写了两次"),
        ('<c r="E3"><v>40</v></c><c r="D3"><v>7</v></c>', "第 3 行的单元格写了两次，或次序颠倒"),
        ('<c r="E2"><v>99</v></c>', "单元格 E2 不在它的那一行里"),
        ('<c r="E3"><v>40</v></c></row><row r="3"><c r="E3"><v>99</v></c>', "第 3 行写了两次"),
        ('<c r="E3" t="s"><v>-1</v></c>', "不存在的共享文字（-1）"),
        ('<c r="E3" t="s" s="0"><v>1.0</v></c>', "不存在的共享文字（1.0）"),
    ],
)
def test_a_cell_with_two_values_or_in_two_places_is_refused(tmp_path: Path, cells: str, told: str) -> None:
    """The workbook reader takes the last of two values, and for a missing text the first text of the table."""
    path = raw(tmp_path / "classes.xlsx", f'<row r="3"><c r="A3"><v>2111000003</v></c>{cells}</row>')
    failure = read_file(path, CLASSES).failure
    assert failure is not None and failure.rule == "file_unreadable"
    assert told in failure.message and "读不准。请用 Excel 或 WPS 打开后另存为 .xlsx" in failure.message


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ('<c r="e3" t="e"><v>#REF!</v></c>', "#REF!"),
        ('<c r="E3" t="e"><v></v></c>', "#ERROR!"),
        ('<c r="E3" t="e"/>', "#ERROR!"),
        ('<c r="E3" t="str"><f>A1</f></c>', "#公式没有结果"),
        ('<c r="E3" t="inlineStr"><is><t>40</t><rPh sb="0" eb="1"><t>99</t></rPh></is></c>', "40"),
        ('<c r="E3" t="inlineStr"><is><r><t>4</t></r><r><t>0</t></r></is></c>', "40"),
    ],
)
def test_a_cell_written_unusually_is_read_as_it_is_shown(tmp_path: Path, cell: str, text: str) -> None:
    path = raw(tmp_path / "classes.xlsx", f'<row r="3"><c r="A3"><v>2111000003</v></c>{cell}</row>')
    assert read_file(path, CLASSES).frame["students"].tolist() == ["42", text]


@pytest.mark.parametrize("stated", ["2147483648", "18446744073709551615", "&#50;147483648"])
def test_more_shared_texts_than_memory_are_refused(tmp_path: Path, stated: str) -> None:
    """The workbook reader allocates as many texts as are claimed; without enough memory the program ended."""
    texts = f'<sst {MAIN} count="1" uniqueCount="{stated}"><si><t>小学</t></si></sst>'
    write_zip(tmp_path / "classes.xlsx", parts({STRINGS: texts.encode()}))
    failure = read_file(tmp_path / "classes.xlsx", CLASSES).failure
    assert failure is not None and "共享文字表不完整或已损坏" in failure.message


def test_references_in_the_text_of_a_formula_are_read(tmp_path: Path) -> None:
    cell = '<c r="E3" t="str"><f>A1&amp;B1</f><v>4&amp;2</v></c>'
    path = raw(tmp_path / "classes.xlsx", f'<row r="3"><c r="A3"><v>2111000003</v></c>{cell}</row>')
    assert read_file(path, CLASSES).frame["students"].tolist() == ["42", "4&2"]


@pytest.mark.parametrize("cell", ['<c r="E3" t="e"><v>#CONNECT!</v></c>', '<c r="E3" t="n"><v> 42 </v></c>'])
def test_what_the_reader_does_not_know_is_told_as_that(tmp_path: Path, cell: str) -> None:
    path = raw(tmp_path / "classes.xlsx", f'<row r="3"><c r="A3"><v>2111000003</v></c>{cell}</row>')
    failure = read_file(path, CLASSES).failure
    assert failure is not None and "里有一个单元格的出错值或数字认不出来" in failure.message


def test_blank_cells_that_are_formatted_are_passed_over_quickly_and_rightly(tmp_path: Path) -> None:
    blanks = "".join(f'<c r="{letter}3" s="1"/>' for letter in "ABCD")
    rows = f'<row r="3">{blanks}<c r="E3" s="1"><v>0.6</v></c><c r="F3" s="1" /></row>'
    path = raw(tmp_path / "classes.xlsx", rows, PERCENTS)
    assert read_file(path, CLASSES).frame["students"].tolist() == ["42", "60%"]


@pytest.mark.parametrize("suffix", [".xlsx", ".xls"])
def test_what_a_merged_cell_hides_is_not_read(tmp_path: Path, suffix: str) -> None:
    """LibreOffice keeps the contents of hidden cells if the user wants it, and programs merge cells without clearing them."""
    if suffix == ".xlsx":
        rows = '<row r="3"><c r="A3"><v>2111000003</v></c><c r="E3"><v>99</v></c></row>'
        path = raw(tmp_path / "classes.xlsx", rows, after='<mergeCells><mergeCell ref="E2:E3"/></mergeCells>')
    else:
        book = xlwt.Workbook()
        sheet = book.add_sheet("表", cell_overwrite_ok=True)
        sheet.merge(1, 2, 4, 4)
        for c, texts in enumerate(
            zip(["学校标识码", "学段", "年级", "班号"], ["2111000001", "小学", "1", "1"], strict=True)
        ):
            for r, text in enumerate((*texts, texts[1])):
                sheet.write(r, c, text)
        sheet.write(0, 4, "学生数")
        sheet.write(1, 4, 42)
        sheet.write(2, 4, 99)
        path = tmp_path / "classes.xls"
        book.save(str(path))
    result = read_file(path, CLASSES)
    assert result.frame["students"].astype(object).where(result.frame["students"].notna(), None).tolist() == [
        "42",
        None,
    ]
    assert "合并单元格，只有第一行有值，其余各行按空白读取" in result.notices[0]


def test_texts_as_excel_escapes_them(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "schools.xlsx") as book:
        sheet = book.add_worksheet("表")
        sheet.write_row(0, 0, HEADER[:3])
        sheet.write_row(1, 0, ["\u202d2111000001\u202c", "某区第三\r\n中学", "小\u200e学"])
    path = tmp_path / "schools.xlsx"
    with zipfile.ZipFile(path) as archive:
        assert b"_x000D_" in archive.read("xl/sharedStrings.xml")
    result = read_file(path, SCHOOLS)
    assert accepted(result, SCHOOLS, "school_code") == ["2111000001"]
    assert accepted(result, SCHOOLS, "school_name") == ["某区第三中学"]
    assert accepted(result, SCHOOLS, "school_type") == [SCHOOLS.columns["school_type"].spellings["小学"]]


@pytest.mark.parametrize("suffix", WRITERS)
@pytest.mark.parametrize(
    ("value", "code", "text"),
    [
        (50, '0"％"', "50％"),
        (5, '0"成"', "5成"),
        (2, '0"倍"', "2倍"),
        (0.005, "0.0%%", "#数字格式：存储的是 0.005，格式是 0.0%%"),
        (1250, "aaaa", "#数字格式：存储的是 1250，格式是 aaaa"),
        (31290, "e", "#数字格式：存储的是 31290，格式是 e"),
        (500, '[>=1e3]0.0,"k";0', "500"),
    ],
)
def test_formats_that_change_what_a_number_says(
    tmp_path: Path, suffix: str, value: float, code: str, text: str
) -> None:
    rows: list[list[Any]] = [["学校标识码", "运动场地面积"], ["2111000001", (value, code)]]
    result = read_file(WRITERS[suffix](tmp_path / f"facilities{suffix}", rows), FACILITIES)
    assert result.frame["outdoor_sports_area_m2"].tolist() == [text]
