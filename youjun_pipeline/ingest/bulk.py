"""Many small plain files of one dataset under one header, read in one pass.

A country's night brings tens of thousands of files of some kilobytes each, and reading them one by one costs ten times as much as
reading their cells. A file is plain if nothing in it needs judgement: UTF-8 text separated by commas, without quotes, a header
with only known names, and below it only rows of data. In the least doubt a file is left to the careful reader (`file_rows`),
which also reports its faults. Of a plain file both readers make the same rows, and there is nothing to report. Belongs here: what
makes a file plain. Keep out: what is wrong with a file that is not plain.
"""

from __future__ import annotations

import codecs
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv

from youjun_pipeline.contracts.model import EVENTS, INVISIBLE, Dataset
from youjun_pipeline.ingest.file_rows import text_frame
from youjun_pipeline.ingest.formats.book import ESCAPE_SIGN, Body, Unreadable, column_letter
from youjun_pipeline.ingest.formats.kinds import kind_of, wrong_suffix_notice
from youjun_pipeline.ingest.formats.limits import MAX_PLAIN_BYTES, read_bytes
from youjun_pipeline.ingest.headers import Header, find_header
from youjun_pipeline.ingest.results import SourceColumn
from youjun_pipeline.ingest.side_rows import counts_columns, filled_cells, other_headers, side_rows

LOG = logging.getLogger(__name__)
_ASCII = bytes(range(128))
# What only the careful reader handles: quotes, other delimiters, the start of Chinese written in ASCII letters, and invisible
# characters. The search works on bytes, because a country's text is a hundred million characters.
_DOUBTFUL = b'"\t;+~\x0b\x0c\x1c\x1d\x1e\x1f' + "".join(filter(str.isascii, INVISIBLE)).encode()
_HARMLESS = bytes(set(range(256)) - set(_DOUBTFUL))
_DOUBTFUL_CHARACTERS = frozenset(INVISIBLE) | {"\x85", "\u2028", "\u2029"}
# An escaped character, an empty line.
_DOUBTFUL_PAIRS = (ESCAPE_SIGN.encode(), b"\n\n", b"\n\r\n")


class Plain(NamedTuple):
    """A plain file: its hash and the lines below its header, each with its line end."""

    content: str
    lines: str
    rows: int


@dataclass(frozen=True)
class Rows:
    """The rows of plain files with one header, in the shape of a `ReadResult` and with `content_sha256`.

    `contents` are the files that were read; `columns` hold for each of these files.
    """

    contents: list[str]
    frame: pd.DataFrame
    columns: list[SourceColumn]


def read_plain(files: Mapping[str, Path], dataset: Dataset) -> Iterator[Rows]:
    """The rows of the plain files among `files`, by header; `files` maps content to path.

    Never raises for a bad file: whatever cannot be read here is left to the careful reader, which reports the reason.
    """
    by_header: dict[str, list[Plain]] = {}
    for content, path in files.items():
        try:
            found = _plain(content, path, dataset)
        except Exception:
            LOG.warning("%s is read alone", path, exc_info=True)
            continue
        if found:
            by_header.setdefault(found[0], []).append(found[1])
    for line, plain in by_header.items():
        try:
            header = _plain_header(line, dataset)
            rows = _rows(plain, header, dataset) if header else None
        except Exception:
            LOG.warning("%d files of %s are read one by one", len(plain), dataset.name, exc_info=True)
            continue
        if rows:
            yield rows


def _plain(content: str, path: Path, dataset: Dataset) -> tuple[str, Plain] | None:
    """The header and the lines of a file; None if there is any doubt."""
    try:
        data = read_bytes(path, MAX_PLAIN_BYTES)
        kind = kind_of(data)
        if kind != "csv" or wrong_suffix_notice(kind, path.suffix):
            return None
        data = data.removeprefix(codecs.BOM_UTF8)
        text = data.decode()
    except (Unreadable, OSError, UnicodeDecodeError):
        return None
    line, _, lines = text.partition("\n")
    line = line.rstrip("\r")
    if not lines or _is_doubtful(data) or not (header := _plain_header(line, dataset)):
        return None
    lines = lines if lines.endswith("\n") else f"{lines}\n"
    count = lines.count("\n")
    if lines.count(",") != count * (len(header.positions) - 1):
        return None
    return line, Plain(content, lines, count)


def _is_doubtful(data: bytes) -> bool:
    """Whether a UTF-8 text contains something that only the careful reader understands."""
    return bool(
        data.translate(None, _HARMLESS)
        or any(pair in data for pair in _DOUBTFUL_PAIRS)
        or data.count(b"\r") != data.count(b"\r\n")
        or not _DOUBTFUL_CHARACTERS.isdisjoint(data.translate(None, _ASCII).decode())
    )


@lru_cache(maxsize=1_000)
def _plain_header(line: str, dataset: Dataset) -> Header | None:
    """The header in a line, if every cell names a different column and no required column is missing.

    No row below such a line can be the header instead: the line has all names, and no blank cell to be joined with a cell below.
    """
    cells = line.split(",")
    header = find_header([cells], dataset)
    is_plain = header and 1 < len(cells) == len(header.positions) and not header.missing(dataset)
    return header if is_plain else None


def _rows(plain: list[Plain], header: Header, dataset: Dataset) -> Rows | None:
    width = len(header.positions)
    try:
        table = _cut(plain, width)
    except pa.ArrowInvalid:
        # One file has a row that is too long, and another file a row that is too short by as much.
        plain = [f for f in plain if all(line.count(",") == width - 1 for line in f.lines.splitlines())]
        table = _cut(plain, width)
    counts = np.array([file.rows for file in plain], dtype=np.int64)
    body = Body(np.arange(table.num_rows), table.columns)
    filled = filled_cells(body)
    file_of_row = np.repeat(np.arange(len(plain)), counts)
    is_data = np.asarray(filled.any(axis=0))
    doubtful = np.zeros(len(plain), dtype=bool)
    doubtful[file_of_row[_doubtful_rows(body, header, dataset, filled)]] = True
    doubtful |= _says_nothing(dataset, header, filled, file_of_row, len(plain))
    doubtful |= _numbers_its_columns(body, is_data, file_of_row, len(plain))
    kept = np.flatnonzero(is_data & ~doubtful[file_of_row])
    if not len(kept):
        return None
    at = pa.array(kept)
    # Row numbers start below the header; without quotes every line is a row.
    lines = np.arange(table.num_rows) - (counts.cumsum() - counts)[file_of_row] + 2
    frame = text_frame(
        dataset, "", Body(lines[kept], [column.take(at) for column in body.columns]), header.positions
    )
    contents = pa.array([file.content for file in plain], pa.large_string())
    frame["content_sha256"] = pd.array(contents.take(pa.array(file_of_row[kept])), dtype="str")
    columns = [
        SourceColumn("", name, column_letter(header.positions[name]), header.texts[name])
        for name in dataset.columns
        if name in header.positions
    ]
    return Rows([f.content for f, left in zip(plain, doubtful, strict=True) if not left], frame, columns)


def _cut(plain: list[Plain], width: int) -> pa.Table:
    """The lines of all files as one table of text; raises ArrowInvalid if a line has another number of cells."""
    names = [str(position) for position in range(width)]
    if not plain:
        return pa.table({name: pa.array([], pa.large_string()) for name in names})
    return pa_csv.read_csv(
        pa.BufferReader("".join(file.lines for file in plain).encode()),
        read_options=pa_csv.ReadOptions(column_names=names),
        parse_options=pa_csv.ParseOptions(quote_char=False, ignore_empty_lines=False),
        convert_options=pa_csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.large_string()),
            strings_can_be_null=True,
            null_values=[""],
        ),
    )


def _doubtful_rows(body: Body, header: Header, dataset: Dataset, filled: np.ndarray) -> np.ndarray:
    """Rows that may not be data: headers, sums, remarks, and rows with a single text."""
    return np.concatenate(
        [
            np.array(other_headers(body, header, dataset, filled), dtype=np.int64),
            *(kind.rows for kind in side_rows(body, header, dataset, filled)),
            np.flatnonzero(filled.sum(axis=0) == 1),
        ]
    )


def _says_nothing(
    dataset: Dataset, header: Header, filled: np.ndarray, file_of_row: np.ndarray, n_files: int
) -> np.ndarray:
    """Which files may be no delivery (`bare`): a snapshot whose cells all say nothing, events with a row that says nothing."""
    is_data = filled.any(axis=0)
    telling = [header.positions[name] for name in dataset.telling if name in header.positions]
    tells = filled[telling].any(axis=0) if dataset.telling else is_data
    told = np.bincount(file_of_row[tells & is_data], minlength=n_files)
    if dataset.kind == EVENTS:
        return np.asarray(told < np.bincount(file_of_row[is_data], minlength=n_files)) | (told == 0)
    return np.asarray(told == 0)


def _numbers_its_columns(
    body: Body, is_data: np.ndarray, file_of_row: np.ndarray, n_files: int
) -> np.ndarray:
    """Which files begin with a row that numbers the columns."""
    rows = np.flatnonzero(is_data)
    files, firsts = np.unique(file_of_row[rows], return_index=True)
    cells = [column.take(pa.array(rows[firsts])).to_pylist() for column in body.columns]
    counting = [
        counts_columns([text.strip() for text in row if text and text.strip()], len(cells))
        for row in zip(*cells, strict=True)
    ]
    found = np.zeros(n_files, dtype=bool)
    found[files[counting]] = True
    return found
