"""A dirty file and the result that it must have.

Belongs here: the shape of a case and the list of all. Keep out: the cases themselves (cells.py, tables.py, broken.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Case:
    """A file to make, and the result that it must have.

    `write(path)` makes it; `file` is its name. `header_row` is the number of the header's last row (0: not known). `rows` is the
    number of rows that must be accepted, None if the whole file must be refused with `failure` ("any": it may be refused or read,
    if the general conditions for every file hold). Each text in `says` must be in the messages to the district. `rejected` is the
    number of cells reported, None for any number.
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
