"""Forms as in genuine workbooks: the block about attached classes, a long identity form, an identity form without marks."""

from __future__ import annotations

from pathlib import Path

import pytest

from youjun_pipeline.ingest.statistics.cells import number
from youjun_pipeline_tests.generate.statistics import Look
from youjun_pipeline_tests.generate.statistics_forms import Sheet, attached_block
from youjun_pipeline_tests.unit.statistics_samples import nine_year, primary, put, read_forms, values

# What the block about attached classes says where a school has some: sponsor, authority, address.
ATTACHED_CLASSES = {
    "C18": "教育部门",
    "C19": "831",
    "D18": "某区教育局",
    "D19": "120114000000",
    "F18": "某路",
    "F19": "120114101001",
}


@pytest.mark.parametrize("coordinates", [False, True])
@pytest.mark.parametrize("cells", [{}, ATTACHED_CLASSES], ids=["none", "a kindergarten class"])
def test_the_block_about_attached_classes_is_no_second_identity(
    tmp_path: Path, coordinates: bool, cells: dict[str, str]
) -> None:
    look = Look("old", coordinates=coordinates)
    read = read_forms(tmp_path, primary(), look, put("基础基111", **cells))
    assert read.failure is None, read.failure
    found = values(read.cells)
    identity = ("school_code", "school_name", "school_type", "sponsor", "authority", "urban_rural")
    assert [found[f"schools.{name}"] for name in identity] == [
        *("2112000002", "河西小学", "211", "999", "120114000000", "220")
    ]
    assert {cell.school_code for cell in read.cells} == {"2112000002"}


def test_a_long_form_of_identity_with_a_block_about_attached_classes(tmp_path: Path) -> None:
    """教基1001: the name in C4, the type in C25. It is not known whether the form has the block too, so both are tested."""
    read = read_forms(tmp_path, primary(), Look(), lambda sheets: attached_block(sheets["教基1001"], 25))
    assert read.failure is None, read.failure
    places = {cell.column: f"{cell.letter}{cell.row}" for cell in read.cells if cell.dataset == "schools"}
    assert (places["school_name"], places["school_type"]) == ("C4", "C25")
    assert values(read.cells)["schools.sponsor"] == "999"


@pytest.mark.parametrize("coordinates", [False, True])
def test_a_form_without_the_row_of_marks(tmp_path: Path, coordinates: bool) -> None:
    """基础基112 has a header 项目 | 编号 | 内容 | 单位 | 备注 and no row 甲 乙 1 2."""
    read = read_forms(
        tmp_path, nine_year(), Look("old", coordinates=coordinates), put("基础基112", B3="编  号")
    )
    assert read.failure is None, read.failure
    found = values(read.cells)
    assert (number(found["teachers.backbone primary"]), number(found["teachers.backbone junior"])) == (3, 4)


@pytest.mark.parametrize("coordinates", [False, True])
def test_a_figure_under_a_merged_cell_is_no_zero(tmp_path: Path, coordinates: bool) -> None:
    def merge(sheets: dict[str, Sheet]) -> None:
        sheets["教基3112"].merge(5, 7, 5, 8, "50")

    read = read_forms(tmp_path, primary(), Look(coordinates=coordinates), merge)
    assert read.cells == [] and read.failure is not None
    place = "J7" if coordinates else "I6"
    assert f"的 {place} 在合并单元格里，看不到填的是什么" in read.failure.message
