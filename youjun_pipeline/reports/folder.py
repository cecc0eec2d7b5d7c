"""A published folder of reports, with files for each evaluation: changed files are rewritten, and the folder is swapped whole.

A fingerprint identifies what a file was made from: the rows of its tables, and the text of the program that lays them out. If a
file's fingerprint and bytes are unchanged, it is reused by a hard link. Keep out: what a report says, how unchanged parts are
recognised (`unchanged`), and the swap itself (`warehouse.swap`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from youjun_pipeline.reports.evaluation import Evaluation, published_evaluations
from youjun_pipeline.reports.unchanged import (
    digest,
    place_hash,
    program_hash,
    read_contents,
    row_sums,
    take_over,
    write_contents,
)
from youjun_pipeline.settings import PACKAGE
from youjun_pipeline.warehouse.contents import NOT_CONTENT
from youjun_pipeline.warehouse.manifest import put_folder
from youjun_pipeline.warehouse.swap import building_folder
from youjun_pipeline.warehouse.tables import EVALUATION_KEY

if TYPE_CHECKING:
    import duckdb

# No report shows the as-of date, but only the last day of its data. So the fingerprint leaves out the as-of date, but includes
# the mark of stale evaluations.
_NOT_ON_PAPER = (*NOT_CONTENT, "as_of", "is_stale")
# Everything that decides how the same rows look: these modules, the catalogues and the labels of the datasets.
_LAYOUT_SOURCES = tuple(PACKAGE / room for room in ("reports", "standard", "contracts"))


@dataclass(frozen=True)
class Report:
    """A kind of report: the path of its file or of its folder of files (`{district_code}`, `{phase_id}`), its short description
    in Chinese, the marts that it shows, and its writer. With `asked_by` it is only made for evaluations with rows in that table.
    """

    path: str
    title: str
    tables: tuple[str, ...]
    write: Callable[[duckdb.DuckDBPyConnection, Evaluation, Path], None]
    asked_by: str | None = None


@dataclass(frozen=True)
class Refreshed:
    """The result for a folder: how many files were written again, how many were reused."""

    written: int
    kept: int


def refresh_folder(
    con: duckdb.DuckDBPyConnection,
    published: Path,
    name: str,
    reports: Sequence[Report],
    data: Path | None = None,
) -> Refreshed:
    """Make `published/<name>` contain exactly `reports` for every evaluation of the publication that `con` has open.

    `data` is the districts' folder, where a district may have its own texts. The new folder is built beside the old one and
    swapped in at the end; if a writer fails, the old one stays complete.
    """
    target, building = published / name, building_folder(published, name)
    known = read_contents(target).get("files")
    before = known if isinstance(known, dict) else {}
    evaluations = published_evaluations(con, data)
    files: dict[str, dict[str, str]] = {}
    written = 0
    for report in reports:
        prints = _fingerprints(con, report.tables)
        asked = _asked(con, report)
        for evaluation in evaluations:
            key = (evaluation.district_code, evaluation.phase_id)
            if asked is not None and key not in asked:
                continue
            relative = report.path.format(district_code=key[0], phase_id=key[1])
            own = (program_hash([evaluation.texts]),) if evaluation.texts else ()
            fingerprint = digest(_layout(), evaluation.notice(), *own, *prints.get(key, ()))
            path = building / relative
            # a path without a file name is a folder that the writer creates and fills
            path.parent.mkdir(parents=True, exist_ok=True)
            if _is_unchanged(target / relative, before.get(relative, {}), fingerprint):
                take_over(target / relative, path)
            else:
                report.write(con, evaluation, path)
                written += 1
            files[relative] = {"content": fingerprint, "sha256": place_hash(path)}
    write_contents(building, {"files": dict(sorted(files.items()))})
    put_folder(building, published, name)
    return Refreshed(written, len(files) - written)


def _asked(con: duckdb.DuckDBPyConnection, report: Report) -> set[tuple[str, str]] | None:
    """The evaluations for which a report is written; None if it is written for all."""
    if report.asked_by is None:
        return None
    rows = con.execute(f"select distinct district_code, phase_id from {report.asked_by}").fetchall()
    return {(district, phase) for district, phase in rows}


def _is_unchanged(old: Path, known: dict[str, str], fingerprint: str) -> bool:
    """Whether the old file is what would be written now: it was made from the same rows, and its bytes are unchanged."""
    return known.get("content") == fingerprint and old.exists() and known.get("sha256") == place_hash(old)


def _fingerprints(con: duckdb.DuckDBPyConnection, tables: Sequence[str]) -> dict[tuple[str, ...], list[str]]:
    """For each evaluation, one line per table."""
    found: dict[tuple[str, ...], list[str]] = {}
    for table in tables:
        names = [row[0] for row in con.execute(f"describe {table}").fetchall() if row[0] not in _NOT_ON_PAPER]
        for key, line in row_sums(con, table, names, EVALUATION_KEY):
            found.setdefault(key, []).append(line)
    return found


@cache
def _layout() -> str:
    """The hash of everything in the package that decides how a report looks."""
    return program_hash(_LAYOUT_SOURCES)
