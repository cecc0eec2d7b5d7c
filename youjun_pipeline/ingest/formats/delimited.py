"""Text tables (.csv): encoding, delimiter, records.

Belongs here: everything that turns a text file into a sheet. Keep out: headers and contracts; the caller says which delimiter
gives the best header.
"""

from __future__ import annotations

import codecs
import contextlib
import csv
import io
import re
from collections.abc import Callable
from itertools import islice, zip_longest

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from youjun_pipeline.ingest.formats.book import (
    ESCAPE_SIGN,
    HEAD_ROWS,
    INVISIBLE_CHARACTERS,
    SEND_AGAIN,
    Body,
    Content,
    Sheet,
    Unreadable,
    Wanted,
    text_column,
    visible,
    visible_columns,
)
from youjun_pipeline.ingest.formats.limits import MAX_COLUMNS, SMALLER, check_cells, check_characters
from youjun_pipeline.vocabulary import shortened

DELIMITERS = (",", "\t", ";")
# From this size on Arrow's reader is faster (measured 2026-11: 200 000 rows × 15 columns in 0.1 s against 1.5 s); below this size
# its start costs more than it saves.
FAST_FROM_CHARACTERS = 200_000
SAVE_UTF8 = "请另存为“CSV UTF-8（逗号分隔）”后重新交付"


# A character of two bytes. In GB2312, the plain part of GBK, both bytes are above A0, and almost all text uses only GB2312. In
# Big5 the second byte is below 7F for two of five characters. 一 to 籲 are the 5 401 common characters of Big5.
_PAIR = re.compile(rb"[\x81-\xfe][\x40-\x7e\x80-\xfe]")
_IN_GB2312 = re.compile(rb"[\xa1-\xf7][\xa1-\xfe]")
_COMMON_IN_BIG5 = re.compile(rb"[\xa1-\xc6][\x40-\x7e\xa1-\xfe]")
FEWEST_PAIRS, MAX_SAMPLE = 4, 1 << 20
# Chinese in UTF-8: twelve bytes of GB18030 do not form four such characters by chance.
_CHINESE_UTF8 = re.compile(rb"(?:[\xe4-\xe9][\x80-\xbf]{2}){4}")
# Chinese written in ASCII letters, as in old e-mail: UTF-7, HZ, ISO-2022.
_UTF7 = re.compile(r"\+([A-Za-z0-9+/]{5,}+)")
_SEVEN_BIT = re.compile(rb"~\{(?:[!-w][!-~])+~\}|\x1b\$")
_OTHER_BREAKS = re.compile("[\x0b\x0c\x85\u2028\u2029]")


def decode(data: bytes) -> str:
    """Text of a file in UTF-8 (with or without BOM), UTF-16 with BOM or GB18030, without the Ctrl-Z at the end of old files.

    GB18030 accepts almost any bytes, so a damaged UTF-8 file is recognised first, by the Chinese before the damage.

    Raises:
        Unreadable: for other encodings and damaged text.
    """
    data = data.rstrip(b"\x1a")
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise Unreadable("是 UTF-32 编码", SAVE_UTF8)
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            return data.decode("utf-16")
        except UnicodeDecodeError as error:
            raise Unreadable("UTF-16 文本不完整或已损坏", SEND_AGAIN) from error
    if data.isascii() and _is_seven_bit(data):
        raise Unreadable("文字像是 UTF-7、HZ 或 ISO-2022 编码，直接读会成为乱码", SAVE_UTF8)
    if b"\x00" in data:
        raise Unreadable("内容不是文本，或是没有 BOM 的 UTF-16 文本", SAVE_UTF8)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig", errors="ignore")
        # GB18030 bytes do not give four such characters by chance: its pairs decode to Latin or Arabic letters.
        if len(list(islice(re.finditer(r"[\u4e00-\u9fff]", before), 4))) == 4:
            line = data.count(b"\n", 0, error.start) + 1
            raise Unreadable(f"UTF-8 文本不完整或已损坏：第 {line} 行有无法识别的字节", SAVE_UTF8) from error
    if found := _CHINESE_UTF8.search(data):
        # A pair of GB18030 may begin in the preceding byte, so the whole line must be valid UTF-8.
        first, last = data.rfind(b"\n", 0, found.start()) + 1, data.find(b"\n", found.end())
        with contextlib.suppress(UnicodeDecodeError):
            data[first : last if last >= 0 else len(data)].decode("utf-8")
            line = data.count(b"\n", 0, first) + 1
            raise Unreadable(f"文字有两种编码：第 {line} 行是 UTF-8，其他行不是", SAVE_UTF8)
    if _is_big5(data):
        raise Unreadable("文字像是 Big5（繁体中文）编码，按国标编码读会成为乱码", SAVE_UTF8)
    try:
        return data.decode("gb18030")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Unreadable(f"既不是 UTF-8 也不是 GB18030 编码（第 {line} 行起无法识别）", SAVE_UTF8) from error


def _is_seven_bit(data: bytes) -> bool:
    if _SEVEN_BIT.search(data):
        return True
    words = [found[1] for found in _UTF7.finditer(data[:MAX_SAMPLE].decode())]
    return any(re.fullmatch("[\u4e00-\u9fff]{2,}", _of_utf7(word)) for word in words)


def _of_utf7(word: str) -> str:
    return f"+{word}-".encode().decode("utf-7", errors="replace")


def _is_big5(data: bytes) -> bool:
    """Whether bytes that are not UTF-8 are more likely Big5 than GB18030, which accepts almost any bytes."""
    pairs = _PAIR.findall(data, 0, MAX_SAMPLE)
    if len(pairs) < FEWEST_PAIRS:
        return False
    national = sum(1 for pair in pairs if _IN_GB2312.fullmatch(pair))
    common = sum(1 for pair in pairs if _COMMON_IN_BIG5.fullmatch(pair))
    return national < 0.8 * len(pairs) and common > 0.95 * len(pairs)


def delimited_sheet(data: bytes, score: Callable[[list[list[str]]], int]) -> Sheet:
    """Read a text table as a single sheet named "".

    `score` says how many headers it recognises in some first rows; the delimiter with the highest score is used. Row numbers are
    the physical lines on which records begin. A row with more cells than the header makes the file unreadable: a cell with an
    unquoted delimiter may have been split in two.
    """
    text = decode(data)
    if "\n" not in text and "\r" not in text:
        text = _OTHER_BREAKS.sub("\n", text)
    check_characters("文件", len(text))
    heads: dict[str, list[list[str]]] = {}
    lines: dict[str, list[int]] = {}
    errors: list[Unreadable] = []
    for delimiter in DELIMITERS:
        try:
            heads[delimiter], lines[delimiter] = records(text, delimiter, HEAD_ROWS)
        except Unreadable as error:
            errors.append(error)
    if not heads:
        raise errors[0]
    if widest := max(
        (len(row) for head in heads.values() for row in head if len(row) > MAX_COLUMNS), default=0
    ):
        raise Unreadable(f"有一行有 {widest} 列，超过 {MAX_COLUMNS} 列", SMALLER)
    best = _best_delimiter(heads, score)
    check_cells("文件", text.count(best) + text.count("\n") + text.count("\r"))
    if errors and not score(heads[best]):
        # With the right delimiter the fault is a quote; if no delimiter gives a header, only this fault can be named.
        raise errors[0]

    def body(index: int, _wanted: Wanted | None) -> Body:
        fast = len(text) >= FAST_FROM_CHARACTERS and '"' not in text
        found = (_fast_body(text, best, index) if fast else None) or _careful_body(text, best, index)
        return found._replace(columns=visible_columns(found.columns)) if may_hide else found

    # Most small files have nothing to remove, and compiling the pattern takes longer than reading them.
    may_hide = (
        len(text) > FAST_FROM_CHARACTERS
        or ESCAPE_SIGN in text
        or not INVISIBLE_CHARACTERS.isdisjoint(set(text))
    )
    head = [[visible(cell) for cell in row] for row in heads[best]] if may_hide else heads[best]
    return Sheet("", lambda: Content(lambda: head, lines[best], body, lambda: records(text, best)[0]))


def _best_delimiter(heads: dict[str, list[list[str]]], score: Callable[[list[list[str]]], int]) -> str:
    """The delimiter by which the most headers are recognised; among equals, the one that gives the widest row.

    If a delimiter leaves rows unsplit, they name at most one column. Scoring them is slow, so it is done only if no other
    delimiter names more.
    """
    widths = {delimiter: max(map(len, head), default=0) for delimiter, head in heads.items()}
    scores = {delimiter: score(head) for delimiter, head in heads.items() if widths[delimiter] > 1}
    if max(scores.values(), default=0) < 2:
        scores = {delimiter: score(head) for delimiter, head in heads.items()}
    return max(heads, key=lambda delimiter: (scores.get(delimiter, 0), widths[delimiter]))


def records(
    text: str, delimiter: str, limit: int | None = None, *, strict: bool = True
) -> tuple[list[list[str]], list[int]]:
    """Records and the lines on which they begin.

    If not `strict`, an unclosed quote extends to the end of the file, and a cell that is too long ends the reading: this is
    enough to show an unreadable text. If `strict`, both raise Unreadable.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=strict)
    found, numbers, line = [], [], 0
    try:
        for record in islice(reader, limit):
            found.append(record)
            numbers.append(line + 1)
            line = reader.line_num
    except csv.Error as error:
        if not strict and found:
            return found, numbers
        if "field limit" in str(error):
            raise Unreadable(
                f"第 {line + 1} 行有一个单元格超过 {csv.field_size_limit()} 个字",
                "多半是引号不成对，或没有换行：请检查该行的英文双引号，或改交 .xlsx",
            ) from error
        raise Unreadable(
            f"第 {line + 1} 行起的引号不成对，或引号后面还有文字",
            '请检查该行的英文双引号：单元格内的引号要写成两个（""），或改交 .xlsx',
        ) from error
    return found, numbers


def _careful_body(text: str, delimiter: str, index: int) -> Body:
    found, numbers = records(text, delimiter)
    width = len(found[index])
    rows, lines = found[index + 1 :], numbers[index + 1 :]
    longer = [
        n for row, n in zip(rows, lines, strict=True) if len(row) > width and any(map(str.strip, row[width:]))
    ]
    if longer:
        raise Unreadable(
            f"第 {shortened(longer)} 行的单元格比表头多（表头在第 {numbers[index]} 行，共 {width} 列）",
            "单元格里如有逗号等分隔符，请给该单元格加英文双引号，或改交 .xlsx",
        )
    # A remark below the table has no delimiters, so it is not reported here; later steps recognise it.
    shorter = [
        n
        for row, n in zip(rows, lines, strict=True)
        if len(row) < width
        and any(map(str.strip, row))
        and not (len(row) == 1 and re.search("[一-鿿]", row[0]))
    ]
    columns = list(zip_longest(*rows, fillvalue=""))[:width]
    columns += [("",) * len(rows)] * (width - len(columns))
    return Body(
        np.array(lines, dtype=np.int64),
        [text_column([cell or None for cell in column]) for column in columns],
        (f"第 {shortened(shorter)} 行的单元格比表头少，缺少的按空白读取；请确认文件完整",) if shorter else (),
    )


def _fast_body(text: str, delimiter: str, index: int) -> Body | None:
    """The same through Arrow, for a text without quotes; None if rows differ in length, which Arrow does not read."""
    start = io.StringIO(text, newline="")
    width = len(next(islice(csv.reader(start, delimiter=delimiter), index, None)))
    rest = text[start.tell() :].rstrip("\r\n")
    if not rest:
        return None
    names = [str(position) for position in range(width)]
    try:
        table = pa_csv.read_csv(
            pa.BufferReader(rest.encode()),
            read_options=pa_csv.ReadOptions(column_names=names),
            parse_options=pa_csv.ParseOptions(
                delimiter=delimiter, quote_char=False, ignore_empty_lines=False
            ),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.large_string()),
                strings_can_be_null=True,
                null_values=[""],
            ),
        )
    except pa.ArrowInvalid:
        return None
    # Without quotes every line is a record.
    return Body(np.arange(index + 2, index + 2 + table.num_rows), table.columns)
