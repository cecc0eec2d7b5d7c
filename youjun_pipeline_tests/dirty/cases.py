"""A dirty file and what must come of it.

Belongs here: the shape of a case and the list of all. Keep out: the cases themselves (cells.py, tables.py, broken.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Case:
    """A file to be made, and what must come of it.

    `write(path)` makes it; `file` is its name. `header_row` is the number of the header's last row (0: nobody can say).
    `rows` is how many rows must be accepted, None where the file must be refused as a whole with `failure` ("any": it may be
    refused or read, as long as what holds for every file holds). `says` must
    stand in what the district is told, each of them; `rejected` is how many cells are told, None for any number.
    """

    name: str
    dataset: str
    file: str
    write: Callable[[Path], object]
    rows: int | None = None
    failure: str | None = None
    rejected: int | None = 0
    says: tuple[str, ...] = ()
    header_row: int = 1


def all_cases() -> list[Case]:
    """Every case, in a fixed order, with different names."""
    from youjun_pipeline_tests.dirty import broken, cells, tables

    def every() -> Iterator[Case]:
        yield from cells.cases()
        yield from tables.cases()
        yield from broken.cases()

    cases = list(every())
    names = [case.name for case in cases]
    assert len(set(names)) == len(names), sorted({n for n in names if names.count(n) > 1})
    return cases
