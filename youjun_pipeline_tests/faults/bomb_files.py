"""Text tables, Parquet and .xls files that exhaust the program that opens them, and a district.toml of that kind.

Belongs here: single files. Keep out: workbooks (bomb_books), folders and archives of statistics (bomb_folders).
"""

from __future__ import annotations

import gzip
import os
import struct
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import xlwt

from youjun_pipeline_tests.faults.bomb_cases import GOOD_CSV, Bomb, district_of
from youjun_pipeline_tests.faults.zips import MB

HEADER = GOOD_CSV.partition(b"\n")[0] + b"\n"
LINE = b"2111000001,\xe5\xb0\x8f\xe5\xad\xa6,1,1,42\n"


def files(megabytes: int = 1024) -> Iterator[Bomb]:
    """Every hostile file; the giants have `megabytes`."""
    for name, write in _texts(megabytes).items():
        yield Bomb(f"csv-{name}", partial(_in_delivery, "classes.csv", write))
    for name, write in _large_but_allowed().items():
        yield Bomb(f"csv-{name}", partial(_in_delivery, "classes.csv", write), harmless=True)
    yield Bomb("csv-is-gzip", _gzip, ("gzip 压缩包", "请交付"))
    for name, write in _parquet().items():
        yield Bomb(f"parquet-{name}", partial(_in_delivery, "classes.parquet", write))
    for name, write in _xls().items():
        yield Bomb(f"xls-{name}", partial(_in_delivery, "classes.xls", write))
    for name, write in _toml(megabytes).items():
        yield Bomb(f"toml-{name}", write, ("district.toml",), rule="district_file_")


def _in_delivery(name: str, write: Callable[[Path], object], delivery: Path) -> None:
    write(delivery / name)


def _stream(path: Path, before: bytes, block: bytes, after: bytes, megabytes: float) -> None:
    """A text of some megabytes, written without having it in memory."""
    large = block * max(1, MB // len(block))
    with path.open("wb") as file:
        file.write(before)
        for _ in range(int(megabytes * MB) // len(large)):
            file.write(large)
        file.write(after)


def _hole(path: Path, megabytes: int) -> None:
    """A file that is all zeros and takes no space on the disk."""
    path.touch()
    os.truncate(path, megabytes * MB)


def _texts(megabytes: int) -> dict[str, Callable[[Path], object]]:
    columns = ",".join(f"列{n}" for n in range(1_000_000)).encode()
    return {
        "one-line": lambda path: _stream(path, HEADER, b"x", b"", megabytes),
        "one-cell": lambda path: _stream(
            path, HEADER + b'2111000001,"', "字".encode(), b'",1,1,42\n', megabytes
        ),
        "one-cell-of-40-mb": lambda path: _stream(path, HEADER + b"2111000001,", b"x", b",1,1,42\n", 40),
        "unbalanced-quote": lambda path: _stream(path, HEADER + b'"', LINE, b"", megabytes),
        "unbalanced-quote-of-40-mb": lambda path: _stream(path, HEADER + b'"', LINE, b"", 40),
        "million-columns": lambda path: path.write_bytes(columns + b"\n" + columns + b"\n"),
        "nuls": lambda path: _hole(path, megabytes),
        "nuls-for-ever": lambda path: _hole(path, 1 << 22),
        "nuls-of-40-mb": lambda path: _hole(path, 40),
        "commas": lambda path: _stream(path, HEADER, b"," * 64 + b"\n", b"", 40),
        "chinese-and-one-bad-byte": lambda path: _stream(path, HEADER, "字".encode(), b"\xff", 40),
        "emoji": lambda path: _stream(path, HEADER, "😀".encode() * 40 + b",x,x,x,x\n", b"", 49),
    }


def _large_but_allowed() -> dict[str, Callable[[Path], object]]:
    """Files just below the limits: rows with only wrong cells cost most, because each cell is reported."""
    return {
        "all-cells-wrong": lambda path: _stream(path, HEADER, b"x,x,x,x,x\n", b"", 4),
        "rows-at-the-limit": lambda path: _stream(path, HEADER, LINE, b"", 13),
        "quoted-rows-at-the-limit": lambda path: _stream(
            path, HEADER, b'"' + LINE.replace(b",", b'",', 1), b"", 13
        ),
        "blank-rows": lambda path: _stream(path, HEADER, b",,,,\n", b"", 2.5),
    }


def _gzip(delivery: Path) -> None:
    with gzip.open(delivery / "classes.csv", "wb") as file:
        for _ in range(200):
            file.write(b"0" * MB)


NAMES = ("school_code", "stage", "grade", "class_no", "students")


def _table(rows: int, text: str) -> pa.Table:
    """Rows with the same text in every column, which take almost no memory: all refer to one dictionary entry."""
    indices = pa.array([0] * rows, pa.int32())
    column = pa.DictionaryArray.from_arrays(indices, pa.array([text]))
    return pa.table(dict.fromkeys(NAMES, column))


def _parquet() -> dict[str, Callable[[Path], object]]:
    def one_text_in_every_row(path: Path) -> None:
        pq.write_table(_table(100_000, "字" * 100_000), path, compression="zstd")

    def large_dictionary(path: Path) -> None:
        words = pa.array([f"{n:0>1000}" for n in range(100_000)])
        pq.write_table(
            pa.table({**dict.fromkeys(NAMES[1:], words), "school_code": words}), path, compression="zstd"
        )

    def zstd_bomb(path: Path) -> None:
        large = pa.array(["x" * (300 * MB)], pa.large_string())
        pq.write_table(pa.table({"school_code": large}), path, compression="zstd", use_dictionary=False)

    def rows(path: Path) -> None:
        pq.write_table(_table(3_000_000, "1"), path, compression="zstd")

    def claimed_rows(path: Path) -> None:
        pq.write_table(_table(77_777, "1"), path)
        data = path.read_bytes()
        # 77 777 as the footer writes it, and a number as long that is 2^20 times as much or so
        path.write_bytes(data.replace(_varint(77_777), b"\xfe\xff\x7f"))

    def nested(path: Path) -> None:
        kind: pa.DataType = pa.int8()
        for _ in range(30):
            kind = pa.list_(kind)
        pq.write_table(pa.table(dict.fromkeys(NAMES, pa.array([None], kind))), path)

    def nested_without_end(path: Path) -> None:
        depth = 200_000
        element = b"\x15\x02\x38\x01\x61\x15\x02\x00"  # required, named a, one child
        schema = b"\x19\xfc" + _plain(depth) + element * depth
        footer = b"\x15\x02" + schema + b"\x16\x00\x19\x0c\x00"
        path.write_bytes(b"PAR1" + footer + struct.pack("<I", len(footer)) + b"PAR1")

    return {
        "one-text-in-every-row": one_text_in_every_row,
        "large-dictionary": large_dictionary,
        "zstd-bomb": zstd_bomb,
        "rows": rows,
        "claimed-rows": claimed_rows,
        "nested": nested,
        "nested-without-end": nested_without_end,
    }


def _plain(number: int) -> bytes:
    """A number as Thrift's compact protocol writes a length."""
    written = bytearray()
    while number > 127:
        written.append(number & 127 | 128)
        number >>= 7
    return bytes([*written, number])


def _varint(number: int) -> bytes:
    """A number as Thrift's compact protocol writes a value."""
    return _plain(number << 1)


def _xls() -> dict[str, Callable[[Path], object]]:
    """Old workbooks: cells far out in many sheets, a text in every cell, tables of the file that refer to each other in a
    circle.
    """

    def saved(book: xlwt.Workbook, path: Path) -> bytes:
        book.save(str(path))
        return path.read_bytes()

    def far_cells(path: Path) -> None:
        book = xlwt.Workbook()
        for n in range(100):
            book.add_sheet(f"表{n}").write(65_535, 255, "x")
        saved(book, path)

    def text_in_every_cell(path: Path) -> None:
        book = xlwt.Workbook()
        sheet = book.add_sheet("表")
        for row in range(20_000):
            sheet.write(row, 0, "字" * 32_000)
        saved(book, path)

    def small(path: Path) -> bytearray:
        book = xlwt.Workbook()
        sheet = book.add_sheet("表")
        for row in range(2_000):
            sheet.write(row, 0, f"学校{row}")
        return bytearray(saved(book, path))

    def cyclic(path: Path) -> None:
        data = small(path)
        (table,) = struct.unpack_from("<I", data, 0x4C)
        at = (table + 1) * 512
        struct.pack_into("<I", data, at + 4 * 5, 4)
        path.write_bytes(data)

    def giant(path: Path) -> None:
        data = small(path)
        at = data.index("Workbook".encode("utf-16-le"))
        struct.pack_into("<I", data, at + 120, 0x7FFFFFFF)
        path.write_bytes(data)

    def many_tables(path: Path) -> None:
        data = small(path)
        struct.pack_into("<II", data, 0x44, 3, 0x7FFFFFFF)
        path.write_bytes(data)

    return {
        "far-cells": far_cells,
        "text-in-every-cell": text_in_every_cell,
        "cyclic-sectors": cyclic,
        "giant-stream": giant,
        "tables-of-tables": many_tables,
    }


def _toml(megabytes: int) -> dict[str, Callable[[Path], object]]:
    """A district.toml that is too large, endlessly nested, or full of endless numbers."""

    def written(make: Callable[[Path], object], delivery: Path) -> None:
        (delivery / "classes.csv").write_bytes(GOOD_CSV)
        make(district_of(delivery) / "district.toml")

    def added(text: str) -> Callable[[Path], object]:
        def write(path: Path) -> None:
            path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")

        return write

    digits = "9" * 5_000
    phases = "".join(f'[[phase]]\nid = "p{n}"\n' for n in range(40_000))
    makes: dict[str, Callable[[Path], object]] = {
        "large": lambda path: _stream(path, b'name = "', b"x", b'"\n', megabytes),
        "nested": lambda path: path.write_text("a = " + "[" * 200_000, encoding="utf-8"),
        "nested-tables": lambda path: path.write_text("a = " + "{a=" * 100_000, encoding="utf-8"),
        "digits": lambda path: path.write_text(f"code = {digits}\n", encoding="utf-8"),
        "option-of-400-digits": lambda path: path.write_text(
            path.read_text(encoding="utf-8").replace(
                "[options]", f"[options]\nclose_after_days = {'9' * 400}"
            ),
            encoding="utf-8",
        ),
        "phases-40000": added(phases),
    }
    return {name: partial(written, make) for name, make in makes.items()}
