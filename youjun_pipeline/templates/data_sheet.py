"""The sheet of a template that is filled in: headers, formats, drop-down lists, limits on input.

Belongs here: everything about that sheet's columns. Keep out: which rows are already in it (books.py) and the helper sheets
(help_sheets.py).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from youjun_pipeline.contracts.model import Column, Dataset
from youjun_pipeline.ingest.formats.book import column_letter
from youjun_pipeline.reports.words import sheet_names
from youjun_pipeline.reports.workbook import text_width

# The number of rows that lists, limits and the checking sheet cover; a county's classes are some 5 000 rows.
FILLED_ROWS = 5000

LISTS_SHEET = "选项"
LISTS_TOP = 3
# Excel's limit on the length of a list in a cell's own rule.
LONGEST_INLINE = 255
LONGEST_PROMPT = 255

WIDEST = 46.0

FLAG_WORDS = ("是", "否")
GRADE_WORDS = ("一年级", "二年级", "三年级", "四年级", "五年级", "六年级", "七年级", "八年级", "九年级")
LEVEL_WORDS = ("Ⅰ", "Ⅱ", "Ⅲ", "Ⅳ", "Ⅴ", "Ⅵ", "Ⅶ", "Ⅷ", "Ⅸ", "Ⅹ")
EARLIEST, LATEST = dt.date(1990, 1, 1), dt.date(2099, 12, 31)

_FONT = {"font_name": "宋体", "font_size": 11, "valign": "vcenter"}
_HEAD = _FONT | {"bold": True, "border": 1, "align": "center", "text_wrap": True, "locked": True}
REQUIRED = {"bg_color": "#1F4E79", "font_color": "#FFFFFF"}
OPTIONAL = {"bg_color": "#D9E2EF"}
INFORMATIONAL = {"bg_color": "#EDEDED", "font_color": "#7F7F7F"}
BLANK = {"bg_color": "#FFF2CC"}
REPEATED = {"bg_color": "#F8CBAD"}

TEXT_TYPES = ("code", "text", "names", "choice", "flag", "grade", "level")


@dataclass(frozen=True)
class Layout:
    """A template's columns and the rows that are already in it.

    `choices` are suggested words for a column of text. Informational columns directly follow the first contract column, which
    they explain.
    """

    dataset: Dataset
    rows: list[dict[str, Any]]
    choices: dict[str, Sequence[str]] = field(default_factory=dict)

    @property
    def columns(self) -> list[Column | str]:
        """Contract columns, and informational headers as text, in the order of the sheet."""
        first, *rest = self.dataset.columns.values()
        if first.name != "school_code" and "学校名称" in self.dataset.informational:
            place = list(self.dataset.columns).index("school_code") + 1
            every: list[Column | str] = list(self.dataset.columns.values())
            return [*every[:place], *self.dataset.informational, *every[place:]]
        return [first, *self.dataset.informational, *rest]

    @property
    def sheet(self) -> str:
        """The name of the sheet that is filled in."""
        return sheet_names([self.dataset.title])[0]

    def position(self, name: str) -> int:
        """The 0-based column of a contract column."""
        return next(i for i, c in enumerate(self.columns) if not isinstance(c, str) and c.name == name)


def header_of(column: Column) -> str:
    """A column's header: Chinese name, `*` if it is required, and below it the unit unless the name has it."""
    has_unit = column.unit is None or column.zh.endswith((")", "）"))
    unit = "" if has_unit else f"\n（{column.unit}）"
    return f"{column.zh}{'*' if column.required else ''}{unit}"


def words_of(column: Column) -> tuple[str, ...]:
    """The words from which a column's value is chosen, as a person reads them; empty if any text is allowed."""
    if column.type == "flag":
        return FLAG_WORDS
    if column.type == "grade":
        return GRADE_WORDS[int(column.low or 1) - 1 : int(column.high or 9)]
    if column.type == "level":
        return LEVEL_WORDS[int(column.low or 1) - 1 : int(column.high or 10)]
    return tuple(words[0] if v.isascii() and words else v for v, words in column.values.items())


def lists_of(layout: Layout, schools: Sequence[tuple[str, str]]) -> dict[str, Sequence[str]]:
    """Lists that are too long for a cell's rule, and the schools' codes: column name -> choices."""
    lists: dict[str, Sequence[str]] = {}
    for column in layout.dataset.columns.values():
        words = words_of(column)
        if len(",".join(words)) > LONGEST_INLINE:
            lists[column.name] = words
        elif layout.choices.get(column.name):
            lists[column.name] = layout.choices[column.name]
        elif column.name == "school_code" and schools and layout.dataset.name != "schools":
            lists[column.name] = [code for code, _ in schools]
    return lists


def write_data(book: Any, layout: Layout, schools: Sequence[tuple[str, str]]) -> None:
    """Write the sheet: a locked and frozen header, unlocked cells below it, and the rows that are already known."""
    sheet = book.add_worksheet(layout.sheet)
    columns = layout.columns
    sheet.freeze_panes(1, 2 if len(columns) > 4 else 1)
    sheet.set_row(0, 48)
    free = book.add_format(_FONT | {"locked": False})
    for position, column in enumerate(columns):
        sheet.set_column(
            position, position, _width(column, layout.rows), book.add_format(_cell_format(column))
        )
        kind = INFORMATIONAL if isinstance(column, str) else REQUIRED if column.required else OPTIONAL
        title = column if isinstance(column, str) else header_of(column)
        sheet.write_string(0, position, title, book.add_format(_HEAD | kind))
    _unlock_the_rest(sheet, len(columns), free)
    for number, row in enumerate(layout.rows, 1):
        _write_row(sheet, number, columns, row)
    lists = lists_of(layout, schools)
    for position, column in enumerate(columns):
        if not isinstance(column, str):
            sheet.data_validation(1, position, FILLED_ROWS, position, _validation(column, lists))
    _mark(book, sheet, layout)
    sheet.protect("", dict.fromkeys(_ALLOWED, True))
    sheet.set_paper(9)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)


def _unlock_the_rest(sheet: Any, first: int, free: Any) -> None:
    """Unlock every column after the table: Excel deletes a row of a protected sheet only if none of its cells is locked.

    The sheet's extent is kept; otherwise XlsxWriter and the reader would walk through 16 384 columns in every row.
    """
    extent = sheet.dim_colmin, sheet.dim_colmax
    sheet.set_column(first, 16383, None, free)
    sheet.dim_colmin, sheet.dim_colmax = extent


_ALLOWED = (
    *("format_cells", "format_columns", "format_rows", "insert_rows", "delete_rows", "sort", "autofilter"),
    "select_locked_cells",
)


def _width(column: Column | str, rows: Sequence[dict[str, Any]]) -> float:
    """A width that fits the present content, and the header in two lines."""
    if isinstance(column, str):
        name, usual = column, 12.0
    else:
        widths = {"text": 22, "names": 26, "code": 16, "date": 13, "choice": 14}
        name, usual = column.name, widths.get(column.type, 12)
        usual = max(usual, min(len(column.zh) * 1.1, 26))
    longest = max((text_width(str(row[name])) for row in rows if row.get(name)), default=0)
    return max(usual, min(longest + 2, WIDEST))


def _cell_format(column: Column | str) -> dict[str, Any]:
    if isinstance(column, str):
        return _FONT | {"locked": False, "font_color": "#7F7F7F", "num_format": "@"}
    number_format = "yyyy-mm-dd" if column.type == "date" else "@" if column.type in TEXT_TYPES else "General"
    align = "right" if column.type in ("count", "amount", "percent", "rate") else "left"
    return _FONT | {"locked": False, "num_format": number_format, "align": align}


def _write_row(sheet: Any, number: int, columns: Sequence[Column | str], row: dict[str, Any]) -> None:
    """Write a row of values; text is written as text, whatever its first character."""
    for position, column in enumerate(columns):
        value = row.get(column if isinstance(column, str) else column.name)
        if value is None:
            continue
        if isinstance(value, bool):
            sheet.write_string(number, position, FLAG_WORDS[0 if value else 1])
        elif isinstance(value, int):
            sheet.write_number(number, position, value)
        else:
            sheet.write_string(number, position, str(value))


def _validation(column: Column, lists: dict[str, Sequence[str]]) -> dict[str, Any]:
    """What Excel allows in a column, with a hint on what belongs there."""
    rules = {
        "ignore_blank": True,
        "input_title": column.zh[:32],
        "input_message": prompt(column)[:LONGEST_PROMPT],
    }
    words = words_of(column)
    if column.name in lists:
        letter = column_letter(list(lists).index(column.name))
        top, bottom = LISTS_TOP + 1, LISTS_TOP + len(lists[column.name])
        rules |= {"validate": "list", "source": f"='{LISTS_SHEET}'!${letter}${top}:${letter}${bottom}"}
    elif words:
        rules |= {"validate": "list", "source": list(words)}
    elif column.type in ("count", "year"):
        rules |= {"validate": "integer"} | _between(column, int)
    elif column.type in ("amount", "percent", "rate"):
        rules |= {"validate": "decimal"} | _between(column, float)
    elif column.type == "date":
        rules |= {"validate": "date", "criteria": "between", "minimum": EARLIEST, "maximum": LATEST}
    else:
        return rules | {"validate": "any"}
    # A list of codes or of an open choice is only advice: another value may still be right.
    advises = column.is_open or column.type in ("code", "text", "names")
    return rules | {
        "error_type": "information" if advises else "stop",
        "error_title": "请核对" if advises else "不能这样填",
        "error_message": prompt(column)[:LONGEST_PROMPT],
    }


def _between(column: Column, kind: type) -> dict[str, Any]:
    low, high = column.low, column.high
    if low is not None and high is not None:
        return {"criteria": "between", "minimum": kind(low), "maximum": kind(high)}
    if low is not None:
        return {"criteria": ">=", "value": kind(low)}
    return {
        "criteria": "between",
        "minimum": -(10**12),
        "maximum": kind(high) if high is not None else 10**12,
    }


def prompt(column: Column) -> str:
    """What to fill in, in a sentence or two: kind, unit, values, and whether it is required."""
    parts = [kind_of(column)]
    if column.comment:
        parts.append(column.comment)
    parts.append("必填" if column.required else "没有数据请留空，不要填 0 或“无”")
    return "。".join(parts) + "。"


def kind_of(column: Column) -> str:
    """What kind of value a column takes, with its unit, its range or its words."""
    unit = f"，单位：{column.unit}" if column.unit else ""
    words = words_of(column)
    if words:
        more = "等，可填其他" if column.is_open else ""
        return f"请选：{'、'.join(words)}{more}"
    input_rules = {
        "code": "代码，文本格式，保留前面的 0",
        "text": "文字",
        "names": "名称，几个之间用顿号“、”分开",
        "count": f"整数{unit}",
        "year": "四位年份，如 2023",
        "amount": f"数值{unit}",
        "percent": "0–100 的数，50% 填 50",
        "rate": "0–1 的小数，12.3% 填 0.123",
        "date": "日期，如 2024-06-30" + ("；只到月的填当月最后一日" if column.month_means_end else ""),
    }
    kind = input_rules[column.type]
    return kind + (f"，范围 {column.low}–{column.high}" if column.words else "")


def _mark(book: Any, sheet: Any, layout: Layout) -> None:
    """Colour missing cells in rows that are begun, and codes that occur twice."""
    positions = range(len(layout.columns))
    row_text = "&".join(f"${column_letter(p)}2" for p in positions)
    for name in layout.dataset.required:
        cell = f"${column_letter(layout.position(name))}2"
        rule = {
            "type": "formula",
            "criteria": f'=AND({row_text}<>"",{cell}="")',
            "format": book.add_format(BLANK),
        }
        sheet.conditional_format(1, layout.position(name), FILLED_ROWS, layout.position(name), rule)
    if len(layout.dataset.required_key) == 1 and len(layout.dataset.key) <= 2:
        columns = [column_letter(layout.position(name)) for name in layout.dataset.key]
        # Joined to a text, because Excel reads a blank criterion as 0.
        alike = ",".join(f'${c}$2:${c}${FILLED_ROWS + 1},${c}2&""' for c in columns)
        position = layout.position(layout.dataset.key[0])
        criteria = f'=AND(${columns[0]}2<>"",COUNTIFS({alike})>1)'
        rule = {"type": "formula", "criteria": criteria, "format": book.add_format(REPEATED)}
        sheet.conditional_format(1, position, FILLED_ROWS, position, rule)
