"""Turns Parquet files (.parquet) into a sheet of text, with pyarrow: only the wanted columns are decoded.

A few kilobytes of Parquet can unpack to gigabytes, or claim any number of rows. So the sizes in the footer are added up first.
Belongs here: that check, and values as text. Keep out: headers and contracts.
"""

from __future__ import annotations

import io
import uuid
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from youjun_pipeline.ingest.formats.book import (
    BYTES,
    SEND_AGAIN,
    Body,
    Content,
    Sheet,
    Wanted,
    damaged,
    visible,
    visible_columns,
)
from youjun_pipeline.ingest.formats.limits import (
    MAX_UNPACKED_BYTES,
    SMALLER,
    Unreadable,
    check_cells,
    check_characters,
    too_large,
)

# Columns and row groups are entries of such lists. The library nests columns as deeply as the file claims.
MAX_ENTRIES = 3_000
BATCH_ROWS, FEW_ROWS = 10_000, 200
# Whole numbers beyond these limits have lost digits in a float of 4 or 8 bytes.
EXACT_FLOAT, EXACT_DOUBLE = 2.0**24, 2.0**53


def parquet_sheet(data: bytes) -> Sheet:
    """A Parquet file as a single sheet: its field names are the header, row numbers count its rows from 1.

    Raises:
        Unreadable: if the file is damaged, or has more columns, cells or bytes than a table may have.
    """
    try:
        file = pq.ParquetFile(
            io.BytesIO(data),
            thrift_container_size_limit=MAX_ENTRIES,
            thrift_string_size_limit=len(data),
        )
        _check_claims(file.metadata)
        schema = file.schema_arrow
    except (pa.ArrowException, OSError, ValueError, TypeError) as error:
        if "size limit" in str(error).lower():
            raise Unreadable(f"列或行组超过 {MAX_ENTRIES} 个", SMALLER) from error
        raise damaged("Parquet 文件") from error
    names = [visible(name) for name in schema.names]
    body = partial(_body, data, file.metadata, schema)

    def rows() -> list[list[str]]:
        below = body(0, None)
        columns = [["" if text is None else text for text in column.to_pylist()] for column in below.columns]
        return [names, *map(list, zip(*columns, strict=True))]

    return Sheet("", lambda: Content(lambda: [names], [0], body, rows))


def _check_claims(metadata: pq.FileMetaData) -> None:
    groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
    rows = max(metadata.num_rows, sum(group.num_rows for group in groups))
    check_cells("文件", rows * max(metadata.num_columns, 1))
    # The check never looks at columns: the library ends the program if a column's statistics are damaged (pyarrow 26).
    unpacked = sum(max(group.total_byte_size, 0) for group in groups)
    if unpacked > MAX_UNPACKED_BYTES:
        raise too_large("文件解开后", unpacked, MAX_UNPACKED_BYTES)


def _body(
    data: bytes, metadata: pq.FileMetaData, schema: pa.Schema, _index: int, wanted: Wanted | None
) -> Body:
    """The rows. A column that is not wanted is blank; if all columns are asked for, an unreadable one is blank too."""
    rows = metadata.num_rows
    columns = [pa.chunked_array([pa.nulls(rows, pa.large_string())])] * len(schema)
    fields = {p: field for p, field in enumerate(schema) if wanted is None or p in wanted}
    try:
        found = dict(zip(fields, _columns(data, metadata, list(fields.values())), strict=True))
    except Unreadable:
        # Read column by column: if columns were wanted, this finds the faulty one; if all are only shown, the others remain.
        found = {}
        for position, field in fields.items():
            try:
                (found[position],) = _columns(data, metadata, [field])
            except Unreadable:
                if wanted is not None:
                    raise
    for position, column in found.items():
        columns[position] = column
    return Body(np.arange(1, rows + 1), visible_columns(columns))


def _columns(
    data: bytes, metadata: pq.FileMetaData, fields: list[pa.Field], *, numbered: bool = True
) -> list[pa.ChunkedArray]:
    """Columns as text. Texts stay `numbered` while their total length is counted, because one text may be in every row.

    The library numbers only texts that the file numbers or stores plainly; other texts are read a few rows at a time.
    """
    names = [field.name for field in fields]
    if nested := [field.name for field in fields if pa.types.is_nested(field.type)]:
        raise Unreadable(f"列“{'、'.join(nested)}”是嵌套的", "每列请只放一个值，不要放列表或结构")
    try:
        file = pq.ParquetFile(
            io.BytesIO(data),
            read_dictionary=names if numbered else [],
            page_checksum_verification=True,
        )
        size, chunks = 0, [list[pa.Array]() for _ in names]
        for batch in file.iter_batches(BATCH_ROWS if numbered else FEW_ROWS, columns=names):
            size += sum(_characters(batch.column(name)) for name in names)
            check_characters("文件", size)
            for parts, name in zip(chunks, names, strict=True):
                parts.append(_text(batch.column(name)))
        columns = [pa.chunked_array(parts, pa.large_string()) for parts in chunks]
        for column in columns:
            column.validate(full=True)
    except (pa.ArrowException, OSError, ValueError, TypeError, OverflowError, LookupError) as error:
        if numbered:
            return _columns(data, metadata, fields, numbered=False)
        told = f"列“{'、'.join(names)}”（类型 {'、'.join(str(field.type) for field in fields)}）读不出来"
        raise Unreadable(told, f"请把该列导出为文本；或者{SEND_AGAIN}") from error
    if any(len(column) != metadata.num_rows for column in columns):
        raise damaged("Parquet 文件")
    return columns


def _characters(column: pa.Array) -> int:
    """The number of characters in a column, as if all were Chinese, with three bytes each."""
    if pa.types.is_dictionary(column.type):
        words = column.dictionary
        if not _is_bytes(words.type) and not _is_string(words.type):
            return 0
        lengths = pc.binary_length(
            words.cast(pa.large_binary()) if not pa.types.is_fixed_size_binary(words.type) else words
        )
        return (pc.sum(lengths.take(column.indices)).as_py() or 0) // 3
    if _is_bytes(column.type) or _is_string(column.type):
        return (pc.sum(pc.binary_length(column)).as_py() or 0) // 3
    return 0


def _is_string(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def _is_bytes(kind: pa.DataType) -> bool:
    return (
        pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_binary(kind)
        or pa.types.is_binary_view(kind)
    )


def _text(column: pa.Array) -> pa.Array:
    """Values as a workbook would show them: 12.0 as 12, flags 是/否, a midnight as its date; "" and NaN become null."""
    if pa.types.is_dictionary(column.type):
        return _text(column.dictionary).take(column.indices)
    if isinstance(column, pa.ExtensionArray):
        if column.type.extension_name == "arrow.uuid":
            return _each(column.storage, lambda value: str(uuid.UUID(bytes=value)))
        return _text(column.storage)
    kind = column.type
    if pa.types.is_boolean(kind):
        text = pc.if_else(column, "是", "否")
    elif pa.types.is_floating(kind):
        return _float_text(column)
    elif pa.types.is_timestamp(kind):
        local = pc.local_timestamp(column) if kind.tz else column
        seconds = pc.strftime(local.cast(pa.timestamp("s"), safe=False), format="%Y-%m-%d %H:%M:%S")
        text = pc.replace_substring_regex(seconds, " 00:00:00$", "")
    elif _is_bytes(kind):
        values = column.to_pylist()
        encodings = _encodings({value for value in values if value is not None and not value.isascii()})
        return _each(column, partial(_decoded, encodings=encodings))
    elif pa.types.is_nested(kind) or pa.types.is_null(kind):
        return pa.nulls(len(column), pa.large_string())
    else:
        text = column.cast(pa.string())
    text = text.cast(pa.large_string())
    return pc.if_else(pc.equal(text, ""), None, text)


def _float_text(column: pa.Array) -> pa.Array:
    """Floats in the shortest form that reads back the same; if digits were lost, as 2.112E+09, which no code looks like."""
    exact = EXACT_DOUBLE if pa.types.is_float64(column.type) else EXACT_FLOAT
    digits = 6 if exact == EXACT_FLOAT else 15
    shortest = column if not pa.types.is_float16(column.type) else column.cast(pa.float32())
    wide = shortest.cast(pa.float64())
    whole = pc.and_(pc.equal(pc.round(wide), wide), pc.less(pc.abs(wide), exact))
    lost = pc.and_(pc.greater_equal(pc.abs(wide), exact), pc.is_finite(wide))
    text = pc.if_else(
        whole,
        pc.if_else(whole, wide, None).cast(pa.int64()).cast(pa.large_string()),
        shortest.cast(pa.string()).cast(pa.large_string()),
    )
    if pc.any(lost).as_py():
        large = _each(pc.if_else(lost, wide, None), lambda value: f"{value:.{digits}E}")
        text = pc.if_else(pc.fill_null(lost, False), large, text)
    return pc.if_else(pc.fill_null(pc.is_nan(wide), True), pa.scalar(None, pa.large_string()), text)


def _each(column: pa.Array, make: Any) -> pa.Array:
    return pa.array([None if v is None else make(v) or None for v in column.to_pylist()], pa.large_string())


def _encodings(values: set[bytes]) -> tuple[str, ...]:
    """The encodings of text tables, in the order in which they are tried for a column's values beyond ASCII.

    小学 in GB18030 is Сѧ in UTF-8. A column has one encoding, and no district writes Cyrillic, Hebrew or Arabic.
    """
    words, is_utf8 = "", True
    for value in values:
        try:
            words += value.decode()
        except UnicodeDecodeError:
            is_utf8 = False
    beyond = [c for c in words if not c.isascii()]
    if any(c >= "\u3000" for c in beyond) or (is_utf8 and any(c < "\u0370" for c in beyond)):
        return "utf-8", "gb18030"
    return "gb18030", "utf-8"


def _decoded(value: bytes, encodings: tuple[str, ...]) -> str:
    """Text that a program wrote as bytes, without declaring it as text."""
    for encoding in encodings:
        try:
            text = value.rstrip(b"\x00").decode(encoding)
        except UnicodeDecodeError:
            continue
        if all(c.isprintable() or c.isspace() for c in visible(text)):
            return text
    return f"{BYTES} {value[:20].hex()}"
