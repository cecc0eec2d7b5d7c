"""What a catalogue must hold as a whole: the entries that computations name, and agreement between entries.

These checks look at the file as read, not at the validated model, so that a wrong field elsewhere hides none
of their findings. Belongs here: names the SQL relies on, and checks across entries. Keep out: the fields of a
single entry (`catalogue`), and any number of the standard.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

CATEGORY_CODES = {
    "resource": [f"R{n}" for n in range(1, 8)],
    "government": [f"G{n}" for n in range(1, 16)],
    "quality": [f"Q{n}" for n in range(1, 10)],
    "recognition": ["S1"],
    "veto": [f"V{n}" for n in range(1, 8)],
}
CATEGORY_OF = {code: category for category, codes in CATEGORY_CODES.items() for code in codes}
STAGES = ("primary", "junior", "senior")
PARAMETERS = (
    "floor_share",
    "min_met",
    "resource_count",
    "cv_tolerance",
    "classes_per_room",
    "music_room_area_m2",
    "art_room_area_m2",
    "small_school_students",
    "funded_students",
    "rotated_backbone_share",
    "between_school_rate_below",
    "waiver_years",
    "wan_in_yuan",
    "cv_display_decimals",
    "share_display_decimals",
)
# A catalogue may do without a waiver; one it grants needs exactly these.
WAIVER_PARAMETERS = {
    "W3": ("min_students", "max_students", "urban_rural", "or_school_type"),
    "W5": ("max_walk_minutes",),
    "W-G3": ("built_until", "music_room_area_m2", "art_room_area_m2"),
    "W-G3r": (
        "urban_rural",
        "max_students",
        "max_class_students",
        "area_primary_m2",
        "area_junior_m2",
        "area_compulsory_m2",
    ),
    "W-G4": ("built_until", "migrant_share_above", "limit_single", "limit_all_through"),
}
OPTIONS = (
    "include_private",
    "music_art_rule",
    "waivers",
    "special_education_funding_yuan",
    "funding_norm_primary_yuan",
    "funding_norm_junior_yuan",
    "fund_schools_out_of_scope",
    "close_after_days",
)
WITH_LIMITS = ("at_least", "at_most", "below")
WITHOUT_LIMITS = ("evidence", "not_occur", "formula")
SHARE_UNIT = "比例"


class Problem(NamedTuple):
    """One thing wrong: the entry's path in the file (`indicators.R1.limits.junior`) and the reason."""

    entry: str
    reason: str


def cross_check(raw: dict[str, Any]) -> list[Problem]:
    """Every disagreement among the entries of a catalogue as read; fields of a wrong type are passed over."""
    return [
        *_names(raw, "stages", STAGES),
        *_stages(raw),
        *_school_types(raw),
        *_names(raw, "parameters", PARAMETERS),
        *_parameters(raw),
        *_names(raw, "indicators", CATEGORY_OF),
        *_indicators(raw),
        *_waivers(raw),
        *_names(raw, "options", OPTIONS),
        *_options(raw),
    ]


def _section(raw: dict[str, Any], name: str) -> dict[str, dict[str, Any]]:
    """The entries of a section that are tables at all."""
    section = raw.get(name)
    return {k: v for k, v in section.items() if isinstance(v, dict)} if isinstance(section, dict) else {}


def _sub(entry: dict[str, Any], name: str) -> dict[str, Any]:
    value = entry.get(name)
    return value if isinstance(value, dict) else {}


def _number(value: object) -> Decimal | None:
    try:
        return Decimal(value) if isinstance(value, str) else None
    except InvalidOperation:
        return None


def _names(raw: dict[str, Any], name: str, expected: Iterable[str]) -> Iterator[Problem]:
    section, known = raw.get(name), set(expected)
    if not isinstance(section, dict):
        return
    for key in known - section.keys():
        yield Problem(f"{name}.{key}", "缺少此条目，计算要用到它")
    for key in section.keys() - known:
        yield Problem(f"{name}.{key}", f"不认识的条目，没有计算会用到它；可用：{'、'.join(sorted(known))}")


def _stages(raw: dict[str, Any]) -> Iterator[Problem]:
    for key, stage in _section(raw, "stages").items():
        if stage.get("is_evaluated") is True and "cv_limit" not in stage:
            yield Problem(f"stages.{key}.cv_limit", "缺少此项：参加评估的学段要有差异系数限值")
        if stage.get("is_evaluated") is False and "cv_limit" in stage:
            yield Problem(f"stages.{key}.cv_limit", "不参加评估的学段没有差异系数限值")


def _school_types(raw: dict[str, Any]) -> Iterator[Problem]:
    if raw.get("school_types") == {}:
        yield Problem("school_types", "没有任何办学类型")
    for key, school_type in _section(raw, "school_types").items():
        if school_type.get("in_scope") is True and "size_variant" not in school_type:
            yield Problem(f"school_types.{key}.size_variant", "缺少此项：纳入评估的办学类型要有规模限额类别")


def _parameters(raw: dict[str, Any]) -> Iterator[Problem]:
    parameters = _section(raw, "parameters")
    values = {key: _number(entry.get("value")) for key, entry in parameters.items()}
    for key, entry in parameters.items():
        value = values[key]
        if entry.get("unit") == SHARE_UNIT and value is not None and value > 1:
            yield Problem(f"parameters.{key}.value", f"比例应写成不大于1的小数（现为 {value}）")
    count, least = values.get("resource_count"), values.get("min_met")
    resources = sum(entry.get("category") == "resource" for entry in _section(raw, "indicators").values())
    if count is not None and count != resources:
        yield Problem(
            "parameters.resource_count.value", f"与资源配置指标个数 {resources} 不符（现为 {count}）"
        )
    if count is not None and least is not None and least > count:
        yield Problem("parameters.min_met.value", f"多于资源配置指标项数 {count}（现为 {least}）")


def _indicators(raw: dict[str, Any]) -> Iterator[Problem]:
    for code, entry in _section(raw, "indicators").items():
        at = f"indicators.{code}"
        expected = CATEGORY_OF.get(code)
        if expected and isinstance(entry.get("category"), str) and entry["category"] != expected:
            yield Problem(f"{at}.category", f"应为 {expected}（现为 {entry['category']}）")
        if entry.get("is_split") is True and entry.get("category") != "resource":
            yield Problem(f"{at}.is_split", "只有资源配置指标按学段分摊")
        if entry.get("category") == "resource" and "per" not in entry:
            yield Problem(f"{at}.per", "缺少此项：资源配置指标要写明按多少名学生计")
        if entry.get("category") == "resource" and not entry.get("inputs"):
            yield Problem(f"{at}.inputs", "缺少此项：资源配置指标要写明分子由哪些填报数值构成")
        yield from _inputs(raw, at, code, entry)
        yield from _limits(raw, at, entry)


def _inputs(raw: dict[str, Any], at: str, code: str, entry: dict[str, Any]) -> Iterator[Problem]:
    inputs = entry.get("inputs")
    for position, given in enumerate(inputs if isinstance(inputs, list) else []):
        if not isinstance(given, dict):
            continue
        here = f"{at}.inputs.{position}"
        times, waiver, stages = given.get("times"), given.get("waiver"), given.get("stages")
        if isinstance(times, str) and times not in _section(raw, "parameters"):
            yield Problem(f"{here}.times", f"没有这个参数：{times}")
        if isinstance(waiver, str):
            granted = _section(raw, "waivers").get(waiver)
            if granted is None:
                yield Problem(f"{here}.waiver", f"没有这项过渡政策：{waiver}")
            elif granted.get("indicator_code") != code:
                yield Problem(f"{here}.waiver", f"这项过渡政策属于另一指标：{waiver}")
        evaluated = _variants(raw, "stage") or set()
        for stage in stages if isinstance(stages, list) else []:
            if isinstance(stage, str) and stage not in evaluated:
                yield Problem(f"{here}.stages", f"不是参加评估的学段：{stage}")


def _limits(raw: dict[str, Any], at: str, entry: dict[str, Any]) -> Iterator[Problem]:
    limits = _sub(entry, "limits")
    direction = entry.get("direction")
    if direction not in WITH_LIMITS:
        if direction in WITHOUT_LIMITS and ("limit_by" in entry or limits):
            yield Problem(f"{at}.limits", f"{direction} 类指标没有标准值")
        return
    by = entry.get("limit_by")
    if by is None:
        yield Problem(f"{at}.limit_by", "缺少此项：标准值按什么给出（stage、size 或 district）")
        return
    variants = _variants(raw, by)
    if variants is None:
        return
    for variant in variants - limits.keys():
        yield Problem(f"{at}.limits.{variant}", "缺少标准值")
    for variant in limits.keys() - variants:
        yield Problem(f"{at}.limits.{variant}", f"不认识的标准值类别，应为：{'、'.join(sorted(variants))}")
    for variant, text in limits.items():
        value = _number(text)
        if entry.get("unit") == SHARE_UNIT and value is not None and value > 1:
            yield Problem(f"{at}.limits.{variant}", f"比例应写成不大于1的小数（现为 {value}）")


def _variants(raw: dict[str, Any], by: object) -> set[str] | None:
    """The limits an indicator must have, by what its limits go."""
    if by == "stage":
        return {key for key, stage in _section(raw, "stages").items() if stage.get("is_evaluated") is True}
    if by == "size":
        sizes = (school_type.get("size_variant") for school_type in _section(raw, "school_types").values())
        return {size for size in sizes if isinstance(size, str)}
    return {"district"} if by == "district" else None


def _waivers(raw: dict[str, Any]) -> Iterator[Problem]:
    indicators = raw.get("indicators")
    for key, waiver in _section(raw, "waivers").items():
        at = f"waivers.{key}"
        code = waiver.get("indicator_code")
        if isinstance(code, str) and isinstance(indicators, dict) and code not in indicators:
            yield Problem(f"{at}.indicator_code", f"没有这个指标：{code}")
        starts, ends = waiver.get("starts"), waiver.get("ends")
        if isinstance(starts, date) and isinstance(ends, date) and ends < starts:
            yield Problem(f"{at}.ends", f"有效期在开始之前结束：{starts} 至 {ends}")
        parameters = _sub(waiver, "parameters")
        if key not in WAIVER_PARAMETERS:
            yield Problem(at, f"不认识的过渡政策，没有计算会用到它；可用：{'、'.join(WAIVER_PARAMETERS)}")
            continue
        yield from _names({f"{at}.parameters": parameters}, f"{at}.parameters", WAIVER_PARAMETERS[key])
        for name, entry in parameters.items():
            if isinstance(entry, dict) and ("value" in entry) == ("text" in entry):
                yield Problem(f"{at}.parameters.{name}", "value（数值）与 text（文字）应有且只有一个")


def _options(raw: dict[str, Any]) -> Iterator[Problem]:
    for key, option in _section(raw, "options").items():
        at, kind, default = f"options.{key}", option.get("type"), option.get("default")
        allowed = option.get("allowed")
        if kind in ("choice", "list"):
            if not isinstance(allowed, list) or not allowed:
                yield Problem(f"{at}.allowed", "缺少此项：可选的值")
                continue
            chosen = default if isinstance(default, list) else [] if default is None else [default]
            for value in (value for value in chosen if value not in allowed):
                yield Problem(f"{at}.default", f"不在可选值之内：{value}")
        yield from _option_type(raw, at, option)
    waivers = _section(raw, "options").get("waivers", {}).get("allowed")
    for value in waivers if isinstance(waivers, list) else []:
        if isinstance(value, str) and value not in _section(raw, "waivers"):
            yield Problem("options.waivers.allowed", f"没有这项过渡政策：{value}")


def _option_type(raw: dict[str, Any], at: str, option: dict[str, Any]) -> Iterator[Problem]:
    kind, default = option.get("type"), option.get("default")
    fits = {
        "flag": isinstance(default, bool),
        "choice": isinstance(default, str),
        "list": isinstance(default, list),
        "number": _number(default) is not None,
        "integer": isinstance(default, str) and default.isdecimal(),
    }
    if default is not None and isinstance(kind, str) and not fits.get(kind, True):
        yield Problem(f"{at}.default", f"与类型 {kind} 不符（现为 {default!r}）")
    if (code := option.get("sets_limit")) is not None:
        limits = _sub(_section(raw, "indicators").get(str(code), {}), "limits")
        if "district" not in limits:
            yield Problem(f"{at}.sets_limit", f"没有这个指标，或它没有全县标准值：{code}")
        if default is not None or "minimum" in option:
            yield Problem(at, "写了 sets_limit 就不再写 default 和 minimum：两者都是该指标的标准值")
