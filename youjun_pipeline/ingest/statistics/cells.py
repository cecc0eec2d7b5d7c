"""What is read from the statistics: single cells, each with its content and its place.

Belongs here: the shape, and what an entry such as `*` or -1 means. Keep out: how cells are found and how they are used.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import NamedTuple

# Whose figures a cell holds: the school's own; those of classes attached to it (附设班, of a stage that it does not teach
# itself); or those of a site that does not count as a school (是否计校数 0), which belong to its parent.
SCHOOL, ATTACHED, SITE = "school", "attached", "site"

# 办学类型 of attached classes and of kindergartens, as code and as word.
ATTACHED_TYPES = frozenset(
    {"219", "319", "349", "小学班", "初中班", "高中班", "附设小学班", "附设初中班", "附设高中班"}
)
PASSED_OVER_TYPES = frozenset(
    {"111", "112", "119", "519", "幼儿园", "幼儿班", "附设幼儿班", "特教班", "附设特教班"}
)


class Cell(NamedTuple):
    """One cell. `item` tells the rows of class_bands apart (26-30); `sheet`, `row`, `letter` are as Excel shows them.

    `value` is the text as read; `parent` is the school that a site or attached classes belong to, by code or by name.
    """

    school_code: str
    dataset: str
    column: str
    stage: str
    item: str
    value: str
    role: str
    parent: str
    member: str
    sheet: str
    row: int
    letter: str
    label: str


def figure(value: str) -> str | None:
    """An entry of a form that was delivered: empty is 0; `*` (not applicable) and -1 (not reported) are no value."""
    if not value:
        return "0"
    if value[0] in "*＊" or value in ("-1", "-1.0", "－1"):
        return None
    return value


def number(value: str) -> Decimal | None:
    """The number in an entry, None if it is no number; for adding up and comparing, not for judging."""
    try:
        found = Decimal(value.replace(",", ""))
    except InvalidOperation:
        return None
    return found if found.is_finite() else None
