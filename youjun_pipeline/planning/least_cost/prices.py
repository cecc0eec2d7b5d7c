"""What a district says its levers cost: `prices.toml` in its folder.

    unit = "万元"
    budget = "5000"

    [levers.teaching_area]
    price = "0.35"
    most = "2000"                 # at most so many units at one school

    [levers.equipment]
    price = "1"
    move_price = "0.02"

    [classes]
    price = "8"

    [rooms]
    price = "30"

    [pupils]
    price = "0.1"                 # of diverting one pupil

    [[sites]]                     # one school is otherwise
    school = "2120114001"
    lever = "teaching_area"
    most = "0"

Numbers are written as text, as in the catalogue. Without the file a plan is in physical units. Keep out: defaults in yuan;
nothing is assumed that the district did not say.
"""

from __future__ import annotations

import tomllib
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

FILE_NAME = "prices.toml"
LEVERS = Path(__file__).with_name("levers.toml")


def _exact(value: object) -> object:
    if isinstance(value, str):
        return Decimal(value.replace(",", "").strip())
    raise ValueError('数字请写成文本，如 "0.35"')


Amount = Annotated[Decimal, BeforeValidator(_exact), Field(ge=0)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


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


class LeverPrice(_Strict):
    """What one unit costs to add and to move, and how many one school may get."""

    price: Amount
    move_price: Amount | None = None
    most: Amount | None = None
    allowed: bool = True


class UnitPrice(_Strict):
    """The price of one class or one special room more, or of one pupil who goes elsewhere."""

    price: Amount


class Site(_Strict):
    """What one school may get of a lever."""

    school: str
    lever: str
    most: Amount


class Prices(_Strict):
    """A district's prices, all in `unit`."""

    unit: str
    budget: Amount | None = None
    levers: dict[str, LeverPrice] = {}
    classes: UnitPrice | None = None
    pupils: UnitPrice | None = None
    rooms: UnitPrice | None = None
    sites: list[Site] = []


class PricesError(ValueError):
    """The file of prices cannot be used; the message lists every fault with its place and what to do."""


@cache
def lever_kinds() -> dict[str, LeverKind]:
    """Every lever by its id."""
    return {
        name: LeverKind(**entry) for name, entry in tomllib.loads(LEVERS.read_text(encoding="utf-8")).items()
    }


def read_prices(folder: Path) -> Prices | None:
    """The prices of the district in `folder`; None when it gives none.

    Raises:
        PricesError: with every fault of the file.
    """
    path = folder / FILE_NAME
    if not path.exists():
        return None
    try:
        prices = Prices(**tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PricesError(f"{path}：不是规范的 TOML：{error}") from error
    except ValidationError as error:
        raise PricesError("\n".join(_told(path, fault) for fault in error.errors())) from error
    faults = _contradictions(prices)
    if faults:
        raise PricesError("\n".join(f"{path}：{fault}" for fault in faults))
    return prices


def _told(path: Path, fault: object) -> str:
    entry = dict(fault)  # type: ignore[call-overload]
    place = ".".join(str(part) for part in entry["loc"])
    reasons = {
        "missing": "没有填写，请补上",
        "extra_forbidden": "不认识这一项，请核对拼写或删去",
        "greater_than_equal": "不能是负数",
    }
    return f"{path}：{place}：{reasons.get(entry['type'], entry['msg'].removeprefix('Value error, '))}（现为 {entry['input']!r}）"


def _contradictions(prices: Prices) -> list[str]:
    kinds, faults = lever_kinds(), []
    known = "、".join(kinds)
    for name, entry in prices.levers.items():
        if name not in kinds:
            faults.append(f"levers.{name}：没有这种手段；可用：{known}")
        elif entry.move_price is not None and not kinds[name].can_move:
            faults.append(f"levers.{name}.move_price：{kinds[name].name}不能在学校之间调配，请删去调配单价")
    missing = [f"levers.{name}.price" for name in kinds if name not in prices.levers]
    if missing and prices.levers:
        faults.append(f'缺少单价：{"、".join(missing)}；不准使用的手段请写 price = "0" 和 allowed = false')
    faults += [
        f"sites（{site.school}）：没有手段“{site.lever}”；可用：{known}"
        for site in prices.sites
        if site.lever not in kinds
    ]
    return faults
