"""The figures behind the district's own indicators: one page each for government (G), quality (Q), recognition (S), veto (V).

Keep out: HTML (templates/basis.html), the indicators of schools (indicator), the explanations (derivation).
"""

from __future__ import annotations

from typing import Any

from youjun_pipeline.site import words
from youjun_pipeline.site.derivation import district_derivation, input_table
from youjun_pipeline.site.read import Evaluation

# Indicators by which schools are judged have pages of their own (indicator).
PAGES = {"government": "g", "quality": "q", "recognition": "s", "veto": "v"}


def basis_pages(e: Evaluation) -> list[tuple[str, str, list[Any]]]:
    """For each page its file name, its title and the district's rows on it, in the order of the catalogue."""
    order = {i.indicator_code: i.sort_order for i in e.indicators}
    rows = sorted(e.rows["district_indicator"], key=lambda d: order[d.indicator_code])
    return [
        (page, words.CATEGORY.get(category, category), found)
        for category, page in PAGES.items()
        if (found := [d for d in rows if d.category == category])
    ]


def page_of(e: Evaluation, indicator: str) -> str:
    """The page of the evaluation that explains an indicator: its own page if schools are judged by it, otherwise its group's."""
    found = e.indicator[indicator]
    return indicator if found.level in ("section", "school") else PAGES.get(found.category, "index")


def basis_context(e: Evaluation, rows: list[Any]) -> dict[str, Any]:
    """What templates/basis.html shows of these rows of `mart.district_indicator`."""
    return {
        "entries": [
            {
                "row": row,
                "indicator": e.indicator[row.indicator_code],
                "sign": words.STATUS[row.status],
                "steps": district_derivation(e.facts, row),
                "table": input_table(e.facts, row.indicator_code)
                if e.indicator[row.indicator_code].level == "district"
                else None,
            }
            for row in rows
        ],
    }
