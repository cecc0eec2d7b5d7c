"""How the site says things in Chinese: states with a sign each, stages, figures, dates.

A state is never told by colour alone: every one has its own sign. Keep out: numbers of the standard, HTML.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

from youjun_pipeline.reports.words import NOTHING, rounded

NONE_YET = "暂无"


class Sign(NamedTuple):
    """A state as shown: the CSS class that colours it, the sign that tells it without colour, its name."""

    css: str
    sign: str
    name: str


class Signs(dict[Any, Sign]):
    """Signs by state; a state that is not known here is shown as it is written, never hidden."""

    def __missing__(self, state: Any) -> Sign:
        return Sign("none", "·", NOTHING if state is None else str(state))


STATUS = Signs(
    {
        "met": Sign("met", "✓", "达标"),
        "met_by_waiver": Sign("waived", "◇", "按过渡政策达标"),
        "near": Sign("near", "△", "未达标，不低于底线"),
        "below": Sign("below", "✕", "不达标"),
        "no_data": Sign("nodata", "?", "缺数据"),
        "not_applicable": Sign("none", "–", "不适用"),
    }
)
BLANK = Sign("none", "", "")
FAILING = ("near", "below")

FINDING_STATE = Signs(
    {
        "open": Sign("below", "✕", "未解决"),
        "reopened": Sign("below", "↺", "再次出现"),
        "closed": Sign("met", "✓", "已解决"),
    }
)
WORK_STATE = Signs(
    {
        "not_started": Sign("nodata", "○", "未启动"),
        "in_progress": Sign("near", "◐", "进行中"),
        "done": Sign("met", "●", "已完成"),
        "cancelled": Sign("none", "–", "已取消"),
    }
)
TARGET_STATE = Signs(
    {
        "achieved": Sign("met", "✓", "已完成"),
        "on_track": Sign("met", "◐", "进度正常"),
        "behind": Sign("near", "△", "进度落后"),
        "missed": Sign("below", "✕", "到期未完成"),
        "not_due": Sign("none", "○", "未到期"),
        "no_report": Sign("nodata", "?", "到期未填报"),
        "no_data": Sign("nodata", "?", "计划值或期间读不出"),
    }
)
SEVERITY = Signs(
    {
        "blocking": Sign("below", "✕", "阻止发布"),
        "serious": Sign("below", "✕", "必须改正"),
        "warning": Sign("near", "△", "应当核实"),
        "notice": Sign("none", "–", "告知"),
        "note": Sign("none", "–", "提示"),
    }
)
PASSES = Signs(
    {
        True: Sign("met", "✓", "通过"),
        False: Sign("below", "✕", "未通过"),
        None: Sign("nodata", "?", "未定"),
    }
)
YES_NO = {True: "是", False: "否", None: NOTHING}

STAGE = {"primary": "小学", "junior": "初中", "compulsory": "小学和初中", None: "不分学段"}
CATEGORY = {
    "resource": "资源配置",
    "government": "政府保障程度",
    "quality": "教育质量",
    "recognition": "社会认可度",
    "veto": "一票否决",
}
LEVEL = {"school": "学校", "stage": "学段", "district": "全县"}
TARGET_KIND = {"period": "当期", "cumulative": "累计", "point": "时点"}
BASIS = {"planned": "按计划", "slippage": "按延期情况", "verified": "只计已验收"}
UNIT_KIND = {"unit": "责任单位", "section": "责任科室"}
CAUSE = {
    "enrolment": "学生数变化",
    "resource": "资源变化",
    "rule": "标准或过渡政策变化",
    "roster": "学校增减",
    "merged": "并入他校",
    "closed": "撤销",
    "opened": "新建",
    "out_of_scope": "纳入范围变化",
    "correction": "数据补报、缺报或更正",
}
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


def status(code: str | None) -> str:
    """The name of a status; a dash when there was none."""
    return STATUS[code].name


def region_name(prefix: str) -> str:
    """A province by name; a city, whose names are in no delivered file, by its province and the first four digits."""
    province = PROVINCES.get(prefix[:2], f"区划 {prefix[:2]}")
    return province if len(prefix) == 2 else f"{province} {prefix}"


@lru_cache(maxsize=200_000)
def number(value: float | int | None, decimals: int = 0) -> str:
    """A figure rounded half up for display, thousands grouped; a dash when there is none (never 0)."""
    if value is None:
        return NOTHING
    if isinstance(value, int):
        return f"{value:,}"
    return f"{rounded(value, decimals):,f}"


def plain(value: float | int | None, decimals: int = 2) -> str:
    """Like `number`, without the zeros at the end: gaps and amounts that are mostly whole."""
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
    """A date as it is sorted and read everywhere: 2024-06-30."""
    return NOTHING if value is None else value.isoformat()


def slippage(days: int | None) -> str:
    """Days late or early, in words."""
    if days is None:
        return NOTHING
    return f"推迟 {days} 天" if days > 0 else f"提前 {-days} 天" if days < 0 else "按期"
