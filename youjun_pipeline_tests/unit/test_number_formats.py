"""What a number format makes of a value: the shown value, or a refusal if it shows another number than the stored one."""

from __future__ import annotations

import datetime as dt

import pytest

from youjun_pipeline.ingest.formats.number_formats import DISTORTED, number_format


def shown(code: str | int, value: object, month: bool = True) -> str | None:
    found = number_format(code, None) if isinstance(code, int) else number_format(176, code)
    return found.shown(value, month) if found else None


@pytest.mark.parametrize(
    ("code", "value", "text"),
    [
        (9, 0.5, "50%"),
        ("0.0%;[Red]-0.0%", -0.285, "-28.5%"),
        ('0"%"', 50.0, "50%"),
        ('0.00"‰"', 1.5, "1.5‰"),
        ('0.00"万元"', 186.35, "186.35万元"),
        ("0000000000", 112000001.0, "0112000001"),
        ("00", 1.0, "01"),
        ("00", 123.0, "123"),
        ('"是";;"否"', 1.0, "是"),
        ('"有";;"无"', 0.0, "无"),
        # Another unit, or a number that is none exactly: the column decides, as it does for a text.
        ('0.00"元"', 186.0, "186元"),
        ('0"亩"', 12.0, "12亩"),
        ('0"余"', 50.0, "50余"),
        ('0"以上"', 50.0, "50以上"),
        ('[>=10000]0!.0,"万";0', 5.0, None),
    ],
)
def test_a_number_is_worth_what_it_shows(code: str | int, value: float, text: str | None) -> None:
    assert shown(code, value) == text


@pytest.mark.parametrize(
    "code",
    [
        *('0!.0000,"万"', '0!.0000"万"', "0!.0,", '0\\.0,"万"', '0"."0,', "#,##0,", '0.0,,"百万"', "0,.00"),
        *('0"00"', '"21"00000000', '0"万"0000', ";;;", '[>=10000]0!.0,"万";0', '[<100]0;[>=100]0,"千"'),
        *("00-00", '0000"-"000', "0\\:00", "-0", '"约"0', "(0)", '"≥"0'),
    ],
)
def test_a_number_that_shows_as_another_is_refused(code: str) -> None:
    text = shown(code, 1863500.0)
    assert text is not None
    assert text.startswith(DISTORTED) and "存储的是 1863500" in text and code in text


@pytest.mark.parametrize(
    "code",
    [
        *("General", "G/通用格式", "@", "0", "0.00", "#,##0", "#,##0.00_ ", "0.00E+00", "# ?/?", "0_ "),
        *(
            '0"人"',
            '0"千米"',
            '"¥"#,##0.00',
            "[$¥-804]#,##0.00",
            "#,##0_);[Red](#,##0)",
            "[DBNum2][$-804]General",
        ),
        *("[Red]0", "0;-0;;@", "0;[Red]0", '_ * #,##0.00_ ;_ * -#,##0.00_ ;_ * "-"??_ ;_ @_ '),
    ],
)
@pytest.mark.parametrize("value", [0.0, 5.0, -5.0, 1234.5])
def test_what_only_looks_different_is_the_number(code: str, value: float) -> None:
    assert shown(code, value) is None


def test_zero_is_zero_where_it_is_shown_as_nothing() -> None:
    for code in (";;;", "0;-0;;@", '0;-0;"-"', "#", '0!.0,"万"'):
        assert shown(code, 0.0) is None


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (57, "1986-01"),
        (17, "1986-01"),
        (14, None),
        ('yyyy"年"m"月"', "1986-01"),
        ("yyyy/mm;@", "1986-01"),
        ("yyyy", "1986"),
        ('yyyy"年"', "1986"),
        ("e", "1986"),
        ('[$-804]yyyy"年"m"月"d"日";@', None),
        ("yyyy-mm-dd hh:mm:ss", None),
        ("[h]:mm", None),
        ("m/d", None),
        ("aaaa", None),
    ],
)
def test_a_date_is_worth_what_it_shows(code: str | int, text: str | None) -> None:
    assert shown(code, dt.date(1986, 1, 1)) == text
    assert shown(code, dt.datetime(1986, 1, 1)) == text


def test_a_month_stands_for_a_date_only_where_it_may() -> None:
    assert shown(57, dt.date(2024, 12, 1), month=False) is None
    assert shown(57, dt.date(2024, 12, 13)) is None  # the day is known, and kept


def test_a_year_typed_into_a_cell_for_dates() -> None:
    """1978 read as a day is 1905-05-31, and is shown as 1905."""
    text = shown("yyyy", dt.date(1905, 5, 31))
    assert text is not None and text.startswith(DISTORTED) and "像是年份" in text
    assert shown("yyyy", dt.date(1905, 1, 1)) == "1905"
