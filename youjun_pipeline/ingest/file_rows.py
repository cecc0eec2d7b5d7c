"""Reads one delivered file into rows of text under the contract's column names; files.py is its door.

Belongs here: which sheets and rows of a file are data, and what makes a whole file unusable. Keep out: formats (sheets,
workbooks, delimited), header names (headers), and what the cells mean (cells, validate): a row is kept as it was read.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from youjun_pipeline.contracts.model import INVISIBLE, Dataset, Failure
from youjun_pipeline.ingest.delimited import delimited_sheet
from youjun_pipeline.ingest.headers import Header, find_header, match_header, one_line, score
from youjun_pipeline.ingest.results import ReadResult, SourceColumn
from youjun_pipeline.ingest.sheets import (
    HEAD_ROWS,
    Body,
    Sheet,
    Unreadable,
    column_letter,
    kind_of,
    parquet_sheet,
    some,
    wrong_suffix_notice,
)
from youjun_pipeline.ingest.workbooks import workbook_sheets

BLANK = f"[\\s\\p{{Z}}{INVISIBLE}]*"


def read(path: Path, dataset: Dataset) -> ReadResult:
    """`files.read_file`."""
    notices: list[str] = []
    try:
        sheets = _open(path, dataset, notices)
        return _read_sheets(sheets, dataset, notices)
    except Unreadable as error:
        return _failed(dataset, notices, "file_unreadable", str(error))
    except OSError as error:
        reason = f"无法读取：{error.strerror or error}。请检查文件是否存在、是否有读取权限。"
        return _failed(dataset, notices, "file_unreadable", reason)


def _open(path: Path, dataset: Dataset, notices: list[str]) -> list[Sheet]:
    data = path.read_bytes()
    kind = kind_of(data)
    if notice := wrong_suffix_notice(kind, path.suffix):
        notices.append(notice)
    if kind == "csv":
        return [delimited_sheet(data, lambda head: score(head, dataset))]
    return [parquet_sheet(data)] if kind == "parquet" else workbook_sheets(data, kind, notices)


def _failed(dataset: Dataset, notices: list[str], rule: str, message: str) -> ReadResult:
    return ReadResult(_empty_frame(dataset), notices=notices, failure=Failure(rule, message))


def _empty_frame(dataset: Dataset) -> pd.DataFrame:
    return _frame(dataset, "", Body(np.array([], dtype=np.int64), []), {})


def _read_sheets(sheets: list[Sheet], dataset: Dataset, notices: list[str]) -> ReadResult:
    filled = [sheet for sheet in sheets if any(cell.strip() for row in sheet.head for cell in row)]
    if not filled:
        return _failed(
            dataset, notices, "file_unreadable", "无法读取：文件里没有任何内容。请核对后重新交付。"
        )
    headers = [(sheet, header) for sheet in filled if (header := find_header(sheet.head, dataset, sheet.merged))]
    if failure := _header_failure(filled, headers, dataset):
        return ReadResult(_empty_frame(dataset), notices=notices, failure=failure)
    used = _sheets_with_data(headers, dataset)
    names = {sheet.name for sheet, _ in used}
    notices += [f"{s.label}没有本数据集的表头，没有读取" for s in filled if s.name not in names]
    notices += [
        f"{sheet.label}是隐藏的，也读取了；如果不是要交付的数据，请删除"
        for sheet, _ in used
        if sheet.is_hidden
    ]
    frames = [_read_rows(sheet, header, dataset, notices) for sheet, header in used]
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
    return ReadResult(frame, columns, list(ignored), notices)


def _header_failure(
    filled: list[Sheet], headers: list[tuple[Sheet, Header]], dataset: Dataset
) -> Failure | None:
    """Why the headers do not do; all sheets are named at once."""
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
        f"{sheet.label}第 {sheet.numbers[header.row]} 行的 {'、'.join(map(column_letter, positions))} 列都是"
        f"“{dataset.columns[name].zh}”（{name}）"
        for sheet, header in meant
        for name, positions in header.repeats.items()
    ]
    if twice:
        return Failure(
            "ambiguous_header", f"同一列出现多次：{'；'.join(twice)}。请每列只保留一个，其余删除或改名。"
        )
    partial = [(sheet, header) for sheet, header in meant if header.missing(dataset)]
    if not partial:
        return None
    lacks = "；".join(_what_is_missing(sheet, header, dataset) for sheet, header in partial)
    advice = "请补上缺少的列" + ("；工作表如果不是要交付的数据，请删除" if len(filled) > 1 else "") + "。"
    return Failure("required_column_missing", f"缺少必填的列：{lacks}。{advice}")


def _looks_meant(header: Header, dataset: Dataset) -> bool:
    """Whether a sheet without all required columns, beside one that has them, is a part of the data all the same.

    A summary or a list for looking things up shares a few names with the contract; leaving out a part of the data for a
    misspelt header would be worse than asking.
    """
    present = len(dataset.required) - len(header.missing(dataset))
    return present * 2 >= len(dataset.required) or len(header.positions) * 2 >= len(dataset.columns)


def _what_is_missing(sheet: Sheet, header: Header, dataset: Dataset) -> str:
    missing = "、".join(f"{dataset.columns[name].zh}（{name}）" for name in header.missing(dataset))
    cells = "、".join(one_line(cell) for cell in sheet.head[header.row] if cell.strip())
    notes = "".join(f"；{note}" for note in header.notes)
    return f"{sheet.label}缺少 {missing}，表头在第 {sheet.numbers[header.row]} 行，现有：{cells}{notes}"


def _widest_row(sheet: Sheet) -> str:
    index = max(range(len(sheet.head)), key=lambda i: sum(1 for cell in sheet.head[i] if cell.strip()))
    cells = [one_line(cell) for cell in sheet.head[index] if cell.strip()]
    return f"{sheet.label}第 {sheet.numbers[index]} 行是：{some(cells, 30)}"


def _sheets_with_data(headers: list[tuple[Sheet, Header]], dataset: Dataset) -> list[tuple[Sheet, Header]]:
    """The sheets to read: with all required columns and, if any has more than the key, with more than the key."""
    whole = [pair for pair in headers if not pair[1].missing(dataset)]
    return [pair for pair in whole if pair[1].positions.keys() - set(dataset.key)] or whole


def _read_rows(sheet: Sheet, header: Header, dataset: Dataset, notices: list[str]) -> pd.DataFrame:
    body = sheet.body(
        header.row,
        frozenset(p for name, p in header.positions.items() if dataset.columns[name].month_means_end),
    )
    used = sorted(header.positions.values())
    empty = _blank_rows(body, used)
    others = [p for p in range(len(body.columns)) if p not in used]
    said = list(body.notices) + header.notes
    if others and len(stray := np.setdiff1d(empty, _blank_rows(body, others))):
        said.append(f"第 {some(body.row_numbers[stray].tolist())} 行只有未识别的列有内容，没有作为数据")
    unnamed = [
        p for p in others if p not in header.unknown and body.columns[p].null_count < len(body.columns[p])
    ]
    if unnamed:
        said.append(f"{some([column_letter(p) for p in unnamed])} 列没有表头但有内容，没有读取")
    repeated = _repeated_headers(body, header, dataset)
    if len(repeated):
        said.append(f"第 {some(body.row_numbers[repeated].tolist())} 行又是表头，没有作为数据")
    said += _merged_cells(sheet, header)
    notices += [f"{sheet.label}：{text}" if sheet.name else text for text in said]
    dropped = np.union1d(empty, repeated)
    if len(dropped):
        kept = np.setdiff1d(np.arange(len(body.row_numbers)), dropped)
        body = Body(body.row_numbers[kept], [column.take(pa.array(kept)) for column in body.columns])
    return _frame(dataset, sheet.name, body, header.positions)


def _merged_cells(sheet: Sheet, header: Header) -> list[str]:
    """Say where cells of several rows are merged: only the first of these rows has the value."""
    rows: dict[int, list[str]] = {}
    for first, left, last, right in sheet.merged:
        if first > sheet.numbers[header.row] and last > first:
            for position in set(header.positions.values()) & set(range(left, right + 1)):
                rows.setdefault(position, []).append(f"{first}–{last}")
    return [
        f"{column_letter(position)} 列第 {some(rows[position])} 行是合并单元格，只有第一行有值，其余各行按空白读取；"
        "请取消合并、逐行填写"
        for position in sorted(rows)
    ]


def _blank_rows(body: Body, positions: list[int]) -> np.ndarray:
    """Indices of the rows whose cells in these columns are all blank.

    Column by column over the rows still in question: nearly every row is out after the first.
    """
    rows = np.arange(len(body.row_numbers))
    for position in positions:
        cells = body.columns[position].take(pa.array(rows))
        blank = pc.fill_null(pc.match_substring_regex(cells, f"^{BLANK}$"), True)
        rows = rows[blank.to_numpy()]
        if not len(rows):
            break
    return rows


def _repeated_headers(body: Body, header: Header, dataset: Dataset) -> np.ndarray:
    """Indices of rows that hold the header again: in the other language, or where tables were pasted one below another."""
    name, position = min(header.positions.items(), key=lambda item: item[1])
    column = dataset.columns[name]
    words = pa.array([header.texts[name], name, column.zh, *column.aliases], pa.large_string())
    likely = np.flatnonzero(
        pc.is_in(pc.utf8_trim_whitespace(body.columns[position]), value_set=words).to_numpy()
    )

    def is_header(row: int) -> bool:
        cells = {n: body.columns[p][row].as_py() or "" for n, p in header.positions.items()}
        return all(match_header(cell, dataset)[0] == n for n, cell in cells.items() if cell.strip())

    return np.array([row for row in likely.tolist() if is_header(row)], dtype=np.int64)


def _frame(dataset: Dataset, sheet: str, body: Body, positions: dict[str, int]) -> pd.DataFrame:
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
