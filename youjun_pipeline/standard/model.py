"""The entries of a catalogue: the fields of each, and what a number in it must look like.

Keep out: how a catalogue is found and read (`catalogue`), and what several entries must agree on (`checks`).
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

NUMBER = re.compile(r"-?\d+(\.\d+)?")
# Digits before the point and after it, as the DuckDB columns in `tables` hold them.
LIMIT_DIGITS = (12, 6)
PARAMETER_DIGITS = (6, 12)
WEIGHT_DIGITS = (3, 3)


def _exact(digits: tuple[int, int]) -> BeforeValidator:
    """Text to Decimal with at most so many digits before and after the point; anything else is refused."""

    def parse(value: object) -> Decimal:
        if not isinstance(value, str):
            raise PydanticCustomError("exact_number", '数值应写成文本，如 "0.85"，以免二进制舍入')
        if not NUMBER.fullmatch(value):
            raise PydanticCustomError("exact_number", "不是数值")
        whole, _, fraction = value.lstrip("-").partition(".")
        if len(whole.lstrip("0")) > digits[0] or len(fraction) > digits[1]:
            most = {"whole": digits[0], "fraction": digits[1]}
            raise PydanticCustomError(
                "exact_number", "位数过多：整数最多 {whole} 位，小数最多 {fraction} 位", most
            )
        return Decimal(value)

    return BeforeValidator(parse)


Text = Annotated[str, Field(min_length=1)]
Limit = Annotated[Decimal, _exact(LIMIT_DIGITS), Field(ge=0)]
Positive = Annotated[Decimal, _exact(LIMIT_DIGITS), Field(gt=0)]
ParameterValue = Annotated[Decimal, _exact(PARAMETER_DIGITS), Field(gt=0)]
Weight = Annotated[Decimal, _exact(WEIGHT_DIGITS), Field(gt=0)]


class Entry(BaseModel):
    """Base of every part of a catalogue: no guessing of types, no unknown field, no change after loading."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


def _listed(value: object) -> object:
    """A number given alone as the list of dated numbers that it stands for."""
    return value if isinstance(value, list) else [{"value": value}]


class DatedLimit(Entry):
    """A limit and the days it holds, both included, None for no bound; what is `unverified` decides nothing by itself."""

    value: Limit
    starts: date | None = None
    ends: date | None = None
    source: Text | None = None
    unverified: bool = False

    def is_in_force(self, day: date) -> bool:
        """Whether it holds on that day."""
        return (self.starts is None or self.starts <= day) and (self.ends is None or day <= self.ends)


class DatedParameter(DatedLimit):
    """A parameter's value and the days it holds."""

    value: ParameterValue


Limits = Annotated[list[DatedLimit], BeforeValidator(_listed)]


class Stage(Entry):
    """A stage 学段: its weight in the split of shared resources, the limit of its CVs if it is evaluated."""

    name: Text
    split_weight: Weight
    cv_limit: Weight | None = None
    is_evaluated: bool


class SchoolType(Entry):
    """A type of school 办学类型: the stages it teaches by itself, its scope and its size limit."""

    teaches_primary: bool
    teaches_junior: bool
    teaches_senior: bool
    in_scope: bool
    size_variant: Literal["single", "all_through", "forbidden"] | None = None
    min_students: Annotated[int, Field(gt=0)] | None = None


class Parameter(Entry):
    """A single number of the rules; `unit` 比例 is a fraction."""

    name: Text
    unit: Text
    dated: Annotated[list[DatedParameter], BeforeValidator(_listed)] = Field(alias="value")

    @property
    def value(self) -> Decimal:
        """The value in force; of a catalogue that was not asked for a day (`Catalogue.on`), the newest."""
        return self.dated[-1].value


class Input(Entry):
    """A reported figure (`dataset.column`) of a numerator: added or subtracted, in some stages, by some waiver.

    `times` names the parameter that brings it to the indicator's unit.
    """

    input: Annotated[str, Field(pattern=r"^\w+\.\w+$")]
    is_subtracted: bool = False
    times: Text | None = None
    stages: list[Text] | None = None
    waiver: Text | None = None


Term = Annotated[str, Field(pattern=r"^-?\w+(\.\w+)+$")]


class Part(Entry):
    """A ratio that an indicator is judged by: sums of reported figures against one of the indicator's limits.

    A term is `dataset.column` (`assurance.<item>` for an item), with a minus where it is taken off. `scope` holds words
    of `ratio_checks.SCOPE_WORDS`. `judged`: the sum over all units, each unit by itself, or as the funding of small schools.
    `if_nobody` and `if_no_school` say what a denominator of 0 and a scope without a school mean.
    """

    name: Text
    numerator: list[Term]
    denominator: list[Term] = []
    limit: Text = "district"
    stage: Text | None = None
    scope: list[Text] = []
    is_share: bool = False
    judged: Literal["sum", "each", "funding"] = "sum"
    if_nobody: Literal["not_applicable", "no_data"] = "not_applicable"
    if_no_school: Literal["not_applicable", "no_data"] = "no_data"
    shown_numerator: Text | None = None
    shown_denominator: Text | None = None
    shown_unit: Text | None = None

    @property
    def dataset(self) -> str:
        """The dataset whose figures the part is made of."""
        return self.numerator[0].lstrip("-").partition(".")[0]


class Item(Entry):
    """A figure that districts report for an indicator in `assurance`, as `<indicator>.<key>`."""

    name: Text
    unit: Text


class Indicator(Entry):
    """An indicator: what it is called, how it is formed, and its limits by `limit_by`."""

    name: Text
    short_name: Text
    category: Literal["resource", "government", "quality", "recognition", "veto"]
    level: Literal["section", "school", "district"]
    unit: Text
    gap_unit: Text | None = None
    direction: Literal["at_least", "at_most", "below", "evidence", "not_occur", "formula"]
    limit_by: Literal["stage", "size", "district"] | None = None
    dated_limits: dict[str, Limits] = Field(default={}, alias="limits")
    clause: Text
    display_decimals: Annotated[int, Field(ge=0)]
    per: Positive | None = None
    is_split: bool = False
    evidence_based: bool = False
    needs_evidence: bool = False
    needs_options: list[Text] = []
    inputs: list[Input] = []
    other_names: list[Text] = []
    parts: list[Part] = []
    items: dict[str, Item] = {}
    numerator_text: Text
    denominator_text: Text
    formula_text: Text

    @property
    def limits(self) -> dict[str, Decimal]:
        """The limit of each variant in force; of a catalogue that was not asked for a day, the newest."""
        return {variant: dated[-1].value for variant, dated in self.dated_limits.items()}


class WaiverParameter(Entry):
    """A condition or number of a waiver: either a number or a word."""

    value: Limit | None = None
    text: Text | None = None


class Waiver(Entry):
    """A waiver 过渡政策 of one indicator, in force from `starts` to `ends`, both included.

    It holds for a school that meets every condition of one list of `any_of`; `adds` names figures that then count in a
    resource's numerator.
    """

    indicator_code: Text
    name: Text
    starts: date
    ends: date
    effect_text: Text
    any_of: list[list[Text]]
    adds: list[Annotated[str, Field(pattern=r"^\w+\.\w+$")]] = []
    parameters: dict[str, WaiverParameter] = {}


class Option(Entry):
    """A setting of a district.

    `sets_limit` names the indicator whose district limit it raises, never lowers. What is below the `minimum` of a day
    counts as that minimum.
    """

    name: Text
    type: Literal["flag", "choice", "list", "number", "integer"]
    default: bool | str | list[str] | None = None
    allowed: list[Text] | None = None
    dated_minimum: Limits = Field(default=[], alias="minimum")
    sets_limit: Text | None = None

    @property
    def minimum(self) -> Decimal | None:
        """The least that was ever allowed: the day of a phase decides which floor holds."""
        return min((d.value for d in self.dated_minimum if not d.unverified), default=None)


class RespondentGroup(Entry):
    """A group that the recognition survey must ask: other words for it, and its least share of all who answered."""

    words: list[Text] = []
    least_share: Weight | None = None


class Monitoring(Entry):
    """What national monitoring examines: the grade of each stage, and the subjects with other words for them."""

    grades: dict[str, int]
    subjects: dict[str, list[Text]]


class Watched(Entry):
    """A figure that plans promise and the standard does not judge: reported, deciding nothing.

    `figure` is an item of `district_figures`, divided by another where `per` names one. `rule`: it may not fall from one
    year to the next, or it is only shown.
    """

    name: Text
    unit: Text
    figure: Text
    per: Text | None = None
    rule: Literal["never_less", "shown"]
    source: Text
