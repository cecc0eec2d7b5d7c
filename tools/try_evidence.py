"""Try the Evidence dashboard (docs/dashboards/evidence) against the real product; `make test-bi` runs this.

Installs Evidence with npm where that has not been done, extracts the sources of a copy of the project, builds its pages,
swaps the publication for another and extracts again. Usage: python tools/try_evidence.py PUBLICATION.duckdb [FOLDER], with Node
and npm on PATH.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import duckdb
from try_superset import swap

PROJECT = Path(__file__).parents[1] / "docs" / "dashboards" / "evidence"
EXTENSIONS = "extensions.duckdb.org"
# It asks its makers nothing and tells them nothing.
ENVIRONMENT = os.environ | {"SEND_ANONYMOUS_USAGE_STATS": "no", "NODE_OPTIONS": "--max-old-space-size=4096"}


def main(publication: Path, folder: Path) -> None:
    """Print how many rows each source gets, before and after a swap, and how long the built page is."""
    _refuse_without_extensions()
    shutil.copytree(PROJECT, folder, dirs_exist_ok=True)
    served = folder / "sources" / "youjun" / "youjun.duckdb"
    shutil.copy(publication, served)
    if not (folder / "node_modules").is_dir():
        _npm(folder, "install")
    before = _sources(folder)
    _npm(folder, "run", "build")
    page = (folder / "build" / "index.html").read_text(encoding="utf-8")
    assert "各阶段判定" in page and "校际差异系数" in page
    print(f"index.html: {len(page):,} characters", flush=True)
    swap(publication, served)
    after = _sources(folder)
    for name, rows in before.items():
        print(f"{name}: {rows} rows, {after[name]} after a publication with one district less", flush=True)
    assert before and all(0 < after[name] < rows for name, rows in before.items())


def _refuse_without_extensions() -> None:
    """Evidence's DuckDB loads its Parquet reader from this host, and waits for ever where it is not reached."""
    try:
        socket.create_connection((EXTENSIONS, 443), timeout=10).close()
    except OSError as error:
        raise SystemExit(
            f"Evidence was not tried: it needs {EXTENSIONS}, which cannot be reached ({error})"
        ) from error


def _npm(folder: Path, *arguments: str) -> None:
    subprocess.run(["npm", *arguments], cwd=folder, env=ENVIRONMENT, check=True, timeout=1200)


def _sources(folder: Path) -> dict[str, int]:
    """Extract the sources anew; returns the rows of each."""
    data = folder / ".evidence" / "template" / "static" / "data" / "youjun"
    shutil.rmtree(data, ignore_errors=True)
    _npm(folder, "run", "sources")
    queries = sorted(path.stem for path in (folder / "sources" / "youjun").glob("*.sql"))
    return {name: _rows(data / name / f"{name}.parquet") for name in queries}


def _rows(path: Path) -> int:
    ((rows,),) = duckdb.sql(f"select count(*) from read_parquet('{path}')").fetchall()
    return int(rows)


if __name__ == "__main__":
    given = [Path(a).resolve() for a in sys.argv[1:]]
    main(given[0], given[1] if len(given) > 1 else Path("build/evidence").resolve())
