"""Parquet files with every kind of column, encoding and version. A column that nobody asked for does no harm. A column of a
contract is read as intended or refused by name, and nothing raises an error.

Belongs here: one file at a time. Keep out: what becomes of other districts (test_one_file_alone.py).
"""

from __future__ import annotations

import datetime as dt
import io
import itertools
import random
import uuid
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from youjun_pipeline.ingest.files import ReadResult, read_file
from youjun_pipeline.ingest.formats.parquet import parquet_sheet
from youjun_pipeline_tests.integration.delivered_files import FACILITIES, SCHOOLS

CODES = ["2111000001", "2111000003", "3111000002"]
GOOD: dict[str, Any] = {
    "学校标识码": CODES,
    "教学及辅助用房面积": [4500.5, 9860.0, 1200.0],
    "网络多媒体教室间数": [24, 46, 7],
}

# A value of each type, by name; three rows of it, the last one null.
TYPED: dict[str, pa.Array] = {
    "null": pa.nulls(3),
    "bool": pa.array([True, False, None]),
    **{
        f"{sign}int{bits}": pa.array([1, 2, None], getattr(pa, f"{sign}int{bits}")())
        for sign in ("", "u")
        for bits in (8, 16, 32, 64)
    },
    "float16": pa.array([np.float16(1.5), np.float16(2), None], pa.float16()),
    "float32": pa.array([1.5, float("nan"), None], pa.float32()),
    "float64": pa.array([1.5, float("inf"), None], pa.float64()),
    "decimal32": pa.array([Decimal("1.50"), Decimal(2), None], pa.decimal32(7, 2)),
    "decimal128": pa.array([Decimal("1.50"), Decimal(2), None], pa.decimal128(20, 2)),
    "decimal256": pa.array([Decimal("1.50"), Decimal(2), None], pa.decimal256(50, 2)),
    "string": pa.array(["甲", "", None]),
    "large_string": pa.array(["甲", "乙", None], pa.large_string()),
    "string_view": pa.array(["甲", "乙", None], pa.string_view()),
    "binary": pa.array([b"\xff\xfe\x00", "甲".encode(), None], pa.binary()),
    "large_binary": pa.array([b"\x00" * 20, b"x", None], pa.large_binary()),
    "fixed": pa.array([b"\xe6" * 7, b"1234567", None], pa.binary(7)),
    "uuid": pa.array([uuid.UUID(int=2**127 + 5).bytes, uuid.UUID(int=7).bytes, None], pa.uuid()),
    "json": pa.array(['{"a": 1}', "[]", None], pa.json_()),
    "date32": pa.array([dt.date(2024, 8, 31), dt.date(1, 1, 1), None], pa.date32()),
    "date64": pa.array([dt.date(2024, 8, 31), dt.date(2024, 1, 1), None], pa.date64()),
    "time32": pa.array([dt.time(8), dt.time(9), None], pa.time32("ms")),
    "time64": pa.array([dt.time(8), dt.time(9), None], pa.time64("us")),
    "duration": pa.array([dt.timedelta(1), dt.timedelta(2), None]),
    **{
        f"timestamp {unit} {zone}": pa.array([0, 1_000_000, None], pa.timestamp(unit, zone))
        for unit in ("s", "ms", "us", "ns")
        for zone in (None, "UTC", "Asia/Shanghai", "+08:00", "Mars/Olympus")
    },
    "timestamp far": pa.array([2**62, -(2**62), None], pa.timestamp("us")),
    "list": pa.array([[1], [2], None]),
    "list of lists": pa.array([[[1]], [[2]], None]),
    "struct": pa.array([{"a": 1}, {"a": 2}, None]),
    "struct of its own name": pa.array([{"学校标识码": 1}, {"学校标识码": 2}, None]),
    "map": pa.array([[("a", 1)], [], None], pa.map_(pa.string(), pa.int64())),
    "dictionary of strings": pa.array(["甲", "乙", None]).dictionary_encode(),
    "dictionary of numbers": pa.array([1, 2, None]).dictionary_encode(),
    "dictionary of bytes": pa.array([b"\xff", b"\xfe", None]).dictionary_encode(),
    "dictionary of dates": pa.array([dt.date(2024, 1, 1), None, None]).dictionary_encode(),
}
VERSIONS = list(itertools.product(("1.0", "2.4", "2.6"), ("1.0", "2.0")))
ENCODINGS = {
    "string": ("PLAIN", "DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY"),
    "binary": ("PLAIN", "DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY"),
    "fixed": ("PLAIN", "DELTA_BYTE_ARRAY", "BYTE_STREAM_SPLIT"),
    "int32": ("PLAIN", "DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT"),
    "int64": ("PLAIN", "DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT"),
    "float32": ("PLAIN", "BYTE_STREAM_SPLIT"),
    "float64": ("PLAIN", "BYTE_STREAM_SPLIT"),
    "bool": ("PLAIN", "RLE"),
}


def write(path: Path, columns: dict[str, Any], **options: Any) -> Path | None:
    """A file with these columns; None if the library cannot write one of them."""
    try:
        pq.write_table(pa.table(columns), path, **options)
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
        return None
    return path


def facilities(path: Path) -> list[list[str]]:
    """What is read of the good columns; the test fails if the file is refused."""
    result = read_file(path, FACILITIES)
    assert result.failure is None, result.failure
    return result.frame[["school_code", "teaching_area_m2", "multimedia_rooms"]].to_numpy().tolist()


EXPECTED = [["2111000001", "4500.5", "24"], ["2111000003", "9860", "46"], ["3111000002", "1200", "7"]]


@pytest.mark.parametrize("kind", TYPED)
def test_a_column_that_no_contract_names_does_no_harm(tmp_path: Path, kind: str) -> None:
    tried = 0
    for version, page in VERSIONS:
        for name in ("id", "__index_level_0__"):
            path = write(
                tmp_path / "facilities.parquet",
                {name: TYPED[kind], **GOOD},
                version=version,
                data_page_version=page,
            )
            if path:
                tried += 1
                assert facilities(path) == EXPECTED
                assert read_file(path, FACILITIES).ignored_headers == [name]
    assert tried or kind in ("float16", "duration"), "no version writes this type"


@pytest.mark.parametrize("kind", TYPED)
def test_a_column_that_a_contract_names_is_read_or_refused(tmp_path: Path, kind: str) -> None:
    for version, page in VERSIONS:
        for name in ("学校标识码", "教学及辅助用房面积"):
            columns = {**GOOD, name: TYPED[kind]}
            path = write(tmp_path / "facilities.parquet", columns, version=version, data_page_version=page)
            if path is None:
                continue
            result = read_file(path, FACILITIES)
            if result.failure is None:
                assert len(result.frame) in (2, 3)
                assert not any("b'" in str(value) for row in result.frame.to_numpy() for value in row)
            else:
                assert f"列“{name}”" in result.failure.message and "请" in result.failure.message


@pytest.mark.parametrize(
    ("kind", "encoding"), [(kind, encoding) for kind, those in ENCODINGS.items() for encoding in those]
)
@pytest.mark.parametrize("page", ["1.0", "2.0"])
@pytest.mark.parametrize("compression", ["none", "snappy", "gzip", "zstd", "lz4", "brotli"])
def test_every_encoding_is_read(
    tmp_path: Path, kind: str, encoding: str, page: str, compression: str
) -> None:
    columns = {**GOOD, "id": TYPED[kind]}
    encodings = {"id": encoding}
    if kind == "string":
        encodings["学校标识码"] = encoding
    path = write(
        tmp_path / "facilities.parquet",
        columns,
        use_dictionary=False,
        column_encoding=encodings,
        data_page_version=page,
        compression=compression,
    )
    assert path is not None
    assert facilities(path) == EXPECTED


# DuckDB 1.5 fails to write these itself.
UNWRITTEN = (("MAP", "V2"),)


@pytest.mark.parametrize("version", ["V1", "V2"])
def test_what_duckdb_writes(tmp_path: Path, version: str) -> None:
    """Types that only DuckDB has, each in a column outside the contract and as a code."""
    values = {
        "UUID": "uuid()",
        "HUGEINT": "1::hugeint",
        "UBIGINT": "1::ubigint",
        "INTERVAL": "interval 3 days",
        "TIMETZ": "'12:00:00+08'::timetz",
        "TIMESTAMPTZ": "now()",
        "TIMESTAMP_NS": "now()::timestamp::timestamp_ns",
        "ENUM": "'a'::enum('a', 'b')",
        "BLOB": r"'\xAA\xE6'::blob",
        "BIT": "'0101'::bit",
        "JSON": "'{}'::varchar",
        "LIST": "[1, 2]",
        "STRUCT": "{'a': 1}",
        "MAP": "map {'a': 1}",
        "DECIMAL": "1.5::decimal(18, 3)",
        "FLOAT": "'nan'::float",
    }
    path = tmp_path / "facilities.parquet"
    with duckdb.connect() as con:
        for name, value in values.items():
            if (name, version) in UNWRITTEN:
                continue
            con.execute(
                f"copy (select code as 学校标识码, area as 教学及辅助用房面积, rooms as 网络多媒体教室间数, {value} as id"
                " from (values ('2111000001', 4500.5::double, 24), ('2111000003', 9860, 46), ('3111000002', 1200, 7))"
                f" t(code, area, rooms)) to '{path}' (format parquet, parquet_version {version})"
            )
            assert facilities(path) == EXPECTED, name
            con.execute(
                f"copy (select {value} as 学校标识码) to '{path}' (format parquet, parquet_version {version})"
            )
            result = read_file(path, FACILITIES)
            assert result.failure is None or "列“学校标识码”" in result.failure.message, name


def codes(path: Path) -> list[Any]:
    values = read_file(path, SCHOOLS).frame["school_code"]
    return values.astype(object).where(values.notna(), None).tolist()


def test_bytes_are_text_where_they_are_one(tmp_path: Path) -> None:
    """Old Hadoop writers do not mark a text column as text."""
    columns = {
        "school_code": pa.array([b"2111000001", b"2111000003"]),
        "学校名称": pa.array(["某镇中心小学".encode(), "河西村小学".encode("gb18030")]),
        "办学类型": pa.array(["小学\x00\x00".encode(), b"\xff\xfe\xfd"]),
    }
    path = write(tmp_path / "schools.parquet", columns)
    assert path is not None
    frame = read_file(path, SCHOOLS).frame
    assert frame["school_name"].tolist() == ["某镇中心小学", "河西村小学"]
    assert frame["school_type"].tolist() == ["小学", "#二进制内容 fffefd"]
    assert codes(path) == ["2111000001", "2111000003"]


def test_a_columns_bytes_are_in_one_encoding() -> None:
    """小学 in GB18030 is Сѧ in UTF-8; tested alone and with 初中, which is not valid UTF-8."""

    def read(*words: str, encoding: str) -> list[str | None]:
        content = io.BytesIO()
        pq.write_table(pa.table({"学段": pa.array([word.encode(encoding) for word in words])}), content)
        return parquet_sheet(content.getvalue()).content.body(0, None).columns[0].to_pylist()

    for words in (("小学",), ("小学", "初中"), ("小学", "1")):
        for encoding in ("gb18030", "utf-8"):
            assert read(*words, encoding=encoding) == list(words)
    assert read("2·1", "m²", encoding="utf-8") == ["2·1", "m²"]


def test_codes_that_lost_their_digits_are_no_codes(tmp_path: Path) -> None:
    for kind, code, text in (
        (pa.float32(), 2111000001.0, "2.111000E+09"),
        (pa.float64(), 2111000001.0, "2111000001"),
        (pa.float64(), 1.2345678901234567e18, "1.234567890123457E+18"),
        (pa.float16(), 2048.0, "2048"),
    ):
        path = write(
            tmp_path / "schools.parquet",
            {"school_code": pa.array([code], kind), "学校名称": ["甲"], "办学类型": ["小学"]},
        )
        assert path is not None
        assert codes(path) == [text]


def test_what_is_no_number_is_blank(tmp_path: Path) -> None:
    path = write(
        tmp_path / "facilities.parquet",
        {"学校标识码": CODES, "教学及辅助用房面积": pa.array([float("nan"), 1.5, None])},
    )
    assert path is not None
    assert read_file(path, FACILITIES).frame["teaching_area_m2"].isna().tolist() == [True, False, True]


def test_a_name_that_comes_twice(tmp_path: Path) -> None:
    table = pa.table({"a": CODES, "b": [1.0, 2, 3], "c": [1, 2, 3], "d": [4, 5, 6]})
    for names, told in (
        (["学校标识码", "教学及辅助用房面积", "id", "id"], None),
        (["学校标识码", "教学及辅助用房面积", "教学及辅助用房面积", "id"], "同一列出现多次"),
    ):
        pq.write_table(table.rename_columns(names), tmp_path / "facilities.parquet")
        result = read_file(tmp_path / "facilities.parquet", FACILITIES)
        assert (told in result.failure.message) if told and result.failure else result.failure is None
        if told is None:
            assert result.frame["school_code"].tolist() == CODES


def test_an_index_that_is_the_code(tmp_path: Path) -> None:
    import pandas as pd

    frame = pd.DataFrame(GOOD).set_index("学校标识码")
    frame.to_parquet(tmp_path / "facilities.parquet")
    assert facilities(tmp_path / "facilities.parquet") == EXPECTED


@pytest.mark.parametrize("seed", range(30))
def test_spoilt_files_never_raise(tmp_path: Path, seed: int) -> None:
    """Any byte of a good file is changed, or its end is missing: it is read as it is, or refused with a remedy."""
    rng = random.Random(seed)
    kind = rng.choice(list(TYPED))
    path = write(tmp_path / "facilities.parquet", {"id": TYPED[kind], **GOOD})
    if path is None:
        return
    good = path.read_bytes()
    for _ in range(20):
        data = bytearray(good)
        for _ in range(rng.randint(1, 3)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        path.write_bytes(data[: rng.choice((len(data), rng.randrange(12, len(data))))])
        result: ReadResult = read_file(path, FACILITIES)
        assert result.failure is None or "请" in result.failure.message


def test_a_page_whose_checksum_is_wrong_is_not_read(tmp_path: Path) -> None:
    """If a writer puts checksums into the file they are checked: the changed page would be read as another number than 100.5."""
    path = tmp_path / "facilities.parquet"
    table = pa.table({"学校标识码": CODES, "教学及辅助用房面积": [100.5, 200.5, 300.5]})
    pq.write_table(table, path, compression="none", use_dictionary=False, write_page_checksum=True)
    data = path.read_bytes()
    stored = np.float64(200.5).tobytes()
    assert data.count(stored) == 1
    path.write_bytes(data.replace(stored, np.float64(900.5).tobytes()))
    failure = read_file(path, FACILITIES).failure
    assert failure is not None and "列“教学及辅助用房面积”" in failure.message


def test_a_header_that_is_no_row_has_no_number(tmp_path: Path) -> None:
    pq.write_table(pa.table({"学校标识码": CODES, "学校名称": CODES}), tmp_path / "schools.parquet")
    failure = read_file(tmp_path / "schools.parquet", SCHOOLS).failure
    assert failure is not None and "现有的列：学校标识码" in failure.message
    pq.write_table(pa.table({"甲": CODES, "乙": CODES}), tmp_path / "schools.parquet")
    failure = read_file(tmp_path / "schools.parquet", SCHOOLS).failure
    assert failure is not None and "文件列名是：甲、乙" in failure.message
