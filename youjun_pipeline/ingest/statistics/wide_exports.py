"""Wide exports: one table per stage with a row per school and hundreds of columns under headers of several levels.

Belongs here: from such a table to cells. Keep out: schools' own workbooks (school_books.py), and adding up what belongs together
(compose.py): an all-through school is in several exports, each time with the whole school's buildings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from youjun_pipeline.ingest.formats.book import Sheet, Span, column_letter
from youjun_pipeline.ingest.statistics.cells import (
    ATTACHED,
    ATTACHED_TYPES,
    PASSED_OVER_TYPES,
    SCHOOL,
    SITE,
    Cell,
    figure,
    number,
)
from youjun_pipeline.ingest.statistics.grids import (
    HEAD_ROWS,
    Grid,
    covered,
    header_paths,
    matching_columns,
    without_coordinates,
)
from youjun_pipeline.ingest.statistics.labels import class_band, fold_label, listed, quoted
from youjun_pipeline.ingest.statistics.layouts import STAGE_NAMES, HeaderPath, Layouts, WideColumn
from youjun_pipeline.ingest.statistics.school_books import Unexpected
from youjun_pipeline.vocabulary import shortened

_STAGE_WORDS = {
    "小学": "primary",
    "初中": "junior",
    "初级中学": "junior",
    "高中": "senior",
    "高级中学": "senior",
}
_TOTALS = frozenset({"合计", "总计", "小计"})
_IDENTITY = ("school_code", "school_name", "school_type", "urban_rural", "authority", "sponsor")

Paths = Sequence[tuple[str, ...]]
# Column of the contract -> column of the sheet, its words, and the columns to subtract from its value.
Columns = dict[str, tuple[int, str, tuple[str, ...]]]


def read_export(
    sheets: Mapping[str, Sheet], name: str, member: str, layouts: Layouts, notices: list[str]
) -> list[Cell]:
    """The cells of a wide export; `name` is the file's path, which names the stage if the sheet does not.

    Raises:
        Unexpected: if there is no such table, no stage is named, or columns are missing or occur twice.
    """
    tables = []
    for sheet, table in sheets.items():
        grid = without_coordinates(table.content.rows())
        if (start := _header_row(grid, layouts)) is not None:
            tables.append((sheet, grid, start, table.merged))
        elif any(text for row in range(grid.height) for text in grid.texts(row)):
            notices.append(f"工作表“{sheet}”没有“学校标识码”的表头，没有读取")
    if not tables:
        have = listed([quoted(sheet) for sheet in sheets])
        raise Unexpected(
            [f"既没有统计报表的表（如 教基1001），也不是分学段的宽表（表头有“学校标识码”），工作表有：{have}"]
        )
    cells: list[Cell] = []
    problems: list[str] = []
    for sheet, grid, start, merged in tables:
        try:
            stage = _stage(name, sheet, grid, start)
            if stage is None:
                notices.append(f"工作表“{sheet}”是学前教育的，没有读取")
                continue
            cells += _read_table(grid, start, stage, sheet, member, layouts, notices, merged)
        except Unexpected as error:
            problems += [f"工作表“{sheet}”：{problem}" for problem in error.problems]
    if problems:
        raise Unexpected(problems)
    return cells


def _header_row(grid: Grid, layouts: Layouts) -> int | None:
    """The row with the header of the school code."""
    for row in range(min(HEAD_ROWS, grid.height)):
        if _code_column(grid, row, layouts) is not None:
            return row
    return None


def _code_column(grid: Grid, row: int, layouts: Layouts) -> int | None:
    """The column in a row whose header is that of the school code."""
    spellings = layouts.wide["primary"][0].ways[0][0][-1]
    return next((i for i, text in enumerate(grid.texts(row)) if text and fold_label(text) in spellings), None)


def _stage(name: str, sheet: str, grid: Grid, start: int) -> str | None:
    """The stage named by the file's name, the sheet's name or the title; None for kindergartens."""
    title = " ".join(text for row in range(start) for text in grid.texts(row))
    stage_of_source = {}
    for source, text in (("文件名", PurePosixPath(name).stem), ("工作表名", sheet), ("标题", title)):
        if "幼儿" in text or "学前" in text:
            return None
        stages = {stage for word, stage in _STAGE_WORDS.items() if word in text}
        if len(stages) == 1:
            stage_of_source[source] = stages.pop()
    if not stage_of_source:
        raise Unexpected(["不知道是哪个学段的宽表：请在文件名中写明小学、初中或高中"])
    if len(set(stage_of_source.values())) > 1:
        sources_and_stages = "、".join(
            f"{source}是{STAGE_NAMES[stage]}" for source, stage in stage_of_source.items()
        )
        raise Unexpected([f"学段前后不一：{sources_and_stages}"])
    return next(iter(stage_of_source.values()))


def _read_table(
    grid: Grid,
    start: int,
    stage: str,
    sheet: str,
    member: str,
    layouts: Layouts,
    notices: list[str],
    merged: Sequence[Span],
) -> list[Cell]:
    code = _code_column(grid, start, layouts) or 0
    first = next((r for r in range(start + 1, grid.height) if _is_data(grid, r, code)), grid.height)
    top = start
    # Groups may be in rows above the header of the code; a title is a single cell.
    while top and sum(1 for text in grid.texts(top - 1) if text) > 1:
        top -= 1
    head = (tuple(grid.texts(r)) for r in range(top, first))
    # A row that only numbers the columns is not a header.
    paths = header_paths(tuple(row for row in head if not all(t.isdecimal() for t in row if t)))
    columns = _columns(paths, layouts.wide[stage], notices, sheet)
    columns |= _bands(paths, layouts)
    cells: list[Cell] = []
    passed_over, unsaid, under = 0, [], []
    used = [at + grid.left for at, _, _ in columns.values()]
    for row in range(first, grid.height):
        texts = grid.texts(row)
        named = {c: texts[columns[c][0]] for c in ("school_code", "school_name", "school_type")}
        if not any(named.values()) or _TOTALS & {fold_label(text) for text in texts[:4] if text}:
            continue
        if _type(named["school_type"]) in PASSED_OVER_TYPES:
            passed_over += 1
            continue
        role = _role(_type(named["school_type"]), texts[columns["counted"][0]])
        if role is None:
            unsaid.append(grid.row_number(row))
            continue
        if letters := [column_letter(c) for c in covered(merged, row + grid.top, used)]:
            under.append(f"第 {grid.row_number(row)} 行 {'、'.join(letters)} 列")
            continue
        cells += _row(grid, row, texts, columns, stage, role, sheet, member)
    if unsaid:
        raise Unexpected([f"第 {shortened(unsaid)} 行没有填明“是否计校数”，应为 1 或 0"])
    if under:
        raise Unexpected([f"{shortened(under)}的单元格是合并的，看不到各行填的是什么，请取消合并、逐行填写"])
    if passed_over:
        notices.append(f"工作表“{sheet}”有 {passed_over} 行是幼儿园或附设的幼儿班、特教班，没有读取")
    return cells


def _is_data(grid: Grid, row: int, code: int) -> bool:
    """Whether a row below the header holds a school and no deeper level of the header: it has a code, or figures beside text.

    A school without a code must not be taken for a header, because a message might quote a header.
    """
    if re.fullmatch(r"\d{6,}", grid.text(row, code)):
        return True
    texts = [text for text in grid.texts(row) if text]
    figures = sum(1 for text in texts if number(text) is not None)
    return 3 <= figures < len(texts)


def _type(text: str) -> str:
    """A school's type: the code if code and word are given (211-小学)."""
    found = re.match(r"\d{3}", text)
    return found[0] if found else text


def _columns(paths: Paths, wanted: Sequence[WideColumn], notices: list[str], sheet: str) -> Columns:
    """The places of the columns. Raises Unexpected if a required column, or one of a group, is missing or occurs twice."""
    found: Columns = {}
    problems = []
    for column in wanted:
        for path, less in column.ways:
            at = _matches(paths, path, column.left_out)
            if len(at) > 1:
                problems.append(f"列“{column.words}”出现 {len(at)} 次，不知道取哪一列")
            if at:
                found[column.name] = (at[0], "→".join(quoted(part) for part in paths[at[0]]), less)
                break
    groups = {column.group for column in wanted if column.group and column.name in found}
    missing = [c for c in wanted if c.name not in found]
    faulty = [c for c in missing if c.required or c.group in groups]
    if faulty:
        have = listed(["→".join(quoted(part) for part in path) for path in paths if path])
        problems.append(f"找不到列“{'”“'.join(c.words for c in faulty)}”，找到的列是：{have}")
    if problems:
        raise Unexpected(problems)
    absent = [c.words for c in missing if "." in c.name]
    if absent:
        notices.append(f"工作表“{sheet}”没有这些列，按未填报处理：{'、'.join(absent)}")
    return found


def _matches(paths: Paths, wanted: HeaderPath, without: tuple[str, ...]) -> list[int]:
    kept = [() if any(w in fold_label(part) for part in path for w in without) else path for path in paths]
    return matching_columns(kept, wanted)


def _bands(paths: Paths, layouts: Layouts) -> Columns:
    """Class sizes: `stage_classes` for all classes, `classes:26-30` for a band."""
    found: Columns = {}
    for i, path in enumerate(paths):
        if len(path) < 2 or not any(fold_label(part) in layouts.wide_bands for part in path[:-1]):
            continue
        words = "→".join(quoted(part) for part in path)
        if band := class_band(path[-1]):
            found[f"class_bands.classes:{band[0]}-{band[1] or ''}"] = (i, words, ())
        elif fold_label(path[-1]) in ("合计", "计"):
            found["class_bands.stage_classes"] = (i, words, ())
    return found


def _role(kind: str, counted: str) -> str | None:
    """Whose figures a row holds; None if the row does not say whether it counts as a school."""
    if kind in ATTACHED_TYPES:
        return ATTACHED
    return {"1": SCHOOL, "1.0": SCHOOL, "是": SCHOOL, "0": SITE, "0.0": SITE, "否": SITE}.get(counted)


def _row(
    grid: Grid,
    row: int,
    texts: list[str],
    columns: Columns,
    stage: str,
    role: str,
    sheet: str,
    member: str,
) -> Iterator[Cell]:
    """The cells of one row."""

    def text(column: str) -> str:
        at = columns[column][0]
        return texts[at] if at < len(texts) else ""

    code, kind = text("school_code"), _type(text("school_type"))
    parent = text("parent") if "parent" in columns and role != SCHOOL else ""
    for name, (at, words, less) in columns.items():
        if name in ("counted", "parent"):
            continue
        value = kind if name == "school_type" else text(name)
        dataset, _, column = name.rpartition(".")
        column, _, item = column.partition(":")
        if name in _IDENTITY:
            dataset = "schools"
        elif less:
            value = _rest(value, [text(other) for other in less])
        own_stage = stage if dataset in ("teachers", "class_bands") else ""
        yield Cell(
            code,
            dataset,
            column,
            own_stage,
            item,
            value,
            role,
            parent,
            member,
            sheet,
            grid.row_number(row),
            grid.letter(at),
            words,
        )


def _rest(whole: str, parts: list[str]) -> str:
    """A total without the parts that are counted elsewhere. The contract refuses a result that is no number."""
    if not any((whole, *parts)):
        return ""
    total = number(figure(whole) or "")
    others = [number(figure(part) or "") for part in parts]
    if total is None:
        return whole
    if any(other is None for other in others):
        return "-1"
    rest = total - sum(other for other in others if other is not None)
    return str(rest) if rest >= 0 else f"{whole}-{'-'.join(parts)}"
