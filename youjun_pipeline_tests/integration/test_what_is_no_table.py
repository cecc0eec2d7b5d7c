"""Files that are not tables, or are tables of old programs: the message names the kind of each file, with a remedy."""

from __future__ import annotations

import gzip
import json
import struct
import zipfile
from pathlib import Path

import pytest

from youjun_pipeline.ingest.files import read_file
from youjun_pipeline_tests.integration.delivered_files import CLASS_HEADER, CLASS_ROWS, CLASSES, SCHOOLS

TABLE = "\r\n".join(",".join(row) for row in [CLASS_HEADER, *CLASS_ROWS])
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)


def compound(stream: str) -> bytes:
    return OLE + stream.encode("utf-16-le") + bytes(600)


def biff(version: int, kind: int) -> bytes:
    """The first record of a workbook older than Excel 97, and its end."""
    sizes = {0x0009: 4, 0x0209: 6, 0x0409: 6, 0x0809: 8}
    body = struct.pack("<HH", version, kind) + bytes(sizes[version] - 4)
    return struct.pack("<HH", version, sizes[version]) + body + struct.pack("<HH", 0x000A, 0)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"%PDF-1.7\n...", "内容其实是PDF 文件"),
        (b"Rar!\x1a\x07\x00" + bytes(50), "内容其实是RAR 压缩包"),
        (gzip.compress(TABLE.encode(), mtime=0), "内容其实是gzip 压缩包"),
        (b"\x28\xb5\x2f\xfd" + bytes(50), "内容其实是zstd 压缩包"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "内容其实是图片"),
        (b"GIF89a" + bytes(50), "内容其实是图片"),
        (b"BM" + bytes(50), "内容其实是图片"),
        (b"\x00\x00\x00\x18ftypmp42" + bytes(50), "内容其实是声音或视频"),
        (b"MZ\x90\x00" + bytes(50), "内容其实是程序"),
        (b"SQLite format 3\x00" + bytes(50), "内容其实是SQLite 数据库"),
        (b"\x00\x01\x00\x00Standard Jet DB\x00" + bytes(50), "内容其实是Access 数据库"),
        (b"{\\rtf1\\ansi ...}", "内容其实是RTF 文档"),
        (b"L\x00\x00\x00\x01\x14\x02\x00" + bytes(50), "快捷方式，不是文件本身"),
        (json.dumps([{"school_code": "1"}]).encode(), "内容其实是 JSON"),
        (json.dumps({"school_code": "1"}, indent=1).encode(), "内容其实是 JSON"),
        (b"<html><table></table></html>", "网页（HTML/XML）格式"),
        (b"MIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n<html>", "网页（HTML/XML）格式"),
        (b"ID;PWXL;N;E\r\nC;Y1;X1;K1\r\nE\r\n", "SYLK 或 DIF"),
        (compound("WordDocument"), "内容其实是 Word 文档"),
        (compound("PowerPoint Document"), "内容其实是演示文稿"),
        (compound("Book"), "是 Excel 95 或更早的旧格式"),
        (biff(0x0009, 2), "是 Excel 95 或更早的旧格式"),
        (biff(0x0209, 0x10), "是 Excel 95 或更早的旧格式"),
        (biff(0x0409, 0x10), "是 Excel 95 或更早的旧格式"),
        (biff(0x0809, 0x10), "是 Excel 95 或更早的旧格式"),
        (b"\x1a", "文件是空的"),
        (bytes(range(256)) * 4, "内容不是文本"),
    ],
)
@pytest.mark.parametrize("suffix", [".xlsx", ".xls", ".csv", ".parquet"])
def test_each_is_named(tmp_path: Path, content: bytes, told: str, suffix: str) -> None:
    path = tmp_path / f"classes{suffix}"
    path.write_bytes(content)
    failure = read_file(path, CLASSES).failure
    assert failure is not None and failure.rule == "file_unreadable"
    assert told in failure.message and "请" in failure.message


def test_an_old_workbook_says_how_it_can_be_delivered(tmp_path: Path) -> None:
    (tmp_path / "classes.xls").write_bytes(biff(0x0409, 0x10))
    failure = read_file(tmp_path / "classes.xls", CLASSES).failure
    assert failure is not None
    assert failure.message == (
        "无法读取：是 Excel 95 或更早的旧格式。请用 Excel 或 WPS 打开后另存为 .xlsx 再交付。"
    )


def test_a_document_in_a_zip(tmp_path: Path) -> None:
    for member, told in (
        ("word/document.xml", "Word 文档"),
        ("classes.xlsx", "压缩包"),
        ("content.xml", "OpenDocument"),
    ):
        with zipfile.ZipFile(tmp_path / "classes.xlsx", "w") as archive:
            archive.writestr(member, "x")
        failure = read_file(tmp_path / "classes.xlsx", CLASSES).failure
        assert failure is not None and told in failure.message


def test_a_text_that_begins_as_a_program_does(tmp_path: Path) -> None:
    """MZ and BM are letters too."""
    (tmp_path / "classes.csv").write_text(f"MZ 镇的班级\n{TABLE}", encoding="utf-8")
    assert len(read_file(tmp_path / "classes.csv", CLASSES).frame) == 2


@pytest.mark.parametrize("end", [b"\x1a", b"\r\n\x1a", b"\r\n\x1a\x1a"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_ctrl_z_ends_a_file_and_is_no_row(tmp_path: Path, end: bytes, encoding: str) -> None:
    (tmp_path / "classes.csv").write_bytes(TABLE.encode(encoding) + end)
    result = read_file(tmp_path / "classes.csv", CLASSES)
    assert result.failure is None and result.notices == []
    assert result.frame["students"].tolist() == ["40", "41"]


NAMES = ["實驗小學", "縣立第一國民中學", "東門國小", "廣賢路小學", "靜湖街小學"]


@pytest.mark.parametrize("header", ["school_code,school_name,school_type", "學校標識碼,學校名稱,辦學類型"])
def test_big5_is_named_and_not_read_as_other_characters(tmp_path: Path, header: str) -> None:
    rows = [header, *(f"21110000{n:02},{name},小學" for n, name in enumerate(NAMES))]
    (tmp_path / "schools.csv").write_bytes("\n".join(rows).encode("big5"))
    failure = read_file(tmp_path / "schools.csv", SCHOOLS).failure
    assert failure is not None and "Big5" in failure.message and "CSV UTF-8" in failure.message


@pytest.mark.parametrize(
    "names", [["镕基小学", "喆", "㙍口小学"], ["實驗小學", "靜湖"], ["朱家角"], ["向阳"], ["乂", "亖"]]
)
def test_rare_and_traditional_characters_in_gb18030_are_read(tmp_path: Path, names: list[str]) -> None:
    rows = [
        "school_code,school_name,school_type",
        *(f"21110000{n:02},{name},小学" for n, name in enumerate(names)),
    ]
    (tmp_path / "schools.csv").write_bytes("\n".join(rows).encode("gb18030"))
    result = read_file(tmp_path / "schools.csv", SCHOOLS)
    assert result.failure is None, result.failure
    assert result.frame["school_name"].tolist() == names
