"""A catalogue as rows of the schema `standard`, where SQL finds every number it judges by.

Belongs here: the columns of these tables and the way from the model to rows. Keep out: creating or filling
the tables (`warehouse`) and the meaning of the entries (`catalogue`).
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from youjun_pipeline.standard.catalogue import Catalogue, Option

Row = dict[str, Any]

# Decimals hold what `catalogue` lets through; parameters have more places because of the tolerance of CVs.
CATALOGUE_TABLES: dict[str, dict[str, str]] = {
    "catalogue": {"standard_id": "VARCHAR", "name": "VARCHAR", "document": "VARCHAR", "issued_on": "DATE"},
    "indicator": {
        "standard_id": "VARCHAR",
        "indicator_code": "VARCHAR",
        "name": "VARCHAR",
        "short_name": "VARCHAR",
        "category": "VARCHAR",
        "level": "VARCHAR",
        "unit": "VARCHAR",
        "gap_unit": "VARCHAR",
        "direction": "VARCHAR",
        "clause": "VARCHAR",
        "display_decimals": "INTEGER",
        "per": "DECIMAL(18,6)",
        "is_split": "BOOLEAN",
        "evidence_based": "BOOLEAN",
        "numerator_text": "VARCHAR",
        "denominator_text": "VARCHAR",
        "formula_text": "VARCHAR",
        "sort_order": "INTEGER",
    },
    # per stage and reported figure: the numerator is the sum of figure × factor
    "numerator": {
        "standard_id": "VARCHAR",
        "indicator_code": "VARCHAR",
        "stage": "VARCHAR",
        "input": "VARCHAR",
        "factor": "DECIMAL(12,3)",
        "waiver": "VARCHAR",
    },
    "limit": {
        "standard_id": "VARCHAR",
        "indicator_code": "VARCHAR",
        "variant": "VARCHAR",
        "value": "DECIMAL(18,6)",
    },
    "stage": {
        "standard_id": "VARCHAR",
        "stage": "VARCHAR",
        "name": "VARCHAR",
        "split_weight": "DECIMAL(6,3)",
        "cv_limit": "DECIMAL(6,3)",
        "is_evaluated": "BOOLEAN",
    },
    "school_type": {
        "standard_id": "VARCHAR",
        "school_type": "VARCHAR",
        "teaches_primary": "BOOLEAN",
        "teaches_junior": "BOOLEAN",
        "teaches_senior": "BOOLEAN",
        "in_scope": "BOOLEAN",
        "size_variant": "VARCHAR",
        "min_students": "INTEGER",
    },
    "parameter": {
        "standard_id": "VARCHAR",
        "parameter": "VARCHAR",
        "name": "VARCHAR",
        "unit": "VARCHAR",
        "value": "DECIMAL(18,12)",
    },
    "waiver": {
        "standard_id": "VARCHAR",
        "waiver": "VARCHAR",
        "indicator_code": "VARCHAR",
        "name": "VARCHAR",
        "starts": "DATE",
        "ends": "DATE",
        "effect_text": "VARCHAR",
    },
    "waiver_parameter": {
        "standard_id": "VARCHAR",
        "waiver": "VARCHAR",
        "parameter": "VARCHAR",
        "value": "DECIMAL(18,6)",
        "text": "VARCHAR",
    },
    "option": {
        "standard_id": "VARCHAR",
        "option": "VARCHAR",
        "name": "VARCHAR",
        "type": "VARCHAR",
        "default_value": "VARCHAR",
        "allowed": "VARCHAR[]",
        "minimum": "DECIMAL(18,6)",
    },
}


def catalogue_tables(catalogues: Iterable[Catalogue]) -> dict[str, list[Row]]:
    """Rows of every table of `CATALOGUE_TABLES`, by table name, for all the catalogues together.

    A row has exactly the declared columns, in their order; numbers are Decimal; `sort_order` counts from 1 in
    each catalogue; an option's `default_value` is text (flags true/false, lists joined by commas) or null.
    """
    tables: dict[str, list[Row]] = {name: [] for name in CATALOGUE_TABLES}
    for catalogue in catalogues:
        for name, rows in _rows(catalogue).items():
            columns = CATALOGUE_TABLES[name]
            for row in rows:
                whole = {"standard_id": catalogue.id, **row}
                tables[name].append({column: whole[column] for column in columns})
    return tables


def _rows(catalogue: Catalogue) -> dict[str, list[Row]]:
    indicators = catalogue.indicators
    return {
        "catalogue": [catalogue.model_dump(include={"name", "document", "issued_on"})],
        "indicator": [
            {"indicator_code": code, "sort_order": position, **indicator.model_dump()}
            for position, (code, indicator) in enumerate(indicators.items(), start=1)
        ],
        "numerator": [row for code in indicators for row in _numerator_rows(catalogue, code)],
        "limit": [
            {"indicator_code": code, "variant": variant, "value": value}
            for code, indicator in indicators.items()
            for variant, value in indicator.limits.items()
        ],
        "stage": [{"stage": key, **stage.model_dump()} for key, stage in catalogue.stages.items()],
        "school_type": [
            {"school_type": key, **kind.model_dump()} for key, kind in catalogue.school_types.items()
        ],
        "parameter": [
            {"parameter": key, **entry.model_dump()} for key, entry in catalogue.parameters.items()
        ],
        "waiver": [{"waiver": key, **waiver.model_dump()} for key, waiver in catalogue.waivers.items()],
        "waiver_parameter": [
            {"waiver": key, "parameter": name, **entry.model_dump()}
            for key, waiver in catalogue.waivers.items()
            for name, entry in waiver.parameters.items()
        ],
        "option": [_option_row(catalogue, key, option) for key, option in catalogue.options.items()],
    }


def _numerator_rows(catalogue: Catalogue, code: str) -> list[Row]:
    rows = []
    for given in catalogue.indicators[code].inputs:
        factor = catalogue.parameters[given.times].value if given.times else Decimal(1)
        rows += [
            {
                "indicator_code": code,
                "stage": stage,
                "input": given.input,
                "factor": -factor if given.is_subtracted else factor,
                "waiver": given.waiver,
            }
            for stage, entry in catalogue.stages.items()
            if entry.is_evaluated and (given.stages is None or stage in given.stages)
        ]
    return rows


def _option_row(catalogue: Catalogue, key: str, option: Option) -> Row:
    limit = catalogue.indicators[option.sets_limit].limits["district"] if option.sets_limit else None
    return {
        "option": key,
        "name": option.name,
        "type": option.type,
        "default_value": _as_text(option.default) if limit is None else str(limit),
        "allowed": option.allowed,
        "minimum": option.minimum if limit is None else limit,
    }


def _as_text(default: bool | str | list[str] | None) -> str | None:
    if isinstance(default, bool):
        return "true" if default else "false"
    if isinstance(default, list):
        return ",".join(default) or None
    return default
