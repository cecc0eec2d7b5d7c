"""What comes in: the model of a dataset's contract, and where the declarations are found.

One TOML per dataset (`datasets/<dataset>.toml`) declares its columns with their names in both languages, types, ranges
and coded values, its key, and the rules between the cells of one row. The reader, the cell parser, the row checks and the
tables that hold the rows all follow it. Belongs here: what a contract can say. Keep out: reading declarations (loader.py),
reading files and checking rows (ingest), and every number of the standard (standard).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field
from pydantic.dataclasses import dataclass

SNAPSHOT, EVENTS = "snapshot", "events"
KINDS = (SNAPSHOT, EVENTS)
WARNING, BLOCKING = "warning", "blocking"
SEVERITIES = (WARNING, BLOCKING)

# Contract type -> type of the column in the working database. ingest/cells.py holds the same as Arrow types.
DUCKDB_TYPES: Mapping[str, str] = {
    "code": "VARCHAR",
    "text": "VARCHAR",
    "names": "VARCHAR",
    "choice": "VARCHAR",
    "count": "BIGINT",
    "year": "INTEGER",
    "grade": "INTEGER",
    "level": "INTEGER",
    "amount": "DECIMAL(18,6)",
    "percent": "DECIMAL(9,6)",
    "rate": "DECIMAL(12,9)",
    "date": "DATE",
    "flag": "BOOLEAN",
}
NUMBER_TYPES = frozenset({"count", "year", "grade", "level", "amount", "percent", "rate"})
WORD_TYPES = frozenset({"code", "text", "names", "choice"})

# Hard bounds that hold for every column of the type; a column may narrow them. Upper bounds of counts and amounts are far
# beyond any district: they keep one absurd cell from overflowing the exact decimals that judgements are computed in.
TYPE_RANGES: Mapping[str, tuple[int | None, int | None]] = {
    "count": (0, 100_000_000),
    "amount": (None, 100_000_000_000),
    "year": (1800, 2100),
    "grade": (1, 9),
    "level": (1, 10),
    "percent": (0, 100),
    "rate": (0, 1),
}

# Columns that every stored row carries beside those of its contract.
ROW_COLUMNS = ("content_sha256", "sheet", "row_number")

# What a rejected row may still say of what it belongs to (`Dataset.hides`), with its type in the working database.
HIDDEN_COLUMNS: Mapping[str, str] = {
    "school_code": "VARCHAR",
    "stage": "VARCHAR",
    "item": "VARCHAR",
    "year": "INTEGER",
}

# How a unit may be written in the brackets after a header. 元 is not 万元: a header in another unit is another quantity.
UNIT_SPELLINGS: Mapping[str, tuple[str, ...]] = {
    "人": ("人", "名", "位"),
    "㎡": ("㎡", "m²", "平方米", "平米"),
    "万元": ("万元",),
    "间": ("间", "个"),
    "所": ("所",),
    "个": ("个",),
    "%": ("%", "百分比"),
    "份": ("份", "人"),
    "班": ("班", "个"),
    "米": ("米", "m"),
}

# The first cell of a sheet that comes with a template to help and is not to be read: instructions, lists, sums. A sheet's
# name would not do, since somebody may keep data under any name.
HELPER_SHEET = "本页不是填报数据"

# Characters that nobody sees, and that are no blank: marks of direction and of joining (Unicode's category Cf), variation
# selectors, fillers, control characters. Programs paste them along with names and codes.
_INVISIBLE_RANGES = (
    *((0x00, 0x08), (0x0E, 0x1B), (0x7F, 0x84), (0x86, 0x9F), (0xAD, 0xAD), (0x34F, 0x34F), (0x600, 0x605)),
    *((0x61C, 0x61C), (0x6DD, 0x6DD), (0x70F, 0x70F), (0x890, 0x891), (0x8E2, 0x8E2), (0x115F, 0x1160)),
    *((0x17B4, 0x17B5), (0x180B, 0x180F), (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F)),
    *((0x2800, 0x2800), (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0)),
    *((0xFFF9, 0xFFFB), (0x110BD, 0x110BD), (0x110CD, 0x110CD), (0x13430, 0x1343F), (0x1BCA0, 0x1BCA3)),
    *((0x1D173, 0x1D17A), (0xE0001, 0xE0001), (0xE0020, 0xE007F), (0xE0100, 0xE01EF)),
)
INVISIBLE = "".join(chr(c) for first, last in _INVISIBLE_RANGES for c in range(first, last + 1))
_INVISIBLE = re.compile(f"[{INVISIBLE}]+")


# The same headers and words come with every file: without the memory folding them is a tenth of reading 400 small files.
@lru_cache(maxsize=20_000)
def fold_word(text: str) -> str:
    """Reduce a header, a coded value or a file stem to what it is compared by.

    Full-width characters and compatibility forms become plain ones (㎡ -> m2, Ⅲ -> iii), case, blanks, line breaks,
    invisible characters and underscores go.
    """
    folded = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text).casefold())
    return "".join(c for c in folded if not c.isspace() and c != "_")


# Columns that say where a row was collected: known in every dataset, and not read.
PROVENANCE = ("来源文件", "来源行", "填报单位", "填表人", "审核人")


@dataclass(frozen=True)
class Failure:
    """Why the content of a file is unusable as a whole: a rule's name and, for the district, a message in Chinese."""

    rule: str
    message: str


# A part of a declaration: read by pydantic from the TOML file, which may say nothing that is not known here.
_DECLARED = ConfigDict(extra="forbid", validate_by_name=True, validate_by_alias=True)


def _range(value: Any) -> Any:
    return (value.get("min"), value.get("max")) if isinstance(value, dict) else value


@dataclass(frozen=True, config=_DECLARED)
class Column:
    """One column of a dataset.

    `values` maps each stored value of a choice to the other spellings of it; an `is_open` choice keeps what it does not
    know as text. `words` maps words to the number they stand for in a number column. `low` and `high` are inclusive.
    `month_means_end`: a month given for a date means its last day. `latin`: a code of digits, Latin letters and hyphens only,
    so that a name or a remark in its place is noticed. `is_day`: a code that may be a day, where others that look like one
    are taken for `1-2` turned into a date by a spreadsheet. `per_student`: what the figure divided by the school's pupils
    plausibly lies between (either may be None); no limit of the standard, only a reason to ask.
    """

    name: str
    zh: str
    type: str
    required: bool = False
    low: Decimal | None = Field(default=None, alias="min")
    high: Decimal | None = Field(default=None, alias="max")
    values: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    is_open: bool = Field(default=False, alias="open")
    words: Mapping[str, str] = Field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    unit: str | None = None
    month_means_end: bool = False
    latin: bool = False
    is_day: bool = False
    per_student: Annotated[tuple[Decimal | None, Decimal | None] | None, BeforeValidator(_range)] = None
    comment: str = ""

    @property
    def duckdb_type(self) -> str:
        return DUCKDB_TYPES[self.type]

    @property
    def description(self) -> str:
        """The column's comment in Chinese, for a database or a page."""
        return f"{self.zh}：{self.comment}" if self.comment else self.zh

    @cached_property
    def spellings(self) -> dict[str, str]:
        """Folded spelling -> stored value, for a choice."""
        return {fold_word(word): stored for stored, words in self.values.items() for word in (stored, *words)}

    def accepts_unit(self, written: str) -> bool:
        """Whether `written`, the text in brackets after the header, is this column's unit."""
        spellings = UNIT_SPELLINGS.get(self.unit, (self.unit,)) if self.unit else ()
        return fold_word(written) in {fold_word(s) for s in spellings}


@dataclass(frozen=True, config=_DECLARED)
class AtMost:
    """The given ones of `sum` add up to no more than all of `of`; not tested where one of `of` is missing."""

    sum: tuple[str, ...]
    of: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return (*self.sum, *self.of)


@dataclass(frozen=True, config=_DECLARED)
class Within:
    """A given number lies between `low` and `high`, both inclusive; for bounds that depend on another cell."""

    column: str
    low: Decimal | None = Field(default=None, alias="min")
    high: Decimal | None = Field(default=None, alias="max")

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,)


@dataclass(frozen=True, config=_DECLARED)
class NotBetween:
    """A given number does not lie strictly between `above` and `below`."""

    column: str
    above: Decimal
    below: Decimal

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,)


@dataclass(frozen=True, config=_DECLARED)
class AnyGiven:
    """At least one of the columns is given."""

    columns: tuple[str, ...]


@dataclass(frozen=True, config=_DECLARED)
class Known:
    """The value of an open choice is one of those declared."""

    column: str

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,)


Test = AtMost | Within | NotBetween | AnyGiven | Known
TESTS = ("at_most", "within", "not_between", "any_given", "known")


@dataclass(frozen=True, config=_DECLARED)
class Rule:
    """A named test between the cells of one row, made where every column of `when` holds one of its values."""

    name: str
    message: str
    severity: str = WARNING
    when: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    at_most: AtMost | None = None
    within: Within | None = None
    not_between: NotBetween | None = None
    any_given: AnyGiven | None = None
    known: Known | None = None

    @property
    def tests(self) -> list[Test]:
        """The tests that are declared; a rule is to have one."""
        return [test for test in map(vars(self).get, TESTS) if test]

    @property
    def test(self) -> Test:
        return self.tests[0]

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column the rule looks at, each once, conditions first."""
        return tuple(dict.fromkeys((*self.when, *self.test.columns)))


@dataclass(frozen=True, eq=False, config=_DECLARED)
class Dataset:
    """The contract of one dataset. Compared by identity, so that what is derived from it can be cached.

    For a snapshot `key` identifies the row and may occur once in a file; for events it identifies a report, and a later
    delivery's report with the same key wins. `hides` names, per HIDDEN_COLUMNS, the column of the key that tells what a
    rejected row belongs to; whatever is not named, or cannot be read in the row, may be anything. `informational` are
    headers of columns that help whoever fills in the file, such as the school's name beside its code: known, so that nobody is
    troubled by a notice, and not read. `prefilled` are columns that say only which thing a row is about, and stand in a
    template already: the key's where none are declared. `empty_means` is what an empty delivery would come to, in Chinese.
    """

    name: str
    title: str
    kind: str
    key: tuple[str, ...]
    columns: Mapping[str, Column]
    rules: tuple[Rule, ...] = ()
    aliases: tuple[str, ...] = ()
    informational: tuple[str, ...] = ()
    hides: Mapping[str, str] = Field(default_factory=dict)
    comment: str = ""
    prefilled: tuple[str, ...] = ()
    empty_means: str = ""

    @cached_property
    def required(self) -> tuple[str, ...]:
        """Columns a file must have and every row must fill."""
        return tuple(name for name, column in self.columns.items() if column.required)

    @cached_property
    def required_key(self) -> tuple[str, ...]:
        """Key columns without which a row cannot be told from others."""
        return tuple(name for name in self.key if self.columns[name].required)

    @cached_property
    def telling(self) -> tuple[str, ...]:
        """Columns that say something of the thing a row is about; none where naming it says all."""
        return tuple(name for name in self.columns if name not in (self.prefilled or self.key))

    @cached_property
    def informational_headers(self) -> frozenset[str]:
        """Folded headers that are known and not read."""
        known = (*self.informational, *(h for h in PROVENANCE if fold_word(h) not in self.headers))
        return frozenset(fold_word(header) for header in known)

    @cached_property
    def headers(self) -> dict[str, str]:
        """Folded header (`fold_word`) -> column name: English name, Chinese name, aliases.

        A Chinese name that ends in its unit, such as 公用经费预算(万元), is found without it too.
        """
        return {
            fold_word(header): column.name
            for column in self.columns.values()
            for header in header_names(column)
        }


def is_helper_sheet(first_cell: str) -> bool:
    """Whether a sheet that begins with this cell says of itself that it holds no data (see HELPER_SHEET)."""
    return fold_word(first_cell).startswith(fold_word(HELPER_SHEET))


def header_names(column: Column) -> tuple[str, ...]:
    """Every header a column answers to, as declared; the Chinese ones without a trailing unit as well."""
    names = [column.name]
    for name in (column.zh, *column.aliases):
        plain = unicodedata.normalize("NFKC", name)
        if plain.endswith(")") and "(" in plain and column.accepts_unit(plain[plain.rindex("(") + 1 : -1]):
            names.append(plain[: plain.rindex("(")])
        names.append(name)
    return tuple(names)
