"""Finds a school of any district by its name, code or initials: an index in pieces, one for each city.

A piece is a script that the search page loads for a query, because pages opened from a disk can load only scripts.
Keep out: HTML (templates/search.html) and the matching itself (assets/search.js).
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from youjun_pipeline.site import words
from youjun_pipeline.site.names import HOME, SEARCH, school_page

if TYPE_CHECKING:
    import duckdb

    from youjun_pipeline.site.writer import Writer

# The first four digits of a district's code are its city.
CITY = 4
# A school in its newest phase: a school that no longer exists keeps its last name.
_SCHOOLS = """
    select e.district_code, e.district_name, s.school_code, arg_max(s.school_name, (e.phase_order, e.phase_id)) as name,
        arg_max(s.township, (e.phase_order, e.phase_id)) as township
    from mart.school s
    join mart.evaluation e using (district_code, phase_id)
    where s.in_scope
    group by all
    order by e.district_code, s.school_code
"""


def write_search(site: Writer, con: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """Write the search page and the pieces of its index; returns the data for pages with the search field."""
    pieces: dict[str, list[list[Any]]] = defaultdict(list)
    for district, district_name, code, name, township in con.execute(_SCHOOLS).fetchall():
        page = school_page(district, code)
        pieces[district[:CITY]].append(
            [name or "", words.initials(name or ""), code, district_name, township or "", page]
        )
    folder = site.folder / "assets" / "search"
    folder.mkdir(parents=True, exist_ok=True)
    files: list[dict[str, Any]] = []
    for place, (city, rows) in enumerate(sorted(pieces.items())):
        _write_piece(folder / f"{place}.js", place, rows)
        files.append({"file": f"{place}.js", "province": words.region_name(city[:2]), "schools": len(rows)})
    found = {
        "is_reconstructed": False,
        "pieces": files,
        "schools": sum(len(rows) for rows in pieces.values()),
        "provinces": sorted({f["province"] for f in files}),
    }
    title = {"title": "查学校", "crumbs": [HOME], "common": site.common_documents()}
    site.write(SEARCH, "search.html", found | title)
    return found


def _write_piece(path: Path, place: int, rows: list[list[Any]]) -> None:
    text = json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
    path.write_text(f"window.YOUJUN_SCHOOLS[{place}]={text};\n", encoding="utf-8")
