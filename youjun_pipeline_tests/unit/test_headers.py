import pytest

from youjun_pipeline.contracts import load_datasets
from youjun_pipeline.ingest.formats.book import column_letter
from youjun_pipeline.ingest.headers import find_header, match_header, score

SCHOOLS, CLASSES, FACILITIES, FINANCE, PROGRESS = (
    load_datasets()[name] for name in ("schools", "classes", "facilities", "school_finance", "progress")
)


@pytest.mark.parametrize(
    "header",
    [
        "school_code",
        "School Code",
        " SCHOOL_CODE ",
        "学校标识码",
        "学 校\n标识码",
        "学校标识码*",
        "* 学校标识码 ＊",
        "学校标识码：",
        "\ufeff学校标识码\u3000",
        "学校标识码（必填）",
        "ｓｃｈｏｏｌ＿ｃｏｄｅ",
        "学校（机构）标识码",
        *(
            "1.学校标识码",
            "2.1 学校标识码",
            "（1）学校标识码",
            "一、学校标识码",
            "★学校标识码",
            "—学校标识码",
            "其中：学校标识码",
        ),
        *(
            "学校标识码 school_code",
            "学校标识码\nschool_code",
            "School Code / 学校标识码",
            "school_code（学校标识码）",
        ),
        *("学校标识码（school_code）*", "“学校标识码”", "school-code"),
    ],
)
def test_forgiven_ways_to_write_a_header(header: str) -> None:
    assert match_header(header, SCHOOLS) == ("school_code", None)


@pytest.mark.parametrize(
    ("header", "column"),
    [
        ("教学仪器设备资产值(万元)", "equipment_value_wan"),
        ("教学仪器设备资产值（万元）*", "equipment_value_wan"),
        ("教学仪器设备资产值 [万元]", "equipment_value_wan"),
        ("教学仪器设备资产值【单位：万元】", "equipment_value_wan"),
        ("教学仪器设备资产值", "equipment_value_wan"),
        ("运动场地面积(㎡)", "outdoor_sports_area_m2"),
        ("运动场地面积（m²）（必填）", "outdoor_sports_area_m2"),
        ("运动场地面积（平方米）", "outdoor_sports_area_m2"),
        ("outdoor_sports_area_m2 (m2)", "outdoor_sports_area_m2"),
        ("网络多媒体教室间数（间）", "multimedia_rooms"),
        ("运动场地面积，平方米", "outdoor_sports_area_m2"),
        ("运动场地面积_㎡", "outdoor_sports_area_m2"),
        ("运动场地面积/平方米", "outdoor_sports_area_m2"),
    ],
)
def test_the_unit_may_follow_in_brackets(header: str, column: str) -> None:
    assert match_header(header, FACILITIES) == (column, None)


@pytest.mark.parametrize(
    "header", ["学段（小学/初中）", "学段(小学、初中)", "年级（1-9）", "学生数（人，必填）"]
)
def test_hints_for_filling_in_change_no_meaning(header: str) -> None:
    assert match_header(header, CLASSES)[0] is not None


def test_another_unit_is_another_quantity() -> None:
    column, note = match_header("教学仪器设备资产值（元）", FACILITIES)
    assert column is None
    assert note == (
        "像是“教学仪器设备资产值(万元)”，但不认识括号里的“元”，本列单位是万元，没有读取；"
        "如果就是该列，请改用“教学仪器设备资产值(万元)”"
    )
    for other in ("运动场地面积（亩）", "运动场地面积，亩", "运动场地面积万㎡", "教学仪器设备资产值，元"):
        assert match_header(other, FACILITIES)[0] is None


@pytest.mark.parametrize(
    "header", ["学生数（其中：女）", "学生数（不含借读）", "学生数（上年）", "学生数（2022）"]
)
def test_brackets_that_change_the_meaning_are_no_match(header: str) -> None:
    column, note = match_header(header, CLASSES)
    assert column is None
    assert note is not None and "像是“学生数”" in note


def test_names_that_differ_only_before_the_bracket_stay_apart() -> None:
    assert match_header("公用经费预算（万元）", FINANCE)[0] == "public_funds_budget_wan"
    assert match_header("公用经费决算", FINANCE)[0] == "public_funds_final_wan"


@pytest.mark.parametrize(
    "header",
    ["1年级", "一年级", "3 年级", "学段/年级", "备注", "学校", "）", "（人）", "标识码", "学校标识码" * 20],
)
def test_other_headers_are_unknown(header: str) -> None:
    assert match_header(header, CLASSES) == (None, None)


def test_title_rows_above_the_header_are_skipped() -> None:
    head = [
        ["武清区班级一览表", "", "", "", ""],
        ["", "", "", "", ""],
        ["单位：人", "", "", "", ""],
        ["学校标识码", "学段", "年级", "班号", "学生数"],
        ["3112000001", "小学", "1", "1", "40"],
    ]
    header = find_header(head, CLASSES)
    assert header is not None
    assert header.row == 3
    assert header.positions == {"school_code": 0, "stage": 1, "grade": 2, "class_no": 3, "students": 4}


def test_order_and_language_are_free_and_the_rest_is_unknown() -> None:
    header = find_header([["序号", "students", "班号", "联系人", "Grade", "学段", "学校标识码"]], CLASSES)
    assert header is not None
    assert header.positions == {"students": 1, "class_no": 2, "grade": 4, "stage": 5, "school_code": 6}
    assert header.unknown == {0: "序号", 3: "联系人"}
    assert header.missing(CLASSES) == []


def test_a_preamble_with_answers_is_not_the_header() -> None:
    head = [
        ["填报人", "张三", "填报日期", "2024-06-30", "状态", "报送"],
        ["填报日期", "措施编号", "状态", "完成比例(%)", "填报人"],
    ]
    header = find_header(head, PROGRESS)
    assert header is not None and header.row == 1


def test_one_name_is_a_header_only_if_nothing_else_is_required() -> None:
    assert find_header([["学校标识码"], ["3112000001"]], FACILITIES) is not None
    assert find_header([["学校标识码"], ["3112000001"]], CLASSES) is None
    assert score([["学校标识码"]], CLASSES) == 0
    assert score([["学校标识码", "学段"]], CLASSES) == 2


def test_missing_and_repeated_columns_are_told() -> None:
    header = find_header([["学校标识码", "学段", "班号", "学段 *"]], CLASSES)
    assert header is not None
    assert header.missing(CLASSES) == ["grade", "students"]
    assert header.repeats == {"stage": [1, 3]}


def test_column_letters_are_those_of_excel() -> None:
    assert [column_letter(i) for i in (0, 25, 26, 51, 52, 701, 702)] == [
        "A",
        "Z",
        "AA",
        "AZ",
        "BA",
        "ZZ",
        "AAA",
    ]
