"""Archives and workbooks that must not be opened, and those that must."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from youjun_pipeline.ingest.formats import archives
from youjun_pipeline.ingest.formats.archives import Member, Refused, open_archive
from youjun_pipeline.ingest.formats.book import Unreadable
from youjun_pipeline.ingest.formats.limits import MB
from youjun_pipeline.ingest.formats.opening import open_book
from youjun_pipeline.ingest.statistics.reading import StatisticsRead, read_statistics
from youjun_pipeline_tests.generate.statistics import Look, book_of
from youjun_pipeline_tests.unit.statistics_samples import nine_year, primary, values

BOOK = book_of(primary(), Look(text_numbers=False))


def archive(*members: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        for name, data in members:
            file.writestr(name, data)
    return content.getvalue()


def read_bytes(folder: Path, data: bytes, name: str = "statistics/all.zip") -> StatisticsRead:
    path = folder / "delivered"
    path.write_bytes(data)
    return read_statistics(path, name)


def message(read: StatisticsRead) -> str:
    assert read.cells == []
    assert read.failure is not None
    return read.failure.message


def test_every_workbook_of_an_archive(tmp_path: Path) -> None:
    data = archive(
        ("小学/河西小学.xlsx", BOOK),
        ("中学/石各庄.xlsx", book_of(nine_year())),
        ("中学/", b""),
        ("说明.docx", b"..."),
        ("__MACOSX/小学/._河西小学.xlsx", b"..."),
        ("小学/~$河西小学.xlsx", b"..."),
    )
    read = read_bytes(tmp_path, data)
    assert read.failure is None
    assert {(cell.member, cell.school_code) for cell in read.cells} == {
        ("中学/石各庄.xlsx", "2112000001"),
        ("小学/河西小学.xlsx", "2112000002"),
    }
    assert read.notices == ["压缩包里不是工作簿的，没有读取：说明.docx"]


class GbkInfo(zipfile.ZipInfo):
    """A member named by Chinese Windows: in GB18030, without a mark of the encoding."""

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:
        return self.filename.encode("gb18030"), self.flag_bits & ~0x800


def test_names_as_chinese_windows_writes_them(tmp_path: Path) -> None:
    read = read_bytes(tmp_path, archive((GbkInfo("小学/河西小学.xlsx"), BOOK)))
    assert {cell.member for cell in read.cells} == {"小学/河西小学.xlsx"}


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/河西小学.xlsx", "../../etc/河西小学.xlsx"),
        ("/srv/河西小学.xlsx", "/srv/河西小学.xlsx"),
        ("小学/..\\..\\河西小学.xlsx", "小学/../../河西小学.xlsx"),
        ("C:\\河西小学.xlsx", "C:/河西小学.xlsx"),
    ],
)
def test_names_that_lead_out_of_the_archive(tmp_path: Path, name: str, shown: str) -> None:
    assert message(read_bytes(tmp_path, archive((name, BOOK)))) == (
        f"无法读取：压缩包里的路径指向包外：{shown}。请重新压缩后再交付。"
    )


def test_a_link_in_an_archive(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("河西小学.xlsx")
    link.external_attr = 0o120777 << 16
    assert "路径指向包外：河西小学.xlsx" in message(read_bytes(tmp_path, archive((link, b"/etc/passwd"))))


def test_too_many_members(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_MEMBERS", 2)
    data = archive(*((f"{i}.xlsx", BOOK) for i in range(3)))
    assert (
        message(read_bytes(tmp_path, data)) == "无法读取：压缩包里有 3 个文件，超过 2 个。请分成几个压缩包。"
    )


def test_a_bomb_of_an_archive(tmp_path: Path) -> None:
    data = archive(("河西小学.xlsx", b"0" * (30 * MB)))
    assert len(data) < MB // 5
    assert message(read_bytes(tmp_path, data)).startswith("无法读取：压缩包解开后有 30 MB，大得不合常理。")


def test_a_bomb_of_a_workbook(tmp_path: Path) -> None:
    data = archive(("xl/workbook.xml", b"<workbook/>"), ("xl/worksheets/sheet1.xml", b" " * (201 * MB)))
    assert message(read_bytes(tmp_path, data, "statistics/a.xlsx")).startswith(
        "无法读取：文件解开后有 202 MB，超过 200 MB。"
    )


def test_a_workbook_that_understates_its_size(tmp_path: Path) -> None:
    data = bytearray(BOOK)
    with zipfile.ZipFile(io.BytesIO(BOOK)) as file:
        info = file.getinfo("xl/sharedStrings.xml")
    entry = data.index(b"PK\x01\x02", file.start_dir)
    while data[entry + 46 : entry + 46 + len(info.filename)] != info.filename.encode():
        entry = data.index(b"PK\x01\x02", entry + 4)
    data[entry + 24 : entry + 28] = (10).to_bytes(4, "little")
    assert message(read_bytes(tmp_path, bytes(data), "statistics/a.xlsx")).startswith(
        "无法读取：文件不完整或已损坏"
    )


def test_a_stray_cell_at_the_far_end(tmp_path: Path) -> None:
    data = with_sheet(lambda xml: xml.replace(b"</row>", b'<c r="XFD1048576"><v>1</v></c></row>', 1))
    assert "有 1048576 行 × 16384 列。请删除表格以外多余的单元格" in message(
        read_bytes(tmp_path, data, "statistics/a.xlsx")
    )


def with_sheet(change: Callable[[bytes], bytes]) -> bytes:
    """BOOK with every sheet changed."""
    content = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(BOOK)) as old, zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            data = old.read(info)
            new.writestr(info, change(data) if "worksheets" in info.filename else data)
    return content.getvalue()


def test_members_with_a_password(tmp_path: Path) -> None:
    data = bytearray(archive(("河西小学.xlsx", BOOK)))
    for mark, at in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        start = data.rindex(mark) if at == 8 else data.index(mark)
        data[start + at] |= 1
    assert (
        message(read_bytes(tmp_path, bytes(data))) == "无法读取：文件有打开密码。请取消密码后重新保存再交付。"
    )


def test_damaged_members_are_all_told(tmp_path: Path) -> None:
    data = archive(("a.xlsx", BOOK), ("b.xlsx", BOOK[:2000]), ("c.xlsx", b"no workbook"), ("d.xlsx", b""))
    told = message(read_bytes(tmp_path, data)).split("；")
    assert [part.split("：")[0] for part in told] == ["b.xlsx", "c.xlsx", "d.xlsx"]
    assert told[1] == "c.xlsx：无法读取：内容不是 Excel 工作簿。请用 Excel 或 WPS 打开后另存为 .xlsx 再交付。"
    assert told[2].startswith("d.xlsx：无法读取：文件是空的。")


@pytest.mark.parametrize(
    ("data", "name", "told"),
    [
        (b"", "a.zip", "压缩包不完整或已损坏"),
        (b"PK\x03\x04 truncated", "a.zip", "压缩包不完整或已损坏"),
        (archive(("a.txt", b"x"), ("more.zip", b"y")), "a.zip", "压缩包里没有 .xlsx 或 .xls 文件"),
        (b"", "a.xlsx", "文件是空的"),
        (b"a,b\n1,2\n", "a.xlsx", "内容不是 Excel 工作簿"),
        (BOOK[:3000], "a.xlsx", "文件不完整或已损坏"),
        (archive(("word/document.xml", b"x")), "a.xlsx", "内容其实是 Word 文档，不是表格"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
            "a.xlsx",
            "文件有打开密码",
        ),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "a.xls", "文件不完整或已损坏"),
    ],
)
def test_what_is_no_workbook(tmp_path: Path, data: bytes, name: str, told: str) -> None:
    read = read_bytes(tmp_path, data, name)
    assert message(read).startswith(f"无法读取：{told}")
    assert read.failure is not None
    assert read.failure.rule == "file_unreadable"


def test_a_workbook_is_known_by_its_content(tmp_path: Path) -> None:
    assert [book.name for book in open_archive(BOOK, "statistics/a.xls") if isinstance(book, Member)] == [""]
    read = read_bytes(tmp_path, BOOK, "statistics/a.xls")
    assert values(read.cells)["schools.school_code"] == "2112000002"


def test_the_old_binary_format(tmp_path: Path) -> None:
    import xlwt

    from youjun_pipeline_tests.generate.statistics_forms import old_forms

    book = xlwt.Workbook()
    for sheet in old_forms(primary()):
        target = book.add_sheet(sheet.name)
        for (row, column), value in sheet.cells.items():
            if value not in (None, 0):
                target.write(row, column, value)
    path = tmp_path / "book.xls"
    book.save(str(path))
    found = values(read_statistics(path, "statistics/book.xls").cells)
    assert (found["schools.primary_students"], found["teachers.full_time primary"]) == ("100", "28")


def test_only_what_is_wanted_is_opened() -> None:
    """A damaged sheet from which nothing is read does no harm."""
    sheets = {sheet.name: sheet for sheet in open_book(with_form_4153(b"<no xml")).sheets}
    assert list(sheets)[:3] == ["封面", "目录", "教基1001"]
    assert sheets["教基3112"].content.rows()[5][8] == "100"
    with pytest.raises(Unreadable, match="损坏"):
        sheets["教基4153"].content  # noqa: B018, read when it is looked at


def with_form_4153(xml: bytes) -> bytes:
    """BOOK with other XML in its last form, from which nothing is read."""
    content = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(BOOK)) as old, zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as new:
        last = max(
            (n for n in old.namelist() if "worksheets/sheet" in n),
            key=lambda n: int("".join(filter(str.isdigit, n))),
        )
        for name in old.namelist():
            new.writestr(name, xml if name == last else old.read(name))
    return content.getvalue()


def test_an_unknown_way_of_packing() -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_LZMA) as file:
        file.writestr("xl/workbook.xml", b"<workbook/>")
    with pytest.raises(Unreadable, match="压缩方法不支持"):
        open_book(content.getvalue())
    data = bytearray(archive(("a.xlsx", BOOK)))
    for mark, at in ((b"PK\x01\x02", 10), (b"PK\x03\x04", 8)):
        start = data.rindex(mark) if at == 10 else data.index(mark)
        data[start + at] = 97
    assert list(open_archive(bytes(data), "a.zip")) == [
        Refused("a.xlsx", "无法读取：压缩方法不支持。请用 Windows 或常用压缩软件按 zip 格式重新压缩。")
    ]
