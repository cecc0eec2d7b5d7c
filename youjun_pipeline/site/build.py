"""Builds the site: unchanged pages are reused from the last site, the others are rendered, and the folder is swapped whole.

A district's pages are made again if anything that they show has changed, or the program that makes them. Keep out: the content of
the pages.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from youjun_pipeline.reports.unchanged import digest, program_hash, read_contents, take_over, write_contents
from youjun_pipeline.settings import PACKAGE
from youjun_pipeline.site import charts, words
from youjun_pipeline.site.compare import write_compare
from youjun_pipeline.site.names import district_folder
from youjun_pipeline.site.news import write_news
from youjun_pipeline.site.pages import write_district
from youjun_pipeline.site.read import district_codes, fingerprints, read_districts
from youjun_pipeline.site.region import read_standings, write_index, write_regions
from youjun_pipeline.site.search import write_search
from youjun_pipeline.site.terms import write_terms
from youjun_pipeline.site.writer import ASSETS, HERE, Writer
from youjun_pipeline.warehouse.manifest import put_folder
from youjun_pipeline.warehouse.swap import building_folder

if TYPE_CHECKING:
    import duckdb

FOLDER = "site"
# Everything that decides how the same rows look.
SOURCES = (HERE, PACKAGE / "standard", PACKAGE / "contracts", PACKAGE / "reports" / "words.py")


@dataclass(frozen=True)
class SiteResult:
    """The result of building the site: its front page, pages rendered, districts rendered and reused."""

    path: Path
    pages: int
    districts_built: int
    districts_kept: int


def build_site(con: duckdb.DuckDBPyConnection, published: Path) -> SiteResult:
    """Make `<published>/site` show the publication that `con` has open; after any fault the old site stays complete."""
    target, building = published / FOLDER, building_folder(published, FOLDER)
    program, old = program_hash(SOURCES), read_contents(target)
    before = old if old.get("program") == program else {}
    charts_made_by = charts.version()
    _write_assets(building, target if old.get("charts") == charts_made_by else None)
    site = Writer(building, published)
    outside = {code: _outside(site, con, code) for code in district_codes(con)}
    prints = {code: f"{rows} {outside[code]}" for code, rows in fingerprints(con).items() if code in outside}
    known = before.get("districts", {})
    kept = {
        c for c, found in prints.items() if known.get(c) == found and (target / district_folder(c)).is_dir()
    }
    for code in kept:
        take_over(target / district_folder(code), building / district_folder(code))
    for district in read_districts(con, [code for code in prints if code not in kept]):
        write_district(site, district)
    standings = read_standings(con)
    write_compare(site, write_search(site, con))
    write_news(site, con)
    write_terms(site, con)
    write_regions(site, standings)
    write_index(site, standings, max((s.newest.as_of for s in standings), default=None))
    _write_publication(con, building)
    contents = {"program": program, "charts": charts_made_by, "districts": dict(sorted(prints.items()))}
    write_contents(building, contents)
    put_folder(building, published, FOLDER)
    return SiteResult(target / "index.html", site.pages, len(prints) - len(kept), len(kept))


def _outside(site: Writer, con: duckdb.DuckDBPyConnection, code: str) -> str:
    """A hash of the documents outside the site to which a district's pages link."""
    phases = con.execute(
        "select phase_id from mart.evaluation where district_code = ? order by 1", [code]
    ).fetchall()
    found = [(site.documents(code, phase), site.school_plans(code, phase)) for (phase,) in phases]
    return digest(repr([found, site.common_documents()]))


def _write_assets(building: Path, old: Path | None) -> None:
    """Write style, script and charts; reuse the charts of `old` if they are the same, because bundling takes seconds."""
    folder = building / "assets"
    shutil.copytree(ASSETS, folder)
    for name, make in (("charts.js", charts.chart_specifications), ("vega.js", charts.chart_library)):
        if old is not None and (old / "assets" / name).is_file():
            take_over(old / "assets" / name, folder / name)
        else:
            (folder / name).write_text(make(), encoding="utf-8")


def _write_publication(con: duckdb.DuckDBPyConnection, building: Path) -> None:
    """Write what every page says about the publication into one file, so that unchanged pages need not be rewritten."""
    found = con.execute("select published_at, as_of from ops.publication order by published_at desc limit 1")
    row = found.fetchone()
    values = {}
    if row:
        values = {"publishedAt": words.moment(row[0]), "asOf": row[1].isoformat()}
    script = f"window.YOUJUN_PUBLICATION = {json.dumps(values)};\n"
    (building / "assets" / "publication.js").write_text(script, encoding="utf-8")
