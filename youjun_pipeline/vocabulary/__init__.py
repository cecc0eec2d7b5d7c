"""Chinese words for coded values, each said once (`words.toml`).

Everything that people read asks here: SQL macros, views, site, forms, explanations. Keep out: names of tables and columns
(`models/tables`), of datasets' headers (`contracts`) and of indicators (`standard`); signs and colours (`site`).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

WORDS = Path(__file__).with_name("words.toml")
FLOOR = "{floor}"
# A word with a floor in it, where no catalogue is at hand: what has no floor of its own is called so in general.
SOME_FLOOR = "底线"


@cache
def vocabulary() -> Mapping[str, Mapping[str, str]]:
    """Every word by kind and code, as written: {floor} stands for the floor."""
    return tomllib.loads(WORDS.read_text(encoding="utf-8"))


def words(kind: str, floor: str = SOME_FLOOR) -> dict[str, str]:
    """The words of one kind by code; `floor` as it is to be read, such as 85%."""
    return {code: word.replace(FLOOR, floor) for code, word in vocabulary()[kind].items()}


def word(kind: str, code: str | None, floor: str = SOME_FLOOR) -> str | None:
    """The word for a code; a code that is not known stays as it is, so that it is seen and not hidden."""
    return None if code is None else words(kind, floor).get(code, code)


def status_word(status: str | None, floor: str = SOME_FLOOR, *, has_floor: bool = False) -> str:
    """A status in words; an indicator with a floor says on which side of it the value is. None is told as missing data."""
    code = status or "no_data"
    known = words("status", floor) | (words("status_with_floor", floor) if has_floor else {})
    return known.get(code, code)


def shortened(items: Sequence[object], most: int = 20) -> str:
    """Items as a message lists them; of many, the first ones and how many there are."""
    shown = "、".join(str(item) for item in items[:most])
    return shown if len(items) <= most else f"{shown} 等 {len(items)} 处"


def macros() -> str:
    """SQL macros of the same words: `status_word(status)`, `stage_word(stage)`, `passes_word(passes)`.

    `status_word` reads the floor from the variable `floor_word`, which is set when a run begins.
    """
    status = _case("status", words("status", "'||getvariable('floor_word')||'"), words("status")["no_data"])
    return "\n".join(
        f"create or replace temp macro {name}({column}) as {body};"
        for name, column, body in (
            ("status_word", "status", status),
            ("stage_word", "stage", _case("stage", words("stage"), "")),
        )
    )


def _case(column: str, known: Mapping[str, str], other: str) -> str:
    cases = " ".join(f"when '{code}' then '{text}'" for code, text in known.items())
    return f"case {column} {cases} else '{other}' end"
