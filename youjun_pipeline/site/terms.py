"""The meaning of words and indicators (口径与术语): the catalogues by which the published evaluations are judged.

Keep out: HTML (templates/terms.html), anything that is neither in a catalogue nor in the vocabulary.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from youjun_pipeline.reports.words import floor_word
from youjun_pipeline.site import words
from youjun_pipeline.site.names import HOME, TERMS
from youjun_pipeline.standard import Catalogue, load_catalogue

if TYPE_CHECKING:
    import duckdb

    from youjun_pipeline.site.writer import Writer

_INDICATORS = """
    select standard_id, indicator_code, name, short_name, category, unit, numerator_text, denominator_text, formula_text,
        clause, limits
    from mart.indicator
    semi join mart.evaluation using (standard_id)
    order by standard_id, sort_order
"""


def write_terms(site: Writer, con: duckdb.DuckDBPyConnection) -> None:
    """Write the page of every catalogue in use, with its indicators, waivers and numbers."""
    cursor = con.execute(_INDICATORS)
    names = [column[0] for column in cursor.description or []]
    standards: dict[str, list[dict[str, Any]]] = {}
    for values in cursor.fetchall():
        row = dict(zip(names, values, strict=True))
        standards.setdefault(row["standard_id"], []).append(row)
    site.write(
        TERMS,
        "terms.html",
        {
            "title": "口径与术语",
            "crumbs": [HOME],
            "is_reconstructed": False,
            "standards": [_standard(load_catalogue(s), rows) for s, rows in standards.items()],
            "common": site.common_documents(),
        },
    )


def _standard(catalogue: Catalogue, rows: list[dict[str, Any]]) -> dict[str, Any]:
    categories: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        categories.setdefault(words.CATEGORY.get(row["category"], row["category"]), []).append(row)
    return {
        "name": catalogue.name,
        "document": catalogue.document,
        "floor": floor_word(catalogue),
        "categories": categories,
        "stages": [s for s in catalogue.stages.values() if s.is_evaluated],
        "waivers": list(catalogue.waivers.items()),
    }
