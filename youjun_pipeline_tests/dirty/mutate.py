"""Good files that are randomly spoiled: their bytes, or the cells of their tables. The same seed gives the same file.

Belongs here: the mutations. Keep out: the conditions for the result (verify.py).
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from youjun_pipeline_tests.dirty.broken import PARTS, good_bytes, replaced
from youjun_pipeline_tests.dirty.cells import FORGIVEN_NUMBERS, NO_CODES, NO_DATES, NO_NUMBERS
from youjun_pipeline_tests.dirty.grids import FORMATS, GOOD, Grid, copy_of, write_grid
from youjun_pipeline_tests.dirty.tables import HEADINGS, REMARKS, SUMS
from youjun_pipeline_tests.dirty.verify import Specimen

# Every other seed spoils bytes, the others cells.
BYTE_FORMATS = ("xlsx", "xls", "csv", "parquet")
CELLS: tuple[Any, ...] = (
    *NO_NUMBERS,
    *FORGIVEN_NUMBERS,
    *NO_CODES,
    *NO_DATES,
    None,
    0,
    -1,
    1.5,
    10**15,
    True,
    "true",
    "一年级",
    "小学",
    "\n",
    "a\nb",
    "x" * 5000,
    "\x07",
    '"',
    "'",
    ",",
    "；",
    '=HYPERLINK("http://x")',
    "@SUM(1)",
    "合计",
    "\ud83c\udfeb".encode("utf-16", "surrogatepass").decode("utf-16"),
)


def mutant(seed: int, folder: Path) -> Specimen:
    """Write the file for a seed."""
    rng = random.Random(seed)
    if seed % 2:
        return _spoiled_bytes(seed, rng, folder)
    return _spoiled_cells(seed, rng, folder)


def _spoiled_bytes(seed: int, rng: random.Random, folder: Path) -> Specimen:
    suffix = rng.choice(BYTE_FORMATS)
    data = good_bytes(folder, suffix)
    if suffix == "xlsx" and rng.random() < 0.6:
        # Inside the archive, with checksums that fit: otherwise they would give away every change.
        part = rng.choice(PARTS)
        data = replaced(part, lambda content: _changed(rng, content), data)
    else:
        data = _changed(rng, data)
    path = folder / f"classes-{seed}.{suffix}"
    path.write_bytes(data)
    return Specimen(f"bytes-{seed}", path, "classes")


def _changed(rng: random.Random, data: bytes) -> bytes:
    spoiled = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 5, 20))):
        rng.choice(BYTE_CHANGES)(rng, spoiled)
    return bytes(spoiled)


def _flip(rng: random.Random, data: bytearray) -> None:
    if data:
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _overwrite(rng: random.Random, data: bytearray) -> None:
    if data:
        at = rng.randrange(len(data))
        data[at : at + rng.randrange(1, 16)] = rng.randbytes(rng.randrange(1, 16))


def _cut_end(rng: random.Random, data: bytearray) -> None:
    del data[rng.randrange(len(data) + 1) :]


def _cut_out(rng: random.Random, data: bytearray) -> None:
    at = rng.randrange(len(data) + 1)
    del data[at : at + rng.randrange(1, 2000)]


def _double(rng: random.Random, data: bytearray) -> None:
    at = rng.randrange(len(data) + 1)
    data[at:at] = data[at : at + rng.randrange(1, 600)]


def _number(rng: random.Random, data: bytearray) -> None:
    """Change one of the numbers that the file states: a count, a place, a length."""
    found = list(re.finditer(rb"\d+", data))
    if found:
        start, end = rng.choice(found).span()
        data[start:end] = str(rng.choice((0, 1, 255, 65536, 1048577, 2**31, 2**63, -1))).encode()


def _blank_out(rng: random.Random, data: bytearray) -> None:
    at = rng.randrange(len(data) + 1)
    length = min(rng.randrange(1, 600), len(data) - at)
    data[at : at + length] = bytes(length)


BYTE_CHANGES: tuple[Callable[[random.Random, bytearray], None], ...] = (
    *(_flip, _flip, _flip, _overwrite, _overwrite, _cut_end, _cut_out, _double, _blank_out, _number),
)


def _spoiled_cells(seed: int, rng: random.Random, folder: Path) -> Specimen:
    dataset = rng.choice(sorted(GOOD))
    grid = copy_of(GOOD[dataset])
    titles = [["某区情况表"]] * rng.randrange(3)
    for _ in range(rng.randrange(1, 5)):
        rng.choice(CELL_CHANGES)(rng, grid)
    suffix = rng.choice(FORMATS)
    path = folder / f"{dataset}-{seed}.{suffix}"
    grid = [[_writable(cell, suffix) for cell in row] for row in [*titles, *grid]]
    write_grid(path, grid)
    return Specimen(f"cells-{seed}", path, dataset, len(titles) + 1)


def _writable(cell: Any, suffix: str) -> Any:
    """A text that the writers accept: without control characters in a workbook, unchanged in a text table."""
    if suffix == "csv" or not isinstance(cell, str):
        return cell
    return "".join(c for c in cell if c >= " " or c == "\n")


def _below(rng: random.Random, grid: Grid) -> int:
    return rng.randrange(1, len(grid) + 1)


def _any_cell(rng: random.Random, grid: Grid) -> None:
    row = rng.randrange(1, len(grid)) if len(grid) > 1 else 0
    if grid[row]:
        grid[row][rng.randrange(len(grid[row]))] = rng.choice(CELLS)


def _header_cell(rng: random.Random, grid: Grid) -> None:
    if grid[0]:
        grid[0][rng.randrange(len(grid[0]))] = rng.choice(
            (None, "备注", "学校名称", "人数", grid[0][0], "x" * 100)
        )


def _swap_columns(rng: random.Random, grid: Grid) -> None:
    a, b = (rng.randrange(len(grid[0])) for _ in range(2))
    for row in grid[1:]:
        if max(a, b) < len(row):
            row[a], row[b] = row[b], row[a]


def _repeat_row(rng: random.Random, grid: Grid) -> None:
    grid.insert(_below(rng, grid), list(rng.choice(grid)))


def _insert(rng: random.Random, grid: Grid) -> None:
    rows: tuple[list[Any], ...] = (
        [],
        [None] * 3,
        ["　"],
        [rng.choice(REMARKS)],
        [rng.choice(HEADINGS)],
        [*rng.choice(SUMS), 1, 2],
    )
    grid.insert(_below(rng, grid), list(rng.choice(rows)))


def _shift_row(rng: random.Random, grid: Grid) -> None:
    row = rng.choice(grid[1:] or grid)
    row.insert(0, None)
    if rng.random() < 0.7:
        row.pop()


def _blank_row(rng: random.Random, grid: Grid) -> None:
    row = rng.choice(grid[1:] or grid)
    kept = rng.randrange(len(row) + 1)
    row[:] = [cell if i == kept else None for i, cell in enumerate(row)]


def _drop_column(rng: random.Random, grid: Grid) -> None:
    at = rng.randrange(len(grid[0]))
    for row in grid:
        del row[at : at + 1]


def _grow(rng: random.Random, grid: Grid) -> None:
    grid += [list(rng.choice(grid)) for _ in range(rng.randrange(1, 40))]


CELL_CHANGES: tuple[Callable[[random.Random, Grid], None], ...] = (
    *(
        _any_cell,
        _any_cell,
        _any_cell,
        _header_cell,
        _swap_columns,
        _repeat_row,
        _insert,
        _insert,
        _shift_row,
    ),
    *(_blank_row, _drop_column, _grow),
)
