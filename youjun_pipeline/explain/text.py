"""Words for an explanation: figures as reported, places of cells, names of inputs, the heading of an indicator.

Keep out: which figures an indicator is computed from, and how (`school`, `district`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import cast

from youjun_pipeline.contracts import load_datasets
from youjun_pipeline.contracts.model import NUMBER_TYPES
from youjun_pipeline.reports.evaluation import Evaluation, Row
from youjun_pipeline.reports.words import NOTHING, SHARE_UNIT, plain, rounded
from youjun_pipeline.standard import Catalogue
from youjun_pipeline.standard.items import reported_items
from youjun_pipeline.vocabulary import word, words

STATUS = words("status")
COMPULSORY = "compulsory"
DIRECTIONS = words("direction")
# Sources that only say how many classes a school has, class by class or band by band.
CLASS_COUNT, CLASS_BAND = "classes.class_no", "class_bands.classes"
# Decimals of a figure in a calculation: enough to repeat the sum, too few to show binary rounding.
DECIMALS = 6
INDENT = "  "


def figure(value: float | Decimal | None) -> str:
    """A figure with up to six decimals; a missing figure says that it is missing."""
    return "未填报" if value is None else plain(rounded(float(value), DECIMALS))


def percent(value: float) -> str:
    """A fraction as a percentage with up to four decimals."""
    return plain(rounded(value * 100, DECIMALS - 2)) + "%"


def stage_name(catalogue: Catalogue, stage: str | None) -> str:
    """小学, 初中, or both."""
    if stage is None:
        return "不分学段"
    return catalogue.stages[stage].name if stage in catalogue.stages else word("stage", stage) or stage


def input_name(name: str) -> str:
    """The Chinese name of an input (`facilities.teaching_area_m2`); for an item of `assurance` the name in the standard."""
    if name == CLASS_COUNT:
        return "班级数"
    dataset, _, column = name.partition(".")
    if dataset == "assurance":
        item, _, asked = column.rpartition(".")
        found = load_datasets()[dataset].columns.get(asked)
        return f"{item} {found.zh}" if found else _item_name(column)
    known = load_datasets()[dataset].columns if dataset in load_datasets() else {}
    if column not in known:
        return name
    found = known[column]
    return found.zh + (f"（{found.unit}）" if found.unit and found.unit not in found.zh else "")


@cache
def _item_names() -> dict[str, str]:
    items = cast("dict[str, list[str]]", reported_items()["items"])
    return {code: names[0] for code, names in items.items() if names}


def _item_name(code: str) -> str:
    """The district's word for an item of `assurance` (G11.rotated_backbone); the code if no stored catalogue has the item."""
    return _item_names().get(code, code)


def _is_word(name: str) -> bool:
    """Whether an input is a word (a type of school, a conclusion); then its detail is what was reported."""
    dataset, _, column = name.partition(".")
    known = load_datasets()[dataset].columns if dataset in load_datasets() else {}
    found = known.get(column.rpartition(".")[2])
    return found is not None and name != CLASS_COUNT and found.type not in NUMBER_TYPES


def place(row: Row) -> str:
    """Where an input comes from: delivery, file, sheet, row, column letter and header; or that it was not delivered."""
    if row["file"] is None:
        return "没有报送"
    where = f"{row['delivery']}/{row['file']}"
    if row["sheet"]:
        where += f"［{row['sheet']}］"
    where += f" 第 {row['row']} 行" if row["row"] is not None else " 多行合计"
    if row["source_column"] is None:
        return f"{where}，该文件没有这一列"
    return f"{where} {row['source_column']} 列“{''.join((row['header'] or '').split())}”"


@dataclass(frozen=True)
class Used:
    """A reported figure in an explanation: its text, and its row of `mart.lineage`."""

    label: str
    row: Row
    indent: str = INDENT

    def __str__(self) -> str:
        """As a line of text, with its place."""
        return f"{self.indent}{self.label}　← {place(self.row)}{refused_text(self.row)}"


Line = str | Used


def refused_text(row: Row) -> str:
    """What was written in an unreadable cell, and why it was refused."""
    refused = row.get("refused")
    if not refused:
        return ""
    written = f"原文“{refused['value']}”" if refused["value"] is not None else "整行"
    return f"；{written}被退回：{refused['message']}"


def input_lines(rows: Sequence[Row], prefixes: Sequence[str] = (), indent: str = INDENT) -> list[Line]:
    """One line per input: name, detail, figure, place; `prefixes` go before the names (加, 减, a school)."""
    lines: list[Line] = []
    for position, row in enumerate(rows):
        prefix = prefixes[position] if prefixes else ""
        name = prefix + input_name(row["input"])
        if _is_word(row["input"]):
            name += f"：{row['detail'] or '未填报'}"
        else:
            name += (f" {row['detail']}" if row["detail"] else "") + f" {figure(row['value'])}"
        lines.append(Used(name, row, indent))
    return lines


def heading(evaluation: Evaluation, indicator: str) -> list[str]:
    """What the indicator is, by which clause, and its formula in words."""
    entry = evaluation.catalogue.indicators[indicator]
    return [
        f"{indicator} {entry.name}（{entry.short_name}）",
        f"依据：{entry.clause}",
        f"公式：{entry.formula_text}",
        f"{INDENT}分子：{entry.numerator_text}",
        f"{INDENT}分母：{entry.denominator_text}",
    ]


def standard_line(catalogue: Catalogue, indicator: str, target: float, floor: float | None = None) -> str:
    """What the value had to reach."""
    entry = catalogue.indicators[indicator]
    dated = [
        d
        for given in entry.dated_limits.values()
        for d in given
        if d.value == Decimal(str(target)) and d.starts
    ]
    since = (
        f"（自 {dated[-1].starts} 起{'，' + dated[-1].source if dated[-1].source else ''}）" if dated else ""
    )
    if entry.unit == SHARE_UNIT:
        return f"标准：{DIRECTIONS[entry.direction]} {percent(target)}{since}"
    line = f"标准：{DIRECTIONS[entry.direction]} {figure(target)} {entry.unit}{since}"
    return line if floor is None else f"{line}，底线 {figure(floor)}"


def shown(catalogue: Catalogue, indicator: str, value: float | None) -> str:
    """A value as tables show it, with its unit."""
    entry = catalogue.indicators[indicator]
    if value is None:
        return NOTHING
    if entry.unit == SHARE_UNIT:
        decimals = int(catalogue.parameters["share_display_decimals"].value)
        return f"{rounded(value * 100, decimals):f}%"
    return f"{rounded(value, entry.display_decimals):f} {entry.unit}"


def status_line(status: str, strict: str | None = None) -> str:
    """The verdict in words and as the tables write it, with the strict verdict if it differs."""
    line = f"判定：{STATUS[status]}（{status}）"
    if strict is not None and strict != status:
        line += f"；不计过渡政策：{STATUS[strict]}（{strict}）"
    return line
