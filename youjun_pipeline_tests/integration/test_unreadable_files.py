"""Files that cannot be used as a whole: each gives the reason and a remedy, none raises an error."""

import zipfile
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from youjun_pipeline.contracts import Dataset
from youjun_pipeline.ingest.files import ReadResult, read_file
from youjun_pipeline.ingest.formats import limits
from youjun_pipeline_tests.integration.delivered_files import (
    CLASS_HEADER,
    CLASS_ROWS,
    CLASSES,
    FACILITIES,
    SCHOOLS,
    write_csv,
    write_xlsx,
)

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def failed(path: Path, dataset: Dataset = CLASSES) -> ReadResult:
    result = read_file(path, dataset)
    assert result.failure is not None
    assert result.frame.empty
    assert list(result.frame.columns) == ["sheet", "row_number", *dataset.columns]
    assert path.name not in result.failure.message, "the caller puts delivery and file before the message"
    return result


def unreadable(path: Path) -> str:
    failure = failed(path).failure
    assert failure is not None and failure.rule == "file_unreadable", failure
    assert failure.message.startswith("无法读取：") and "请" in failure.message
    return failure.message


def workbook_bytes(tmp_path: Path) -> bytes:
    return write_xlsx(tmp_path / "whole.xlsx", {"S": [CLASS_HEADER, *CLASS_ROWS]}).read_bytes()


@pytest.mark.parametrize("name", ["classes.xlsx", "classes.xls", "classes.csv", "classes.parquet"])
@pytest.mark.parametrize("content", [b"", b"\r\n \n"])
def test_empty(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    assert (
        unreadable(tmp_path / name)
        == "无法读取：文件是空的。请核对原文件能否正常打开，然后重新导出、重新交付。"
    )


def test_a_workbook_without_any_cell_is_empty_too(tmp_path: Path) -> None:
    openpyxl.Workbook().save(tmp_path / "classes.xlsx")
    assert "文件里没有任何内容" in unreadable(tmp_path / "classes.xlsx")


@pytest.mark.parametrize("share", [0.3, 0.9, 0.999])
def test_truncated_xlsx(tmp_path: Path, share: float) -> None:
    data = workbook_bytes(tmp_path)
    (tmp_path / "classes.xlsx").write_bytes(data[: int(len(data) * share)])
    assert "文件不完整或已损坏（可能没有传完）" in unreadable(tmp_path / "classes.xlsx")


@pytest.mark.parametrize(
    "part", ["xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/_rels/workbook.xml.rels"]
)
def test_xlsx_with_a_damaged_part(tmp_path: Path, part: str) -> None:
    workbook_bytes(tmp_path)
    broken = tmp_path / "classes.xlsx"
    with zipfile.ZipFile(tmp_path / "whole.xlsx") as source, zipfile.ZipFile(broken, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            target.writestr(name, data[: len(data) // 2] if name == part else data)
    assert "损坏" in unreadable(broken)


def test_xlsx_with_a_flipped_byte(tmp_path: Path) -> None:
    path = tmp_path / "classes.xlsx"
    with zipfile.ZipFile(write_xlsx(path, {"S": [CLASS_HEADER, *CLASS_ROWS]})) as archive:
        entry = archive.getinfo("xl/worksheets/sheet1.xml")
    data = bytearray(path.read_bytes())
    data[entry.header_offset + 30 + len(entry.filename) + entry.compress_size // 2] ^= 0xFF
    path.write_bytes(data)
    assert "文件不完整或已损坏（可能没有传完）" in unreadable(path)


def test_a_workbook_whose_list_of_sheets_is_not_understood(tmp_path: Path) -> None:
    """What only the workbook reader finds, and the checks before it do not find, would be read unchecked."""
    (tmp_path / "classes.xlsx").write_bytes(workbook_bytes(tmp_path))
    with (
        zipfile.ZipFile(tmp_path / "classes.xlsx") as source,
        zipfile.ZipFile(tmp_path / "a.xlsx", "w") as target,
    ):
        for name in source.namelist():
            if name != "xl/_rels/workbook.xml.rels":
                target.writestr(name, source.read(name))
    assert "文件不完整或已损坏" in unreadable(tmp_path / "a.xlsx")


def test_truncated_xls(tmp_path: Path) -> None:
    xlwt = pytest.importorskip("xlwt")
    book = xlwt.Workbook()
    sheet = book.add_sheet("S")
    for r in range(200):
        sheet.write(r, 0, f"学校{r}")
    book.save(tmp_path / "classes.xls")
    data = (tmp_path / "classes.xls").read_bytes()
    for size in (600, len(data) // 2, len(data) - 1024):
        (tmp_path / "classes.xls").write_bytes(data[:size])
        message = unreadable(tmp_path / "classes.xls")
        assert "文件不完整或已损坏" in message


def test_truncated_parquet(tmp_path: Path) -> None:
    pq.write_table(pa.table({"school_code": ["01"]}), tmp_path / "classes.parquet")
    data = (tmp_path / "classes.parquet").read_bytes()
    (tmp_path / "classes.parquet").write_bytes(data[:-20])
    assert "Parquet 文件不完整或已损坏" in unreadable(tmp_path / "classes.parquet")


@pytest.mark.parametrize("name", ["classes.xlsx", "classes.xls"])
def test_password(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(OLE + bytes(1000) + "EncryptedPackage".encode("utf-16-le") + bytes(1000))
    assert unreadable(tmp_path / name) == "无法读取：文件有打开密码。请取消密码后重新保存再交付。"


def test_password_of_an_xls(tmp_path: Path) -> None:
    xlwt = pytest.importorskip("xlwt")
    book = xlwt.Workbook()
    book.add_sheet("S").write(0, 0, "学校标识码")
    book.save(tmp_path / "classes.xls")
    data = (tmp_path / "classes.xls").read_bytes()
    # WRITEACCESS, the second or third record of every .xls, made into FILEPASS, which says the rest is encrypted.
    at = data.index(b"\x5c\x00\x70\x00")
    (tmp_path / "classes.xls").write_bytes(data[:at] + b"\x2f\x00" + data[at + 2 :])
    assert "文件有打开密码" in unreadable(tmp_path / "classes.xls")


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"%PDF-1.7 ...", "PDF 文件"),
        (b"Rar!\x1a\x07\x00...", "RAR 压缩包"),
        (b"\x89PNG\r\n\x1a\n...", "图片"),
        (OLE + "WordDocument".encode("utf-16-le"), " Word 文档"),
        (b"\n<html><table><tr><td>\xd1\xa7\xd0\xa3</td></tr></table>", "网页（HTML/XML）格式的表格"),
    ],
)
def test_other_things_under_a_tables_name(tmp_path: Path, content: bytes, name: str) -> None:
    (tmp_path / "classes.xls").write_bytes(content)
    assert f"内容其实是{name}" in unreadable(tmp_path / "classes.xls")


def test_an_archive_of_tables(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "classes.xlsx", "w") as archive:
        archive.writestr("classes.csv", "a,b")
    assert "内容其实是压缩包，不是表格。请解压后逐个交付" in unreadable(tmp_path / "classes.xlsx")


def test_a_file_that_is_gone_or_a_folder(tmp_path: Path) -> None:
    assert "No such file" in unreadable(tmp_path / "classes.csv")
    (tmp_path / "classes.xlsx").mkdir()
    assert "Is a directory" in unreadable(tmp_path / "classes.xlsx")


@pytest.mark.parametrize(("row", "column"), [(1_048_575, 16_383), (5, 16_383)])
def test_a_stray_cell_at_the_end_of_the_sheet(tmp_path: Path, row: int, column: int) -> None:
    """The largest file would need 400 GB: it must be refused before the workbook reader sees it."""
    with xlsxwriter.Workbook(tmp_path / "classes.xlsx") as book:
        sheet = book.add_worksheet("班级")
        sheet.write_row(400, 4, CLASS_HEADER)
        sheet.write(row, column, "x")
    rows, columns = max(row, 400) + 1, max(column, 8) + 1
    message = unreadable(tmp_path / "classes.xlsx")
    assert f"工作表“班级”有 {rows} 行 × {columns} 列。请删除表格以外多余的单元格" in message


def test_cells_that_are_only_formatted_do_not_count(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "classes.xlsx") as book:
        sheet = book.add_worksheet("班级")
        sheet.write_row(0, 0, CLASS_HEADER)
        sheet.write_row(1, 0, CLASS_ROWS[0])
        sheet.write_blank(5_000, 16_383, None, book.add_format({"border": 1}))
    assert len(read_file(tmp_path / "classes.xlsx", CLASSES).frame) == 1


def test_a_sheet_too_large_that_does_not_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    xlwt = pytest.importorskip("xlwt")
    monkeypatch.setattr(limits, "MAX_CELLS", 100)
    book = xlwt.Workbook()
    book.add_sheet("班级").write(20, 4, "x")
    book.save(tmp_path / "classes.xls")
    assert "工作表“班级”有 21 行 × 5 列" in unreadable(tmp_path / "classes.xls")


def test_an_xls_with_cells_outside_of_any_xls(tmp_path: Path) -> None:
    xlwt = pytest.importorskip("xlwt")
    book = xlwt.Workbook()
    book.add_sheet("S").write(0x1234, 0x56, 1)
    book.save(tmp_path / "classes.xls")
    data = (tmp_path / "classes.xls").read_bytes()
    place = b"\x34\x12\x56\x00"
    assert data.count(place) == 1
    (tmp_path / "classes.xls").write_bytes(data.replace(place, b"\x34\x12\x56\xff"))
    assert "文件不完整或已损坏" in unreadable(tmp_path / "classes.xls")


@pytest.mark.parametrize(
    ("name", "kind"), [("classes.xls", "Excel 工作簿（.xlsx）"), ("classes.csv", "Excel 工作簿（.xlsx）")]
)
def test_a_wrong_extension_is_read_all_the_same(tmp_path: Path, name: str, kind: str) -> None:
    (tmp_path / name).write_bytes(workbook_bytes(tmp_path))
    result = read_file(tmp_path / name, CLASSES)
    assert result.failure is None and len(result.frame) == 2
    suffix = Path(name).suffix
    assert result.notices == [f"扩展名是 {suffix}，内容其实是{kind}：已按内容读取，请改正扩展名"]


def test_text_under_a_workbooks_name(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "classes.xls", [CLASS_HEADER, *CLASS_ROWS], "gb18030", "\t")
    result = read_file(path, CLASSES)
    assert result.failure is None and result.frame["students"].tolist() == ["40", "41"]
    assert result.notices == ["扩展名是 .xls，内容其实是文本表格（.csv）：已按内容读取，请改正扩展名"]


def test_an_upper_case_extension_is_right(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "CLASSES.CSV", [CLASS_HEADER, *CLASS_ROWS])
    assert read_file(path, CLASSES).notices == []


def test_header_not_found_shows_what_is_there(tmp_path: Path) -> None:
    path = write_xlsx(
        tmp_path / "classes.xlsx",
        {"封面": [["武清区"]], "数据": [["标题"], ["校名", "人数", "班主任"], ["一小", 40, "张三"]]},
    )
    failure = failed(path).failure
    assert failure is not None and failure.rule == "header_not_found"
    assert failure.message == (
        "前 30 行里没有找到“班级名册”（classes）的表头。必填的列：学校标识码、学段、年级、班号、学生数。"
        "工作表“封面”第 1 行是：武清区；工作表“数据”第 2 行是：校名、人数、班主任。"
        "请按模板填写表头，中文名或英文名均可。"
    )


def test_required_columns_missing_lists_them_and_the_headers_found(tmp_path: Path) -> None:
    path = write_csv(
        tmp_path / "classes.csv",
        [["班级表"], ["学校标识码", "学段", "班 主任", "学生数（其中：女）"], ["1"] * 4],
    )
    failure = failed(path).failure
    assert failure is not None and failure.rule == "required_column_missing"
    assert failure.message == (
        "缺少必填的列：文件缺少 年级（grade）、班号（class_no）、学生数（students），表头在第 2 行，"
        "现有：学校标识码、学段、班 主任、学生数（其中：女）；D 列“学生数（其中：女）”像是“学生数”，"
        "但不认识括号里的“其中:女”，本列单位是人，没有读取；如果就是该列，请改用“学生数”。请补上缺少的列。"
    )


def test_a_sheet_with_a_misspelt_header_is_not_left_out(tmp_path: Path) -> None:
    path = write_xlsx(
        tmp_path / "classes.xlsx",
        {
            "小学": [CLASS_HEADER, CLASS_ROWS[0]],
            "初中": [[*CLASS_HEADER[:4], "学额"], ["0112000002", "初中", "7", "1", 50]],
        },
    )
    failure = failed(path).failure
    assert failure is not None and failure.rule == "required_column_missing"
    assert (
        "工作表“初中”缺少 学生数（students），表头在第 1 行，现有：学校标识码、学段、年级、班号、学额"
        in failure.message
    )
    assert "小学" not in failure.message
    assert failure.message.endswith("请补上缺少的列；工作表如果不是要交付的数据，请删除。")


def test_a_column_that_occurs_twice_is_ambiguous_wherever_it_is(tmp_path: Path) -> None:
    path = write_xlsx(
        tmp_path / "facilities.xlsx",
        {
            "甲": [["学校标识码", "运动场地面积", "outdoor_sports_area_m2"], ["01", 1, 2]],
            "乙": [["学校标识码", "school_code", "运动场地面积（㎡）"], ["01", "02", 2]],
        },
    )
    failure = failed(path, FACILITIES).failure
    assert failure is not None and failure.rule == "ambiguous_header"
    assert failure.message == (
        "同一列出现多次：工作表“甲”第 1 行的 B、C 列都是“运动场地面积”（outdoor_sports_area_m2）；"
        "工作表“乙”第 1 行的 A、B 列都是“学校标识码”（school_code）。请每列只保留一个，其余删除或改名。"
    )


def test_an_unquoted_comma_is_not_read_as_the_next_cell(tmp_path: Path) -> None:
    path = tmp_path / "schools.csv"
    path.write_text("学校标识码,学校名称,办学类型\n01,一小,小学\n02,二,小,小学\n", encoding="utf-8")
    failure = failed(path, SCHOOLS).failure
    assert failure is not None and failure.rule == "file_unreadable"
    assert "第 3 行的单元格比表头多（表头在第 1 行，共 3 列）" in failure.message
    assert "请给该单元格加英文双引号" in failure.message
