"""From delivered files of every format to rows of text."""

import datetime as dt
import hashlib
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from youjun_pipeline.contracts import Dataset
from youjun_pipeline.ingest.files import ReadResult, SourceColumn, content_hash, read_file
from youjun_pipeline_tests.integration.delivered_files import (
    CLASS_HEADER,
    CLASS_ROWS,
    CLASSES,
    FACILITIES,
    SCHOOLS,
    write_csv,
    write_xlsx,
)


def read(path: Path, dataset: Dataset = CLASSES) -> ReadResult:
    result = read_file(path, dataset)
    assert result.failure is None, result.failure
    assert list(result.frame.columns) == ["sheet", "row_number", *dataset.columns]
    return result


def rows(result: ReadResult) -> list[list[object]]:
    """Sheet, row and cells; none of these classes is of a campus."""
    frame = result.frame.astype(object).where(result.frame.notna(), None)
    assert frame.pop("campus").isna().all()
    return frame.values.tolist()


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_csv_in_every_encoding_and_with_every_delimiter(
    tmp_path: Path, encoding: str, delimiter: str
) -> None:
    result = read(write_csv(tmp_path / "classes.csv", [CLASS_HEADER, *CLASS_ROWS], encoding, delimiter))
    assert rows(result) == [["", 2, *CLASS_ROWS[0]], ["", 3, *CLASS_ROWS[1]]]
    assert (result.notices, result.ignored_headers) == ([], [])


def test_csv_rows_are_numbered_by_line_and_blank_ones_are_none(tmp_path: Path) -> None:
    path = tmp_path / "classes.csv"
    path.write_text(
        "班级一览表\n\n备注,"
        + ",".join(CLASS_HEADER)
        + '\n"借用\n一间",0112,小学,1,1,40\n\n, ,　,,,\n,0112,小学,1,,\n',
        encoding="utf-8",
    )
    result = read(path)
    assert rows(result) == [
        ["", 4, "0112", "小学", "1", "1", "40"],
        ["", 8, "0112", "小学", "1", None, None],
    ]
    assert result.ignored_headers == ["备注"]
    assert result.columns[0] == SourceColumn("", "school_code", "B", "学校标识码")


def test_xlsx_with_titles_above_and_room_to_the_left(tmp_path: Path) -> None:
    header = ["学校标识码 *", "学\n段", "年级（1-9）", "班 号", "学生数（人）"]
    path = write_xlsx(
        tmp_path / "classes.xlsx",
        {
            "班额": [
                [],
                [None, "武清区班级一览表"],
                [None, "填报单位：", None, "2023-08-31"],
                [None, *header, "备注"],
                [None, "0112000001", "小学", 1, 1, 45],
                [],
                [None, None, None, None, None, None, "合计以上"],
                [None, "0112000001", "小学", 1, 2.0, 45.5],
            ]
        },
        merged=["B2:G2"],
    )
    result = read(path)
    assert rows(result) == [
        ["班额", 5, "0112000001", "小学", "1", "1", "45"],
        ["班额", 8, "0112000001", "小学", "1", "2", "45.5"],
    ]
    assert result.columns == [
        SourceColumn("班额", name, letter, text)
        for name, letter, text in zip(list(CLASSES.columns)[:5], "BCDEF", header, strict=True)
    ]
    assert result.ignored_headers == ["备注"]
    assert result.notices == ["工作表“班额”：第 7 行只有未识别的列有内容，没有作为数据"]


def test_a_table_that_begins_far_down(tmp_path: Path) -> None:
    path = write_xlsx(
        tmp_path / "classes.xlsx", {"S": [*([] for _ in range(40)), ["题"], CLASS_HEADER, CLASS_ROWS[0]]}
    )
    assert rows(read(path)) == [["S", 43, *CLASS_ROWS[0]]]


def test_optional_columns_that_are_absent_are_missing_values(tmp_path: Path) -> None:
    path = write_csv(
        tmp_path / "schools.csv", [["school_type", "学校名称", "school_code"], ["小学", "一小", "01"]]
    )
    frame = read(path, SCHOOLS).frame
    assert frame.loc[0, ["school_code", "school_name", "school_type"]].tolist() == ["01", "一小", "小学"]
    absent = [name for name in SCHOOLS.columns if name not in SCHOOLS.required]
    assert frame[absent].isna().to_numpy().all()
    assert {str(kind) for name, kind in frame.dtypes.items() if name != "row_number"} == {"str"}


def test_xls(tmp_path: Path) -> None:
    xlwt = pytest.importorskip("xlwt")
    book = xlwt.Workbook()
    sheet = book.add_sheet("班级")
    for c, text in enumerate(CLASS_HEADER):
        sheet.write(1, c + 1, text)
    for c, value in enumerate(["0112000001", "小学", 3, 2, 40.0]):
        sheet.write(2, c + 1, value)
    book.save(tmp_path / "班级.xls")
    result = read(tmp_path / "班级.xls")
    assert rows(result) == [["班级", 3, "0112000001", "小学", "3", "2", "40"]]
    assert result.columns[0] == SourceColumn("班级", "school_code", "B", "学校标识码")


def test_every_sheet_with_the_header_is_read_and_the_others_are_named(tmp_path: Path) -> None:
    path = write_xlsx(
        tmp_path / "classes.xlsx",
        {
            "填表说明": [["每班一行"]],
            "小学": [CLASS_HEADER, CLASS_ROWS[0]],
            "初中": [["标题"], CLASS_HEADER[::-1], ["50", "1", "7", "初中", "0112000002"]],
            "汇总": [["学段", "学生数", "学生数"], ["小学", 40, 41]],
            "Sheet5": [],
            "旧表": [CLASS_HEADER, CLASS_ROWS[1]],
        },
        hidden=["旧表"],
    )
    result = read(path)
    assert rows(result) == [
        ["小学", 2, *CLASS_ROWS[0]],
        ["初中", 3, "0112000002", "初中", "7", "1", "50"],
        ["旧表", 2, *CLASS_ROWS[1]],
    ]
    assert [c.source_column for c in result.columns if c.column_name == "school_code"] == ["A", "E", "A"]
    assert result.notices == [
        "工作表“填表说明”没有本数据集的表头，没有读取",
        "工作表“汇总”没有本数据集的表头，没有读取",
        "工作表“旧表”是隐藏的，也读取了；如果不是要交付的数据，请删除",
    ]


def test_a_sheet_of_codes_beside_the_data_is_no_data(tmp_path: Path) -> None:
    path = write_xlsx(
        tmp_path / "facilities.xlsx",
        {
            "数据": [["学校标识码", "运动场地面积(㎡)"], ["01", 100]],
            "联系人": [["学校标识码", "联系人"], ["01", "张三"]],
        },
    )
    result = read(path, FACILITIES)
    assert rows(result)[0][:3] == ["数据", 2, "01"] and len(result.frame) == 1
    assert result.notices == ["工作表“联系人”没有本数据集的表头，没有读取"]


def test_a_header_that_comes_again_is_no_row(tmp_path: Path) -> None:
    english = ["school_code", "stage", "grade", "class_no", "students"]
    path = write_csv(
        tmp_path / "classes.csv", [english, CLASS_HEADER, CLASS_ROWS[0], CLASS_HEADER, CLASS_ROWS[1]]
    )
    result = read(path)
    assert rows(result) == [["", 3, *CLASS_ROWS[0]], ["", 5, *CLASS_ROWS[1]]]
    assert result.notices == ["第 2、4 行又是表头，没有作为数据"]


def test_columns_without_a_header_and_in_another_unit_are_told(tmp_path: Path) -> None:
    path = write_xlsx(
        tmp_path / "facilities.xlsx",
        {"Sheet1": [["学校标识码", None, "教学仪器设备资产值（元）"], ["01", "?", 250000]]},
    )
    result = read(path, FACILITIES)
    assert result.frame["equipment_value_wan"].isna().all()
    assert result.ignored_headers == ["教学仪器设备资产值（元）"]
    assert len(result.notices) == 2
    assert result.notices[0].startswith(
        "工作表“Sheet1”：C 列“教学仪器设备资产值（元）”像是“教学仪器设备资产值(万元)”"
    )
    assert "本列单位是万元" in result.notices[0]
    assert result.notices[1] == "工作表“Sheet1”：B 列没有表头但有内容，没有读取"


def test_a_header_alone_is_a_file_without_rows(tmp_path: Path) -> None:
    result = read(write_csv(tmp_path / "classes.csv", [["班级"], CLASS_HEADER]))
    assert (len(result.frame), result.notices) == (0, ["只有表头，没有数据行"])
    assert result.frame["school_code"].dtype == "str"


def test_parquet(tmp_path: Path) -> None:
    table = pa.table(
        {
            "school_code": ["01", "02", None],
            "是否寄宿制": [True, False, None],
            "学校名称": pa.array(["甲", "乙", None]).dictionary_encode(),
            "school_type": ["小学", "", None],
            "primary_students": pa.array([12.0, 12.5, None]),
            "junior_students": pa.array([1, 2, None], pa.int64()),
            "migrant_students": pa.array([Decimal("3.00"), Decimal("4.50"), None]),
            "township": pa.array([dt.datetime(2023, 8, 31), dt.datetime(2023, 8, 31, 9, 30), None]),
            "built_year": pa.array([dt.date(2001, 2, 3), None, None]),
            "extra": [1, 2, 3],
        }
    )
    pq.write_table(table, tmp_path / "schools.parquet")
    result = read(tmp_path / "schools.parquet", SCHOOLS)
    frame = result.frame
    assert frame["row_number"].tolist() == [1, 2]
    assert rows(result)[0][:4] == ["", 1, "01", "甲"]
    expected = {
        "boarding": ["是", "否"],
        "primary_students": ["12", "12.5"],
        "junior_students": ["1", "2"],
        "migrant_students": ["3.00", "4.50"],
        "township": ["2023-08-31", "2023-08-31 09:30:00"],
    }
    assert {name: frame[name].tolist() for name in expected} == expected
    assert frame["built_year"].tolist()[0] == "2001-02-03"
    assert frame["school_type"].isna().tolist() == [False, True]
    assert result.ignored_headers == ["extra"]
    assert SourceColumn("", "boarding", "B", "是否寄宿制") in result.columns
    # A column that no contract names is never decoded, so a row that is blank but for it is blank.
    assert result.notices == []


def test_parquet_dates_with_a_time_zone_stay_the_day_they_are_there(tmp_path: Path) -> None:
    midnight = pd.DataFrame(
        {"school_code": ["01"], "township": [pd.Timestamp("2023-08-31", tz="Asia/Shanghai")]}
    )
    midnight.assign(school_name="甲", school_type="小学").to_parquet(tmp_path / "schools.parquet")
    assert read(tmp_path / "schools.parquet", SCHOOLS).frame["township"].tolist() == ["2023-08-31"]


def test_large_csv_is_read_whole(tmp_path: Path) -> None:
    path = write_csv(
        tmp_path / "classes.csv",
        [CLASS_HEADER, *([f"{n // 30:010}", "小学", "1", str(n % 30), "40"] for n in range(20_000))],
    )
    frame = read(path).frame
    assert len(frame) == 20_000
    assert frame.drop(columns="campus").iloc[-1].tolist() == [
        "",
        20_001,
        "0000000666",
        "小学",
        "1",
        "19",
        "40",
    ]


def test_content_hash_is_that_of_the_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"a,b\n")
    assert content_hash(path) == hashlib.sha256(b"a,b\n").hexdigest()
