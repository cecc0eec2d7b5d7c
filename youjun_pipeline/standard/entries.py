"""A catalogue as read: access to its entries without trusting their types, and the problems found in them."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple


class Problem(NamedTuple):
    """One thing wrong: the entry's path in the file (`indicators.R1.limits.junior`) and the reason."""

    entry: str
    reason: str


def section(raw: dict[str, Any], name: str) -> dict[str, dict[str, Any]]:
    """The entries of a section that are tables at all."""
    section = raw.get(name)
    return {k: v for k, v in section.items() if isinstance(v, dict)} if isinstance(section, dict) else {}


def sub(entry: dict[str, Any], name: str) -> dict[str, Any]:
    """The table of that name inside an entry, empty where there is none."""
    value = entry.get(name)
    return value if isinstance(value, dict) else {}


def number(value: object) -> Decimal | None:
    """A number written as text, None for anything else."""
    try:
        return Decimal(value) if isinstance(value, str) else None
    except InvalidOperation:
        return None


def listed(value: object) -> list[Any]:
    """The value if it is a list, else an empty one."""
    return value if isinstance(value, list) else []
