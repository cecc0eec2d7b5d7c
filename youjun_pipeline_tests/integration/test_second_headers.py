"""A second header among the rows: the same header is skipped, another one makes the file refused; it is never misread."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from youjun_pipeline.ingest.files import ReadResult, read_file
from youjun_pipeline_tests.integration.delivered_files import FACILITIES, PROGRESS, write_csv, write_xlsx

HEADER = ["学校标识码", "教学及辅助用房面积", "室内体育用房面积", "运动场地面积", "网络多媒体教室间数"]
ROWS = [["2111000001", 4500, 0, 6800, 24], ["2111000003", 1200, 0, 1900, 7]]
TURNED = ["运动场地面积", "教学及辅助用房面积", "学校标识码", "室内体育用房面积", "网络多媒体教室间数"]


def read(folder: Path, suffix: str, rows: list[list[Any]]) -> ReadResult:
    path = folder / f"facilities{suffix}"
    if suffix == ".csv":
        write_csv(path, [["" if cell is None else cell for cell in row] for row in rows])
    else:
        write_xlsx(path, {"表": rows})
    return read_file(path, FACILITIES)


@pytest.mark.parametrize("suffix", [".xlsx", ".csv"])
@pytest.mark.parametrize(
    "second",
    [
        TURNED,
        [
            "outdoor_sports_area_m2",
            "teaching_area_m2",
            "school_code",
            "indoor_sports_area_m2",
            "multimedia_rooms",
        ],
        ["学校标识码", "教学及辅助用房面积", "室内体育用房面积", "备注", "运动场地面积"],
        *(
            [form.format(name) for name in TURNED]
            for form in ("{}（2024）", "2024年{}", "{}①", "{}（校级）", "{}2")
        ),
        ["学校标识码", "运动场地面积", "教学及辅助用房面积", None, None],
        ["学校标识码", "学段", "年级", "班号", "学生数"],
        ["学校标识码", "校长", "办公室主任", None, None],
        ["学校标识码", "办学条件", None, None, None],
    ],
)
@pytest.mark.parametrize(
    "before",
    [[], [[None] * 5], [["附表二：其余学校", None, None, None, None]]],
    ids=["next", "blank", "title"],
)
def test_another_header_is_refused_with_its_row(
    tmp_path: Path, suffix: str, second: list[Any], before: list[list[Any]]
) -> None:
    below = ["2111000005", "1900", "1200", None, None]
    result = read(tmp_path, suffix, [HEADER, *ROWS, *before, second, below])
    assert result.failure is not None and result.failure.rule == "ambiguous_header"
    row = 4 + len(before)
    assert f"第 {row} 行又是一个表头，各列的位置与第 1 行的表头不同" in result.failure.message
    assert "请每张工作表只放一个表" in result.failure.message
    assert result.frame.empty


@pytest.mark.parametrize("suffix", [".xlsx", ".csv"])
@pytest.mark.parametrize(
    "second",
    [
        HEADER,
        [
            "school_code",
            "teaching_area_m2",
            "indoor_sports_area_m2",
            "outdoor_sports_area_m2",
            "multimedia_rooms",
        ],
        [*HEADER[:3], "运动场地面积（㎡）", "网络多媒体教室间数"],
    ],
)
def test_the_same_header_again_is_passed_over(tmp_path: Path, suffix: str, second: list[Any]) -> None:
    below = ["2111000005", 1, 2, 3, 4]
    result = read(tmp_path, suffix, [HEADER, *ROWS, second, below])
    assert result.failure is None, result.failure
    assert result.frame["school_code"].tolist() == ["2111000001", "2111000003", "2111000005"]
    assert result.frame["multimedia_rooms"].tolist() == ["24", "7", "4"]
    assert any("第 4 行又是表头" in notice for notice in result.notices)


def test_a_second_header_far_down(tmp_path: Path) -> None:
    many = [[f"21110{n:05}", 1, 2, 3, 4] for n in range(5000)]
    result = read(tmp_path, ".csv", [HEADER, *many, TURNED, [1, 2, "2111099999", 3, 4]])
    assert result.failure is not None and "第 5002 行又是一个表头" in result.failure.message


@pytest.mark.parametrize(
    "last",
    [
        ["填报人：", "李四", "填报日期：", "2024年6月30日"],
        ["填报日期", "2024年6月30日", "填报人", "李四"],
        ["填报日期：2024年6月30日", None, None, "填报人：李四"],
    ],
)
def test_a_signature_is_no_header(tmp_path: Path, last: list[Any]) -> None:
    header = ["填报日期", "措施编号", "状态", "填报人"]
    path = write_xlsx(
        tmp_path / "progress.xlsx", {"表": [header, ["2024-06-30", "M1", "进行中", "张三"], last]}
    )
    result = read_file(path, PROGRESS)
    assert result.failure is None, result.failure
    assert result.frame["measure_no"].tolist()[0] == "M1"


@pytest.mark.parametrize(
    "word",
    [
        "其中：室内体育用房面积",
        "其中:室内体育用房面积",
        "#室内体育用房面积",
        "其中：\n室内体育用房面积（㎡）",
    ],
)
@pytest.mark.parametrize("merged", [["B1:C1"], []])
def test_a_part_below_the_name_of_the_whole(tmp_path: Path, word: str, merged: list[str]) -> None:
    rows: list[list[Any]] = [
        ["学校标识码", "教学及辅助用房", None, "运动场地面积"],
        [None, "面积", word, None],
        ["2111000001", 4500, 600, 6800],
    ]
    result = read_file(write_xlsx(tmp_path / "facilities.xlsx", {"表": rows}, merged=merged), FACILITIES)
    assert result.failure is None, result.failure
    names = ["teaching_area_m2", "indoor_sports_area_m2", "outdoor_sports_area_m2"]
    assert result.frame[names].to_numpy().tolist() == [["4500", "600", "6800"]]
    assert result.notices == []
