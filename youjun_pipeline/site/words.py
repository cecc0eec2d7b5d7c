"""The site's Chinese words: states with a sign each, stages, figures, dates.

A state is never shown by colour alone: every state has its own sign. Keep out: numbers of the standard, HTML.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from youjun_pipeline.reports.words import NOTHING, rounded
from youjun_pipeline.settings import SHANGHAI
from youjun_pipeline.vocabulary import words

NONE_YET = "暂无"


class Sign(NamedTuple):
    """A state as shown: the CSS class for its colour, the sign that shows it without colour, its name."""

    css: str
    sign: str
    name: str


class Signs(dict[Any, Sign]):
    """Signs by state; an unknown state is shown as written, never hidden."""

    def __missing__(self, state: Any) -> Sign:
        return Sign("none", "·", NOTHING if state is None else str(state))


def _signs(kind: str, shown: dict[str, tuple[str, str]]) -> Signs:
    """Signs for codes of one kind of the vocabulary: the CSS class and the sign of each."""
    named = words(kind)
    return Signs({code: Sign(*look, named[code]) for code, look in shown.items()})


STATUS = _signs(
    "status",
    {
        "met": ("met", "✓"),
        "met_by_waiver": ("waived", "◇"),
        "near": ("near", "△"),
        "below": ("below", "✕"),
        "no_data": ("nodata", "?"),
        "not_applicable": ("none", "–"),
    },
)
BLANK = Sign("none", "", "")
FAILING = ("near", "below")

FINDING_STATE = _signs("state", {"open": ("below", "✕"), "reopened": ("below", "↺"), "closed": ("met", "✓")})
WORK_STATE = _signs(
    "state",
    {
        "not_started": ("nodata", "○"),
        "in_progress": ("near", "◐"),
        "done": ("met", "●"),
        "cancelled": ("none", "–"),
        "no_data": ("nodata", "?"),
    },
)
TARGET_STATE = _signs(
    "state",
    {
        "achieved": ("met", "✓"),
        "on_track": ("met", "◐"),
        "behind": ("near", "△"),
        "missed": ("below", "✕"),
        "not_due": ("none", "○"),
        "no_report": ("nodata", "?"),
        "no_data": ("nodata", "?"),
    },
)
SEVERITY = _signs(
    "severity",
    {
        "blocking": ("below", "✕"),
        "serious": ("below", "✕"),
        "warning": ("near", "△"),
        "notice": ("none", "–"),
        "note": ("none", "–"),
    },
)
_PASSES = words("passes")
PASSES = Signs(
    {
        True: Sign("met", "✓", _PASSES["true"]),
        False: Sign("below", "✕", _PASSES["false"]),
        None: Sign("nodata", "?", _PASSES["unknown"]),
    }
)
YES_NO = {True: "是", False: "否", None: NOTHING}

# Reasons why an inspection or a report does not count.
REFUSED = words("refused_because")

STAGE: dict[str | None, str] = {None: "不分学段"}
STAGE.update(words("stage"))
CATEGORY = words("category")
LEVEL = words("level")
TARGET_KIND = words("kind")
BASIS = words("basis")
UNIT_KIND = words("kind")
CAUSE = words("cause")
LEVEL_NUMERAL = {1: "Ⅰ", 2: "Ⅱ", 3: "Ⅲ", 4: "Ⅳ", 5: "Ⅴ"}

# First two digits of GB/T 2260.
PROVINCES = {
    "11": "北京市", "12": "天津市", "13": "河北省", "14": "山西省", "15": "内蒙古自治区", "21": "辽宁省",
    "22": "吉林省", "23": "黑龙江省", "31": "上海市", "32": "江苏省", "33": "浙江省", "34": "安徽省",
    "35": "福建省", "36": "江西省", "37": "山东省", "41": "河南省", "42": "湖北省", "43": "湖南省",
    "44": "广东省", "45": "广西壮族自治区", "46": "海南省", "50": "重庆市", "51": "四川省", "52": "贵州省",
    "53": "云南省", "54": "西藏自治区", "61": "陕西省", "62": "甘肃省", "63": "青海省", "64": "宁夏回族自治区",
    "65": "新疆维吾尔自治区", "71": "台湾省", "81": "香港特别行政区", "82": "澳门特别行政区",
}  # fmt: skip


NOT_JUDGED = Sign("nodata", "?", "缺数据，不能判定")


def verdict_names() -> list[str]:
    """The possible values of `verdict`."""
    return [*dict.fromkeys([*(s.name for s in PASSES.values()), NOT_JUDGED.name])]


def verdict(row: Any) -> Sign:
    """A district's verdict. If only missing data prevent a pass, it says so and is not shown as a failure."""
    fails = row.schools_failing or row.indicators_failing
    if row.passes is not True and not fails and (row.indicators_no_data or not row.schools_in_scope):
        return NOT_JUDGED
    return PASSES[row.passes]


def known_count(known: int | None, unknown: int | None) -> str:
    """How many are known to fail. If no failure is known but some are not judged, words say so instead of 0."""
    if known is None or (known == 0 and unknown):
        return words("status")["no_data"]
    return number(known)


def status(code: str | None) -> str:
    """The name of a status; a dash when there was none."""
    return STATUS[code].name


def region_name(prefix: str) -> str:
    """A province by name; a city by its province and four digits, because no delivered file has names of cities."""
    province = PROVINCES.get(prefix[:2], f"区划 {prefix[:2]}")
    return province if len(prefix) == 2 else f"{province} {prefix}"


@lru_cache(maxsize=200_000)
def number(value: float | int | None, decimals: int = 0) -> str:
    """A figure rounded half up for display, thousands grouped; a dash if there is no figure (never 0)."""
    if value is None:
        return NOTHING
    if isinstance(value, int):
        return f"{value:,}"
    return f"{rounded(value, decimals):,f}"


def plain(value: float | int | None, decimals: int = 2) -> str:
    """Like `number`, without trailing zeros: for gaps and amounts, which are mostly whole."""
    text = number(value, decimals)
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent(value: float | None, decimals: int = 1) -> str:
    """A share (0–1) as per cent."""
    return NOTHING if value is None else number(float(value) * 100, decimals) + "%"


def measure_of(value: float | None, unit: str | None, decimals: int) -> str:
    """An indicator's value with its unit; shares as per cent."""
    if value is None:
        return NOTHING
    if unit == "比例":
        return percent(value, decimals)
    return number(value, decimals) + (f" {unit}" if unit else "")


def day(value: date | None) -> str:
    """A date in the form that sorts correctly and that everybody reads: 2024-06-30."""
    return NOTHING if value is None else value.isoformat()


def moment(value: datetime | None) -> str:
    """A time of the publication (UTC, without a zone) as Beijing time: 2026-01-02 08:30."""
    return NOTHING if value is None else f"{value.replace(tzinfo=UTC).astimezone(SHANGHAI):%Y-%m-%d %H:%M}"


def slippage(days: int | None) -> str:
    """Days late or early, in words."""
    if days is None:
        return NOTHING
    return f"推迟 {days} 天" if days > 0 else f"提前 {-days} 天" if days < 0 else "按期"


@lru_cache(maxsize=50_000)
def initials(name: str) -> str:
    """The first letter of each character's pronunciation: yc for 杨村; letters and digits stay."""
    from pypinyin import Style, lazy_pinyin

    return "".join(lazy_pinyin(name, style=Style.FIRST_LETTER)).lower()
