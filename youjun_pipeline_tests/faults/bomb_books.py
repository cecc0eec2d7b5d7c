"""Workbooks that exhaust the program that opens them: bombs in the archive, in the XML, and in what a few cells claim.

Belongs here: .xlsx and .ods. Keep out: other files (bomb_files), folders and archives of statistics (bomb_folders).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from youjun_pipeline_tests.faults.bomb_cases import SECRET, Bomb, outside
from youjun_pipeline_tests.faults.zips import MB, Entry, entry, repeated, stored, write_zip

MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
DECLARED = '<?xml version="1.0" encoding="UTF-8"?>'
SHEET, STRINGS, STYLES = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/styles.xml"
BOOK, RELATIONS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
HEADER = ("学校标识码", "学段", "年级", "班号", "学生数")
ROW = ("2111000001", "小学", "一年级", "1", "42")
LAUGHS = (
    "<!DOCTYPE x [<!ENTITY a 'lol'>"
    + "".join(
        f"<!ENTITY {new} '{f'&{old};' * 10}'>" for old, new in zip("abcdefghi", "bcdefghij", strict=True)
    )
    + "]>"
)
QUADRATIC = f"<!DOCTYPE x [<!ENTITY a '{'x' * 100_000}'>]>"
GIGABYTES = 4000


def inline(row: int, column: str, text: str) -> str:
    """A cell with its text in it."""
    return f'<c r="{column}{row}" t="inlineStr"><is><t>{text}</t></is></c>'


def table_rows() -> str:
    """The header and one row of a good table."""
    return "".join(
        f'<row r="{r}">' + "".join(inline(r, "ABCDE"[i], text) for i, text in enumerate(texts)) + "</row>"
        for r, texts in ((1, HEADER), (2, ROW))
    )


def sheet_xml(rows: str = "", after: str = "", before: str = DECLARED) -> bytes:
    """A worksheet: the good table, and `rows` below it."""
    return (
        f"{before}<worksheet {MAIN}><sheetData>{table_rows()}{rows}</sheetData>{after}</worksheet>".encode()
    )


def book_xml(sheets: int = 1, more: str = "", before: str = DECLARED) -> bytes:
    """A workbook's list of sheets; all of them are the first one's part."""
    listed = "".join(f'<sheet name="表{n}" sheetId="{n}" r:id="r1"/>' for n in range(1, sheets + 1))
    return f'{before}<workbook {MAIN} xmlns:r="{OFFICE}"><sheets>{listed}</sheets>{more}</workbook>'.encode()


def parts(changed: dict[str, bytes | Entry | None] | None = None) -> list[Entry]:
    """The parts of a good workbook with one sheet; some of them changed, or left out if None."""
    package = "http://schemas.openxmlformats.org/package/2006"
    rels = f'{DECLARED}<Relationships xmlns="{package}/relationships">'
    made: dict[str, bytes | Entry | None] = {
        "[Content_Types].xml": f'{DECLARED}<Types xmlns="{package}/content-types"/>'.encode(),
        "_rels/.rels": (
            f'{rels}<Relationship Id="r1" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
        ).encode(),
        BOOK: book_xml(),
        RELATIONS: (
            f'{rels}<Relationship Id="r1" Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
            f'<Relationship Id="r2" Type="{OFFICE}/styles" Target="styles.xml"/>'
            f'<Relationship Id="r3" Type="{OFFICE}/sharedStrings" Target="sharedStrings.xml"/></Relationships>'
        ).encode(),
        SHEET: sheet_xml(),
        STRINGS: f"{DECLARED}<sst {MAIN}><si><t>小学</t></si></sst>".encode(),
        STYLES: f'{DECLARED}<styleSheet {MAIN}><cellXfs><xf numFmtId="0"/></cellXfs></styleSheet>'.encode(),
    }
    made |= changed or {}
    return [
        content if isinstance(content, Entry) else entry(name, content)
        for name, content in made.items()
        if content is not None
    ]


def write_book(make: Callable[[], dict[str, bytes | Entry | None]], delivery: Path) -> None:
    """A workbook under the name of the class list, with the parts that `make` gives."""
    write_zip(delivery / "classes.xlsx", parts(make()))


def books(megabytes: int = GIGABYTES) -> Iterator[Bomb]:
    """Every hostile workbook; the giants have `megabytes` when unpacked."""
    for name, make in (_giants(megabytes) | _entities() | _claims()).items():
        yield Bomb(f"xlsx-{name}", partial(write_book, make))
    for name, make in _claims_of_nothing().items():
        yield Bomb(f"xlsx-{name}", partial(write_book, make), harmless=True)
    yield from _archives(megabytes)
    yield from _others()


def _sheet(rows: str = "", after: str = "") -> dict[str, bytes | Entry | None]:
    return {SHEET: sheet_xml(rows, after)}


def _grown(part: str, before: str, block: str, after: str, megabytes: int, says: int | None = None) -> Entry:
    """A part of some megabytes: a beginning, a block over and over, an end."""
    raw = block.encode()
    return repeated(part, before.encode(), raw, megabytes * MB // len(raw), after.encode(), says=says)


def _giants(megabytes: int) -> dict[str, Callable[[], dict[str, bytes | Entry | None]]]:
    """Parts of gigabytes that compress a thousandfold, one at a time."""
    rows_before = sheet_xml().decode().removesuffix("</sheetData></worksheet>")
    rows_after = "</sheetData></worksheet>"
    cell = '<row><c t="inlineStr"><is><t>x</t></is></c></row>'
    strings = f"{DECLARED}<sst {MAIN}>"
    styles = f"{DECLARED}<styleSheet {MAIN}><cellXfs>"
    lies = 40 * MB
    return {
        "sheet": lambda: {SHEET: _grown(SHEET, rows_before, cell, rows_after, megabytes)},
        "sheet-states-40-mb": lambda: {SHEET: _grown(SHEET, rows_before, cell, rows_after, megabytes, lies)},
        "sheet-of-blanks": lambda: {SHEET: _grown(SHEET, rows_before, " " * 4096, rows_after, megabytes)},
        "strings": lambda: {STRINGS: _grown(STRINGS, strings, "<si><t>x</t></si>", "</sst>", megabytes)},
        "strings-state-40-mb": lambda: {
            STRINGS: _grown(STRINGS, strings, "<si><t>x</t></si>", "</sst>", megabytes, lies)
        },
        "strings-empty": lambda: {STRINGS: _grown(STRINGS, strings, "<si/>", "</sst>", min(megabytes, 150))},
        "styles": lambda: {
            STYLES: _grown(STYLES, styles, '<xf numFmtId="9"/>', "</cellXfs></styleSheet>", megabytes)
        },
        "styles-150-mb": lambda: {
            STYLES: _grown(
                STYLES, styles, '<xf numFmtId="9"/>', "</cellXfs></styleSheet>", min(megabytes, 150)
            )
        },
        "one-shared-string": lambda: {
            STRINGS: _grown(STRINGS, f"{strings}<si><t>", "字" * 1000, "</t></si></sst>", megabytes // 4)
        },
        "one-inline-string": lambda: {
            SHEET: _grown(
                SHEET,
                f'{rows_before}<row><c t="inlineStr"><is><t>',
                "x" * 4096,
                f"</t></is></c></row>{rows_after}",
                megabytes // 4,
            )
        },
        "media": lambda: {"xl/media/a.png": _grown("xl/media/a.png", "", "\0" * 4096, "", megabytes)},
    }


def _entities() -> dict[str, Callable[[], dict[str, bytes | Entry | None]]]:
    """XML that grows when it is read, or that refers to other files."""
    sheet = '<row r="3">' + inline(3, "A", "&j;") + "</row>"
    many = '<row r="3">' + inline(3, "A", "&a;" * 100_000) + "</row>"
    file = "<!DOCTYPE x [<!ENTITY a SYSTEM 'file://{}'>]>"
    return {
        "laughs-in-sheet": lambda: {SHEET: sheet_xml(sheet, before=LAUGHS)},
        "laughs-in-strings": lambda: {STRINGS: f"{LAUGHS}<sst {MAIN}><si><t>&j;</t></si></sst>".encode()},
        "laughs-in-workbook": lambda: {BOOK: book_xml(more="<x>&j;</x>", before=LAUGHS)},
        "laughs-in-styles": lambda: {STYLES: f"{LAUGHS}<styleSheet {MAIN}>&j;</styleSheet>".encode()},
        "laughs-in-utf-16": lambda: {SHEET: sheet_xml(sheet, before=LAUGHS).decode().encode("utf-16")},
        "quadratic": lambda: {SHEET: sheet_xml(many, before=QUADRATIC)},
        "external-entity-in-sheet": lambda: {
            SHEET: sheet_xml(
                '<row r="3">' + inline(3, "A", "&a;") + "</row>", before=file.format("/etc/passwd")
            )
        },
        "external-dtd": lambda: {
            STRINGS: f"<!DOCTYPE sst SYSTEM 'file:///etc/passwd'><sst {MAIN}/>".encode()
        },
    }


def _claims() -> dict[str, Callable[[], dict[str, bytes | Entry | None]]]:
    """A few kilobytes that claim an endless sheet or text."""
    far = "".join(f'<row r="1048576"><c r="XFD1048576"><v>{n}</v></c></row>' for n in range(3))
    text = f"{DECLARED}<sst {MAIN}><si><t>{'字' * 300_000}</t></si></sst>".encode()
    cells = "".join(f'<row r="{r}"><c r="A{r}" t="s"><v>0</v></c></row>' for r in range(3, 100_003))
    merged = '<mergeCells><mergeCell ref="A2:XFD1048576"/></mergeCells>'
    listed = "".join('<mergeCell ref="A2:E1048576"/>' for _ in range(200_000))
    wide = "".join(f'<row r="{r}"><c r="GR{r}"><v>1</v></c></row>' for r in (3, 20_000))
    return {
        "far-cell": lambda: _sheet(far),
        "one-string-in-100000-cells": lambda: {SHEET: sheet_xml(cells), STRINGS: text},
        "merged-200000-times": lambda: _sheet(after=f"<mergeCells>{listed}</mergeCells>"),
        "merged-everything-and-far-cell": lambda: _sheet(far, merged),
        "sheets-20000-of-one-part": lambda: {BOOK: book_xml(20_000)},
        "sheets-300-of-4-million-cells": lambda: {BOOK: book_xml(300), SHEET: sheet_xml(wide)},
    }


def _claims_of_nothing() -> dict[str, Callable[[], dict[str, bytes | Entry | None]]]:
    """Files that look as bad but are harmless: a wrong dimension, a single merged range, rows with the same number."""
    dimension = sheet_xml().replace(b"<sheetData>", b'<dimension ref="A1:XFD1048576"/><sheetData>')
    same = "".join('<row r="3"><c r="A3"><v>1</v></c></row>' for _ in range(200_000))
    names = "".join(f'<definedName name="n{n}">表1!$A$1</definedName>' for n in range(200_000))
    return {
        "dimension": lambda: {SHEET: dimension},
        "merged-everything": lambda: _sheet(
            after='<mergeCells><mergeCell ref="A2:XFD1048576"/></mergeCells>'
        ),
        "rows-of-one-number": lambda: _sheet(same),
        "defined-names-200000": lambda: {BOOK: book_xml(more=f"<definedNames>{names}</definedNames>")},
    }


def _archives(megabytes: int) -> Iterator[Bomb]:
    """The archive itself: entries that overlap, are repeated or countless, archives in archives."""

    def overlapping(delivery: Path) -> None:
        kernel = repeated("xl/media/a.bin", b"", b"\0" * 4096, 100 * MB // 4096, b"")
        write_zip(delivery / "classes.xlsx", [*parts(), kernel], overlapping=megabytes // 100)

    def twice(delivery: Path) -> None:
        write_zip(delivery / "classes.xlsx", [*parts(), entry(SHEET, sheet_xml("<row/>"))])

    def million(delivery: Path) -> None:
        write_zip(
            delivery / "classes.xlsx",
            [*parts(), stored("xl/a", b"")],
            overlapping=max(megabytes * 40, 30_000),
        )

    def nested(delivery: Path) -> None:
        inner = delivery / "inner.zip"
        write_zip(inner, [repeated("b.zip", b"", b"\0" * 4096, 100 * MB // 4096, b"")])
        content = inner.read_bytes()
        inner.unlink()
        write_zip(delivery / "classes.xlsx", [entry(f"{n}.zip", content) for n in range(100)])

    yield Bomb("zip-overlapping-entries", overlapping)
    yield Bomb("zip-same-part-twice", twice)
    yield Bomb("zip-a-million-entries", million)
    yield Bomb("zip-in-zip", nested)


def _others() -> Iterator[Bomb]:
    """OpenDocument, alone and together with parts of an .xlsx; a part that names a file outside."""
    text = (
        '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
        ' xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"'
        ' xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet>'
        '<table:table table:name="a"><table:table-row table:number-rows-repeated="1000000000">'
        '<table:table-cell table:number-columns-repeated="16384" office:value-type="string"><text:p>x</text:p>'
        "</table:table-cell></table:table-row></table:table></office:spreadsheet></office:body>"
        "</office:document-content>"
    )
    mime = stored("mimetype", b"application/vnd.oasis.opendocument.spreadsheet")
    manifest = entry("META-INF/manifest.xml", b"<manifest/>")
    content = entry("content.xml", text.encode())

    def document(covers: list[Entry], delivery: Path) -> None:
        write_zip(delivery / "classes.xlsx", [mime, content, manifest, *covers])

    def escaping(delivery: Path) -> None:
        target = f"../../../../../../../..{outside(delivery) / 'secret.txt'}"
        rels = parts()[3]
        relations = (
            f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
            f'<Relationship Id="r1" Type="{OFFICE}/worksheet" Target="{target}"/></Relationships>'
        ).encode()
        assert rels.name == RELATIONS and SECRET not in target
        write_zip(delivery / "classes.xlsx", parts({RELATIONS: relations}))

    yield Bomb("ods-repeated", partial(document, []))
    yield Bomb("ods-repeated-as-xlsx", partial(document, [entry("xl/a.xml", b"<a/>")]))
    yield Bomb("xlsx-part-outside", escaping)
