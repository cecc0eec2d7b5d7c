"""Cells of workbooks as they are shown, and the cells under a merged one."""

import datetime as dt
import zipfile
from pathlib import Path
from typing import Any

import pytest

from youjun_pipeline.ingest.files import ReadResult, read_file
from youjun_pipeline_tests.integration.delivered_files import CLASSES, MEASURES, PROGRESS, write_xlsx

HEADER = ["填报日期", "措施编号", "状态", "完成比例", "预计完成", "说明"]


def progress(path: Path) -> ReadResult:
    result = read_file(path, PROGRESS)
    assert result.failure is None, result.failure
    return result


def column(result: ReadResult, name: str) -> list[Any]:
    values = result.frame[name]
    return values.astype(object).where(values.notna(), None).tolist()


def test_values_become_text_as_a_person_would_type_them(tmp_path: Path) -> None:
    path = write_xlsx(
        tmp_path / "progress.xlsx",
        {"S": [HEADER, [None, 101, True, 12.0, None, 0.1], [None, "007", False, 1234567.25, None, "#N/A"]]},
        formats={
            "A2": (dt.datetime(2023, 8, 31), "yyyy-mm-dd"),
            "A3": (dt.datetime(2023, 8, 31, 9, 30), "yyyy-mm-dd hh:mm"),
        },
    )
    result = progress(path)
    assert column(result, "reported_on") == ["2023-08-31", "2023-08-31 09:30:00"]
    assert column(result, "measure_no") == ["101", "007"]
    assert column(result, "state") == ["是", "否"]
    assert column(result, "percent") == ["12", "1234567.25"]
    assert column(result, "note") == ["0.1", "#N/A"]


def test_percentages_and_months_are_read_as_shown(tmp_path: Path) -> None:
    path = write_xlsx(
        tmp_path / "progress.xlsx",
        {"S": [HEADER, ["2024-01-01"], ["2024-01-01", None, None, 0.5], ["2024-01-01"]]},
        formats={
            "D2": (0.5, "0%"),
            "D4": (0.285, "0.00%"),
            "E2": (dt.datetime(2024, 12, 1), 'yyyy"年"m"月"'),
            "E3": (dt.datetime(2024, 12, 1), "yyyy-mm-dd"),
            "E4": (45639, 57),  # 2024-12-13 shown as a month: the day is known, and kept
            "A4": (dt.datetime(2024, 12, 1), 'yyyy"年"m"月"'),
        },
    )
    result = progress(path)
    assert column(result, "percent") == ["50%", "0.5", "28.5%"]
    assert column(result, "expected_on") == ["2024-12", "2024-12-01", "2024-12-13"]
    # The contract does not let a month stand for this date.
    assert column(result, "reported_on") == ["2024-01-01", "2024-01-01", "2024-12-01"]


def test_xls_cells_are_read_as_shown_too(tmp_path: Path) -> None:
    xlwt = pytest.importorskip("xlwt")
    book = xlwt.Workbook()
    sheet = book.add_sheet("进展")
    for c, text in enumerate(HEADER):
        sheet.write(0, c, text)
    style = {code: xlwt.easyxf(num_format_str=code) for code in ("0%", 'yyyy"年"m"月"', "yyyy-mm-dd")}
    for r in (1, 2):
        sheet.write(r, 0, dt.date(2024, 1, 31), style["yyyy-mm-dd"])
    sheet.write(1, 3, 0.5, style["0%"])
    sheet.write(1, 4, dt.date(2024, 12, 1), style['yyyy"年"m"月"'])
    sheet.write(1, 5, 3)
    # Two whole numbers side by side share one record.
    sheet.row(2).set_cell_number(3, 1, style["0%"])
    sheet.row(2).set_cell_number(4, 45627, style['yyyy"年"m"月"'])
    sheet.row(2).set_cell_error(5, "#DIV/0!")
    book.save(tmp_path / "progress.xls")
    result = progress(tmp_path / "progress.xls")
    assert column(result, "reported_on") == ["2024-01-31", "2024-01-31"]
    assert column(result, "percent") == ["50%", "100%"]
    assert column(result, "expected_on") == ["2024-12", "2024-12"]
    assert column(result, "note") == ["3", "#DIV/0!"]


def test_merged_data_cells_are_told(tmp_path: Path) -> None:
    path = write_xlsx(
        tmp_path / "measures.xlsx",
        {
            "措施": [
                ["措施编号", "指标", "责任科室"],
                ["1", "R4", "基教科"],
                ["2", "R5"],
                ["3", "G3", "计财科"],
                ["4", "G5"],
            ]
        },
        merged=["C2:C3", "C4:C5", "A7:C7"],
    )
    result = read_file(path, MEASURES)
    assert column(result, "bureau_sections") == ["基教科", None, "计财科", None]
    assert result.notices == [
        "工作表“措施”：C 列第 2–3、4–5 行是合并单元格，只有第一行有值，其余各行按空白读取；请取消合并、逐行填写"
    ]


def test_cells_without_references_are_counted(tmp_path: Path) -> None:
    """Some programs leave the cell's address out of the file."""
    path = write_xlsx(
        tmp_path / "classes.xlsx",
        {"S": [["学校标识码", "学段", "年级", "班号", "学生数"], ["01", "小学", "1", "1", "#DIV/0!"]]},
    )
    bare = tmp_path / "bare.xlsx"
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(bare, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            if name.endswith("sheet1.xml"):
                for letter in "ABCDE":
                    for row in "12":
                        data = data.replace(f' r="{letter}{row}"'.encode(), b"")
                assert b' r="A1"' not in data
            target.writestr(name, data)
    assert column(read_file(bare, CLASSES), "students") == ["#DIV/0!"]
