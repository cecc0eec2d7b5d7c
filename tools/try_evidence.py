"""Try the Evidence dashboard (docs/dashboards/evidence) against the real product; `make test-bi` runs this.

Installs Evidence with npm where that has not been done, extracts the sources of a copy of the project, builds its pages and opens
them in Chromium, in which no name but loopback is known; then swaps the publication for another and does it again.
Usage: python tools/try_evidence.py PUBLICATION.duckdb [FOLDER], with Node, npm and (for the look at the pages) Chromium on PATH.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import duckdb
from try_superset import swap

PROJECT = Path(__file__).parents[1] / "docs" / "dashboards" / "evidence"
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
# It asks its makers nothing and tells them nothing.
ENVIRONMENT = os.environ | {"SEND_ANONYMOUS_USAGE_STATS": "no", "NODE_OPTIONS": "--max-old-space-size=4096"}


def main(publication: Path, folder: Path) -> None:
    """Print how many rows each source gets and what a reader's browser shows, before and after a swap."""
    shutil.copytree(PROJECT, folder, dirs_exist_ok=True)
    served = folder / "sources" / "youjun" / "youjun.duckdb"
    shutil.copy(publication, served)
    _npm(folder, "install", "--no-audit", "--no-fund")
    before, gone = _build(folder), _districts(served)
    swap(publication, served)
    after, left = _build(folder), _districts(served)
    for name, rows in before.rows.items():
        print(
            f"{name}: {rows} rows, {after.rows[name]} after a publication with one district less", flush=True
        )
    assert before.rows and all(0 < after.rows[name] < rows for name, rows in before.rows.items())
    if before.page is None or after.page is None:
        print("The pages were not opened: no Chromium on PATH", flush=True)
        return
    shown = [[name for name in sorted(gone) if name in page] for page in (before.page, after.page)]
    print(f"districts on the page: {'、'.join(shown[0])}; after the swap: {'、'.join(shown[1])}", flush=True)
    assert shown == [sorted(gone), sorted(left)]


@dataclass(frozen=True)
class Built:
    """The rows of each source, and the text of the page as a browser shows it."""

    rows: dict[str, int]
    page: str | None


def _build(folder: Path) -> Built:
    """Extract and build anew, and look."""
    rows = _sources(folder)
    _npm(folder, "run", "build")
    return Built(rows, _seen(folder / "build") if BROWSER else None)


def _districts(served: Path) -> set[str]:
    with duckdb.connect(str(served), read_only=True) as con:
        names = con.execute("select distinct district_name from bi.wide_stage_balance").fetchall()
    return {name for (name,) in names}


def _seen(site: Path) -> str:
    """The text of the built page as a browser shows it, opened over loopback."""
    handler = partial(_Quiet, directory=str(site))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server, tempfile.TemporaryDirectory() as profile:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        command = [
            str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", f"--user-data-dir={profile}",
            "--disable-background-networking", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--timeout=60000",
            "--virtual-time-budget=60000", "--dump-dom", f"http://127.0.0.1:{server.server_port}/",
        ]  # fmt: skip
        page = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True).stdout
        server.shutdown()
    return re.sub(r"<(script|style).*?</\1>|<[^>]+>", " ", page, flags=re.DOTALL)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


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
