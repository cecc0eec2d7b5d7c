"""From one school's workbook to cells: both generations, and the result for a changed form."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from youjun_pipeline.ingest.statistics.labels import class_band, fold_label, form_number, ordinal, quoted
from youjun_pipeline.ingest.statistics.layouts import Declaration, load_layouts
from youjun_pipeline_tests.generate.statistics import Look
from youjun_pipeline_tests.generate.statistics_forms import CONTACTS, Sheet
from youjun_pipeline_tests.unit.statistics_samples import (
    nine_year,
    places,
    primary,
    put,
    read_forms,
    teachers,
    values,
)

LOOKS = [
    Look(),
    Look(coordinates=True),
    Look(suffix=True, text_numbers=False),
    Look("old"),
    Look("old", coordinates=True),
]
IDENTITY = {"schools.school_code": "2112000001", "schools.school_name": "石各庄九年一贯制学校"}
PRIMARY_BANDS = {"0-25": "1", "26-30": "1", "31-35": "1", "36-40": "2"}
FIGURES = {
    "schools.primary_students": 166,
    "schools.junior_students": 210,
    "teachers.full_time primary": 30,
    "teachers.doctorate primary": 0,
    "teachers.master primary": 2,
    "teachers.bachelor primary": 20,
    "teachers.associate primary": 5,
    "teachers.pe primary": 4,
    "teachers.music primary": 2,
    "teachers.fine_art primary": 1,
    "teachers.art primary": 0,
    "teachers.backbone primary": 3,
    "teachers.full_time junior": 32,
    "teachers.backbone junior": 4,
    "facilities.teaching_area_m2": 5200.5,
    "facilities.indoor_sports_area_m2": 600,
    "facilities.outdoor_sports_area_m2": 9000,
    "facilities.multimedia_rooms": 12,
    "facilities.equipment_value_wan": 88.25,
    "class_bands.stage_classes primary": 5,
    "class_bands.stage_classes junior": 5,
    "class_bands.classes primary 36-40": 2,
    "class_bands.classes junior 41-45": 4,
    "class_bands.classes junior 66-": 0,
}


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_every_figure_of_both_generations(tmp_path: Path, look: Look) -> None:
    read = read_forms(tmp_path, nine_year(), look)
    assert read.failure is None
    found = values(read.cells)
    # An empty cell is kept as read; it means 0.
    assert {name: float(found[name] or 0) for name in FIGURES} == FIGURES
    assert {name: found[name] for name in IDENTITY} == IDENTITY
    assert (found["schools.school_type"], found["schools.urban_rural"]) == ("312", "121")
    assert (found["schools.authority"], found["schools.sponsor"]) == ("120114000000", "831")


def test_the_cells_are_those_that_are_documented(tmp_path: Path) -> None:
    found = places(read_forms(tmp_path, nine_year(), Look(suffix=True)).cells)
    assert {
        name: found[name]
        for name in found
        if "teachers" in name or "facilities" in name or "students" in name
    } == {
        "teachers.backbone primary": "教基1102续_九年一贯制学校!D12",
        "teachers.backbone junior": "教基1102续_九年一贯制学校!D13",
        "schools.primary_students": "教基3112_九年一贯制学校!I6",
        "schools.junior_students": "教基3115_九年一贯制学校!E6",
        **{
            f"teachers.{column} {stage}": f"{form}_九年一贯制学校!{cell}"
            for stage, form, cells in (
                ("primary", "教基4155", "C6 C9 C10 C11 C12 L6 N6 O6 P6"),
                ("junior", "教基4156", "C6 C10 C11 C12 C13 U6 V6 W6 X6"),
            )
            for column, cell in zip(
                [
                    "full_time",
                    "doctorate",
                    "master",
                    "bachelor",
                    "associate",
                    "pe",
                    "music",
                    "fine_art",
                    "art",
                ],
                cells.split(),
                strict=True,
            )
        },
        "facilities.teaching_area_m2": "教基5170_九年一贯制学校!F10",
        "facilities.indoor_sports_area_m2": "教基5170_九年一贯制学校!F17",
        "facilities.outdoor_sports_area_m2": "教基5176_九年一贯制学校!D7",
        "facilities.multimedia_rooms": "教基5176_九年一贯制学校!D17",
        "facilities.equipment_value_wan": "教基5176_九年一贯制学校!D19",
    }
    assert found["class_bands.stage_classes primary"] == "教基2106_九年一贯制学校!C5"
    assert found["class_bands.classes primary 0-25"] == "教基2106_九年一贯制学校!C6"
    assert found["class_bands.classes junior 0-25"] == "教基2107_九年一贯制学校!C6"


def test_coordinates_shift_every_address(tmp_path: Path) -> None:
    found = places(read_forms(tmp_path, nine_year(), Look(coordinates=True)).cells)
    assert found["schools.primary_students"] == "教基3112!J7"
    assert found["schools.school_code"] == "教基1001!B5"


def test_the_junior_column_of_a_form_that_has_senior_classes_too(tmp_path: Path) -> None:
    found = values(read_forms(tmp_path, nine_year(), Look("old", text_numbers=False)).cells)
    assert found["class_bands.stage_classes junior"] == "5", "合计 holds the six senior classes too"


def test_graduates_in_one_row_count_as_masters(tmp_path: Path) -> None:
    school = nine_year(teachers={"primary": {**teachers(30), "doctorate": 1}})

    def one_row(sheets: dict[str, Sheet]) -> None:
        sheet = sheets["基础基423"]
        del sheet.cells[7, 0], sheet.cells[7, 1], sheet.cells[7, 2]
        sheet.cells |= {(8, 0): "研究生毕业", (8, 2): 3}

    read = read_forms(tmp_path, school, Look("old", text_numbers=False), one_row)
    found = values(read.cells)
    assert read.failure is None
    assert (found["teachers.doctorate primary"], found["teachers.master primary"]) == ("0", "3")


def test_forms_that_are_not_there_are_not_reported(tmp_path: Path) -> None:
    read = read_forms(tmp_path, primary(), Look())
    assert read.failure is None
    assert {name.split(" ")[0] for name in values(read.cells)} == {
        *(
            f"schools.{c}"
            for c in ("school_code", "school_name", "urban_rural", "authority", "school_type", "sponsor")
        ),
        "schools.primary_students",
        *(f"teachers.{c}" for c in ("full_time", "doctorate", "master", "bachelor", "associate", "backbone")),
        *(f"teachers.{c}" for c in ("pe", "music", "fine_art", "art")),
    }
    assert values(read.cells)["teachers.backbone junior"] == "*"


@pytest.mark.parametrize("look", [Look(), Look("old")], ids=["new", "old"])
def test_contact_fields_are_never_read(tmp_path: Path, look: Look) -> None:
    read = read_forms(tmp_path, nine_year(), look)
    said = [text for cell in read.cells for text in cell if isinstance(text, str)] + read.notices
    assert not [text for text in said for contact in CONTACTS if contact in text]


@pytest.mark.parametrize(
    ("look", "change", "message"),
    [
        (
            Look(),
            put("教基3112", I3="在读生数"),
            "工作表“教基3112”：找不到列标签“在校生数→合计”，找到的列标签是：毕业生数→合计、毕业生数→#女、招生数→合计、招生数→#女、"
            "招生数→受过学前教育、招生数→农村、在读生数→合计、在读生数→一年级、在读生数→二年级",
        ),
        (
            Look(),
            put("教基3112", A6="小计"),
            "工作表“教基3112”：找不到行标签“总计”，找到的行标签是：小计、其中：女、少数民族、残疾人",
        ),
        (
            Look(),
            put("教基3115", C3="在校生数", D3="在校生数", E3="招生数", C4="合计", D4="一年级"),
            "工作表“教基3115”：“总 计×在校生数→合计”应在 E6，实际在 C6（均不计坐标行、坐标列）",
        ),
        (
            Look(),
            put("教基3112", A2="教基3115"),
            "工作表“教基3112”：工作表名是 教基3112，表内的表号却是 教基3115",
        ),
        (
            Look(),
            put("教基5170", A5="1"),
            "工作表“教基5170”：找不到“甲 乙 1 2 …”一行，也没有“项目 编号 内容”的表头",
        ),
        (
            Look(),
            put("教基5170", A10="二、教学及辅助用房面积（含）"),
            "工作表“教基5170”：找不到行标签“教学及辅助用房”，找到的行标签是：总 计、#C级危房、#D级危房、#租借用、"
            "二、教学及辅助用房面积（含）、教室、实验室、图书室、心理辅导室、其他、专用教室、室内体育用房、二、行政办公用房、三、生活用房",
        ),
        (
            Look(),
            put("教基5176", C19="元"),
            "工作表“教基5176”：“#教学仪器设备资产值×数量”没有注明单位是万元",
        ),
        (
            Look(),
            put("教基4155", M4="体育与健康"),
            "工作表“教基4155”：列标签“体育”出现多次（L、M 列），不知道取哪一列",
        ),
        (Look(), put("教基2106", A8="36–40人"), "工作表“教基2106”：班额“36–40人”没有接上前一档"),
        (
            Look(),
            put("教基2106", A15="61人以上的"),
            "工作表“教基2106”：班额分档不全，应从“…及以下”连续到“…及以上”",
        ),
        (
            Look("old"),
            put("基础基112", B29="28"),
            "工作表“基础基112”：行标签“县级及以上骨干教师(小学)”的编号应是 26，实际是 28",
        ),
        (
            Look(),
            put("教基1001", A3="机构标识"),
            "工作表“教基1001”：标签“学校标识码”没有找到（找到的有：学校（机构）名称、所在地城乡类型、属地管理教育行政部门、"
            "办学类型、举办者）",
        ),
        (
            Look(),
            put("教基1001", A4="13912345678"),
            "工作表“教基1001”：标签“学校标识码”下方不是 10 位数字（找到的有：学校（机构）名称、所在地城乡类型、"
            "属地管理教育行政部门、办学类型、举办者）",
        ),
        (
            Look(),
            put("教基1001", C25="小学"),
            "工作表“教基1001”：标签“办学类型”的代码不是 3 位数字（找到的有：学校标识码、学校（机构）名称、所在地城乡类型、"
            "属地管理教育行政部门、举办者）",
        ),
    ],
)
def test_a_label_that_is_not_where_it_is_expected(tmp_path: Path, look: Look, change, message: str) -> None:
    read = read_forms(tmp_path, nine_year(), look, change)
    assert read.cells == []
    assert read.failure is not None
    assert read.failure.rule == "statistics_form_unexpected"
    assert read.failure.message.split("；")[0].split("。")[0] == message


def test_all_faults_of_a_workbook_are_told_at_once(tmp_path: Path) -> None:
    def drift(sheets: dict[str, Sheet]) -> None:
        put("教基3112", I3="在读生数")(sheets)
        put("教基5176", C19="元", A7="场地")(sheets)

    failure = read_forms(tmp_path, nine_year(), Look(), drift).failure
    assert failure is not None
    assert [part.split("：")[0] for part in failure.message.split("；")[:3]] == [
        "工作表“教基3112”",
        "工作表“教基5176”",
        "工作表“教基5176”",
    ]
    assert failure.message.endswith("请核对报表版式，不要改动表样；版式确已调整的，请联系维护人员登记新版式")


def test_contact_fields_are_not_quoted_in_a_failure(tmp_path: Path) -> None:
    def drift(sheets: dict[str, Sheet]) -> None:
        put("教基3112", A6="xiaozhang@example.edu.cn", A7="13912345678", A20="填表人：张守一 电话 82110001")(
            sheets
        )

    failure = read_forms(tmp_path, nine_year(), Look(), drift).failure
    assert failure is not None
    assert "找到的行标签是：（略）、少数民族、残疾人" in failure.message
    assert not [contact for contact in (*CONTACTS, "张守一", "82110001") if contact in failure.message]


def test_a_form_that_occurs_twice(tmp_path: Path) -> None:
    def twice(sheets: dict[str, Sheet]) -> None:
        sheets["教基4153"].name = "教基3112_小学"

    failure = read_forms(tmp_path, nine_year(), Look(), twice).failure
    assert failure is not None
    assert failure.message.startswith(
        "教基3112 有两张工作表“教基3112”“教基3112_小学”，一个工作簿只能有一所学校"
    )


def test_a_workbook_without_identity(tmp_path: Path) -> None:
    def anonymous(sheets: dict[str, Sheet]) -> None:
        sheets["教基1001"].name = "首页"

    failure = read_forms(tmp_path, primary(), Look(), anonymous).failure
    assert failure is not None
    assert failure.message.startswith(
        "应有且只有一张学校基本情况表（基础基111或教基1001），现有的表：教基1102续、教基3112、教基4155"
    )


def test_kindergartens_are_passed_over(tmp_path: Path) -> None:
    read = read_forms(tmp_path, primary(type_code="111"), Look())
    assert (read.cells, read.failure) == ([], None)
    assert read.notices == ["是幼儿园或附设的幼儿班、特教班，没有读取"]


def test_a_formula_without_a_value_is_no_zero(tmp_path: Path) -> None:
    import xlsxwriter

    from youjun_pipeline.ingest.statistics.reading import read_statistics
    from youjun_pipeline_tests.generate.statistics_forms import new_forms

    path = tmp_path / "book.xlsx"
    with xlsxwriter.Workbook(path) as book:
        for sheet in new_forms(primary()):
            target = book.add_worksheet(sheet.name)
            for (row, column), value in sheet.cells.items():
                target.write(row, column, value)
            if sheet.name == "教基3112":
                target.write_formula(5, 8, "=1/0", None, "#DIV/0!")
    assert values(read_statistics(path, "a.xlsx").cells)["schools.primary_students"] == "#DIV/0!"


def test_forms_are_told_by_the_sheets_name() -> None:
    names = [
        "教基4155_小学",
        "教基1102续",
        "教基1102（续）_完全中学",
        " 教基 3112 ",
        "基础基112-1",
        "封面",
        "中职基111",
    ]
    assert [form_number(name) for name in names] == [
        *("教基4155", "教基1102续", "教基1102续", "教基3112", "基础基112-1", None, None)
    ]
    assert "基础基112-1" not in load_layouts().forms


def test_labels_are_compared_without_numbering() -> None:
    for text in ("总  计", "总计", "总　计", "总\n计"):
        assert fold_label(text) == "总计"
    for text in (
        "一、教学及辅助用房",
        "其中：教学及辅助用房",
        "#教学及辅助用房",
        "（一）教学及辅助用房",
        "1.教学及辅助用房",
    ):
        assert fold_label(text) == "教学及辅助用房"
    assert [ordinal(text) for text in ("01", "7", "12.0", "", "甲", "1.5")] == [1, 7, 12, None, None, None]


def test_class_bands() -> None:
    texts = ["25人及以下", "26–30人", "31-35人", "36～40人", "66人及以上", "总计", "五年制"]
    assert [class_band(text) for text in texts] == [
        (0, 25),
        (26, 30),
        (31, 35),
        (36, 40),
        (66, None),
        None,
        None,
    ]


def test_what_may_be_a_contact_is_not_quoted() -> None:
    texts = ["总  计", "a@b.cn", "电话82110001", "0532-8211000", "很长" * 20]
    assert [quoted(text) for text in texts] == ["总 计", "（略）", "（略）", "（略）", "（略）"]


def test_a_word_of_the_layouts_that_nothing_reads_is_refused() -> None:
    form = {"numbers": ["教基9999"], "title": "表", "figure": []}
    declared = {
        "identity": {"forms": [], "labels": {}, "coded": {}},
        "form": [form | {"stagess": ["primary"]}],
        "wide": {"students": {}, "column": [], "bands": {"path": ["班数"]}},
    }
    with pytest.raises(ValidationError, match="stagess"):
        TypeAdapter(Declaration).validate_python(declared)
