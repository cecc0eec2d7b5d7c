"""Parquet files (.parquet) to a sheet of text.

A few kilobytes of Parquet can unpack to gigabytes, or claim rows without number: the footer and every page's header are read
here first, and the library only gets what they show to be small. Belongs here: that, and values as text. Keep out: headers
and contracts.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from youjun_pipeline.ingest.limits import (
    MAX_COLUMNS,
    MAX_UNPACKED_BYTES,
    SMALLER,
    Unreadable,
    check_cells,
    check_characters,
    too_large,
)
from youjun_pipeline.ingest.sheets import Body, Sheet, damaged
from youjun_pipeline.ingest.thrift import Compact

# FileMetaData, SchemaElement, RowGroup, ColumnChunk, ColumnMetaData and PageHeader of parquet.thrift, by field number.
SCHEMA, ROWS, GROUPS = 2, 3, 4
CHILDREN, CONVERTED = 5, 6
GROUP_COLUMNS, GROUP_ROWS = 1, 3
CHUNK_METADATA = 3
VALUES, PACKED, FIRST_PAGE, DICTIONARY_PAGE = 5, 7, 9, 11
PAGE_UNPACKED, PAGE_PACKED = 2, 3
BATCH_ROWS = 10_000


def check_claims(data: bytes) -> None:
    """Refuse a file by what its footer and its pages claim, before the library believes them.

    Raises:
        Unreadable: for more cells or bytes than a table has, and for columns inside columns.
    """
    length = int.from_bytes(data[-8:-4], "little")
    if data[-4:] != b"PAR1" or length + 12 > len(data):
        raise damaged("Parquet 文件")
    try:
        footer = Compact(memoryview(data)[-8 - length : -8]).struct()
        schema: list[dict[int, Any]] = footer[SCHEMA]
        groups: list[dict[int, Any]] = footer.get(GROUPS, [])
        if any(element.get(CHILDREN) for element in schema[1:]):
            raise Unreadable("有嵌套的列", "每列请只放一个值，不要放列表或结构")
        columns = len(schema) - 1
        if columns > MAX_COLUMNS:
            raise Unreadable(f"有 {columns} 列，超过 {MAX_COLUMNS} 列", SMALLER)
        rows = max(footer[ROWS], sum(group[GROUP_ROWS] for group in groups))
        chunks = [chunk[CHUNK_METADATA] for group in groups for chunk in group[GROUP_COLUMNS]]
        check_cells("文件", max(rows * columns, sum(chunk[VALUES] for chunk in chunks)))
        unpacked = sum(_unpacked(data, chunk) for chunk in chunks)
    except (LookupError, ValueError, TypeError, OverflowError) as error:
        raise damaged("Parquet 文件") from error
    if unpacked > MAX_UNPACKED_BYTES:
        raise too_large("文件解开后", unpacked, MAX_UNPACKED_BYTES)


def _unpacked(data: bytes, chunk: dict[int, Any]) -> int:
    """Bytes that the pages of a column unpack to, by their own headers: the library goes by these."""
    at = min(start for start in (chunk[FIRST_PAGE], chunk.get(DICTIONARY_PAGE)) if start)
    end, total = at + chunk[PACKED], 0
    if at < 4 or chunk[PACKED] < 0 or end > len(data):
        raise ValueError("a column outside of the file")
    while at < end and total <= MAX_UNPACKED_BYTES:
        page = Compact(data, at)
        header = page.struct()
        if header[PAGE_PACKED] < 0 or header[PAGE_UNPACKED] < 0:
            raise ValueError("a page of negative size")
        total += header[PAGE_UNPACKED]
        at = page.at + header[PAGE_PACKED]
    return total


def parquet_sheet(data: bytes) -> Sheet:
    """Read a Parquet file: its field names are the header, row numbers count its rows from 1."""
    check_claims(data)
    try:
        table = _table(data)
        names = table.column_names
        table.validate(full=True)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise damaged("Parquet 文件") from error

    def body(_index: int, _months: frozenset[int]) -> Body:
        return Body(np.arange(1, table.num_rows + 1), [_as_text(column) for column in table.columns])

    return Sheet(name="", head=[names], numbers=[0], body=body)


def _table(data: bytes) -> pa.Table:
    """The whole table; texts stay numbered while it is counted what they come to, as one may stand in every row."""
    schema = pq.read_schema(io.BytesIO(data))
    texts = [
        field.name
        for field in schema
        if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)
    ]
    file = pq.ParquetFile(io.BytesIO(data), read_dictionary=texts)
    size = 0
    for batch in file.iter_batches(BATCH_ROWS):
        for column in batch.columns:
            if pa.types.is_dictionary(column.type):
                lengths = pc.binary_length(column.dictionary.cast(pa.large_binary()))
                size += pc.sum(lengths.take(column.indices)).as_py() or 0
            elif pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
                size += pc.sum(pc.binary_length(column)).as_py() or 0
        # Chinese has three bytes to a character.
        check_characters("文件", size // 3)
    return pq.read_table(io.BytesIO(data))


def _as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Values of a Parquet column as a workbook would show them: 12.0 as 12, flags 是/否, a midnight as its date."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind = column.type
    if pa.types.is_boolean(kind):
        text = pc.if_else(column, "是", "否")
    elif pa.types.is_floating(kind):
        # Below 2^53 whole numbers lose nothing as int64.
        whole = pc.and_(pc.equal(pc.round(column), column), pc.less(pc.abs(column), 2.0**53))
        text = pc.if_else(
            whole,
            pc.if_else(whole, column, None).cast(pa.int64()).cast(pa.string()),
            column.cast(pa.string()),
        )
    elif pa.types.is_timestamp(kind):
        local = pc.local_timestamp(column) if kind.tz else column
        seconds = pc.strftime(local.cast(pa.timestamp("s"), safe=False), format="%Y-%m-%d %H:%M:%S")
        text = pc.replace_substring_regex(seconds, " 00:00:00$", "")
    elif pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        text = pa.chunked_array(
            [pa.array([None if v is None else str(v) for v in column.to_pylist()], pa.string())]
        )
    else:
        text = column.cast(pa.string())
    text = text.cast(pa.large_string())
    return pc.if_else(pc.equal(text, ""), None, text)
