"""Reads one delivered file into rows of text under the contract's column names; files.py is the way in.

Belongs here: which sheets and rows of a file are data, and what makes a whole file unusable. Keep out: formats (formats/), header
names (headers), and the meaning of cells (cells, validate): rows are passed on as they were read.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from youjun_pipeline.contracts.model import Dataset, Failure, is_helper_sheet
from youjun_pipeline.ingest.formats.book import (
    HEAD_ROWS,
    Body,
    Sheet,
    Unreadable,
    column_letter,
)
from youjun_pipeline.ingest.formats.kinds import wrong_suffix_notice
from youjun_pipeline.ingest.formats.limits import read_bytes, unforeseen, why_unread
from youjun_pipeline.ingest.formats.opening import open_book
from youjun_pipeline.ingest.headers import Header, find_header, headed_rows_above, one_line, score
from youjun_pipeline.ingest.results import Place, ReadResult, SourceColumn
from youjun_pipeline.ingest.side_rows import filled_cells, other_headers, side_rows
from youjun_pipeline.vocabulary import shortened


def read(path: Path, dataset: Dataset, sheet: str | None = None) -> ReadResult:
    """`files.read_file`."""
    notices: list[str] = []
    places: dict[str, Place] = {}
    try:
        book = open_book(read_bytes(path), lambda head: score(head, dataset))
        if notice := wrong_suffix_notice(book.kind, path.suffix):
            notices.append(notice)
            places[notice] = Place(is_harmless=True)
        notices += book.notices
        sheets = [s for s in book.sheets if sheet is None or s.name == sheet]
        return _read_sheets(sheets, dataset, notices, places)
    except Exception as error:
        return failed(dataset, notices, "file_unreadable", why_unread(error))


def failed(dataset: Dataset, notices: list[str], rule: str, message: str) -> ReadResult:
    """The result for a file that cannot be used as a whole."""
    return ReadResult(_empty_frame(dataset), notices=notices, failure=Failure(rule, message))


def _empty_frame(dataset: Dataset) -> pd.DataFrame:
    return text_frame(dataset, "", Body(np.array([], dtype=np.int64), []), {})


def _read_sheets(
    sheets: list[Sheet], dataset: Dataset, notices: list[str], places: dict[str, Place]
) -> ReadResult:
    filled = [sheet for sheet in sheets if _is_filled(sheet) and not _is_helper(sheet)]
    if not filled:
        return failed(dataset, notices, "file_unreadable", "无法读取：文件里没有任何内容。请核对后重新交付。")
    headers = [
        (sheet, header) for sheet in filled if (header := find_header(sheet.head, dataset, sheet.merged))
    ]
    if failure := _header_failure(filled, headers, dataset):
        return ReadResult(_empty_frame(dataset), notices=notices, failure=failure)
    used = _sheets_with_data(headers, dataset)
    names = {sheet.name for sheet, _ in used}
    notices += [f"{s.label}没有本数据集的表头，没有读取" for s in filled if s.name not in names]
    for sheet in (sheet for sheet, _ in used if sheet.is_hidden):
        notices.append(f"{sheet.label}是隐藏的，也读取了；如果不是要交付的数据，请删除")
        places[notices[-1]] = Place(sheet.name, is_harmless=True)
    frames, others = [], list[str]()
    for sheet, header in used:
        try:
            frames.append(_read_rows(sheet, header, dataset, notices, places, others))
        except Unreadable:
            raise
        except Exception as error:
            raise unforeseen(error, sheet.label) from error
    if others:
        return failed(dataset, notices, "ambiguous_header", f"{'；'.join(others)}。{_ONE_TABLE}")
    columns = [
        SourceColumn(sheet.name, name, column_letter(header.positions[name]), header.texts[name])
        for sheet, header in used
        for name in dataset.columns
        if name in header.positions
    ]
    ignored = dict.fromkeys(one_line(text) for _, header in used for text in header.unknown.values())
    frame = frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)
    if frame.empty:
        notices.append("只有表头，没有数据行")
    return ReadResult(frame, columns, list(ignored), notices, places=places)


_ONE_TABLE = "请每张工作表只放一个表，或把各列调整成同一顺序。"


def _is_filled(sheet: Sheet) -> bool:
    return any(cell.strip() for row in sheet.head for cell in row)


def _is_helper(sheet: Sheet) -> bool:
    return bool(sheet.head[0]) and is_helper_sheet(sheet.head[0][0])


def _header_failure(
    filled: list[Sheet], headers: list[tuple[Sheet, Header]], dataset: Dataset
) -> Failure | None:
    """Why no sheet has a usable header, in one message that names all sheets."""
    if not headers:
        found = "；".join(_widest_row(sheet) for sheet in filled)
        wanted = "、".join(dataset.columns[name].zh for name in dataset.required)
        return Failure(
            "header_not_found",
            f"前 {HEAD_ROWS} 行里没有找到“{dataset.title}”（{dataset.name}）的表头。必填的列：{wanted}。{found}。"
            "请按模板填写表头，中文名或英文名均可。",
        )
    none_is_whole = all(header.missing(dataset) for _, header in headers)
    meant = [
        (s, h) for s, h in headers if not h.missing(dataset) or none_is_whole or _looks_meant(h, dataset)
    ]
    twice = [
        f"{sheet.label}{_row(sheet, header.row)}的 {'、'.join(map(column_letter, positions))} 列都是"
        f"“{dataset.columns[name].zh}”（{name}）"
        for sheet, header in meant
        for name, positions in header.repeats.items()
    ]
    if twice:
        return Failure(
            "ambiguous_header", f"同一列出现多次：{'；'.join(twice)}。请每列只保留一个，其余删除或改名。"
        )
    above = [
        f"{sheet.label}第 {sheet.numbers[rows_above[0]]} 行和第 {sheet.numbers[header.row]} 行都像表头，"
        f"其间第 {sheet.numbers[rows_above[1][0]]}–{sheet.numbers[rows_above[1][-1]]} 行不知属于哪一个"
        for sheet, header in meant
        if (rows_above := headed_rows_above(sheet.head, header, dataset))
    ]
    if above:
        return Failure(
            "ambiguous_header", f"{'；'.join(above)}。请只在数据之上保留一个完整的表头，其余删除。"
        )
    partial = [(sheet, header) for sheet, header in meant if header.missing(dataset)]
    if not partial:
        return None
    lacks = "；".join(_what_is_missing(sheet, header, dataset) for sheet, header in partial)
    advice = "请补上缺少的列" + ("；工作表如果不是要交付的数据，请删除" if len(filled) > 1 else "") + "。"
    return Failure("required_column_missing", f"缺少必填的列：{lacks}。{advice}")


def _looks_meant(header: Header, dataset: Dataset) -> bool:
    """Whether a sheet without all required columns is data too, although another sheet has all of them.

    A summary or a lookup list shares few names with the contract. If the sheet shares more, the district must be asked: losing a
    part of the data because of a misspelt header would be worse.
    """
    present = len(dataset.required) - len(header.missing(dataset))
    return present * 2 >= len(dataset.required) or len(header.positions) * 2 >= len(dataset.columns)


def _what_is_missing(sheet: Sheet, header: Header, dataset: Dataset) -> str:
    missing = "、".join(f"{dataset.columns[name].zh}（{name}）" for name in header.missing(dataset))
    cells = "、".join(one_line(cell) for cell in sheet.head[header.row] if cell.strip())
    notes = "".join(f"；{note}" for note in header.notes)
    place = f"表头在{_row(sheet, header.row)}，现有" if sheet.numbers[header.row] else "现有的列"
    return f"{sheet.label}缺少 {missing}，{place}：{cells}{notes}"


def _row(sheet: Sheet, index: int) -> str:
    """How a message names a header row; the column names of a Parquet file have no row number."""
    return f"第 {sheet.numbers[index]} 行" if sheet.numbers[index] else "列名"


def _widest_row(sheet: Sheet) -> str:
    index = max(range(len(sheet.head)), key=lambda i: sum(1 for cell in sheet.head[i] if cell.strip()))
    cells = [one_line(cell) for cell in sheet.head[index] if cell.strip()]
    return f"{sheet.label}{_row(sheet, index)}是：{shortened(cells, 30)}"


def _sheets_with_data(headers: list[tuple[Sheet, Header]], dataset: Dataset) -> list[tuple[Sheet, Header]]:
    """The sheets to read: they have all required columns. If one has columns beyond the key, sheets with key columns only are
    left out.
    """
    whole = [pair for pair in headers if not pair[1].missing(dataset)]
    return [pair for pair in whole if pair[1].positions.keys() - set(dataset.key)] or whole


def _read_rows(
    sheet: Sheet,
    header: Header,
    dataset: Dataset,
    notices: list[str],
    places: dict[str, Place],
    others: list[str],
) -> pd.DataFrame:
    """The rows of a sheet; if another table begins on the sheet, this is added to `others`."""
    body = sheet.content.body(
        header.row, {p: dataset.columns[name].month_means_end for name, p in header.positions.items()}
    )
    filled = filled_cells(body)
    if rows := other_headers(body, header, dataset, filled):
        others.append(
            f"{sheet.label}第 {shortened(rows)} 行又是一个表头，各列的位置与第 {sheet.numbers[header.row]} 行的表头不同，"
            "其下的各行不知按哪一个读取"
        )
    used = sorted(header.positions.values())
    is_data = np.asarray(filled[used].any(axis=0))
    remarks = [(text, Place(sheet.name)) for text in (*body.notices, *header.notes)]
    if len(stray := np.flatnonzero(~is_data & filled.any(axis=0))):
        remarks.append(_about_rows(sheet, body, stray, "只有未识别的列有内容，没有作为数据"))
    known = {*used, *header.unknown, *header.informational}
    unnamed = tuple(column_letter(p) for p in np.flatnonzero(filled.any(axis=1)).tolist() if p not in known)
    if unnamed:
        remarks.append(
            (f"{shortened(unnamed)} 列没有表头但有内容，没有读取", Place(sheet.name, columns=unnamed))
        )
    for kind in side_rows(body, header, dataset, filled):
        remarks.append(_about_rows(sheet, body, kind.rows, kind.reason, is_harmless=True))
        is_data[kind.rows] = False
    content = sheet.content
    hidden = np.flatnonzero(is_data & np.isin(body.row_numbers, list(content.hidden_rows)))
    if len(hidden):
        advice = "是隐藏的（可能被筛选掉了），也读取了；如果不是要交付的数据，请删除"
        remarks.append(_about_rows(sheet, body, hidden, advice, is_harmless=True))
    struck = np.flatnonzero(is_data & np.isin(body.row_numbers, list(content.struck_rows)))
    if len(struck):
        advice = "有划了删除线的单元格，也读取了；如果已经作废，请删除"
        remarks.append(_about_rows(sheet, body, struck, advice, is_harmless=True))
    if letters := tuple(column_letter(p) for p in used if p in content.hidden_columns):
        text = f"{shortened(letters)} 列是隐藏的，也读取了；如果不是要交付的数据，请删除"
        remarks.append((text, Place(sheet.name, columns=letters, is_harmless=True)))
    remarks += _merged_cells(sheet, header)
    where = f"{sheet.label}：" if sheet.name else ""
    notices += [where + text for text, _ in remarks]
    places |= {where + text: place for text, place in remarks}
    if not is_data.all():
        kept = np.flatnonzero(is_data)
        body = Body(body.row_numbers[kept], [column.take(pa.array(kept)) for column in body.columns])
    return text_frame(dataset, sheet.name, body, header.positions)


def _about_rows(
    sheet: Sheet, body: Body, rows: np.ndarray, reason: str, *, is_harmless: bool = False
) -> tuple[str, Place]:
    numbers = body.row_numbers[rows].tolist()
    return f"第 {shortened(numbers)} 行{reason}", Place(sheet.name, tuple(numbers), is_harmless=is_harmless)


def _merged_cells(sheet: Sheet, header: Header) -> list[tuple[str, Place]]:
    """Report where cells of several rows are merged: only the first of these rows gets the value."""
    spans: dict[int, list[tuple[int, int]]] = {}
    for first, left, last, right in sheet.merged:
        if last > max(first, sheet.numbers[header.row]):
            for position in set(header.positions.values()) & set(range(left, right + 1)):
                spans.setdefault(position, []).append((first, last))
    remarks = []
    for position in sorted(spans):
        letter, rows = (
            column_letter(position),
            shortened([f"{first}–{last}" for first, last in spans[position]]),
        )
        text = (
            f"{letter} 列第 {rows} 行是合并单元格，只有第一行有值，其余各行按空白读取；请取消合并、逐行填写"
        )
        top = sheet.numbers[header.row]
        blank = tuple(row for first, last in spans[position] for row in range(max(first, top) + 1, last + 1))
        remarks.append((text, Place(sheet.name, blank, (letter,))))
    return remarks


def text_frame(dataset: Dataset, sheet: str, body: Body, positions: dict[str, int]) -> pd.DataFrame:
    """Rows in the shape of `ReadResult.frame`; `positions` maps contract columns to columns of the body."""
    rows = len(body.row_numbers)
    missing = pa.nulls(rows, pa.large_string())
    texts = {n: body.columns[positions[n]] if n in positions else missing for n in dataset.columns}
    names = pa.repeat(pa.scalar(sheet, pa.large_string()), rows)
    return pd.DataFrame(
        {
            "sheet": pd.array(names, dtype="str"),
            "row_number": body.row_numbers.astype(np.int64),
            **{name: pd.array(text, dtype="str") for name, text in texts.items()},
        }
    )
