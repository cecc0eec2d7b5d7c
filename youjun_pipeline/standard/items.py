"""What districts report in `assurance` for the catalogues on file: items with a value, items with a conclusion.

Keep out: how the dataset is read (`contracts`), and what an item means for a verdict (`models`).
"""

from __future__ import annotations

from collections.abc import Mapping

from youjun_pipeline.standard.catalogue import usable_catalogues


def reported_items() -> dict[str, object]:
    """Words by name, for the contract of `assurance`: `items` by code with their Chinese names, then the codes that ask for
    `values`, for `conclusions`, and for `evidence` behind a conclusion; in the order of the catalogues.
    """
    items: dict[str, list[str]] = {}
    values: dict[str, None] = {}
    conclusions: dict[str, None] = {}
    evidence: dict[str, None] = {}
    for catalogue in usable_catalogues():
        for code, indicator in catalogue.indicators.items():
            if indicator.evidence_based:
                items.setdefault(code, [])
                conclusions[code] = None
            if indicator.needs_evidence:
                evidence[code] = None
            for key, item in indicator.items.items():
                names = items.setdefault(f"{code}.{key}", [])
                if item.name not in names:
                    names.append(item.name)
                values[f"{code}.{key}"] = None
    lists: Mapping[str, object] = {
        "values": [*values],
        "conclusions": [*conclusions],
        "evidence": [*evidence],
    }
    return {"items": items, **lists}
