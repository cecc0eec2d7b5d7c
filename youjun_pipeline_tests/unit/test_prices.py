"""The file of prices: exact amounts, and every contradiction told with its place."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from youjun_pipeline.planning.least_cost.prices import PricesError, UnitPrice, lever_kinds, read_prices

PRICED = (
    'unit = "万元"\n'
    + "".join(f'[levers.{name}]\nprice = "0.35"\n' for name in lever_kinds())
    + '[classes]\nprice = "8"\n[rooms]\nprice = "30"\n'
)

FAULTS = [
    ('unit = "万元"\n[levers.gold]\nprice = "1"\n', ["levers.gold：没有这种手段"]),
    ('unit = "万元"\n[levers.equipment]\nprice = 1\n', ["levers.equipment.price", "写成文本"]),
    ('unit = "万元"\n[levers.equipment]\nprice = "-1"\n', ["不能是负数"]),
    (
        'unit = "万元"\n'
        + "".join(f'[levers.{name}]\nprice = "1"\n' for name in lever_kinds())
        + '[[sites]]\nschool = "1"\nlever = "rooms"\nmost = "1"\n',
        ["没有手段“rooms”"],
    ),
    (
        'unit = "万元"\n[levers.teaching_area]\nprice = "1"\nmove_price = "1"\n',
        ["不能在学校之间调配", "缺少单价"],
    ),
    ("unit = \n", ["不是规范的 TOML"]),
]


@pytest.mark.parametrize(("text", "told"), FAULTS)
def test_contradictions_of_the_prices_are_told_with_their_place(tmp_path: Path, text: str, told: list[str]):
    (tmp_path / "prices.toml").write_text(text, encoding="utf-8")
    with pytest.raises(PricesError) as caught:
        read_prices(tmp_path)
    for words in (*told, "prices.toml"):
        assert words in str(caught.value)


def test_prices_in_a_workbook_are_not_passed_over_in_silence(tmp_path: Path):
    (tmp_path / "prices.xlsx").write_bytes(b"PK")
    with pytest.raises(
        PricesError, match=r"prices\.xlsx：价格还不能从工作簿读取，请把同样的内容写成 prices\.toml"
    ):
        read_prices(tmp_path)


def test_prices_of_a_district_are_exact(tmp_path: Path):
    (tmp_path / "prices.toml").write_text(PRICED, encoding="utf-8")
    read = read_prices(tmp_path)
    assert read is not None
    assert read.levers["teaching_area"].price == Decimal("0.35")
    assert read_prices(tmp_path / "nowhere") is None
    assert UnitPrice.model_validate({"price": "8"}).price == 8
