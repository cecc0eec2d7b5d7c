"""The names that papers use for an indicator, a stage, a finding and the progress of a measure.

Keep out: words for coded values (`vocabulary`), formats of figures (`words`).
"""

from __future__ import annotations

import re

from youjun_pipeline import vocabulary
from youjun_pipeline.reports.evaluation import Row
from youjun_pipeline.standard import Catalogue

STATES = vocabulary.words("state")


def indicator_words(catalogue: Catalogue, code: str | None) -> str:
    """An indicator's code and short name; a code of no indicator stays as it is."""
    known = catalogue.indicators.get(code or "")
    return f"{code} {known.short_name}" if known else code or "认不出指标"


def item_words(finding: Row) -> str:
    """The subject of a finding: the school, the coefficient of a stage, or the district's item."""
    if finding["school_name"]:
        return str(finding["school_name"])
    if finding["level"] == "stage":
        return "校际差异系数"
    if finding["item"] == finding["indicator_code"]:
        return "全县事项"
    # an item of monitoring is a grade and a subject: 4科学
    named = re.fullmatch(r"(\d+)(\D+)", finding["item"])
    return f"{named[1]} 年级{named[2]}" if named else str(finding["item"])


def stage_word(catalogue: Catalogue, stage: str | None) -> str:
    """A finding's stage in words; judgements on a school of both stages have the stage `compulsory`."""
    return (
        catalogue.stages[stage].name if stage in catalogue.stages else vocabulary.word("stage", stage) or ""
    )


# Rooms have a need that a school may not reach; pupils have a limit that a school may exceed.
_LIMIT_WORDS = {"formula": "需", "at_most": "限"}


def limit_word(direction: str) -> str | None:
    """The word before the limit of a failing value; None if all schools of a stage have the same limit, which need not be shown.

    `direction` is that of the indicator. If each school has its own limit, the value alone does not say why it fails.
    """
    return _LIMIT_WORDS.get(direction)


def progress_word(item: Row, done: str = "") -> str:
    """The state of a measure or milestone in words, with its percentage if given, and whether it is late."""
    return f"{STATES.get(item['state'], item['state'])}{done}{'，逾期' if item['overdue'] else ''}"


def gap_word(finding: Row, catalogue: Catalogue) -> str | None:
    """What is missing, with its unit; None if nothing is missing."""
    gap = finding["gap"]
    unit = catalogue.indicators[finding["indicator_code"]].gap_unit or ""
    return f"{gap:,.2f}".rstrip("0").rstrip(".") + unit if gap else None
