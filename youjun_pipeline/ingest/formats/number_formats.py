"""What a number format makes of a cell's value, if it shows something else than the value.

A cell means what it shows. 0.5 shown as 50% is 50%, 2024-12-01 shown as 2024年12月 is a month, 12 shown as 0012 is a code of four
digits. If the format shows another number than the stored one (元 shown as 万元), nobody can tell which was meant: such a cell is
refused with the reason. Belongs here: reading format codes (ECMA-376 part 1, 18.8.31). Keep out: cells and files.
"""

from __future__ import annotations

import datetime as dt
import operator
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

# The start of a cell's text if its number format hides or changes the stored value.
DISTORTED = "#数字格式"
MONTH, YEAR, OTHER = "month", "year", "other"
# The days that Excel makes of the numbers 1900 to 2100 when somebody types a year into a date cell.
_TYPED_YEARS = dt.date(1905, 3, 14), dt.date(1905, 9, 30)

# Built-in formats whose code a file may omit (18.8.30; those from 27 on as in Chinese Excel), if they change a value's look.
_MONTH_CODE = 'yyyy"年"m"月"'
BUILTIN = {9: "0%", 10: "0.00%", 17: "mmm-yy", **dict.fromkeys((27, 36, 50, 52, 57), _MONTH_CODE)}

_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"?|[\\!](?P<escaped>.)|_.|\*.|\[(?P<bracket>[^\]]*)\]'
    r"|(?P<general>General|G/通用格式)|(?P<exponent>E[+-])|(?P<code>[0#?@.,%])|(?P<date>[yYmMdDhHsSeEgGbBaA])"
    r"|(?P<literal>.)",
    re.DOTALL,
)
_CONDITION = re.compile(r"(<=|>=|<>|<|>|=)\s*(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)")
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    ">": operator.gt,
    "=": operator.eq,
    "<=": operator.le,
    ">=": operator.ge,
    "<>": operator.ne,
}
# Words after a number that change the number, or mark it as not exact.
_MAGNITUDE = re.compile(r"[万亿兆%％‰元亩顷成折倍+＋±余多kKM]|[百千](?![米克瓦])|以[上下]|左右|公里")
# Signs before a number that its value does not have: 5 shown as -5, (5) or 约5.
_SIGN = re.compile(r"[-－−(（约近超逾±<>＜＞≥≤≈~～]")
# A comma after the last digit of the whole part divides by a thousand.
_DIVIDES = re.compile(r"[0#?](?:[^0#?.]*?),(?:[^0#?]*$|[^0#?]*\.)")


@dataclass(frozen=True)
class Section:
    """One part of a format code.

    `distorts`: it shows another number than the one stored. `is_signed`: it does so for values above zero.
    """

    condition: tuple[str, float] | None
    has_number: bool
    is_percent: bool = False
    distorts: bool = False
    is_signed: bool = False
    least_digits: int = 1
    suffix: str = ""
    words: str = ""


@dataclass(frozen=True)
class NumberFormat:
    """A format that changes the look of some value; `date` is MONTH, YEAR, OTHER (weekday, era) or ""."""

    code: str
    sections: tuple[Section, ...]
    date: str

    def shown(self, value: object, month: bool) -> str | None:
        """A value as text if the format changes it; `month`: whether a month alone may stand for a date."""
        if isinstance(value, dt.date):
            if (
                self.date == YEAR
                and _TYPED_YEARS[0] <= dt.date(value.year, value.month, value.day) <= _TYPED_YEARS[1]
            ):
                return f"{DISTORTED}：存储的像是年份，格式是 {self.code}，显示成了 {value.year}"
            if self.date == YEAR:
                return f"{value.year}"
            return (
                f"{value.year}-{value.month:02}" if self.date == MONTH and month and value.day == 1 else None
            )
        if type(value) not in (int, float):
            return None
        if self.date:
            # The workbook reader does not recognise the date, and gives the number of the day.
            return f"{DISTORTED}：存储的是 {_plain(value)}，格式是 {self.code}"  # type: ignore[arg-type]
        return self._number(float(value))  # type: ignore[arg-type]

    def _number(self, value: float) -> str | None:
        section = self._section(value)
        is_hidden = section is not None and not (section.has_number or section.words)
        is_changed = section is None or section.distorts or (section.is_signed and value > 0)
        if value and (is_changed or is_hidden):
            return f"{DISTORTED}：存储的是 {_plain(value)}，格式是 {self.code}"
        if section is None or section.distorts:
            return None
        if section.is_percent:
            return f"{(Decimal(repr(value)) * 100).normalize():f}%"
        if not section.has_number:
            # A zero shown as a dash or as nothing is still zero: the usual money formats do so.
            return section.words or None
        plain = _plain(value)
        if section.suffix:
            return plain + section.suffix
        return plain.zfill(section.least_digits) if plain.isdecimal() and section.least_digits > 1 else None

    def _section(self, value: float) -> Section | None:
        numbers = self.sections[:3] if len(self.sections) > 3 else self.sections
        if any(section.condition for section in numbers):
            for section in numbers:
                if section.condition is None or _COMPARE[section.condition[0]](value, section.condition[1]):
                    return section
            return None
        if len(numbers) == 1 or value > 0 or (len(numbers) == 2 and value == 0):
            return numbers[0]
        return numbers[1] if value < 0 else numbers[2]


def _plain(value: float | Decimal) -> str:
    return f"{Decimal(repr(value)) if isinstance(value, float) else value:f}" if value % 1 else f"{value:.0f}"


@lru_cache(maxsize=2_000)
def number_format(number: int, code: str | None) -> NumberFormat | None:
    """The format for a number in a file's list and its custom code, if any; None if it changes no value's look."""
    code = BUILTIN.get(number, "") if code is None else code
    if not code or code in ("General", "@"):
        return None
    parsed = [_section(tokens) for tokens in _sections(code)]
    letters = parsed[0][1]
    date = ""
    if letters:
        has_year = bool(letters & {"y", "e"})
        date = (
            {frozenset("m"): MONTH, frozenset(): YEAR}.get(frozenset(letters - {"y", "e"}), "")
            if has_year
            else ""
        )
        if not letters & set("ymdhs"):
            date = date or OTHER
        return NumberFormat(code, (), date) if date else None
    sections = tuple(section for section, _ in parsed)
    if all(s == Section(None, True) for s in sections):
        return None
    return NumberFormat(code, sections, "")


def _sections(code: str) -> Iterator[list[tuple[str, str]]]:
    """The tokens of each section as (kind, text)."""
    tokens: list[tuple[str, str]] = []
    for found in _TOKEN.finditer(code):
        kind = found.lastgroup
        if kind == "literal" and found[0] == ";":
            yield tokens
            tokens = []
        elif kind is not None:
            tokens.append(("literal" if kind in ("quoted", "escaped") else kind, found[kind]))
    yield tokens


def _section(tokens: list[tuple[str, str]]) -> tuple[Section, frozenset[str]]:
    """A section, and the date letters in it."""
    letters = frozenset(text.lower() for kind, text in tokens if kind == "date")
    brackets = [text for kind, text in tokens if kind == "bracket"]
    if any(re.fullmatch("[hHmMsS]+", text) for text in brackets):
        letters |= {"h"}
    condition = next((found for text in brackets if (found := _CONDITION.match(text))), None)
    # Each literal becomes one letter, so that only the program's own digits, points and commas remain.
    shape = "".join(
        text if kind == "code" else "0" if kind == "general" else "x"
        for kind, text in tokens
        if kind != "bracket"
    )
    places = [
        i for i, (kind, text) in enumerate(tokens) if kind == "general" or (kind == "code" and text in "0#?@")
    ]
    literals = [(i, text) for i, (kind, text) in enumerate(tokens) if kind == "literal"]
    words = "".join(text for _, text in literals).strip()
    stated = (condition[1], float(condition[2])) if condition else None
    if not places:
        return Section(stated, False, words=words if any(c.isalnum() for c in words) else ""), letters
    before = "".join(text for i, text in literals if i < places[0])
    inside = "".join(text for i, text in literals if places[0] < i < places[-1])
    behind = "".join(text for i, text in literals if i > places[-1]).strip()
    distorts = (
        any(c.isdigit() for c in words)
        # Blanks and apostrophes may separate thousands, a slash the two parts of a fraction. Any other literal inside makes
        # another text: 1250 shown as 12-50.
        or inside.strip(" /'’\u00a0\u202f\u3000") != ""
        or _DIVIDES.search(shape) is not None
        or shape.count("%") > 1
    )
    whole = shape.partition(".")[0]
    return (
        Section(
            stated,
            True,
            any(kind == "code" and text == "%" for kind, text in tokens),
            distorts,
            _SIGN.search(before) is not None,
            max(1, whole.count("0")) if not any(kind in ("general", "exponent") for kind, _ in tokens) else 1,
            behind if _MAGNITUDE.search(behind) else "",
        ),
        letters,
    )
