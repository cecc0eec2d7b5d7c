"""The helper sheets of a template, which are not read: instructions with examples, checks, lists.

Each begins with the words by which the reader recognises that it is not data. Belongs here: these sheets. Keep out: the sheet
that is filled in (data_sheet.py).
"""

from __future__ import annotations

import datetime as dt
import math
import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from youjun_pipeline.contracts.model import HELPER_SHEET, NUMBER_TYPES, SNAPSHOT, Column, Dataset
from youjun_pipeline.ingest.formats.book import column_letter
from youjun_pipeline.reports.workbook import LINE_HEIGHT, text_width
from youjun_pipeline.templates.data_sheet import (
    FILLED_ROWS,
    LISTS_SHEET,
    LISTS_TOP,
    Layout,
    header_of,
    kind_of,
    lists_of,
)

EXAMPLES = Path(__file__).with_name("examples.toml")
INSTRUCTIONS_SHEET, CHECKS_SHEET = "填表说明", "校验"

# Widths of the columns of the instruction sheet.
WIDTHS = (5, 28, 36, 7, 44, 24, 24)

_FONT = {"font_name": "宋体", "font_size": 10, "valign": "vcenter", "text_wrap": True}
_NOTE = _FONT | {"font_color": "#7F7F7F", "text_wrap": False}
_TITLE = {"font_name": "黑体", "font_size": 14, "valign": "vcenter"}
_CELL = _FONT | {"border": 1}
_HEAD = _CELL | {"bold": True, "bg_color": "#D9E2EF", "align": "center"}
_EXAMPLE = _CELL | {"font_color": "#7F7F7F", "italic": True, "num_format": "@"}
_REQUIRED = _CELL | {"bold": True, "font_color": "#C00000", "align": "center"}


@cache
def examples() -> dict[str, list[dict[str, str]]]:
    """Rows of every dataset as a district would fill them in, by dataset: column -> text."""
    return tomllib.loads(EXAMPLES.read_text(encoding="utf-8"))


def write_instructions(book: Any, layout: Layout, district: str, delivery: dt.date | None) -> None:
    """How to fill in the template: the general rules, then each column with meaning, values and two examples."""
    dataset = layout.dataset
    sheet = _helper(book, INSTRUCTIONS_SHEET, f"{dataset.title}填表说明", WIDTHS)
    row = 2
    for line in _general(dataset, district, delivery, bool(layout.rows)):
        sheet.write_string(row, 0, line, book.add_format(_FONT | {"text_wrap": False}))
        row += 1
    # These are for signatures on paper; the program does not read them.
    for position, title in zip(
        (0, 2, 4, 5), ("填报单位：", "填表人：", "审核人：", "填报日期："), strict=True
    ):
        sheet.write_string(
            row, position, title, book.add_format(_FONT | {"text_wrap": False, "locked": False, "bottom": 1})
        )
    row += 2
    for position, title in enumerate(("列", "列名", "含义", "必填", "填什么", "示例一", "示例二")):
        sheet.write_string(row, position, title, book.add_format(_HEAD))
    cell, example = book.add_format(_CELL), book.add_format(_EXAMPLE)
    rows = examples().get(dataset.name, [])
    for position, column in enumerate(layout.columns):
        row += 1
        letter = column_letter(position)
        if isinstance(column, str):
            texts = [letter, column, "供填表人核对", "", "已填好的不必改；本列不读取，可以删除"]
            is_required = False
        else:
            required = "必填" if column.required else ""
            texts = [letter, column.zh, _meaning(column, dataset), required, kind_of(column)]
            is_required = column.required
        given = ["" if isinstance(column, str) else each.get(column.name, "") for each in rows[:2]]
        sheet.set_row(row, _height([*texts, *given]))
        for place, text in enumerate(texts):
            style = book.add_format(_REQUIRED) if is_required and place == 3 else cell
            sheet.write_string(row, place, text, style)
        for place, text in enumerate(given, len(texts)):
            sheet.write_string(row, place, text, example)
    sheet.protect("")


def _height(texts: Sequence[str]) -> float:
    """The height of the cell with the most lines, because not every program adjusts the height of rows."""
    lines = [math.ceil(text_width(text) / (width - 1)) for text, width in zip(texts, WIDTHS, strict=False)]
    return LINE_HEIGHT * max(1, *lines) + 4


def _general(dataset: Dataset, district: str, delivery: dt.date | None, is_filled: bool) -> list[str]:
    whole = (
        "本表每次交付完整的一份，新的一份整体替换上一份。"
        if dataset.kind == SNAPSHOT
        else "本表只填新增的记录，逐次累积；同一条交两次只算一次。"
    )
    lines = [
        f"1. {dataset.comment}。{whole}",
        "2. 只在第一张表里填写，从表头下一行起逐行填，不要改表头，不要合并单元格，不要插入合计行或小标题。",
        "3. 没有数据请留空；“-”“/”“无”“约300”“45人”都不会被当作数。确实为零请填 0。",
        "4. 深蓝表头是必填列。已开始填写的行缺了必填项会显示黄色，重复的编号显示橙色；“校验”页有汇总。",
        f"5. 文件名请保持 {dataset.name}.xlsx（或改为 {dataset.title}.xlsx），放入以交付日期命名的文件夹，如 2024-06-30。",
        "6. 报送前可用 youjun check 检查，逐处指出问题。",
    ]
    if dataset.name == "scenario_actions":
        lines[4] = (
            "5. 文件名即情景编号，改名后放入区县文件夹的 scenarios/，不要放入交付文件夹；情景不改变任何判定。"
        )
    if dataset.name == "prices":
        lines[4] = (
            "5. 文件名请保持 prices.xlsx，放入区县文件夹（与 district.toml 并列），不要放入交付文件夹。"
        )
    if district and is_filled:
        filled = f"（来自 {delivery} 交付的学校名册）" if delivery else ""
        lines.append(f"7. 已按{district}的学校名册填好学校{filled}；如有新建、撤并，请增删相应的行。")
    return lines


def _meaning(column: Column, dataset: Dataset) -> str:
    key = "（与其他编号列一起不可重复）" if column.name in dataset.key and len(dataset.key) > 1 else ""
    if dataset.key == (column.name,):
        key = "（不可重复）"
    return column.comment + key


def write_checks(book: Any, layout: Layout) -> None:
    """Formulas that count filled, missing and repeated entries, and sums to compare."""
    sheet = _helper(book, CHECKS_SHEET, f"{layout.dataset.title}校验", (38, 14, 16, 16, 16))
    head, cell = book.add_format(_HEAD), book.add_format(_CELL)
    number = book.add_format(_CELL | {"num_format": "#,##0.######", "align": "right"})
    for position, title in enumerate(("检查项", "结果", "结论")):
        sheet.write_string(3, position, title, head)
    row = 4
    row_text = "&".join(_range(layout, i) for i in range(len(layout.columns)))
    lines = [("已填行数", f'=SUMPRODUCT(--({row_text}<>""))', len(layout.rows), False)]
    for name in layout.dataset.required:
        column = layout.dataset.columns[name]
        missing = sum(1 for given in layout.rows if given.get(name) is None)
        formula = f'=SUMPRODUCT(({row_text}<>"")*({_range(layout, layout.position(name))}=""))'
        lines.append((f"必填列“{column.zh}”空白的行数", formula, missing, True))
    key = '&"|"&'.join(_range(layout, layout.position(name)) for name in layout.dataset.key)
    keyed = "*".join(f'({_range(layout, layout.position(name))}<>"")' for name in layout.dataset.required_key)
    first = f"ROW({_range(layout, 0)})-1"
    title = "、".join(layout.dataset.columns[name].zh for name in layout.dataset.key)
    if layout.dataset.kind == SNAPSHOT:
        lines.append(
            (f"“{title}”重复的行数", f"=SUMPRODUCT({keyed}*(MATCH({key},{key},0)<>{first}))", 0, True)
        )
    for text, formula, value, is_fault in lines:
        sheet.write_string(row, 0, text, cell)
        sheet.write_formula(row, 1, formula, number, value)
        if is_fault:
            sheet.write_formula(
                row, 2, f'=IF(B{row + 1}=0,"正常","请核对")', cell, "请核对" if value else "正常"
            )
        row += 1
    row += 1
    # for comparison with the district's own sums
    for position, title in enumerate(("数值列", "已填", "合计", "最小", "最大")):
        sheet.write_string(row, position, title, head)
    for column in layout.dataset.columns.values():
        if column.type in NUMBER_TYPES and column.type not in ("year", "grade", "level"):
            row += 1
            cells = _range(layout, layout.position(column.name))
            sheet.write_string(row, 0, header_of(column).replace("*", "").replace("\n", ""), cell)
            sheet.write_formula(row, 1, f"=COUNT({cells})", number, 0)
            for place, function in enumerate(("SUM", "MIN", "MAX"), 2):
                formula = f'=IF($B{row + 1}=0,"",{function}({cells}))'
                sheet.write_formula(row, place, formula, number, "")
    sheet.write_string(row + 2, 0, f"统计前 {FILLED_ROWS} 行。", book.add_format(_NOTE))
    sheet.protect("")


def _range(layout: Layout, position: int) -> str:
    letter = column_letter(position)
    return f"'{layout.sheet}'!${letter}$2:${letter}${FILLED_ROWS + 1}"


def write_lists(book: Any, layout: Layout, schools: Sequence[tuple[str, str]]) -> None:
    """The lists that drop-downs refer to, and the schools' names beside their codes; no sheet if no list is needed."""
    lists = lists_of(layout, schools)
    if not lists:
        return
    widths = [26.0] * len(lists) + [30.0]
    sheet = _helper(book, LISTS_SHEET, f"{layout.dataset.title}可选的值", widths)
    head, cell = book.add_format(_HEAD), book.add_format(_CELL | {"num_format": "@"})
    for position, (name, words) in enumerate(lists.items()):
        title = f"{layout.dataset.columns[name].zh}："
        sheet.write_string(LISTS_TOP - 1, position, title, head)
        for number, word in enumerate(words):
            sheet.write_string(LISTS_TOP + number, position, word, cell)
    if "school_code" in lists:
        sheet.write_string(LISTS_TOP - 1, len(lists), "对应的学校：", head)
        names = dict(schools)
        for number, code in enumerate(lists["school_code"]):
            sheet.write_string(LISTS_TOP + number, len(lists), names[code] or "", cell)
    sheet.protect("")


def _helper(book: Any, name: str, title: str, widths: Sequence[float]) -> Any:
    sheet = book.add_worksheet(name)
    for position, width in enumerate(widths):
        sheet.set_column(position, position, width)
    sheet.write_string(0, 0, f"{HELPER_SHEET}，交付时可以保留，不会读取。", book.add_format(_NOTE))
    sheet.write_string(1, 0, title, book.add_format(_TITLE))
    sheet.set_row(1, 26)
    sheet.set_paper(9)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.hide_gridlines(2)
    return sheet
