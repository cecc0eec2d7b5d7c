"""From wide exports to cells: headers of several levels or flat ones, sites, attached classes, and moved columns."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from youjun_pipeline.ingest.statistics.cells import ATTACHED, SCHOOL, SITE
from youjun_pipeline.ingest.statistics.grids import header_paths
from youjun_pipeline.ingest.statistics.reading import StatisticsRead, read_statistics
from youjun_pipeline_tests.generate.statistics import Look, wide_headers, wide_row, wide_sheet, workbook
from youjun_pipeline_tests.generate.statistics_forms import CONTACTS, School, Sheet
from youjun_pipeline_tests.unit.statistics_samples import nine_year, primary, teachers, values

PLAIN = Look(text_numbers=False)


def read_wide(
    folder: Path,
    stage: str,
    rows: list[list[object]],
    *,
    flat: bool = False,
    name: str = "小学.xlsx",
    change: Callable[[Sheet], None] = lambda _: None,
    look: Look = PLAIN,
) -> StatisticsRead:
    sheet = wide_sheet(stage, rows, flat=flat)  # type: ignore[arg-type]
    change(sheet)
    path = folder / "wide.xlsx"
    path.write_bytes(workbook([sheet], look))
    return read_statistics(path, f"statistics/{name}")


def row(school: School, stage: str = "primary", **changes: object) -> list[object]:
    return list(wide_row(school, stage, **changes))  # type: ignore[arg-type]


def only(read: StatisticsRead) -> str:
    assert read.cells == []
    assert read.failure is not None
    assert read.failure.rule == "statistics_form_unexpected"
    return read.failure.message.split("。请核对报表版式")[0]


@pytest.mark.parametrize("flat", [False, True], ids=["merged", "flat"])
@pytest.mark.parametrize("coordinates", [False, True], ids=["plain", "coordinates"])
def test_every_figure(tmp_path: Path, flat: bool, coordinates: bool) -> None:
    look = Look(coordinates=coordinates, text_numbers=False)
    read = read_wide(tmp_path, "primary", [row(nine_year()), row(primary())], flat=flat, look=look)
    assert read.failure is None
    assert {cell.role for cell in read.cells} == {SCHOOL}
    found = values([cell for cell in read.cells if cell.school_code == "2112000001"])
    assert {name: found[name] for name in found if not name.startswith("class_bands")} == {
        "schools.school_code": "2112000001",
        "schools.school_name": "石各庄九年一贯制学校",
        "schools.school_type": "九年一贯制学校",
        "schools.authority": "120114000000",
        "schools.urban_rural": "镇区",
        "schools.sponsor": "县级教育部门",
        "schools.primary_students": "166",
        "teachers.full_time primary": "30",
        "teachers.doctorate primary": "",
        "teachers.master primary": "2",
        "teachers.bachelor primary": "20",
        "teachers.associate primary": "5",
        "teachers.pe primary": "4",
        "teachers.music primary": "2",
        "teachers.fine_art primary": "1",
        # 艺术→计 is 3: 2 of music, 1 of fine art and nobody of the course 艺术.
        "teachers.art primary": "0",
        "teachers.backbone primary": "3",
        "facilities.teaching_area_m2": "5200.5",
        "facilities.indoor_sports_area_m2": "600",
        "facilities.outdoor_sports_area_m2": "9000",
        "facilities.multimedia_rooms": "12",
        "facilities.equipment_value_wan": "88.25",
    }
    assert found["class_bands.stage_classes primary"] == "5"
    assert {k: v for k, v in found.items() if "class_bands.classes" in k and v} == {
        "class_bands.classes primary 0-25": "1",
        "class_bands.classes primary 26-30": "1",
        "class_bands.classes primary 31-35": "1",
        "class_bands.classes primary 36-40": "2",
    }
    assert not [cell for cell in read.cells if any(contact in cell.value for contact in CONTACTS)]


def test_cells_are_told_with_their_headers(tmp_path: Path) -> None:
    read = read_wide(tmp_path, "junior", [row(nine_year(), "junior")], name="2023年初中.xlsx")
    cell = next(c for c in read.cells if c.column == "outdoor_sports_area_m2")
    assert (cell.sheet, cell.row, cell.label) == (
        "Sheet1",
        6,
        "占地面积及其他办学条件→占地面积（平方米）→其中→运动场地面积",
    )
    assert {c.column for c in read.cells if "students" in c.column} == {"junior_students"}


def test_the_senior_export_tells_pupils_and_buildings(tmp_path: Path) -> None:
    school = nine_year(students={"senior": 300}, classes={"senior": [50] * 6}, teachers={})
    read = read_wide(tmp_path, "senior", [row(school, "senior")], name="高中.xlsx")
    assert {c.dataset for c in read.cells} == {"schools", "facilities", "class_bands"}
    assert values(read.cells)["schools.senior_students"] == "300"


@pytest.mark.parametrize(
    ("name", "title", "told"),
    [
        ("导出.xlsx", "小学统计数据", None),
        ("小学.xlsx", "统计数据", None),
        ("中学.xlsx", "统计数据", "不知道是哪个学段的宽表：请在文件名中写明小学、初中或高中"),
        ("初中.xlsx", "小学统计数据", "学段前后不一：文件名是初中、标题是小学"),
        ("小学初中.xlsx", "小学统计数据", None),
    ],
)
def test_the_stage_is_told_by_name_or_title(tmp_path: Path, name: str, title: str, told: str | None) -> None:
    def retitle(sheet: Sheet) -> None:
        sheet.cells[0, 0] = title

    read = read_wide(tmp_path, "primary", [row(primary())], name=name, change=retitle)
    if told is None:
        assert read.failure is None
        assert values(read.cells)["schools.primary_students"] == "100"
    else:
        assert only(read) == f"工作表“Sheet1”：{told}"


def test_kindergartens_and_totals_are_no_rows(tmp_path: Path) -> None:
    kindergarten = primary("2112000009", "河西幼儿园", type_code="111")
    attached = primary("2112000002", "河西小学附设幼儿班", type_code="119")
    read = read_wide(tmp_path, "primary", [row(primary()), row(kindergarten), row(attached)])
    assert {cell.school_code for cell in read.cells} == {"2112000002"}
    assert {cell.value for cell in read.cells if cell.column == "school_name"} == {"河西小学"}
    assert "工作表“Sheet1”有 2 行是幼儿园或附设的幼儿班、特教班，没有读取" in read.notices


def test_sites_and_attached_classes_are_told_apart(tmp_path: Path) -> None:
    site = primary("2112000003", "河西小学河东校点")
    attached = primary("2112000004", "武清二中附设小学班", type_code="219")
    rows = [row(primary()), row(site, counted=False, parent="2112000002"), row(attached)]
    read = read_wide(tmp_path, "primary", rows)
    assert {(c.school_code, c.role, c.parent) for c in read.cells} == {
        ("2112000002", SCHOOL, ""),
        ("2112000003", SITE, "2112000002"),
        ("2112000004", ATTACHED, ""),
    }


def test_a_first_school_without_a_code_is_no_header(tmp_path: Path) -> None:
    nameless = row(primary())
    nameless[1] = ""
    read = read_wide(
        tmp_path, "primary", [nameless, row(nine_year())], change=rename("本科", "大学本科"), flat=True
    )
    assert only(read).startswith("工作表“Sheet1”：找不到列“专任教师→按学历分→本科”")
    assert "022-82110001" not in only(read)
    assert "河西小学" not in only(read)
    read = read_wide(tmp_path, "primary", [nameless, row(nine_year())])
    assert {(cell.school_code, cell.row) for cell in read.cells} == {("", 6), ("2112000001", 7)}


def test_a_row_that_numbers_the_columns_is_no_header(tmp_path: Path) -> None:
    def numbered(sheet: Sheet) -> None:
        for place in sorted((place for place in sheet.cells if place[0] >= 2), reverse=True):
            sheet.cells[place[0] + 1, place[1]] = sheet.cells.pop(place)
        for column in range(len(wide_headers("primary"))):
            sheet.cells[2, column] = column + 1

    read = read_wide(tmp_path, "primary", [row(primary())], flat=True, change=numbered)
    assert read.failure is None
    assert values(read.cells)["schools.primary_students"] == "100"


def test_whether_a_row_counts_must_be_said(tmp_path: Path) -> None:
    unsaid = row(primary())
    unsaid[6] = ""
    told = only(read_wide(tmp_path, "primary", [row(nine_year()), unsaid]))
    assert told == "工作表“Sheet1”：第 7 行没有填明“是否计校数”，应为 1 或 0"


def test_a_sheet_without_the_header_is_named(tmp_path: Path) -> None:
    other = Sheet("另一张")
    other.cells[0, 0] = "学校"
    path = tmp_path / "wide.xlsx"
    path.write_bytes(workbook([wide_sheet("primary", [wide_row(primary(), "primary")]), other]))
    read = read_statistics(path, "statistics/小学.xlsx")
    assert (read.failure, values(read.cells)["schools.primary_students"]) == (None, "100")
    assert "工作表“另一张”没有“学校标识码”的表头，没有读取" in read.notices


def test_merged_rows_are_no_zeros(tmp_path: Path) -> None:
    """Of merged cells only the first is seen; the others would count as blank, which means 0 here."""

    def merge(sheet: Sheet) -> None:
        last = max(r for r, c in sheet.cells if sheet.cells[r, c] == "2112000002")
        pupils = next(c for c, words in enumerate(wide_headers("primary")) if words == ("在校生数", "合计"))
        sheet.merged.append((last - 1, pupils, last, pupils))

    told = only(read_wide(tmp_path, "primary", [row(nine_year()), row(primary())], change=merge))
    assert told == "工作表“Sheet1”：第 7 行 X 列的单元格是合并的，看不到各行填的是什么，请取消合并、逐行填写"


def rename(old: str, new: str) -> Callable[[Sheet], None]:
    def change(sheet: Sheet) -> None:
        for place, value in list(sheet.cells.items()):
            if isinstance(value, str) and value.split("→")[-1] == old:
                sheet.cells[place] = "→".join([*value.split("→")[:-1], new])

    return change


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            rename("学校标识码", "机构码"),
            "既没有统计报表的表（如 教基1001），也不是分学段的宽表（表头有“学校标识码”），工作表有：Sheet1",
        ),
        (rename("是否计校数", "计校"), "工作表“Sheet1”：找不到列“是否计校数”，找到的列是："),
        (rename("本科", "大学本科"), "工作表“Sheet1”：找不到列“专任教师→按学历分→本科”，找到的列是："),
        (rename("室内体育用房", "体育馆"), "工作表“Sheet1”：找不到列“室内体育用房”，找到的列是："),
        (
            rename("教学仪器设备资产值(万元)", "教学仪器设备资产值(元)"),
            "工作表“Sheet1”：找不到列“教学仪器设备资产值(万元)”，找到的列是：",
        ),
        (
            rename("网络多媒体教室", "运动场地面积"),
            "工作表“Sheet1”：列“运动场地面积”出现 2 次，不知道取哪一列",
        ),
    ],
)
def test_a_column_that_is_not_there(tmp_path: Path, change: Callable[[Sheet], None], told: str) -> None:
    assert only(read_wide(tmp_path, "primary", [row(primary())], flat=True, change=change)).startswith(told)


def test_a_group_of_columns_may_be_left_out(tmp_path: Path) -> None:
    def without_buildings(sheet: Sheet) -> None:
        for place, value in list(sheet.cells.items()):
            if isinstance(value, str) and ("教学及辅助用房" in value or "县级以上骨干教师" in value):
                sheet.cells[place] = f"其他{place[1]}"

    read = read_wide(tmp_path, "primary", [row(primary())], flat=True, change=without_buildings)
    assert read.failure is None
    assert (
        "工作表“Sheet1”没有这些列，按未填报处理：县级以上骨干教师(小学)、教学及辅助用房→计、室内体育用房"
        in read.notices
    )
    assert "teachers.backbone primary" not in values(read.cells)


def test_the_rest_of_arts_is_not_reported_when_a_part_is_not(tmp_path: Path) -> None:
    school = primary(teachers={"primary": {**teachers(28), "music": -1}})
    found = values(read_wide(tmp_path, "primary", [row(school)]).cells)
    assert (found["teachers.music primary"], found["teachers.art primary"]) == ("-1", "-1")
    fewer = row(primary())
    at = wide_headers("primary").index(("专任教师", "#按授课课程分", "艺术", "计"))
    fewer[at] = 1
    found = values(read_wide(tmp_path, "primary", [fewer]).cells)
    assert found["teachers.art primary"] == "1-2-1", (
        "less than its parts: told as it is, and refused by the contract"
    )


def test_headers_of_several_levels() -> None:
    head = (
        ("学校名称", "在校生数", "", "专任教师", "", "", "备注"),
        ("", "合计", "女", "合计", "按学历分", "", ""),
        ("", "", "", "", "本科", "专科", ""),
    )
    assert header_paths(head) == (
        ("学校名称",),
        ("在校生数", "合计"),
        ("在校生数", "女"),
        ("专任教师", "合计"),
        ("专任教师", "按学历分", "本科"),
        ("专任教师", "按学历分", "专科"),
        ("备注",),
    )
    assert header_paths((("专任教师→按学历分→本科", "运动场地面积"),)) == (
        ("专任教师", "按学历分", "本科"),
        ("运动场地面积",),
    )
