"""A published folder of reports, one set of files for each evaluation: rewritten where the content changed, swapped whole.

What a file was made from is known by a fingerprint: the rows of its tables, and the program text that lays them out. A file
whose fingerprint is unchanged, and whose bytes are still the ones that were written, is taken over by a hard link.
Keep out: what a report says, and the swap itself (`warehouse.publication`).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from youjun_pipeline.reports.evaluation import Evaluation, published_evaluations
from youjun_pipeline.settings import PACKAGE
from youjun_pipeline.warehouse.manifest import put_folder
from youjun_pipeline.warehouse.publication import NOT_CONTENT
from youjun_pipeline.warehouse.swap import building_folder

if TYPE_CHECKING:
    import duckdb

CONTENTS_NAME = "contents.json"
# The day a refresh counts as today is on no report: they say what their data go up to.
_NOT_ON_PAPER = (*NOT_CONTENT, "as_of")
# Everything that decides how the same rows look: these modules, the catalogues and the labels of the datasets.
_LAYOUT_SOURCES = (
    "reports/*.py",
    "standard/**/*.toml",
    "standard/*.py",
    "contracts/**/*.toml",
    "contracts/*.py",
)


@dataclass(frozen=True)
class Report:
    """A kind of report: where its file goes (`{district_code}`, `{phase_id}`), what it is in a few words of Chinese, the
    marts it shows, and who writes it.
    """

    path: str
    title: str
    tables: tuple[str, ...]
    write: Callable[[duckdb.DuckDBPyConnection, Evaluation, Path], None]


@dataclass(frozen=True)
class Refreshed:
    """What became of a folder: files written anew, files taken over."""

    written: int
    kept: int


def refresh_folder(
    con: duckdb.DuckDBPyConnection, published: Path, name: str, reports: Sequence[Report]
) -> Refreshed:
    """Make `published/<name>` hold exactly `reports` for every evaluation of the publication that `con` has open.

    The new folder is built beside the old and swapped in at the end; when a writer fails the old one stays whole.
    """
    target, building = published / name, building_folder(published, name)
    before = _known_files(target)
    evaluations = published_evaluations(con)
    files: dict[str, dict[str, str]] = {}
    written = 0
    for report in reports:
        prints = _fingerprints(con, report.tables)
        for evaluation in evaluations:
            key = (evaluation.district_code, evaluation.phase_id)
            relative = report.path.format(district_code=key[0], phase_id=key[1])
            fingerprint = _digest(_layout(), *prints.get(key, ()))
            path = building / relative
            path.parent.mkdir(parents=True, exist_ok=True)
            if not _take_over(target / relative, path, before.get(relative), fingerprint):
                report.write(con, evaluation, path)
                written += 1
            files[relative] = {"content": fingerprint, "sha256": _file_hash(path)}
    text = json.dumps({"files": dict(sorted(files.items()))}, ensure_ascii=False, indent=1)
    (building / CONTENTS_NAME).write_text(text + "\n", encoding="utf-8")
    put_folder(building, published, name)
    return Refreshed(written, len(files) - written)


def _known_files(folder: Path) -> dict[str, dict[str, str]]:
    """What the folder said of its files when it was written; nothing when it does not say so any more."""
    try:
        files = json.loads((folder / CONTENTS_NAME).read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return files if isinstance(files, dict) else {}


def _take_over(old: Path, new: Path, known: dict[str, str] | None, fingerprint: str) -> bool:
    """Link the old file to its new place if it still is what would be written; returns whether it was."""
    if (
        not known
        or known.get("content") != fingerprint
        or not old.is_file()
        or known.get("sha256") != _file_hash(old)
    ):
        return False
    try:
        os.link(old, new)
    except OSError:
        shutil.copyfile(old, new)
    return True


def _fingerprints(con: duckdb.DuckDBPyConnection, tables: Sequence[str]) -> dict[tuple[str, str], list[str]]:
    """Per evaluation one line for each table: how many rows it has and the sum of their hashes."""
    found: dict[tuple[str, str], list[str]] = {}
    for table in tables:
        names = [row[0] for row in con.execute(f"describe {table}").fetchall() if row[0] not in _NOT_ON_PAPER]
        columns = ", ".join(f'"{name}"' for name in names)
        sums = con.execute(f"""
            select district_code, phase_id, count(*), sum(hash(r)::hugeint)
            from (select {columns} from {table}) r group by all
        """).fetchall()
        for district_code, phase_id, rows, total in sums:
            found.setdefault((district_code, phase_id), []).append(f"{table}:{names}:{rows}:{total}")
    return found


@cache
def _layout() -> str:
    """The hash of everything in the package that decides how a report looks."""
    paths = sorted(path for source in _LAYOUT_SOURCES for path in PACKAGE.glob(source))
    return _digest(*(hashlib.sha256(path.read_bytes()).hexdigest() for path in paths))


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _file_hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
