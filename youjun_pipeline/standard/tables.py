"""A catalogue as rows of the schema `standard`, where SQL finds every number it judges by.

Belongs here: the columns of these tables and the way from the model to rows. Keep out: creating or filling
the tables (`warehouse`) and the meaning of the entries (`catalogue`).
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from youjun_pipeline.standard.catalogue import Catalogue
from youjun_pipeline.standard.model import Indicator, Input, Option, Waiver

Row = dict[str, Any]

# Days a number holds, both included; null for no bound.
DATED = {"starts": "DATE", "ends": "DATE", "source": "VARCHAR", "unverified": "BOOLEAN"}
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
        "needs_evidence": "BOOLEAN",
        "needs_options": "VARCHAR[]",
        "other_names": "VARCHAR[]",
        "numerator_text": "VARCHAR",
        "denominator_text": "VARCHAR",
        "formula_text": "VARCHAR",
        "sort_order": "INTEGER",
    },
    # figures that are reported and decide nothing
    "watched": {
        "standard_id": "VARCHAR",
        "watched": "VARCHAR",
        "name": "VARCHAR",
        "unit": "VARCHAR",
        "figure": "VARCHAR",
        "per": "VARCHAR",
        "rule": "VARCHAR",
        "source": "VARCHAR",
        "sort_order": "INTEGER",
    },
    # who is asked about recognition, and what a group may be called
    "respondent_group": {
        "standard_id": "VARCHAR",
        "respondent_group": "VARCHAR",
        "words": "VARCHAR[]",
        "least_share": "DECIMAL(9,6)",
        "sort_order": "INTEGER",
    },
    # what national monitoring examines in a grade, and what a subject may be called
    "monitored_subject": {
        "standard_id": "VARCHAR",
        "stage": "VARCHAR",
        "grade": "INTEGER",
        "subject": "VARCHAR",
        "words": "VARCHAR[]",
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
    # the ratios of an indicator, numbered from 1
    "ratio": {
        "standard_id": "VARCHAR",
        "indicator_code": "VARCHAR",
        "part": "INTEGER",
        "name": "VARCHAR",
        "dataset": "VARCHAR",
        "limit_variant": "VARCHAR",
        "stage": "VARCHAR",
        "scope": "VARCHAR[]",
        "is_share": "BOOLEAN",
        "judged": "VARCHAR",
        "if_nobody": "VARCHAR",
        "if_no_school": "VARCHAR",
    },
    # the figures of a ratio: added with `sign` to its numerator or its denominator
    "term": {
        "standard_id": "VARCHAR",
        "indicator_code": "VARCHAR",
        "part": "INTEGER",
        "is_numerator": "BOOLEAN",
        "input": "VARCHAR",
        "sign": "INTEGER",
    },
    # what official tables show of an indicator: an item, or the sum that is a ratio's numerator or denominator
    "figure": {
        "standard_id": "VARCHAR",
        "indicator_code": "VARCHAR",
        "figure_no": "INTEGER",
        "item": "VARCHAR",
        "part": "INTEGER",
        "is_numerator": "BOOLEAN",
        "name": "VARCHAR",
        "unit": "VARCHAR",
    },
    "limit": {
        "standard_id": "VARCHAR",
        "indicator_code": "VARCHAR",
        "variant": "VARCHAR",
        "value": "DECIMAL(18,6)",
        **DATED,
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
        **DATED,
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
    # a waiver holds for a school that meets all conditions of one alternative
    "waiver_condition": {
        "standard_id": "VARCHAR",
        "waiver": "VARCHAR",
        "alternative": "INTEGER",
        "condition": "VARCHAR",
        "value": "DECIMAL(18,6)",
        "text": "VARCHAR",
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
        "sets_limit": "VARCHAR",
    },
    # the least that an option may be set to
    "floor": {"standard_id": "VARCHAR", "option": "VARCHAR", "value": "DECIMAL(18,6)", **DATED},
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
        **_outside_rows(catalogue),
        "ratio": [row for code, indicator in indicators.items() for row in _ratio_rows(code, indicator)],
        "term": [row for code, indicator in indicators.items() for row in _term_rows(code, indicator)],
        "figure": [row for code, indicator in indicators.items() for row in _figure_rows(code, indicator)],
        "limit": [
            {"indicator_code": code, "variant": variant, **dated.model_dump()}
            for code, indicator in indicators.items()
            for variant, values in indicator.dated_limits.items()
            for dated in values
        ],
        "stage": [{"stage": key, **stage.model_dump()} for key, stage in catalogue.stages.items()],
        "school_type": [
            {"school_type": key, **kind.model_dump()} for key, kind in catalogue.school_types.items()
        ],
        "parameter": [
            {"parameter": key, "name": entry.name, "unit": entry.unit, **dated.model_dump()}
            for key, entry in catalogue.parameters.items()
            for dated in entry.dated
        ],
        "waiver": [{"waiver": key, **waiver.model_dump()} for key, waiver in catalogue.waivers.items()],
        "waiver_condition": [
            row for key, waiver in catalogue.waivers.items() for row in _condition_rows(key, waiver)
        ],
        "waiver_parameter": [
            {"waiver": key, "parameter": name, **entry.model_dump()}
            for key, waiver in catalogue.waivers.items()
            for name, entry in waiver.parameters.items()
        ],
        "option": [_option_row(key, option) for key, option in catalogue.options.items()],
        "floor": [
            {"option": key, **dated.model_dump()}
            for key, option in catalogue.options.items()
            for dated in option.dated_minimum
        ],
    }


def _condition_rows(key: str, waiver: Waiver) -> list[Row]:
    """A condition without a parameter is a flag of the school."""
    return [
        {
            "waiver": key,
            "alternative": number,
            "condition": name,
            "value": waiver.parameters[name].value if name in waiver.parameters else None,
            "text": waiver.parameters[name].text if name in waiver.parameters else None,
        }
        for number, conditions in enumerate(waiver.any_of, start=1)
        for name in conditions
    ]


def _numerator_rows(catalogue: Catalogue, code: str) -> list[Row]:
    rows = []
    added = [
        Input(input=figure, waiver=key)
        for key, waiver in catalogue.waivers.items()
        if waiver.indicator_code == code
        for figure in waiver.adds
    ]
    for given in [*catalogue.indicators[code].inputs, *added]:
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


def _outside_rows(catalogue: Catalogue) -> dict[str, list[Row]]:
    """What the survey and the national monitoring, both from outside, must have asked."""
    return {
        "watched": [
            {"watched": key, "sort_order": number, **entry.model_dump()}
            for number, (key, entry) in enumerate(catalogue.watched.items(), start=1)
        ],
        "respondent_group": [
            {
                "respondent_group": key,
                "words": [key, *group.words],
                "least_share": group.least_share,
                "sort_order": number,
            }
            for number, (key, group) in enumerate(catalogue.respondent_groups.items(), start=1)
        ],
        "monitored_subject": [
            {"stage": stage, "grade": grade, "subject": subject, "words": [subject, *words]}
            for stage, grade in catalogue.monitoring.grades.items()
            for subject, words in catalogue.monitoring.subjects.items()
        ],
    }


def _ratio_rows(code: str, indicator: Indicator) -> list[Row]:
    return [
        {
            "indicator_code": code,
            "part": number,
            "dataset": part.dataset,
            "limit_variant": part.limit,
            **part.model_dump(),
        }
        for number, part in enumerate(indicator.parts, start=1)
    ]


def _term_rows(code: str, indicator: Indicator) -> list[Row]:
    return [
        {
            "indicator_code": code,
            "part": number,
            "is_numerator": is_numerator,
            "input": term.lstrip("-"),
            "sign": -1 if term.startswith("-") else 1,
        }
        for number, part in enumerate(indicator.parts, start=1)
        for is_numerator, terms in ((True, part.numerator), (False, part.denominator))
        for term in terms
    ]


def _figure_rows(code: str, indicator: Indicator) -> list[Row]:
    rows: list[Row] = [
        {"item": f"{code}.{key}", "part": None, "is_numerator": None, "name": item.name, "unit": item.unit}
        for key, item in indicator.items.items()
    ]
    rows += [
        {"item": None, "part": number, "is_numerator": is_numerator, "name": name, "unit": part.shown_unit}
        for number, part in enumerate(indicator.parts, start=1)
        for is_numerator, name in ((False, part.shown_denominator), (True, part.shown_numerator))
        if name
    ]
    return [{"indicator_code": code, "figure_no": number, **row} for number, row in enumerate(rows, start=1)]


def _option_row(key: str, option: Option) -> Row:
    return {
        "option": key,
        "name": option.name,
        "type": option.type,
        "default_value": _as_text(option.default),
        "allowed": option.allowed,
        "sets_limit": option.sets_limit,
    }


def _as_text(default: bool | str | list[str] | None) -> str | None:
    if isinstance(default, bool):
        return "true" if default else "false"
    if isinstance(default, list):
        return ",".join(default) or None
    return default
