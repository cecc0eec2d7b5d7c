"""Files that are damaged, protected, of another kind than their name says, or in an odd encoding.

Belongs here: bytes. Keep out: what the tables say (cells.py, tables.py).
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from youjun_pipeline_tests.dirty.cases import Case
from youjun_pipeline_tests.dirty.grids import CLASSES, FORMATS, copy_of, write_grid

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
FOREIGN: dict[str, tuple[bytes, str]] = {
    "pdf": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj", "PDF"),
    "png": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "图片"),
    "jpeg": (b"\xff\xd8\xff\xe0\x00\x10JFIF", "图片"),
    "rar": (b"Rar!\x1a\x07\x01\x00abc", "RAR"),
    "7z": (b"7z\xbc\xaf\x27\x1c\x00\x04", "7z"),
    "gzip": (b"\x1f\x8b\x08\x00\x00\x00\x00\x00", "gzip"),
    "html": ("<html><table><tr><td>学校标识码</td></tr></table>".encode(), "网页"),
    "xml": (b"<?xml version='1.0'?><Workbook xmlns='urn:schemas-microsoft-com:office:spreadsheet'/>", "网页"),
    "doc": (OLE + bytes(600) + "WordDocument".encode("utf-16-le") + bytes(600), "Word"),
    "ole": (OLE + bytes(2000), "找不到工作簿"),
    "password": (OLE + bytes(600) + "EncryptedPackage".encode("utf-16-le") + bytes(600), "密码"),
    "random": (bytes((n * 197 + 31) % 256 for n in range(5000)), "无法读取"),
    "zeros": (bytes(4096), "空的"),
}
PARTS = (
    *("xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/styles.xml"),
    "xl/_rels/workbook.xml.rels",
)
PART_CHANGES: dict[str, Callable[[bytes], bytes] | None] = {
    "gone": None,
    "cut": lambda data: data[: len(data) // 2],
    "noise": lambda data: b"\x00\xff" * 50,
}
EMPTY = {"nothing": b"", "newline": b"\r\n", "blanks": b"   \t \r\n  ", "bom": b"\xef\xbb\xbf"}
SHARES = (0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.97, 0.999)
ENCODINGS = ("utf-8", "utf-8-sig", "gb18030", "gbk", "gb2312", "utf-16", "utf-16-le+bom", "utf-16-be+bom")
BARE_ENCODINGS = ("utf-16-le", "utf-16-be")


def cases() -> Iterator[Case]:
    """Every kind of breakage."""
    yield from _foreign()
    yield from _truncated()
    yield from _named_wrongly()
    yield from _encoded()
    yield from _text_tables()
    yield from _archives()


def _broken(name: str, write: Callable[[Path], object], **more: Any) -> Case:
    """A case whose file must be refused, unless `more` says otherwise."""
    suffix = name.rpartition(".")[2]
    given = {"failure": "file_unreadable", "rejected": None, "says": ("无法读取：",), **more}
    return Case(name, "classes", f"classes.{suffix}", write, **given)


def good_bytes(folder: Path, suffix: str) -> bytes:
    """A good file of a format."""
    path = folder / f"good.{suffix}"
    if suffix == "parquet":
        table = {name: [str(row[i]) for row in CLASSES[1:]] for i, name in enumerate(CLASSES[0])}
        pq.write_table(pa.table(table), path)
    else:
        write_grid(path, copy_of(CLASSES))
    data = path.read_bytes()
    path.unlink()
    return data


def _bytes(data: bytes, path: Path) -> None:
    path.write_bytes(data)


def _made(suffix: str, change: Callable[[bytes], bytes], path: Path) -> None:
    path.write_bytes(change(good_bytes(path.parent, suffix)))


def _foreign() -> Iterator[Case]:
    for suffix in (*FORMATS, "parquet"):
        for name, (data, said) in FOREIGN.items():
            yield _broken(f"foreign-{name}.{suffix}", partial(_bytes, data), says=(said, "无法读取："))
        for name, data in EMPTY.items():
            says = ("没有任何内容" if name == "bom" else "空的",)
            yield _broken(f"empty-{name}.{suffix}", partial(_bytes, data), says=says)


def _truncated() -> Iterator[Case]:
    for suffix in ("xlsx", "xls", "parquet"):
        for share in SHARES:
            write = partial(_made, suffix, partial(_cut, share))
            yield _broken(f"truncated-{share}.{suffix}", write)


def _cut(share: float, data: bytes) -> bytes:
    return data[: int(len(data) * share)]


def _same(data: bytes) -> bytes:
    return data


def _named_wrongly() -> Iterator[Case]:
    kinds = (*FORMATS, "parquet")
    for suffix in kinds:
        for name in kinds:
            if name != suffix:
                says = (f"扩展名是 .{name}",)
                write = partial(_made, suffix, _same)
                yield _broken(
                    f"named-wrongly-{suffix}.{name}",
                    write,
                    rows=5,
                    failure=None,
                    rejected=0,
                    says=says,
                    header_row=0,
                )


def _encoded() -> Iterator[Case]:
    text = "\r\n".join(",".join(map(str, row)) for row in CLASSES) + "\r\n"
    for encoding in ENCODINGS:
        bare, _, bom = encoding.partition("+")
        data = ("\ufeff" if bom else "").encode(bare) + text.encode(bare)
        yield _broken(
            f"encoded-{encoding}.csv", partial(_bytes, data), rows=5, failure=None, rejected=0, says=()
        )
    for encoding in BARE_ENCODINGS:
        data = text.encode(encoding)
        yield _broken(f"encoded-{encoding}-bare.csv", partial(_bytes, data), says=("BOM",))
    cut = text.encode()[: text.encode().rindex("初中".encode()) + 2]
    yield _broken("encoded-cut-in-a-character.csv", partial(_bytes, cut), says=("第 6 行",))
    mixed = text.encode() + "2111000003,小学,一年级,1,30\r\n".encode("gb18030")
    yield _broken("encoded-two-ways.csv", partial(_bytes, mixed), says=("第 7 行",))


def _text_tables() -> Iterator[Case]:
    rows = [",".join(map(str, row)) for row in CLASSES]
    texts: dict[str, tuple[str, int | None, tuple[str, ...]]] = {
        "row-too-long": (
            "\n".join([*rows, "2111000003,小学,一年级,1,30,多"]),
            None,
            ("第 7 行的单元格比表头多",),
        ),
        "row-too-short": ("\n".join([*rows, "2111000003,小学"]), 5, ("第 7 行的单元格比表头少",)),
        "quote-unclosed": (
            "\n".join([*rows, '2111000003,"小学,一年级,1,30']),
            None,
            ("第 7 行起的引号不成对",),
        ),
        "quote-inside": ("\n".join([*rows, '2111000003,"小"学,一年级,1,30']), None, ("引号",)),
        "nul": ("\n".join(rows) + "\x00", None, ("无法读取",)),
        "pipes": ("\n".join(row.replace(",", "|") for row in rows), None, ("没有找到",)),
        "carriage-returns": ("\r".join(rows), 5, ()),
        "trailing-delimiters": ("\n".join(row + ",,," for row in rows), 5, ()),
    }
    for name, (text, accepted, says) in texts.items():
        failure = None if accepted else "header_not_found" if name == "pipes" else "file_unreadable"
        write = partial(_bytes, text.encode())
        yield _broken(f"text-{name}.csv", write, rows=accepted, failure=failure, says=says)


def _archives() -> Iterator[Case]:
    def archive(members: dict[str, bytes], path: Path) -> None:
        with zipfile.ZipFile(path, "w") as target:
            for name, data in members.items():
                target.writestr(name, data)

    for name, members in {
        "of-tables": {"classes.csv": b"a,b"},
        "empty": {},
        "docx": {"word/document.xml": b"<x/>"},
        "hollow": {"xl/workbook.xml": b"<workbook/>"},
        "escaping": {"../../xl/workbook.xml": b"<workbook/>", "xl/workbook.xml": b"not xml"},
    }.items():
        yield _broken(f"archive-{name}.xlsx", partial(archive, members))
    for part in PARTS:
        for name, change in PART_CHANGES.items():
            write = partial(_made, "xlsx", partial(replaced, part, change))
            # Styles may be missing from a workbook, and without them it is read.
            yield _broken(
                f"part-{part.rpartition('/')[2]}-{name}.xlsx", write, failure="any", says=(), header_row=0
            )


def replaced(part: str, change: Callable[[bytes], bytes] | None, data: bytes) -> bytes:
    """A workbook with one of its parts changed, or left out."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(target, "w") as made:
        for name in source.namelist():
            content = source.read(name)
            if name != part:
                made.writestr(name, content)
            elif change:
                made.writestr(name, change(content))
    return target.getvalue()
