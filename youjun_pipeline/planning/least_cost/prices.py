"""What a district says its levers cost: `prices.toml` in its folder, or `prices.xlsx` with the same content (`price_book`).

    unit = "万元"
    budget = "5000"
    coefficient_at_most = "0.48"  # a margin
    above_threshold = "1.05"      # values at so many times the threshold
    pupils_of = 2028              # the pupils forecast for this school year instead of those delivered

    [[years]]                     # instead of budget: the money of each year
    year = 2025
    amount = "2000"

    [levers.teaching_area]
    price = "0.35"
    most = "2000"                 # at most so many units at one school

    [levers.equipment]
    price = "1"
    move_price = "0.02"
    most_moved = "300"            # at most so many units moved in the whole district

    [classes]
    price = "8"

    [rooms]
    price = "30"

    [rotation]                    # teachers who must rotate anyway (G11) go where the plan needs them
    move_price = "0.5"            # of one of them

    [pupils]
    price = "0.1"                 # of diverting one pupil
    price_per_km = "0.05"         # and for each kilometre to the neighbour
    within_m = "3000"             # nobody goes further

    [[sites]]                     # one school is otherwise
    school = "2120114001"
    lever = "teaching_area"
    most = "0"

Numbers are written as text, as in the catalogue. A file without prices (also an empty file) asks for the plan in physical units.
Keep out: default prices; nothing is assumed that the district did not say.
"""

from __future__ import annotations

import re
import tomllib
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from youjun_pipeline.ingest.beside import PRICES
from youjun_pipeline.planning.least_cost.price_book import PriceBook, contract, header, read_book

LEVERS = Path(__file__).with_name("levers.toml")


def _exact(value: object) -> object:
    if isinstance(value, str):
        try:
            number = Decimal(value.replace(",", "").strip())
        except InvalidOperation:
            raise ValueError("不是数字") from None
        if number.is_finite():
            return number
        raise ValueError("不是数字")
    raise ValueError('数字请写成文本，如 "0.35"')


def _year(value: object, told: str) -> int:
    found = re.fullmatch(r"(\d{4})(?:年|年度|学年)?", str(value).strip())
    if found is None:
        raise ValueError(told)
    return int(found[1])


def _money_year(value: object) -> object:
    return _year(value, "不是年度，请填四位数的年份，如 2028")


def _school_year(value: object) -> object:
    return _year(value, "不是学年，请填四位数的年份，如 2028（2028 年秋季开始的学年）")


Amount = Annotated[Decimal, BeforeValidator(_exact), Field(ge=0)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class Rotates(_Strict):
    """The indicator of rotation in which a kind of teacher counts, and the limit of the indicator that applies."""

    indicator: str
    limit: str


class LeverKind(_Strict):
    """One entry of levers.toml."""

    name: str
    indicator: str
    unit: str
    is_whole: bool
    by_school: bool
    can_move: bool
    dataset: str
    adds: list[str]
    room_for: str | None = None
    movable: str | None = None
    carries: str | None = None
    rotates: Rotates | None = None


class LeverPrice(_Strict):
    """The prices of adding one unit and of moving one, and how many units one school may get."""

    price: Amount
    move_price: Amount | None = None
    most: Amount | None = None
    most_moved: Amount | None = None
    allowed: bool = True


class UnitPrice(_Strict):
    """The price of one additional class or special room."""

    price: Amount


class PupilPrice(UnitPrice):
    """The price of one pupil who goes to a neighbour, and how far pupils can go."""

    price_per_km: Amount | None = None
    within_m: Amount | None = None


class Rotation(_Strict):
    """Teachers who must rotate anyway, and the price of one. The price is above 0; otherwise all of them would move."""

    move_price: Annotated[Decimal, BeforeValidator(_exact), Field(gt=0)]


class Year(_Strict):
    """The money of one year."""

    year: Annotated[int, BeforeValidator(_money_year)]
    amount: Amount


class Site(_Strict):
    """How much of a lever one school may get."""

    school: str
    lever: str
    most: Amount


class Prices(_Strict):
    """A district's prices, all in `unit`."""

    unit: str | None = None
    budget: Amount | None = None
    years: list[Year] = []
    levers: dict[str, LeverPrice] = {}
    classes: UnitPrice | None = None
    pupils: PupilPrice | None = None
    rooms: UnitPrice | None = None
    rotation: Rotation | None = None
    sites: list[Site] = []
    coefficient_at_most: Amount | None = None
    above_threshold: Amount | None = None
    pupils_of: Annotated[int, BeforeValidator(_school_year)] | None = None

    @property
    def is_priced(self) -> bool:
        """Whether there are any prices; with bounds alone the plan is in physical units."""
        return bool(self.levers)

    @property
    def money(self) -> Decimal | None:
        """The money of all years together; None if nothing limits it."""
        return sum((year.amount for year in self.years), Decimal(0)) if self.years else self.budget


class PricesError(ValueError):
    """The prices file cannot be used; the message lists every fault with its place and what to do."""


@cache
def lever_kinds() -> dict[str, LeverKind]:
    """Every lever by its id."""
    return {
        name: LeverKind(**entry) for name, entry in tomllib.loads(LEVERS.read_text(encoding="utf-8")).items()
    }


def prices_file(folder: Path) -> Path | None:
    """The prices file of the district in `folder`; None if it has no such file."""
    return next((folder / name for name in PRICES if (folder / name).is_file()), None)


def read_prices(folder: Path) -> Prices | None:
    """The prices of the district in `folder`; None if it has no prices file.

    Raises:
        PricesError: with all faults of the file.
    """
    path = prices_file(folder)
    if path is None:
        return None
    both = [name for name in PRICES if (folder / name).is_file()]
    if len(both) > 1:
        raise PricesError(f"{folder}：{'、'.join(both)} 都有单价，请只留一个")
    book = read_book(path) if path.suffix != ".toml" else None
    if book is not None and book.faults:
        raise PricesError("\n".join(f"{path}：{fault}" for fault in book.faults))
    try:
        said = book.said if book is not None else tomllib.loads(path.read_text(encoding="utf-8"))
        prices = Prices(**said)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PricesError(f"{path}：不是规范的 TOML：{error}") from error
    except ValidationError as error:
        raise PricesError("\n".join(_told(path, fault, book) for fault in error.errors())) from error
    faults = _contradictions(prices)
    if faults:
        raise PricesError("\n".join(f"{path}：{_as_written(fault, book)}" for fault in faults))
    return prices


def place_in(folder: Path, place: str) -> str:
    """Names a place in the prices (`sites.0.school`) as the file in `folder` does: in a workbook by row and column."""
    path = prices_file(folder)
    book = read_book(path) if path is not None and path.suffix != ".toml" else None
    return (book.cell(place) if book is not None else None) or place


def pupils_fault(folder: Path, year: int, fault: str) -> str:
    """The fault of the school year that the prices in `folder` name (`pupils_of`), with its place and value."""
    return f"{prices_file(folder)}：{place_in(folder, 'pupils_of')}：{fault}（现为 {year}）"


def _told(path: Path, fault: object, book: PriceBook | None) -> str:
    entry = dict(fault)  # type: ignore[call-overload]
    place = ".".join(str(part) for part in entry["loc"])
    if book is not None:
        place = book.cell(place) or place
    reasons = {
        "missing": "没有填写，请补上",
        "extra_forbidden": "不认识这一项，请核对拼写或删去",
        "greater_than_equal": "不能是负数",
        "greater_than": "应大于 0",
    }
    return f"{path}：{place}：{reasons.get(entry['type'], entry['msg'].removeprefix('Value error, '))}（现为 {entry['input']!r}）"


def _as_written(fault: str, book: PriceBook | None) -> str:
    """A fault in the words of the workbook, if a workbook was read."""
    if book is None:
        return fault
    for name, words in contract().columns["item"].values.items():
        for written in (f"levers.{name}", name):
            place = book.rows.get(written)
            fault = fault.replace(
                f"{written}.", f"{words[0]}" + (f"（第 {place} 行）" if place else "") + "的"
            )
    for column in ("move_price", "most_moved", "price"):
        fault = fault.replace(f"的{column}", f"的{header(column)}")
    return fault


def _contradictions(prices: Prices) -> list[str]:
    kinds, faults = lever_kinds(), []
    known = "、".join(kinds)
    for name, entry in prices.levers.items():
        if name not in kinds:
            faults.append(f"levers.{name}：没有这种手段；可用：{known}")
        elif entry.move_price is not None and not kinds[name].can_move:
            faults.append(f"levers.{name}.move_price：{kinds[name].name}不能在学校之间调配，请删去调配单价")
        elif prices.rotation and entry.move_price is not None and kinds[name].rotates:
            faults.append(f"levers.{name}.move_price：已按轮岗（rotation）调配教师，请删去调配单价")
        elif entry.most_moved is not None and entry.move_price is None:
            faults.append(f"levers.{name}.most_moved：没有调配单价 move_price，请补上或删去")
    missing = [f"levers.{name}.price" for name in kinds if name not in prices.levers]
    missing += [f"{name}.price" for name in ("classes", "rooms") if getattr(prices, name) is None]
    if prices.levers and prices.unit is None:
        faults.append('unit：没有填写金额单位，请补上，如 unit = "万元"')
    if prices.years and prices.budget is not None:
        faults.append("budget：已按年度（years）给出资金，请删去 budget")
    if len({year.year for year in prices.years}) < len(prices.years):
        faults.append("years：同一年度写了两次")
    if (prices.budget is not None or prices.years) and not prices.levers:
        faults.append("budget：没有单价，资金上限无从比较；请补上 levers 的单价或删去资金")
    if missing and prices.levers:
        faults.append(f'缺少单价：{"、".join(missing)}；不准使用的手段请写 price = "0" 和 allowed = false')
    faults += [
        f"sites（{site.school}）：没有手段“{site.lever}”；可用：{known}"
        for site in prices.sites
        if site.lever not in kinds
    ]
    return faults
