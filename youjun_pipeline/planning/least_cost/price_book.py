"""`prices.xlsx`: the prices file as a workbook with an item in each row, read like a delivered file.

Belongs here: turning rows into the form of `prices.toml`, and the cell of each value. Keep out: what prices may be (`prices`).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from youjun_pipeline.contracts.loader import parse_dataset
from youjun_pipeline.contracts.model import Dataset, fold_word

# The columns of each special item; every other item is a lever.
_LEVER = ("price", "move_price", "most", "most_moved", "allowed")
_COLUMNS = {
    "classes": ("price",),
    "rooms": ("price",),
    "pupils": ("price", "price_per_km", "within_m"),
    "rotation": ("move_price",),
    "budget": ("amount",),
    "years": ("year", "amount"),
    "coefficient_at_most": ("amount",),
    "above_threshold": ("amount",),
    "pupils_of": ("year",),
}
# Items with a single value, and the column of the value.
_VALUES = {
    "budget": "amount",
    "coefficient_at_most": "amount",
    "above_threshold": "amount",
    "pupils_of": "year",
}
_FLAGS = {"是": True, "否": False}


@dataclass
class PriceBook:
    """The rows in the form of `prices.toml`; `rows`: row numbers by place (`levers.equipment`); and the unreadable cells."""

    said: dict[str, Any] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    sheet: str = ""

    def at(self, row: int, column: str) -> str:
        """A cell by its sheet, row and header."""
        sheet = f"工作表“{self.sheet}”" if self.sheet else ""
        return f"{sheet}第 {row} 行，“{header(column)}”"

    def cell(self, place: str) -> str | None:
        """The cell of a place in `prices.toml` (`sites.0.school`, `pupils_of`); None if the rows do not have the place."""
        for entry, row in self.rows.items():
            if f"{place}.".startswith(f"{entry}."):
                column = place.removeprefix(entry).strip(".")
                return self.at(row, column or _VALUES.get(entry, "amount"))
        return None


@cache
def contract() -> Dataset:
    """The contract of the rows, with headers in both languages."""
    path = Path(__file__).with_name("price_items.toml")
    return parse_dataset(tomllib.loads(path.read_text(encoding="utf-8")))


def header(column: str) -> str:
    """A column's header."""
    return contract().columns[column].zh


def read_book(path: Path) -> PriceBook:
    """The rows of a prices workbook; every fault has its row and column."""
    from youjun_pipeline.ingest.files import read_file

    result, book = read_file(path, contract()), PriceBook()
    if result.failure:
        book.faults.append(result.failure.message)
        return book
    known = "、".join(c.zh for c in contract().columns.values())
    book.faults += [f"没有这一列：{name}；可用：{known}" for name in result.ignored_headers]
    for record in result.frame.to_dict("records"):
        # a blank cell says nothing; missing values are reported later
        given = {
            column: str(record[column]).strip()
            for column in contract().columns
            if record[column] is not None and record[column] == record[column] and str(record[column]).strip()
        }
        # a template names every item, so an item without any value says nothing
        if given.keys() - {"item"}:
            book.sheet = str(record.get("sheet") or "")
            _add(book, int(record["row_number"]), given)
    return book


def _items() -> dict[str, str]:
    values = contract().columns["item"].values
    return {fold_word(word): item for item, words in values.items() for word in (item, *words)}


def _add(book: PriceBook, row: int, given: Mapping[str, str]) -> None:
    item = _items().get(fold_word(given.get("item", "")))
    if item is None:
        known = "、".join(words[0] for words in contract().columns["item"].values.values())
        told = f"“{given['item']}”不是可填的项目" if "item" in given else "没有填写"
        book.faults.append(f"{book.at(row, 'item')}：{told}；可填：{known}")
        return
    takes = ("most",) if "school" in given else _COLUMNS.get(item, _LEVER)
    for column in given.keys() - {"item", "unit", "school", *takes}:
        book.faults.append(f"{book.at(row, column)}：这一项不用此列，请删去（现为 {given[column]}）")
    _unit(book, row, given.get("unit"))
    fields: dict[str, Any] = {column: given[column] for column in takes if column in given}
    if "allowed" in fields:
        fields["allowed"] = _FLAGS.get(fields["allowed"], fields["allowed"])
    _put(book, row, item, fields, given.get("school"))


def _unit(book: PriceBook, row: int, unit: str | None) -> None:
    if unit is None:
        return
    if book.said.setdefault("unit", unit) != unit:
        book.faults.append(f"{book.at(row, 'unit')}：与前面的“{book.said['unit']}”不一致，请统一")


def _put(book: PriceBook, row: int, item: str, fields: dict[str, Any], school: str | None) -> None:
    said = book.said
    if school is not None:
        place = f"sites.{len(said.setdefault('sites', []))}"
        said["sites"].append({"school": school, "lever": item, **fields})
    elif item == "years":
        place = f"years.{len(said.setdefault('years', []))}"
        said["years"].append(fields)
    else:
        is_lever = item not in _COLUMNS
        place = f"levers.{item}" if is_lever else item
        inside = said.setdefault("levers", {}) if is_lever else said
        if item in inside:
            book.faults.append(f"{book.at(row, 'item')}：这一项已在第 {book.rows[place]} 行填写，请只留一行")
            return
        inside[item] = fields.get(_VALUES[item]) if item in _VALUES else fields
    book.rows[place] = row
