"""Rows below a header that are not data: sums, remarks and signatures, column numbers, repeated headers, blanks.

Rows are left out only if their own content shows that they are not data, and each is reported with its row number. A doubtful row
stays and is judged by the contract. The text of a remark or a signature is never repeated, because it contains names and
telephone numbers.
Belongs here: recognising these rows. Keep out: headers (headers.py) and what becomes of data rows (validate).
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from youjun_pipeline.contracts.model import Dataset
from youjun_pipeline.ingest.formats.book import Body
from youjun_pipeline.ingest.headers import Header, match_header

# For Arrow; Python's \s includes these blanks already.
BLANK = "[\\s\\p{Z}]*"

# A sum, alone in its cell: 合计, 总 计, 小计（人）:. In a column of schools words may come before it: 全区小学合计. It is matched
# in Python: Arrow needs milliseconds, for every small file, to compile a pattern with Chinese characters.
_B = r"\s*"
_SUM = (
    f"(?:[总合小共]{_B}计|总{_B}合{_B}计|汇{_B}总|平{_B}均(?:{_B}[值数])?|(?i:(?:(?:sub|grand){_B}-?)?totals?|sum|average|avg|mean))"
    f"(?:{_B}[数额])?(?:{_B}[(（][^()（）]*[)）])?{_B}[:：]?"
)
_SUM_CELL = re.compile(f"{_B}{_SUM}{_B}")
_SUM_OF_SCHOOLS = re.compile(f"{_B}[一-鿿0-9()（）、]{{0,12}}?{_B}{_SUM}{_B}")
# Every sum contains one of these characters.
_SUM_SIGNS = ("计", "均", "汇", "total", "sum", "average", "avg", "mean")
SCHOOL_COLUMNS = ("school_code", "school_name")
# A letter that claims 53 failing schools in all says so in a row of its own (指标 合计): that row is a finding, not a sum.
SUMS_ARE_DATA = ("superior_findings",)

# How remarks and signatures under a table begin. If the word is one of the dataset's own columns (填报人, 说明), it begins a
# header row.
_REMARK = re.compile(
    f"{_B}[(（\\[【]?{_B}(?:"
    r"(?:附?注|备注|说明|注释|注意|(?:填[表报]|指标|补充|其他)说明|指标解释|(?:数据|资料)来源)"
    r"\s*[0-9一二三四五六七八九十]*\s*[)）\]】]?\s*[:：.．、]"
    r"|(?:(?:填[表报制]|制[表单]|审[核批]|复核|经办|统计|上报|报送)(?:人员?|单位|部门|日期|时间|负责人)?"
    r"|(?:单位|部门|统计|分管)?负责人|单位(?:名称|公章|盖章)?|联系(?:人|电话|方式)|电话|手机|日期|盖章|签[字名章]|公章)"
    r"\s*(?:[(（][^()（）]{0,12}[)）])?\s*[:：]"
    r"|[※★▲]|[*＊]\s*[一-鿿])"
)
# Characters of a sentence or a date, which no code or name has: a text below a table with one of them is a remark.
_SENTENCE = re.compile(r"[，。；：:;,]|^\d+[.、]|^\d{4}年|^.{20,}$", re.DOTALL)
# The row under a header that numbers the columns: 甲 乙 1 2 3, or 1 2 3 4, or (1) (2) (3).
_COLUMN_NUMBER = re.compile(r"[(（]?(?:[甲乙丙丁戊己庚辛]|[A-Z]|L?\d{1,3}|栏次|列[号次])[)）]?")
FEWEST_COLUMN_NUMBERS = 3
_NUMBER = r"^[\s0-9.,%+-]+$"
_DIGIT = re.compile(r"\d")
# What a header may contain besides its name, and a value never contains: （2024）, 2024年度, ①.
_BESIDE_A_NAME = re.compile(r"[(（\[【][^()（）\[\]【】]*[)）\]】]|\d{4}(?:学?年度?)?|[①-⑳]|\d+$")


class SideRows(NamedTuple):
    """Indices of rows of one kind; a notice gives their numbers, then `reason`."""

    rows: np.ndarray
    reason: str


def side_rows(body: Body, header: Header, dataset: Dataset, filled: np.ndarray) -> list[SideRows]:
    """The rows that are not data, by kind. No row has two kinds, and no such row is blank in every column that is read.

    `filled` says for each column (first axis) and row of the body whether the cell has content.
    """
    used = sorted(header.positions.values())
    taken = np.flatnonzero(~filled[used].any(axis=0))
    found: list[SideRows] = []

    def add(rows: np.ndarray, reason: str) -> None:
        nonlocal taken
        rows = np.setdiff1d(rows, taken)
        taken = np.union1d(taken, rows)
        if len(rows):
            found.append(SideRows(rows, reason))

    add(_repeated_headers(body, header, dataset), "又是表头，没有作为数据")
    add(_column_numbers(body, used, filled), "是栏号，没有作为数据")
    add(_sums(body, header, dataset, filled), "是合计或平均，不是一行数据，没有读取")
    add(_remarks(body, header, dataset, filled, taken), "是表注或签名，没有作为数据")
    return found


def filled_cells(body: Body) -> np.ndarray:
    """Whether each cell has content; columns are along the first axis."""
    # The columns are joined to one: compiling the pattern takes longer than applying it to a small file's cells.
    chunks = [chunk for column in body.columns for chunk in column.chunks]
    cells = pa.chunked_array(chunks, pa.large_string())
    blank = pc.fill_null(pc.match_substring_regex(cells, f"^{BLANK}$"), True).to_numpy()
    return ~blank.astype(bool).reshape(len(body.columns), len(body.row_numbers))


def _sums_among(cells: pa.ChunkedArray, pattern: re.Pattern[str]) -> np.ndarray:
    """Indices of the cells that are a sum; only the few cells with a character of a sum are matched."""
    # Lower case once: Arrow ignores case only through patterns, which take five times as long.
    small = pc.fill_null(pc.ascii_lower(cells), "")
    likely = [pc.match_substring(small, sign).to_numpy() for sign in _SUM_SIGNS]
    rows = np.flatnonzero(np.logical_or.reduce(likely))
    texts = cells.take(pa.array(rows)).to_pylist()
    return np.array(
        [row for row, text in zip(rows.tolist(), texts, strict=True) if pattern.fullmatch(text)], np.int64
    )


def _cell(body: Body, position: int, row: int) -> str:
    return (body.columns[position][row].as_py() or "").strip()


def _repeated_headers(body: Body, header: Header, dataset: Dataset) -> np.ndarray:
    """Rows that repeat the header: in the other language, or because tables were pasted one below another."""
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


def other_headers(body: Body, header: Header, dataset: Dataset, filled: np.ndarray) -> list[int]:
    """Numbers of rows that are the header of another table: their names are in other columns than those of the first header.

    The rows below such a header would be read under the wrong names.
    """
    key = [header.positions[name] for name in dataset.required_key if name in header.positions]
    rows = np.flatnonzero(filled.sum(axis=0) > 1)
    # Numbers are never column names; in columns of codes no candidate remains.
    for position in dict.fromkeys((*key, *sorted(header.positions.values()))):
        cells = body.columns[position].take(pa.array(rows))
        rows = rows[~pc.fill_null(pc.match_substring_regex(cells, _NUMBER), False).to_numpy()]
        if not len(rows):
            return []
    texts = [column.take(pa.array(rows)).to_pylist() for column in body.columns]
    places = {position: name for name, position in header.positions.items()}
    found = []
    for row, cells in zip(rows.tolist(), zip(*texts, strict=True), strict=True):
        # With a colon the text is a signature (填报人：), with digits a value.
        named = {
            p: name
            for p, text in enumerate(cells)
            if text and not text.rstrip().endswith((":", "：")) and (name := _named(text, dataset))
        }
        names = set(named.values())
        if any(text and p not in named and _DIGIT.search(text) for p, text in enumerate(cells)):
            continue
        is_header = len(names) > 1 and len(named) * 2 >= int(filled[:, row].sum())
        if not is_header and not names & set(dataset.required_key):
            continue
        differs = any(header.positions.get(name) != p for p, name in named.items()) or any(
            cells[p] and cells[p].strip() and named.get(p) != name for p, name in places.items()
        )
        if differs:
            found.append(int(body.row_numbers[row]))
    return found


def _named(text: str, dataset: Dataset) -> str | None:
    """The column that a cell names, ignoring what a header may contain besides the name."""
    return match_header(text, dataset)[0] or match_header(_BESIDE_A_NAME.sub("", text), dataset)[0]


def _column_numbers(body: Body, used: list[int], filled: np.ndarray) -> np.ndarray:
    """The first row that is not blank, if it numbers the columns."""
    rows = np.flatnonzero(filled[used].any(axis=0))[:1]
    cells = [text for p in used if len(rows) and (text := _cell(body, p, int(rows[0])))]
    return rows if counts_columns(cells, len(body.columns)) else rows[:0]


def counts_columns(cells: list[str], width: int) -> bool:
    """Whether the filled cells of a row are the numbers of the columns of a table of that width."""
    if len(cells) < FEWEST_COLUMN_NUMBERS or not all(_COLUMN_NUMBER.fullmatch(text) for text in cells):
        return False
    digits = [int(number[0]) for text in cells if (number := re.search(r"\d+", text))]
    return (
        len(digits) >= FEWEST_COLUMN_NUMBERS - 1
        and digits[0] <= width
        and all(later - earlier == 1 for earlier, later in pairwise(digits))
    )


def _sums(body: Body, header: Header, dataset: Dataset, filled: np.ndarray) -> np.ndarray:
    """Rows that add up other rows: with a sum in the key or the school, or, if the key is blank, in any cell."""
    found = np.empty(0, dtype=np.int64)
    if dataset.name in SUMS_ARE_DATA:
        return found
    for name in dict.fromkeys((*dataset.key, *SCHOOL_COLUMNS)):
        if name in header.positions and dataset.columns[name].type in (
            "code",
            "text",
            "names",
            "choice",
            "grade",
        ):
            pattern = _SUM_OF_SCHOOLS if name in SCHOOL_COLUMNS else _SUM_CELL
            found = np.union1d(found, _sums_among(body.columns[header.positions[name]], pattern))
    key = [header.positions[name] for name in dataset.required_key if name in header.positions]
    keyless = np.flatnonzero(~filled[key].any(axis=0) & filled.any(axis=0))
    if len(keyless):
        for cells in body.columns:
            found = np.union1d(found, keyless[_sums_among(cells.take(pa.array(keyless)), _SUM_OF_SCHOOLS)])
    return found.astype(np.int64)


def _remarks(
    body: Body, header: Header, dataset: Dataset, filled: np.ndarray, taken: np.ndarray
) -> np.ndarray:
    """Rows that begin like a remark or a signature, and single texts in the first column below the last row of data.

    `taken` are rows already known not to be data.
    """
    name, first = min(header.positions.items(), key=lambda item: item[1])
    per_row = filled.sum(axis=0)
    key = [header.positions[name] for name in dataset.required_key if name in header.positions]
    is_keyed = filled[key].all(axis=0) & (len(key) > 1)
    found = np.zeros(len(per_row), dtype=bool)
    likely = np.flatnonzero((per_row == 1) | ~is_keyed)
    for position in range(first + 1):
        # Only the first filled cell may begin like a remark.
        rows = likely[filled[position, likely] & ~filled[:position, likely].any(axis=0)]
        texts = body.columns[position].take(pa.array(rows)).to_pylist()
        found[rows] = [_REMARK.match(text) is not None for text in texts]
    is_full = (filled[list(header.positions.values())].sum(axis=0) >= 2) & ~found
    is_full[taken] = False
    full = np.flatnonzero(is_full)
    below = full[-1] + 1 if len(full) else len(per_row)
    single = below + np.flatnonzero(per_row[below:] == 1)
    for row in single.tolist():
        position = int(np.argmax(filled[:, row]))
        text = _cell(body, position, row)
        found[row] |= position <= first and bool(
            re.search("[一-鿿]", text) and (dataset.columns[name].latin or _SENTENCE.search(text))
        )
    return np.flatnonzero(found)
