"""Reads the site's pages without a browser: elements, tables, links.

Keep out: what a test expects.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

VOID = {"meta", "link", "input", "br", "img"}


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    children: list[Element | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The text of the element, with each sequence of blanks as one blank."""
        parts = [c if isinstance(c, str) else c.text for c in self.children]
        return " ".join(" ".join(parts).split())

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """The contained elements with this tag and these attributes (`class_` for class), in order."""
        found = []
        for child in self.children:
            if isinstance(child, Element):
                wanted = all(
                    child.attributes.get(k.rstrip("_").replace("_", "-")) == v for k, v in attributes.items()
                )
                found += [child] if child.tag == tag and wanted else []
                found += child.all(tag, **attributes)
        return found

    def one(self, tag: str, **attributes: str) -> Element:
        (found,) = self.all(tag, **attributes)
        return found

    @property
    def everything(self) -> list[Element]:
        inside = [c for c in self.children if isinstance(c, Element)]
        return [*inside, *(e for c in inside for e in c.everything)]

    def rows(self, table_id: str) -> list[list[Element]]:
        """The cells of a table's body, row by row."""
        body = self.one("table", id=table_id).one("tbody")
        return [[c for c in tr.children if isinstance(c, Element)] for tr in body.all("tr")]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Element("", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {k: v or "" for k, v in attrs})
        self.open[-1].children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, (
            f"<{self.open[-1].tag}> is closed by </{tag}> in line {self.getpos()[0]}"
        )
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def read_page(path: Path) -> Element:
    """A page as a tree; every element must be closed in its order."""
    reader = _Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    reader.close()
    assert len(reader.open) == 1, f"{path}: <{reader.open[-1].tag}> is not closed"
    return reader.root


class Pages(Mapping[str, Element]):
    """The pages of a site by path; each page is read at its first use."""

    def __init__(self, site: Path) -> None:
        self.site = site
        self._read: dict[str, Element] = {}

    def __getitem__(self, page: str) -> Element:
        if page not in self._read:
            self._read[page] = read_page(self.site / page)
        return self._read[page]

    def __contains__(self, page: object) -> bool:
        return (self.site / str(page)).is_file()

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(p.relative_to(self.site).as_posix() for p in self.site.rglob("*.html")))

    def __len__(self) -> int:
        return len(list(iter(self)))


def all_pages(site: Path) -> dict[str, Element]:
    """Every page of the site by its path."""
    return {p.relative_to(site).as_posix(): read_page(p) for p in sorted(site.rglob("*.html"))}
