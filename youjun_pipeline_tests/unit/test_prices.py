"""The prices file: exact amounts, and every contradiction reported with its place."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

from youjun_pipeline.planning.least_cost.price_book import contract
from youjun_pipeline.planning.least_cost.prices import PricesError, UnitPrice, lever_kinds, read_prices
from youjun_pipeline.templates.books import write_price_template

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
    ('[rotation]\nmove_price = "0"\n', ["rotation.move_price", "应大于 0"]),
    ("pupils_of = true\n", ["pupils_of：不是学年", "如 2028"]),
    ('pupils_of = "28"\n', ["pupils_of：不是学年", "（现为 '28'）"]),
    (PRICED + '[rotation]\nmove_price = "1"\n[levers.x]\nprice = "1"\n', ["没有这种手段"]),
    (
        PRICED.replace("[classes]", '[rotation]\nmove_price = "1"\n[classes]').replace(
            "[levers.backbone_teachers]\n", '[levers.backbone_teachers]\nmove_price = "1"\n'
        ),
        ["levers.backbone_teachers.move_price", "已按轮岗"],
    ),
]


@pytest.mark.parametrize(("text", "told"), FAULTS)
def test_contradictions_of_the_prices_are_told_with_their_place(tmp_path: Path, text: str, told: list[str]):
    (tmp_path / "prices.toml").write_text(text, encoding="utf-8")
    with pytest.raises(PricesError) as caught:
        read_prices(tmp_path)
    for words in (*told, "prices.toml"):
        assert words in str(caught.value)


def test_two_files_of_prices_are_one_too_many(tmp_path: Path):
    (tmp_path / "prices.toml").write_text(PRICED, encoding="utf-8")
    (tmp_path / "prices.xlsx").touch()
    with pytest.raises(PricesError, match="只留一个"):
        read_prices(tmp_path)


def book_of(folder: Path, *rows: dict[str, object]) -> Path:
    """The template of prices with cells filled in, by item and header; for a school a row is added."""
    path = write_price_template(folder)
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    at = {str(c.value).split("\n")[0].rstrip("*"): c.column for c in sheet[1] if c.value}
    place = {str(row[0].value): row[0].row for row in sheet.iter_rows(min_row=2, max_row=40) if row[0].value}
    free = max(place.values()) + 1
    for row in rows:
        number = free if "学校标识码" in row or row["项目"] not in place else place[str(row["项目"])]
        free += number == free
        for title, value in row.items():
            sheet.cell(number, at[title], value)
    book.save(path)
    return path


WORDS = [words[0] for words in contract().columns["item"].values.values()]
FULL: list[dict[str, object]] = [{"项目": name, "单价": 0.35, "金额单位": "万元"} for name in WORDS[:9]]


def test_a_workbook_says_what_the_file_says(tmp_path: Path):
    more: list[dict[str, object]] = [
        {"项目": "教学仪器设备", "调配单价": "0.02", "全区最多调配": 300},
        {"项目": "教学及辅助用房", "每校最多": "2,000", "学校标识码": "2120114001"},
        {"项目": "分流学生", "单价": 0.1, "每公里加价": 0.05, "最远距离(米)": 3000},
        {"项目": "运动场地", "是否可用": "否"},
        {"项目": "年度资金", "年度": 2025, "数值": 2000},
        {"项目": "差异系数不超过", "数值": 0.48},
        {"项目": "按预测学生数的学年", "年度": 2028},
    ]
    book_of(tmp_path, *FULL, *more)
    read = read_prices(tmp_path)
    (tmp_path / "prices.toml").write_text(
        'unit = "万元"\ncoefficient_at_most = "0.48"\npupils_of = 2028\n'
        + "".join(
            f'[levers.{name}]\nprice = "0.35"\n'
            + {
                "equipment": 'move_price = "0.02"\nmost_moved = "300"\n',
                "sports_area": "allowed = false\n",
            }.get(name, "")
            for name in lever_kinds()
        )
        + '[classes]\nprice = "0.35"\n[rooms]\nprice = "0.35"\n'
        '[pupils]\nprice = "0.1"\nprice_per_km = "0.05"\nwithin_m = "3000"\n'
        '[[years]]\nyear = 2025\namount = "2000"\n'
        '[[sites]]\nschool = "2120114001"\nlever = "teaching_area"\nmost = "2000"\n',
        encoding="utf-8",
    )
    (tmp_path / "prices.xlsx").unlink()
    assert read == read_prices(tmp_path)


def test_a_workbook_that_cannot_be_read_is_told(tmp_path: Path):
    (tmp_path / "prices.xlsx").write_bytes(b"PK")
    with pytest.raises(PricesError, match=r"prices\.xlsx："):
        read_prices(tmp_path)


def test_an_empty_template_asks_for_physical_units(tmp_path: Path):
    book_of(tmp_path)
    read = read_prices(tmp_path)
    assert read is not None
    assert not read.is_priced


def test_faults_of_a_workbook_are_told_with_row_and_column(tmp_path: Path):
    book_of(
        tmp_path,
        *FULL,
        {"项目": "增加班级", "每校最多": 3},
        {"项目": "黄金", "单价": 1},
    )
    with pytest.raises(PricesError) as caught:
        read_prices(tmp_path)
    told = str(caught.value)
    assert "prices.xlsx：工作表“最省方案单价”第 9 行，“每校最多”：这一项不用此列" in told
    assert "第 18 行，“项目”：“黄金”不是可填的项目；可填：高学历教师" in told
    book_of(tmp_path, *FULL, {"项目": "教学仪器设备", "单价": "约1"})
    with pytest.raises(PricesError, match="第 7 行，“单价”：不是数字（现为 '约1'）"):
        read_prices(tmp_path)
    book_of(tmp_path, *FULL, {"项目": "教学及辅助用房", "调配单价": 1})
    with pytest.raises(PricesError, match=r"教学及辅助用房（第 5 行）的调配单价：.*不能在学校之间调配"):
        read_prices(tmp_path)
    book_of(tmp_path, *FULL[:-1])
    with pytest.raises(PricesError, match="缺少单价：音乐美术专用教室的单价"):
        read_prices(tmp_path)
    book_of(tmp_path, *FULL, {"项目": "按预测学生数的学年", "年度": "后年"})
    with pytest.raises(
        PricesError, match=r"“最省方案单价”第 13 行，“年度”：不是学年，请填四位数.*（现为 '后年'）"
    ):
        read_prices(tmp_path)
    book_of(tmp_path, *FULL, {"项目": "年度资金", "年度": "明年", "数值": 2000})
    with pytest.raises(PricesError, match=r"第 \d+ 行，“年度”：不是年度，请填四位数的年份.*（现为 '明年'）"):
        read_prices(tmp_path)
    book_of(tmp_path, *FULL, {"项目": "按预测学生数的学年", "数值": 2028})
    with pytest.raises(PricesError, match="第 13 行，“数值”：这一项不用此列，请删去（现为 2028）"):
        read_prices(tmp_path)


@pytest.mark.parametrize("year", ["2028", '"2028"', '"2028学年"'])
def test_the_school_year_of_the_pupils_is_read(tmp_path: Path, year: str):
    (tmp_path / "prices.toml").write_text(f"pupils_of = {year}\n", encoding="utf-8")
    read = read_prices(tmp_path)
    assert read is not None
    assert (read.pupils_of, read.is_priced) == (2028, False)


def test_prices_of_a_district_are_exact(tmp_path: Path):
    (tmp_path / "prices.toml").write_text(PRICED, encoding="utf-8")
    read = read_prices(tmp_path)
    assert read is not None
    assert read.levers["teaching_area"].price == Decimal("0.35")
    assert read_prices(tmp_path / "nowhere") is None
    assert UnitPrice.model_validate({"price": "8"}).price == 8
