"""Finds the header of a sheet and decides which of its columns is which column of the contract.

Belongs here: how tolerant header matching is. A header is one of the contract's names, in any width, case, blanks and line
breaks. A `*`, a colon, and brackets with the column's unit or a hint for filling in may surround it. Brackets that may change the
meaning, such as 学生数（其中：女）or 资产值（元）for a column in 万元, are no match; then a note says so. A header may span
several rows, 在校生数 above 小学 and 初中: then the texts of these rows together are the name. Keep out: formats, rows, and the
names themselves (contracts).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

from youjun_pipeline.contracts.model import UNIT_SPELLINGS, Column, Dataset, fold_word
from youjun_pipeline.ingest.formats.book import Span, column_letter
from youjun_pipeline.ingest.spread import owners

# Longer texts are titles, notes or data; no declared header is nearly as long.
MAX_HEADER = 60

# The most rows that one header may span.
MAX_HEADER_ROWS = 3

OPENING, CLOSING = "([{【〔", ")]}】〕"

# What brackets may contain besides the column's unit or its coded values: hints for filling in that do not change the meaning.
HINTS = frozenset(
    fold_word(word)
    for word in (
        *("必填", "必填项", "选填", "选填项", "可选", "可空", "可不填", "非必填", "required", "optional"),
        *("文本", "数字", "整数", "小数", "日期", "代码", "text", "number", "integer", "date", "code"),
        *("是", "否", "yes", "no", "y", "n", "true", "false", "单选", "多选", "下拉选择", "顿号分隔"),
        *("Ⅰ", "Ⅱ", "Ⅲ", "Ⅳ", "…", "..."),
    )
)
# Units of plain numbers, for columns without a unit in the contract.
PLAIN_UNITS = frozenset(fold_word(word) for words in UNIT_SPELLINGS.values() for word in words) | frozenset(
    fold_word(word)
    for word in (
        *("元", "千元", "亿元", "万㎡", "万平方米", "亩", "公顷", "公里", "米", "‰"),
        *(
            "人次",
            "岁",
            "级",
            "学时",
            "台",
            "套",
            "件",
            "份",
            "班",
            "节",
            "次",
            "座",
            "处",
            "项",
            "万件",
            "万册",
            "册",
        ),
    )
)
# What may come before a name without being part of it, once folded: 其中：室内体育用房面积, （1）…, 2.1…, 一、…, ★…. A bare
# number is part of the name: 1年级 is not 年级.
_LEAD = re.compile(
    r"(?:其中[:,、-]?|[#★☆●◆■·•—–-]|\d{1,2}(?:\.\d{1,2})+|\(?\d{1,2}[).、:]|\(?[一二三四五六七八九十]{1,3}[).、])+"
)
# What separates a name from its unit or from its translation.
_PARTING = " /|,、;:-—"
_DATE_HINT = re.compile(r"[ymd年月日\-./]+")
_RANGE_HINT = re.compile(r"\d{1,3}[-~—–至到]\d{1,3}")


@dataclass
class Header:
    """The header row of a sheet.

    `row` is the index of its last row among the sheet's first rows. `positions` maps contract columns to 0-based columns, `texts`
    maps them to the header as written. `repeats` has every position of a column that occurs more than once. `informational` are
    headers that the contract knows but does not use, `unknown` are all others. `notes` say why some of these, though similar,
    were not accepted as a contract column.
    """

    row: int
    positions: dict[str, int] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    repeats: dict[str, list[int]] = field(default_factory=dict)
    informational: dict[int, str] = field(default_factory=dict)
    unknown: dict[int, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def missing(self, dataset: Dataset) -> list[str]:
        """Required columns that the header lacks."""
        return [name for name in dataset.required if name not in self.positions]


def find_header(head: list[list[str]], dataset: Dataset, merged: Sequence[Span] = ()) -> Header | None:
    """The row that names the most columns: all required columns, or at least two. None if there is no such row.

    If several rows name equally many, the first one is the header. The search ends early at a row that has the required columns
    and hardly anything else. A row with much else may be a form's preamble, where answers are between the names, so a better row
    may follow. Several rows together are the header if they name more columns than any of them alone.
    """
    best: Header | None = None
    for index, cells in enumerate(head):
        header = _read_header(index, cells, dataset)
        count = len(header.positions)
        if not count or (count < 2 and header.missing(dataset)):
            continue
        if best is None or count > len(best.positions):
            best = header
        if not header.missing(dataset) and count > 1 and count * 2 > sum(1 for cell in cells if cell.strip()):
            break
    is_table = max(map(len, head), default=0) > 1
    if is_table and (best is None or len(best.positions) < len(dataset.columns)):
        best = _best_of_several_rows(head, dataset, merged, best)
    if best is not None:
        best.row = _last_row(best, merged, head, dataset)
    return best


def headed_rows_above(head: list[list[str]], header: Header, dataset: Dataset) -> tuple[int, range] | None:
    """An earlier row that is also a header, and the rows between the two headers, if these look like its data.

    This happens if a table's own header is damaged and a complete one is pasted further down. If the rows above were taken for
    titles, they would be lost.
    """
    for index in range(header.row):
        earlier = _read_header(index, head[index], dataset)
        if len(earlier.positions) < 2:
            continue
        between = range(index + 1, header.row)
        places = list(earlier.positions.values())
        for cells in (head[i] for i in between):
            filled = [cells[p] for p in places if p < len(cells) and cells[p].strip()]
            if len(filled) > 1 and not any(match_header(cell, dataset)[0] for cell in filled):
                return index, between
    return None


def _best_of_several_rows(
    head: list[list[str]], dataset: Dataset, merged: Sequence[Span], best: Header | None
) -> Header | None:
    """The header over several rows if it names more columns than the single row `best`; otherwise `best`.

    The search covers the rows near `best`, or all rows if there is no `best`.
    """
    for rows in range(2, MAX_HEADER_ROWS + 1):
        tops: Iterable[int] = range(len(head) - rows + 1)
        if best is not None:
            tops = [top for top in tops if top <= best.row < top + rows]
        for top in tops:
            window = head[top : top + rows]
            if not _may_be_joined(window):
                continue
            header = _read_header(top + rows - 1, list(_joined(top, window, merged, dataset)), dataset)
            count = len(header.positions)
            if count > (len(best.positions) if best else 1):
                best = header
    return best


def _may_be_joined(rows: list[list[str]]) -> bool:
    """Whether some cell is below a blank cell to which a text on its left may extend."""
    for upper, lower in pairwise(rows):
        filled = [bool(cell.strip()) for cell in upper]
        if not any(filled):
            return False
        first = filled.index(True)
        if not any(lower[i].strip() for i in range(first + 1, min(len(lower), len(filled))) if not filled[i]):
            return False
    return True


def _joined(top: int, rows: list[list[str]], merged: Sequence[Span], dataset: Dataset) -> Iterator[str]:
    """One header for each column, from the texts above it: the first of the possible readings that names a column."""
    upper = [
        [row[owner].strip() if owner is not None else "" for owner in level]
        for row, level in zip(rows, owners(rows[:-1], top, merged), strict=False)
    ]
    for position, cell in enumerate(rows[-1]):
        last = cell.strip()
        source = upper if last else [[c.strip() for c in row] for row in rows[:-1]]
        parts = list(
            dict.fromkeys(p for row in source if (p := row[position] if position < len(row) else ""))
        )
        if not last:
            yield parts[-1] if parts else ""
            continue
        parts = [part for part in parts if part != last]
        readings = [last]
        for i in range(len(parts)):
            whole = "".join(parts[i:])
            readings += [whole + last, last + whole, parts[i] + last, last + parts[i]]
        named = (reading for reading in readings if match_header(reading, dataset)[0])
        yield next(named, "/".join([*parts, last]))


def _last_row(header: Header, merged: Sequence[Span], head: list[list[str]], dataset: Dataset) -> int:
    """The last row of a header: its cells may be merged with cells below, but not with a row that has its own code."""
    ends = [
        r1 - 1
        for r0, c0, r1, c1 in merged
        if r0 - 1 <= header.row < r1 and r1 - r0 < MAX_HEADER_ROWS and c0 in header.positions.values()
    ]
    last = min(max([header.row, *ends]), len(head) - 1)
    keys = [header.positions[name] for name in dataset.key if name in header.positions]
    for row in range(header.row + 1, last + 1):
        codes = [head[row][p].strip() for p in keys if p < len(head[row])]
        if any(c.isascii() and c.isalnum() and match_header(c, dataset)[0] is None for c in codes):
            return row - 1
    return last


def score(head: list[list[str]], dataset: Dataset) -> int:
    """How many columns the best header row names; 0 if there is no header."""
    header = find_header(head, dataset)
    return len(header.positions) if header else 0


def _read_header(index: int, cells: list[str], dataset: Dataset) -> Header:
    header = Header(row=index)
    for position, cell in enumerate(cells):
        if not cell.strip():
            continue
        if _bare(fold_word(cell)) in dataset.informational_headers:
            header.informational[position] = cell
            continue
        column, note = match_header(cell, dataset)
        if column is None:
            header.unknown[position] = cell
            if note:
                header.notes.append(f"{column_letter(position)} 列“{one_line(cell)}”{note}")
        elif column in header.positions:
            header.repeats.setdefault(column, [header.positions[column]]).append(position)
        else:
            header.positions[column], header.texts[column] = position, cell
    return header


def one_line(text: str) -> str:
    """A header as a message shows it."""
    return re.sub(r"\s+", " ", text).strip()


@lru_cache(maxsize=20_000)
def match_header(text: str, dataset: Dataset) -> tuple[str | None, str | None]:
    """The contract column that a header names, or None; then also why it is not the column that it resembles."""
    if len(text) > MAX_HEADER:
        return None, None
    name = _bare(fold_word(text))
    if name not in dataset.headers:
        lead = _LEAD.match(name)
        name = _bare(name[lead.end() :]) if lead else name
    brackets: list[str] = []
    while name not in dataset.headers:
        if alone := _without_unit_or_translation(name, dataset):
            name = alone
            break
        start = _last_opening(name)
        if start is None:
            return None, None
        brackets.append(name[start + 1 : -1])
        name = _bare(name[:start])
    column = dataset.columns[dataset.headers[name]]
    refused = [
        content
        for content in brackets
        if not (_is_harmless(content, column) or dataset.headers.get(content) == column.name)
    ]
    if not refused:
        return column.name, None
    expected = f"，本列单位是{column.unit}" if column.unit else ""
    return None, (
        f"像是“{column.zh}”，但不认识括号里的“{'、'.join(refused)}”{expected}，没有读取；"
        f"如果就是该列，请改用“{column.zh}”"
    )


def _bare(folded: str) -> str:
    return folded.strip("*:\"'“”‘’")


def _without_unit_or_translation(name: str, dataset: Dataset) -> str | None:
    """The name in a folded text that ends with the column's unit or its other name: 学校标识码 school_code, 面积，平方米."""
    for end in range(len(name) - 1, 0, -1):
        first, rest = name[:end].rstrip(_PARTING), name[end:].lstrip(_PARTING)
        if first not in dataset.headers:
            continue
        column = dataset.columns[dataset.headers[first]]
        if dataset.headers.get(rest) == column.name or column.accepts_unit(rest):
            return first
    if name.isascii() and (plain := name.replace("-", "")) in dataset.headers:
        return plain
    return None


def _last_opening(name: str) -> int | None:
    """The position of the bracket that is closed at the end of the name."""
    if not name or name[-1] not in CLOSING:
        return None
    depth = 0
    for i in range(len(name) - 1, -1, -1):
        depth += (name[i] in CLOSING) - (name[i] in OPENING)
        if not depth:
            return i
    return None


def _is_harmless(content: str, column: Column) -> bool:
    """Whether brackets contain only the column's unit, its values or hints for filling in; `content` is folded."""
    content = content.removeprefix("单位").strip(":：")
    if not content or (column.accepts_unit(content) if column.unit else content in PLAIN_UNITS):
        return True
    return all(
        part in HINTS
        or part in column.spellings
        or (column.unit is not None and column.accepts_unit(part))
        or _DATE_HINT.fullmatch(part)
        or _RANGE_HINT.fullmatch(part)
        for part in re.split(r"[/、,;|:或]", content)
        if part
    )
