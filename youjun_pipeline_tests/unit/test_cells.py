"""Cells: every contract type's good and bad spellings, and the messages about bad ones."""

# Long because every type of cell has its good and bad spellings here.

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from youjun_pipeline.contracts import DUCKDB_TYPES, Column
from youjun_pipeline.ingest.cells import ARROW_TYPES, BLANKS, STRING, parse_cells
from youjun_pipeline.ingest.readings import DECIMALS, READERS

STAGE = {"primary": ("小学",), "junior": ("初中",)}


def column(type_: str, **more: Any) -> Column:
    more = {"values": STAGE, **more} if type_ == "choice" else more
    return Column(name="c", zh="某列", type=type_, **more)


def parse(type_: str, *texts: str | None, **more: Any) -> list[Any]:
    """Values, or (rule, message) for unreadable cells."""
    cells = parse_cells(pa.array(texts, STRING), column(type_, **more))
    assert cells.values.type == ARROW_TYPES[type_]
    found = cells.values.to_pylist()
    for position, rule, message in zip(cells.bad.tolist(), cells.rules, cells.messages, strict=True):
        assert found[position] is None, "a bad cell has no value"
        found[position] = (rule, message)
    return found


def value(type_: str, text: str, **more: Any) -> Any:
    (found,) = parse(type_, text, **more)
    assert not isinstance(found, tuple), found
    return found


def fault(type_: str, text: str, **more: Any) -> tuple[str, str]:
    (found,) = parse(type_, text, **more)
    assert isinstance(found, tuple), f"{text!r} was read as {found!r}"
    return found


def test_types_are_the_same_everywhere():
    in_arrow = {
        "VARCHAR": STRING,
        "BIGINT": pa.int64(),
        "INTEGER": pa.int32(),
        "DECIMAL(18,6)": pa.decimal128(18, 6),
        "DECIMAL(9,6)": pa.decimal128(9, 6),
        "DECIMAL(12,9)": pa.decimal128(12, 9),
        "DATE": pa.date32(),
        "BOOLEAN": pa.bool_(),
    }
    assert {t: in_arrow[d] for t, d in DUCKDB_TYPES.items()} == ARROW_TYPES
    assert READERS.keys() == ARROW_TYPES.keys()
    assert {t: pa.decimal128(*DECIMALS[t]) for t in DECIMALS} == {
        t: a for t, a in ARROW_TYPES.items() if pa.types.is_decimal(a)
    }


@pytest.mark.parametrize("type_", sorted(ARROW_TYPES))
def test_blank_is_null_and_no_fault(type_: str):
    blanks = (None, "", " ", "　", "\xa0", "\u200b", "\ufeff", "\r\n\t")
    assert parse(type_, *blanks) == [None] * len(blanks)
    assert parse(type_) == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("0031001", "0031001"),
        (" 　3112\xa0", "3112"),
        ("３１１２", "3112"),
        ("31 12", "3112"),
        ("120114.0", "120114"),
        ("0120.00", "0120"),
        ("'0031", "0031"),
        ('="0031"', "0031"),
        ("（1）班", "(1)班"),
        ("M-1_a", "M-1_a"),
        ("1.5", "1.5"),
        ("3E09", "3E09"),
        ("\ufeff31", "31"),
    ],
)
def test_codes_stay_text(text: str, code: str):
    assert value("code", text) == code


@pytest.mark.parametrize("text", ["3.11200012E+09", "3E+9", "3.112e+16"])
def test_a_code_that_lost_its_digits_is_refused(text: str):
    rule, message = fault("code", text)
    assert rule == "unreadable"
    assert message.startswith(f"某列“{text}”是科学计数法") and "文本格式" in message


@pytest.mark.parametrize("mark", ["①", "²", "₂", "⑴", "⒈", "½", "❶", "⓪"])
def test_the_mark_of_a_note_is_no_digit(mark: str):
    for type_ in ("count", "amount", "percent", "rate"):
        rule, message = fault(type_, f"19{mark}")
        assert (rule, f"含有“{mark}”" in message) == ("unreadable", True)
    assert fault("year", f"198{mark}")[0] == "unreadable"
    assert fault("date", f"2024-03-1{mark}")[0] == "unreadable"
    assert "不是代码" in fault("code", f"211100000{mark}", latin=True)[1]
    assert value("count", "１９") == 19


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("-", "不是代码"),
        ("无", "不是代码"),
        ("／", "不是代码"),
        ("#N/A", "公式的出错结果"),
        ("2024-01-02", "像是日期"),
        ("2024-01-02 00:00:00", "像是日期"),
        ("注：" + "很" * 60, "过长"),
    ],
)
def test_what_is_no_code(text: str, said: str):
    rule, message = fault("code", text)
    assert (rule, said in message, "请" in message) == ("unreadable", True, True)


def test_some_codes_are_days_and_some_are_latin_only():
    assert value("code", "2024-01-02", is_day=True) == "2024-01-02"
    assert parse("code", "2111-A", "0021.0", latin=True) == ["2111-A", "0021"]
    assert "是否填错了列" in fault("code", "甲小学", latin=True)[1]


def test_a_formulas_error_is_no_text():
    for type_ in ("text", "names", "choice"):
        assert (
            "公式的出错结果" in fault(type_, "#REF!", **({"is_open": True} if type_ == "choice" else {}))[1]
        )
    assert value("text", "#1 教学楼") == "#1 教学楼"


def test_a_unit_is_told_as_it_was_written():
    assert "含有“㎡”" in fault("amount", "１２０㎡")[1]


def test_text_is_kept_as_written():
    assert value("text", "　杨村第四小学（东校区）\n") == "杨村第四小学（东校区）"
    assert value("names", "甲小学、 乙小学") == "甲小学、 乙小学"
    assert value("text", "第一行\n第二行") == "第一行\n第二行"
    assert value("text", "-") == "-"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12", 12),
        ("0", 0),
        ("-1", -1),
        ("007", 7),
        (" 12　", 12),
        ("１２", 12),
        ("12.0", 12),
        ("1,234", 1234),
        ("1，234，567", 1234567),
        ("+5", 5),
        ("1e3", 1000),
        ("12.000000000000002", 12),
        ("9223372036854775807", 2**63 - 1),
        ("－3", -3),
    ],
)
def test_counts(text: str, number: int):
    assert value("count", text) == number


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("12.5", "不是整数，请填整数"),
        ("33.333333333333336", "不是整数"),
        ("约300", "含有“约”"),
        ("12人", "含有“人”"),
        ("12 人左右", "含有“人左右”"),
        ("-", "没有数据请留空，确实为零请填 0"),
        ("/", "没有数据请留空"),
        ("无", "没有数据请留空"),
        ("*", "没有数据请留空"),
        ("——", "没有数据请留空"),
        ("暂缺", "不是数，请填数字"),
        ("1,23", "不是规范的数字"),
        ("0,123", "不是规范的数字"),
        ("1.2.3", "不是规范的数字"),
        ("3-5", "不是规范的数字"),
        ("1 234", "不是规范的数字"),
        ("50%", "不是规范的数字"),
        ("1_000", "含有“_”"),
        ("nan", "不是数"),
        ("Infinity", "不是数"),
        ("٣", "不是数"),
        ("#REF!", "不是数"),
    ],
)
def test_what_is_no_number_is_never_guessed(text: str, said: str):
    for type_ in ("count", "amount") if text not in ("12.5", "33.333333333333336") else ("count",):
        rule, message = fault(type_, text)
        assert rule == "unreadable"
        assert message.startswith(f"某列“{text}”") and said in message


@pytest.mark.parametrize(
    ("type_", "text"),
    [
        ("count", "9223372036854775808"),
        ("count", "1e400"),
        ("count", "1e999999999"),
        ("amount", "1000000000000"),
        ("amount", "1,000,000,000,000.5"),
        ("amount", "999999999999.99999999999"),
        ("amount", "1e999999999"),
        ("percent", "1000"),
        ("rate", "12345"),
        ("year", "99999999999"),
        ("amount", "1" * 70),
    ],
)
def test_overflow_is_refused(type_: str, text: str):
    rule, message = fault(type_, text)
    assert rule == "out_of_range"
    assert "过大" in message or "过长" in message


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12.5", "12.5"),
        ("9711.600000", "9711.6"),
        ("1,234.56", "1234.56"),
        ("１２．５", "12.5"),
        (".5", "0.5"),
        ("5.", "5"),
        ("-3.25", "-3.25"),
        ("123456789012.123456", "123456789012.123456"),
        ("1.50000000000000000000", "1.5"),
        ("1e-6", "0.000001"),
        # floats of a spreadsheet, recognised by their 15 and more digits: rounded half to even
        ("0.30000000000000004", "0.3"),
        ("33.333333333333336", "33.333333"),
        ("2.220446049250313e-16", "0"),
    ],
)
def test_amounts_are_exact(text: str, number: str):
    assert value("amount", text) == Decimal(number)


def test_half_to_even_decides_a_float_in_the_middle():
    assert value("amount", "123456789.0000005") == Decimal("123456789.000000")
    assert value("amount", "123456789.0000015") == Decimal("123456789.000002")


def test_more_decimals_than_are_kept_are_rounded_however_they_are_written():
    # as a text export shows a third, and as the workbook itself holds it
    assert value("amount", "0.333333333") == value("amount", "0.3333333333333333") == Decimal("0.333333")
    assert value("amount", "0.1234565000000000") == Decimal("0.123456")
    assert value("amount", "1.1234567") == Decimal("1.123457")
    assert value("rate", "0.1234567891") == Decimal("0.123456789")


def test_percents_are_of_a_hundred():
    assert parse("percent", "50", "50%", "12.5％", "50 %", "0.5", "100.0") == [
        Decimal(n) for n in ("50", "50", "12.5", "50", "0.5", "100")
    ]


def test_rates_are_fractions():
    assert parse("rate", "0.123", "12.3%", "12.3％", "0", "1", "0.15") == [
        Decimal(n) for n in ("0.123", "0.123", "0.123", "0", "1", "0.15")
    ]
    # A bare 12.3 is read as it stands; the range of the type, 0 to 1, refuses it with the row.
    assert value("rate", "12.3") == Decimal("12.3")


def test_years():
    assert parse("year", "2023", "2023年", "２０２３", "2023.0", "2023年度", "2023 年") == [2023] * 6
    for text in ("2023-2024", "2023学年", "二〇二三", "2023.5"):
        assert fault("year", text)[0] == "unreadable"


@pytest.mark.parametrize(
    ("grade", "texts"),
    [
        (1, ["1", "一", "一年级", "1年级", "小学一年级", "１", "1.0"]),
        (4, ["4", "四年级", "4 年级", "四 年级"]),
        (7, ["7", "七年级", "初一", "初中一年级", "初中七年级", "7年级", "初1"]),
        (9, ["九年级", "初三", "初中三年级"]),
        (12, ["12"]),
    ],
)
def test_grades(grade: int, texts: list[str]):
    assert parse("grade", *texts) == [grade] * len(texts)


@pytest.mark.parametrize("text", ["高一", "初四", "六年级以上", "小班", "2023级", "1班", "1.5"])
def test_what_is_no_grade(text: str):
    rule, message = fault("grade", text)
    assert rule == "unreadable"
    assert "请填 1–9" in message


def test_levels():
    assert parse("level", "Ⅲ", "III", "3", "Ⅲ级", "iii 级", "三级", "3.0", "ＩＩＩ") == [3] * 8
    assert parse("level", "Ⅰ", "Ⅱ", "Ⅳ", "Ⅴ", "10") == [1, 2, 4, 5, 10]
    for text in ("Ⅲ级以上", "合格", "IIII"):
        assert "请填 Ⅰ、Ⅱ、Ⅲ" in fault("level", text)[1]


@pytest.mark.parametrize(
    "text",
    [
        *(
            "2023-08-31",
            "2023/8/31",
            "2023.8.31",
            "2023年8月31日",
            "20230831",
            "20230831.0",
            "２０２３－０８－３１",
        ),
        *(
            "2023-08-31 00:00:00",
            "2023-08-31T09:30",
            "2023/8/31 9:30:00",
            "2023 年 8 月 31 日",
            "2023年8月31号",
        ),
    ],
)
def test_days(text: str):
    assert value("date", text) == date(2023, 8, 31)


@pytest.mark.parametrize(
    "text", ["2024-12", "2024/12", "2024年12月", "2024年12月底", "2024年12月底前", "2024.12"]
)
def test_a_month_means_its_last_day_where_the_contract_says_so(text: str):
    assert value("date", text, month_means_end=True) == date(2024, 12, 31)
    rule, message = fault("date", text)
    assert (rule, "要写到日" in message) == ("unreadable", True)


def test_february_ends_by_the_calendar():
    assert parse("date", "2024-02", "2023-2", month_means_end=True) == [date(2024, 2, 29), date(2023, 2, 28)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2023-02-30", "没有这一天"),
        ("2023-13", "没有这一天"),
        ("0000-01-01", "没有这一天"),
        ("45169", "Excel 的日期序号"),
        ("45169.5", "Excel 的日期序号"),
        ("23-8-31", "不是日期"),
        ("8/31/2023", "不是日期"),
        ("2024.1", "不是日期"),
        ("2023-08/31", "不是日期"),
        ("202412", "不是日期"),
        ("年底", "不是日期"),
        ("2024年12月前", "不是日期"),
        ("3023-08-31", "1900–2100"),
    ],
)
def test_what_is_no_date(text: str, said: str):
    assert said in fault("date", text, month_means_end=True)[1]


def test_flags():
    assert parse("flag", "是", "true", "1", "Y", "yes", "TRUE", "1.0", "ｙ") == [True] * 8
    assert parse("flag", "否", "false", "0", "N", "no", "False", "0.0") == [False] * 7
    for text in ("有", "√", "2", "不详"):
        assert fault("flag", text) == ("unreadable", f"某列“{text}”不是“是”或“否”，请填“是”或“否”")


def test_choices_are_stored_by_their_code():
    assert parse("choice", "小学", "primary", " Primary ", "初 中", "ｊｕｎｉｏｒ") == [
        *("primary", "primary", "primary", "junior", "junior")
    ]
    assert fault("choice", "高中") == (
        "unknown_value",
        "某列“高中”不在约定的取值之内，请填其中之一：小学、初中",
    )
    assert value("choice", "211.0", values={"小学": ("211",)}) == "小学"


def test_an_open_choice_keeps_what_it_does_not_know():
    assert parse("choice", "小学", " 幼儿园 ", is_open=True) == ["primary", "幼儿园"]


def test_words_stand_for_numbers():
    assert parse("count", "民办", "3", words={"民办": "10"}) == [10, 3]
    assert fault("count", "公办", words={"民办": "10"})[0] == "unreadable"


def test_a_long_value_is_cut_in_the_message():
    assert fault("count", "很" * 100)[1].startswith(f"某列“{'很' * 40}…”")


def test_faults_are_told_for_every_cell_they_stand_in():
    cells = parse_cells(pa.chunked_array([["约3", "5"], [None, "约3", "7"]], STRING), column("count"))
    assert cells.values.to_pylist() == [None, 5, None, None, 7]
    assert cells.bad.tolist() == [0, 3]
    assert len(set(cells.messages)) == 1


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**11), max_value=10**11))
def test_every_decimal_with_six_places_is_read_exactly(number: Decimal):
    assert value("amount", f"{number:f}") == number
    assert value("amount", f"{number:,f}") == number


@given(st.floats(min_value=-1e9, max_value=1e9, allow_nan=False))
def test_floats_as_a_spreadsheet_writes_them_are_off_by_no_more_than_half_a_place(number: float):
    (found,) = parse("amount", repr(number))
    if not isinstance(found, tuple):
        assert abs(found - Decimal(repr(number))) <= Decimal("0.0000005")


@given(st.sampled_from(sorted(ARROW_TYPES)), st.lists(st.one_of(st.none(), st.text(max_size=12)), max_size=8))
def test_any_text_is_blank_or_a_value_or_told(type_: str, texts: list[str | None]):
    cells = parse_cells(pa.array(texts, STRING), column(type_))
    told = set(cells.bad.tolist())
    for position, (text, result) in enumerate(zip(texts, cells.values.to_pylist(), strict=True)):
        is_blank = text is None or not text.strip(BLANKS)
        assert (result is None) == (is_blank or position in told)
        assert not (is_blank and position in told)
