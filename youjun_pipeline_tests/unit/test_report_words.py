"""Words, formats and sheet names of the reports."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from youjun_pipeline.reports import words
from youjun_pipeline.standard import load_catalogue

CATALOGUE = load_catalogue("national-2017")


def statuses(**given: str) -> dict[str, tuple[str, str | None]]:
    """For each indicator code a status, or a status and a waiver as `met_by_waiver:W3`."""
    return {code: (text.partition(":")[0], text.partition(":")[2] or None) for code, text in given.items()}


def test_remark_names_what_is_met_and_what_reaches_the_floor() -> None:
    given_ = statuses(R1="met", R2="near", R3="met", R4="below", R5="no_data", R6="near", R7="met")
    assert words.remark(given_, CATALOGUE) == "R1、R3、R7达标；R2、R6达到85%；R4低于85%；R5缺数据"


def test_remark_of_a_section_that_meets_all_names_all() -> None:
    given_ = statuses(**{f"R{n}": "met" for n in range(1, 8)})
    assert words.remark(given_, CATALOGUE) == "R1、R2、R3、R4、R5、R6、R7达标"


def test_remark_says_which_waiver_an_indicator_is_met_by() -> None:
    given_ = statuses(R3="met_by_waiver:W3", R5="met_by_waiver:W5", R1="met")
    assert words.remark(given_, CATALOGUE) == "R3、R5、R1达标（其中R3按W3达标、R5按W5达标）"


@pytest.mark.parametrize(
    ("value", "decimals", "shown"),
    [
        (1.005, 2, "1.01"),
        (2.675, 2, "2.68"),
        (0.4995, 3, "0.500"),
        (0.5004, 3, "0.500"),
        (4.194999, 2, "4.19"),
    ],
)
def test_figures_are_rounded_half_up_from_the_decimal_they_stand_for(
    value: float, decimals: int, shown: str
) -> None:
    assert words.rounded(value, decimals) == Decimal(shown)


@pytest.mark.parametrize(
    ("value", "target", "status", "flagged"),
    [
        (0.8496, 0.85, "below", True),
        (0.8494, 0.85, "below", False),
        (0.85, 0.85, "met", False),
        (None, 0.85, "no_data", False),
    ],
)
def test_a_share_that_rounds_up_to_its_target_is_flagged(
    value: float | None, target: float, status: str, flagged: bool
) -> None:
    assert words.is_rounding_sensitive(value, target, status, 3) is flagged


def test_formats_follow_the_catalogue() -> None:
    found = {code: words.value_format(CATALOGUE, code) for code in ("R1", "R6", "G4", "G8", "Q9")}
    assert found == {"R1": "0.00", "R6": "0.00", "G4": "0", "G8": "0.0%", "Q9": "0"}
    assert words.cv_format(CATALOGUE) == "0.000"


def test_amounts_show_decimals_only_where_they_have_some() -> None:
    assert [words.amount_format(v) for v in (5.0, 4.999999999, 5.5, 1646400.0, None)] == [
        "#,##0",
        "#,##0",
        "#,##0.00",
        "#,##0",
        "#,##0",
    ]


def test_sheet_names_lose_what_excel_refuses_and_stay_apart() -> None:
    long = "很长的学校名称" * 6
    wanted = ["a/b:c?d*e[f]g\\h'i", "  ", "History", long, long + "二", "ABC", "abc", "目录", "=1+1"]
    assert words.sheet_names(wanted, ["目录"]) == [
        "a b c d e f g h i",
        "未命名",
        "History(2)",
        long[:31],
        long[:28] + "(2)",
        "ABC",
        "abc(2)",
        "目录(2)",
        "=1+1",
    ]


def test_a_sheet_name_is_measured_as_excel_measures_it() -> None:
    (name,) = words.sheet_names(["𠀀" * 20])
    assert name == "𠀀" * 15


@given(st.lists(st.text(max_size=40), max_size=30))
def test_any_names_become_legal_unique_sheet_names(wanted: list[str]) -> None:
    names = words.sheet_names(wanted)
    assert len(names) == len(wanted)
    assert len({name.casefold() for name in names}) == len(names)
    for name in names:
        assert name.strip()
        assert len(name.encode("utf-16-le", "surrogatepass")) <= 62
        assert not set(name) & set("[]:*?/\\'")
        assert name.casefold() != "history"
