"""The findings of a check before sending: one finding per fault, with every cell concerned.

Belongs here: the shape of a finding, and findings within one file, from the reader, the contract, and the rules between the cells
of a row. Keep out: findings that need several files (`models`) and how they are shown (`text`, `book`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa

from youjun_pipeline.contracts import Dataset
from youjun_pipeline.contracts.model import SNAPSHOT
from youjun_pipeline.ingest.readings import OUT_OF_RANGE, UNKNOWN_VALUE, UNREADABLE
from youjun_pipeline.ingest.results import ReadResult
from youjun_pipeline.ingest.row_checks import CONFLICTING_REPORTS, DUPLICATE_KEY, repeated_keys
from youjun_pipeline.ingest.row_rules import rule_breaks
from youjun_pipeline.ingest.validate import BLANK_REQUIRED

if TYPE_CHECKING:
    import duckdb

ERROR, WARNING, GAP, DOUBT, NOTICE = "错误", "警告", "缺报", "疑点", "提示"
LEVELS = (ERROR, WARNING, GAP, DOUBT, NOTICE)
# The levels. Errors and warnings keep a delivery from being clean. A gap leaves judgements open until the figure is known. A
# doubt may be right: it needs an explanation, not a correction. A notice reports something that was skipped, and has no
# consequences.
PROBLEMS = (ERROR, WARNING)

READER_NOTICE, READER_PASSED_OVER = "reader_notice", "reader_passed_over"

TITLES = {
    UNREADABLE: "单元格读不懂，该值不采用",
    OUT_OF_RANGE: "数值超出范围，该值不采用",
    UNKNOWN_VALUE: "不在约定的取值之内，该值不采用",
    BLANK_REQUIRED: "必填项为空",
    DUPLICATE_KEY: "编号重复，整个文件不能使用",
    CONFLICTING_REPORTS: "同一条记录内容不一致",
    "file_unreadable": "文件无法读取",
    "header_not_found": "找不到表头，整个文件不能使用",
    "required_column_missing": "缺少必填的列，整个文件不能使用",
    "ambiguous_header": "表头有歧义，整个文件不能使用",
    "ignored_columns": "有不认识的列，没有读取",
    READER_NOTICE: "读取时发现",
    READER_PASSED_OVER: "读取时略过",
}


class Cell(NamedTuple):
    """A cell, or a whole row (without letter): sheet ("" if there are no sheets), row number, Excel letter, header as written."""

    sheet: str
    row: int
    letter: str = ""
    header: str = ""


# Of the rows that repeat a key or break a rule between cells, at most this many are reported one by one. Nobody reads more, and a
# table that is wrong from top to bottom took 1.4 GB and two minutes (measured 2026-11, 450 000 rows).
MOST_TOLD = 20_000


@dataclass(frozen=True)
class Finding:
    """One fault: its level, rule and title, its file (delivery/name, "" if none), its cells, and what to do."""

    level: str
    file: str
    rule: str
    title: str
    detail: str
    cells: tuple[Cell, ...] = ()
    value: str = ""

    @property
    def place(self) -> str:
        """The place of the fault in words; of many rows the first ones."""
        if not self.cells:
            return ""
        first = self.cells[0]
        rows = list(dict.fromkeys(cell.row for cell in self.cells if cell.sheet == first.sheet))
        shown = "、".join(map(str, rows[:10])) + (f" 等 {len(rows)} " if len(rows) > 10 else " ")
        letters = list(dict.fromkeys((c.letter, c.header) for c in self.cells if c.letter))
        columns = "、".join(
            f"{letter} 列" + (f"（{header}）" if header else "") for letter, header in letters
        )
        sheet = f"工作表“{first.sheet}”" if first.sheet else ""
        return f"{sheet}第 {shown}行{' ' + columns if columns else ''}"


class Columns:
    """Where the contract's columns are in one file."""

    def __init__(self, result: ReadResult | None) -> None:
        self._found = (
            {(c.sheet, c.column_name): (c.source_column, " ".join(c.header.split())) for c in result.columns}
            if result
            else {}
        )

    def cell(self, sheet: str | None, row: int, name: str | None) -> Cell:
        """The cell of a contract column in a row."""
        letter, header = self._found.get((sheet or "", name or ""), ("", ""))
        return Cell(sheet or "", row, letter, header)


def reader_findings(file: str, result: ReadResult) -> Iterator[Finding]:
    """The reader's findings: why the file cannot be used, and what the reader skipped."""
    if result.failure:
        rule = result.failure.rule
        yield Finding(ERROR, file, rule, TITLES.get(rule, rule), result.failure.message)
    for text in result.notices:
        place = result.places.get(text)
        harmless = place is not None and place.is_harmless
        rule = READER_PASSED_OVER if harmless else READER_NOTICE
        cells = _cells_of(place.sheet, place.rows, place.columns) if place else ()
        yield Finding(NOTICE if harmless else WARNING, file, rule, TITLES[rule], text, cells)
    if result.ignored_headers:
        headers = "、".join(result.ignored_headers)
        advice = f"{headers}：不在“填报要求”之内。如是写错的列名请改正，确属多余的请删除或忽略本条"
        yield Finding(WARNING, file, "ignored_columns", TITLES["ignored_columns"], advice)


def _cells_of(sheet: str, rows: Sequence[int], letters: Sequence[str]) -> tuple[Cell, ...]:
    return tuple(Cell(sheet, row, letter) for row in rows for letter in letters or ("",))


def contract_findings(
    con: duckdb.DuckDBPyConnection, file: str, sha: str, dataset: Dataset, columns: Columns
) -> Iterator[Finding]:
    """The contract's findings on the rows of one content: cells, keys and rules between cells."""
    rejections = con.execute(
        "select sheet, row_number, column_name, value, rule, message, rejects_row from raw.rejection "
        "where content_sha256 = ? and dataset = ? order by all",
        [sha, dataset.name],
    ).fetchall()
    for sheet, row, name, value, rule, message, rejects_row in rejections:
        lost = "；本行因此不采用" if rejects_row else ""
        cell = columns.cell(sheet, row, name)
        yield Finding(ERROR, file, rule, TITLES.get(rule, rule), f"{message}{lost}", (cell,), value or "")
    accepted = _rows(con, f"accepted.{dataset.name}", sha)
    raw = _rows(
        con,
        f"raw.{dataset.name}",
        sha,
        f"semi join accepted.{dataset.name} using (content_sha256, sheet, row_number)",
    )
    yield from _repeated(file, dataset, accepted, raw, columns)
    for rule in dataset.rules:
        positions = rule_breaks(rule, accepted, dataset)
        names = list(rule.columns)
        if len(positions) > MOST_TOLD:
            more = f"共 {len(positions)} 处，只列出前 {MOST_TOLD} 处"
            yield Finding(WARNING, file, rule.name, rule.message, more)
        for row in raw.take(pa.array(positions[:MOST_TOLD])).to_pylist() if len(positions) else ():
            given = "，".join(
                f"{dataset.columns[n].zh} {row[n] or '空'}" for n in names if n not in dataset.key
            )
            detail = "、".join(filter(None, (row[n] for n in dataset.key))) + (
                f"（{given}）" if given else ""
            )
            cells = tuple(columns.cell(row["sheet"], row["row_number"], name) for name in names)
            yield Finding(WARNING, file, rule.name, rule.message, detail, _placed(cells))


def _placed(cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
    """The cells whose column the file has; the whole row if the file does not have the column."""
    return tuple(cell for cell in cells if cell.letter) or cells[:1]


def _rows(con: duckdb.DuckDBPyConnection, table: str, sha: str, more: str = "") -> Any:
    select = f"select * from {table} t {more} where content_sha256 = ? order by sheet, row_number"
    return con.execute(select, [sha]).to_arrow_table().combine_chunks()


def _repeated(file: str, dataset: Dataset, accepted: Any, raw: Any, columns: Columns) -> Iterator[Finding]:
    """Keys that occur more than once: in a snapshot always a fault, in events only if the rows contradict each other."""
    rule = DUPLICATE_KEY if dataset.kind == SNAPSHOT else CONFLICTING_REPORTS
    left = MOST_TOLD
    for group in repeated_keys(dataset, accepted):
        if left <= 0:
            more = f"重复的行太多，只列出前 {MOST_TOLD} 行"
            yield Finding(ERROR if rule == DUPLICATE_KEY else WARNING, file, rule, TITLES[rule], more)
            return
        size, group = len(group), group[:left]
        left -= size
        typed = accepted.take(pa.array(group)).select(list(dataset.columns)).to_pylist()
        if rule == CONFLICTING_REPORTS and all(row == typed[0] for row in typed):
            continue
        rows = raw.take(pa.array(group)).to_pylist()
        # few districts have campuses; in other districts the message does not mention them
        named = [n for n in dataset.key if n != "campus" or rows[0][n]]
        key = "、".join(f"{dataset.columns[n].zh} {rows[0][n] or '（空）'}" for n in named)
        texts = [tuple(row[n] for n in dataset.columns) for row in rows]
        if all(text == texts[0] for text in texts):
            same = "内容完全相同，请删去多余的行"
        elif all(row == typed[0] for row in typed):
            same = "读出的值相同而写法不同，请核对哪一行是对的"
        else:
            same = "内容不同，请核对哪一行是对的，其余更正编号或并入这一行"
        cells = [columns.cell(row["sheet"], row["row_number"], n) for row in rows for n in dataset.key]
        level = ERROR if rule == DUPLICATE_KEY else WARNING
        yield Finding(level, file, rule, TITLES[rule], f"{key} 有 {size} 行，{same}", _placed(tuple(cells)))
