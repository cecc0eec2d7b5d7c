"""Reads the XML inside a workbook as a stream: elements and texts in order, no tree, no entities.

A workbook's XML declares no entities (ECMA-376 part 2, 8.1.4): a part that does would grow a thousandfold or fetch another file.
Belongs here: walking XML safely. Keep out: what the elements mean (xlsx.py, xlsx_sheet.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from xml.parsers import expat

from youjun_pipeline.ingest.formats.limits import Unreadable

CHUNK = 1 << 16
# Workbooks nest some ten levels; the parser keeps each open element in memory.
MAX_DEPTH = 200
SAVE_AGAIN = "请用 Excel 或 WPS 打开后另存为 .xlsx 再交付"

XmlError = expat.ExpatError


class _RootReached(Exception):
    """Everything before the root element has been seen."""


def check_prolog(name: str, xml: bytes) -> None:
    """Refuse a part that declares a document type or is not UTF-8. Damaged XML is left to the code that reads the part."""
    if b"\x00" in xml[:4] or xml.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Unreadable(f"部件 {name} 不是 UTF-8 编码", SAVE_AGAIN)
    parser = _parser(name)

    def reached(*_: object) -> None:
        raise _RootReached

    parser.StartElementHandler = reached
    try:
        for start in range(0, len(xml), CHUNK):
            parser.Parse(xml[start : start + CHUNK])
    except (_RootReached, expat.ExpatError):
        return
    except (LookupError, ValueError) as error:
        raise Unreadable(f"部件 {name} 的编码不认识", SAVE_AGAIN) from error


def _parser(name: str) -> expat.XMLParserType:
    parser = expat.ParserCreate()

    def refuse(*_: object) -> None:
        raise Unreadable(f"部件 {name} 里声明了 XML 实体（DTD），表格软件不会这样写", SAVE_AGAIN)

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    return parser


def walk(
    xml: bytes,
    start: Callable[[str, dict[str, str]], object],
    end: Callable[[str], object],
    text: Callable[[str], object] | None = None,
) -> Iterator[None]:
    """Call `start`, `end` and `text` for the content of some XML, with names without prefix; yields from time to time.

    Raises:
        XmlError: if the XML is damaged.
        Unreadable: if there is a document type, or endless nesting of elements.
    """
    parser = _parser("")
    depth = 0

    def opened(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > MAX_DEPTH:
            raise Unreadable("XML 的层次多得不合常理", SAVE_AGAIN)
        start(name.rpartition(":")[2], attributes)

    def closed(name: str) -> None:
        nonlocal depth
        depth -= 1
        end(name.rpartition(":")[2])

    parser.StartElementHandler, parser.EndElementHandler = opened, closed
    if text is not None:
        parser.buffer_text = True
        parser.CharacterDataHandler = text
    for at in range(0, len(xml), CHUNK):
        parser.Parse(xml[at : at + CHUNK])
        yield
    parser.Parse(b"", True)
    yield


def elements(xml: bytes) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Every element: the name of its parent, its own name, its attributes."""
    path: list[str] = [""]
    found: list[tuple[str, str, dict[str, str]]] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        found.append((path[-1], name, attributes))
        path.append(name)

    for _ in walk(xml, start, lambda _: path.pop()):
        yield from found
        found.clear()


def text_lengths(xml: bytes, element: str) -> Iterator[int]:
    """The number of characters of text in every element with a name."""
    found: list[int] = []
    length = 0

    def start(name: str, _: dict[str, str]) -> None:
        nonlocal length
        if name == element:
            length = 0

    def end(name: str) -> None:
        if name == element:
            found.append(length)

    def text(piece: str) -> None:
        nonlocal length
        length += len(piece)

    for _ in walk(xml, start, end, text):
        yield from found
        found.clear()
