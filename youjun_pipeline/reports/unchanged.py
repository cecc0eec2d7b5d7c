"""Unchanged parts of a published folder: hashes of rows and of program text, and files that are reused by a hard link.

Belongs here: how unchanged parts are recognised, for every folder that is rewritten in part (`folder`, the site). Keep out: what
is in a folder, and the swap (`warehouse.swap`).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb

CONTENTS_NAME = "contents.json"


def digest(*parts: str) -> str:
    """One hash of several texts."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def file_hash(path: Path) -> str:
    """The hash of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def place_hash(path: Path) -> str:
    """The hash of a file's bytes, or of all files in a folder and their paths in it."""
    if path.is_file():
        return file_hash(path)
    files = sorted(f for f in path.rglob("*") if f.is_file())
    return digest(*(f"{f.relative_to(path).as_posix()} {file_hash(f)}" for f in files))


def program_hash(sources: Iterable[Path]) -> str:
    """A hash of the program text in files and folders, data files included: of everything that decides how the same rows look."""
    files = [f for source in sources for f in ([source] if source.is_file() else sorted(source.rglob("*")))]
    return digest(*(file_hash(f) for f in files if f.is_file() and f.suffix != ".pyc"))


def row_sums(
    con: duckdb.DuckDBPyConnection,
    table: str,
    columns: Iterable[str],
    keys: Iterable[str],
    where: str = "true",
) -> Iterator[tuple[tuple[str, ...], str]]:
    """For each value of `keys` a line that changes with the rows of `table`: the number of rows and the sum of their hashes.

    DuckDB's hash changes with its version; then everything is written again once.
    """
    keys, columns = list(keys), list(columns)
    grouped = ", ".join(keys)
    shown = ", ".join(f'"{c}"' for c in columns)
    found = con.execute(
        f"select {grouped}, count(*), sum(hash(r)::hugeint) "
        f"from (select {grouped}, row({shown}) as r from {table} where {where}) group by {grouped}"
    )
    for *key, rows, total in found.fetchall():
        yield tuple(key), f"{table}:{columns}:{rows}:{total}"


def read_contents(folder: Path) -> dict[str, Any]:
    """What the folder records about its making; empty if the record is missing or damaged."""
    try:
        contents = json.loads((folder / CONTENTS_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return contents if isinstance(contents, dict) else {}


def write_contents(folder: Path, contents: dict[str, Any]) -> None:
    """Record in the folder what it was made from."""
    text = json.dumps(contents, ensure_ascii=False, indent=1)
    (folder / CONTENTS_NAME).write_text(text + "\n", encoding="utf-8")


def take_over(old: Path, new: Path) -> None:
    """Link a file, or every file of a folder, to its new place; copy it if the file system has no links."""
    if old.is_dir():
        shutil.copytree(old, new, copy_function=lambda source, target: take_over(Path(source), Path(target)))
        return
    try:
        os.link(old, new)
    except OSError:
        shutil.copyfile(old, new)
