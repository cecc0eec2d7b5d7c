"""What a catalogue must hold as a whole: the entries that computations name, and agreement between entries.

These checks look at the file as read, not at the validated model, so that a wrong field elsewhere hides none
of their findings. Belongs here: names the SQL relies on, and checks across entries. Keep out: the fields of a
single entry (`catalogue`), ratios, limits and waivers (`ratio_checks`, `waiver_checks`), and any number of the standard.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from youjun_pipeline.standard.entries import Problem, number, section, sub
from youjun_pipeline.standard.ratio_checks import (
    SHARE_UNIT,
    check_dated,
    check_limits,
    check_parts,
    variants_of,
)
from youjun_pipeline.standard.waiver_checks import check_waivers

# The first letter of an indicator's code says its category; which codes there are is the catalogue's own affair.
CATEGORY_OF = {"R": "resource", "G": "government", "Q": "quality", "S": "recognition", "V": "veto"}
CODE = re.compile(f"[{''.join(CATEGORY_OF)}][1-9][0-9]*")
# Indicators with a formula of their own in SQL, which names them by code; docs/indicator-codes.md gives the reasons.
FORMULAS = ("G3", "G4", "G5", "Q9")
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
    "between_school_rate_below",
    "waiver_years",
    "wan_in_yuan",
    "survey_sample_share",
    "survey_confidence_z",
    "junior_years",
    "cv_display_decimals",
    "share_display_decimals",
)
OPTIONS = (
    "include_private",
    "music_art_rule",
    "rural_waiver_places",
    "size_waiver_covers_twelve_year",
    "preschool_weight",
    "waivers",
    "special_education_funding_yuan",
    "funding_norm_primary_yuan",
    "funding_norm_junior_yuan",
    "fund_schools_out_of_scope",
    "count_private_teachers",
    "survey_rule",
    "survey_methods",
    "subjects_not_monitored",
    "apply_unverified",
    "close_after_days",
    "projection_pupils",
    "shock_years",
)


def cross_check(raw: dict[str, Any]) -> list[Problem]:
    """Every disagreement among the entries of a catalogue as read; fields of a wrong type are passed over."""
    return [
        *_names(raw, "stages", STAGES),
        *_stages(raw),
        *_school_types(raw),
        *_names(raw, "parameters", PARAMETERS),
        *_parameters(raw),
        *_codes(raw),
        *_indicators(raw),
        *check_waivers(raw),
        *_names(raw, "options", OPTIONS),
        *_options(raw),
    ]


def _names(raw: dict[str, Any], name: str, expected: Iterable[str]) -> Iterator[Problem]:
    section, known = raw.get(name), set(expected)
    if not isinstance(section, dict):
        return
    for key in known - section.keys():
        yield Problem(f"{name}.{key}", "缺少此条目，计算要用到它")
    for key in section.keys() - known:
        yield Problem(f"{name}.{key}", f"不认识的条目，没有计算会用到它；可用：{'、'.join(sorted(known))}")


def _stages(raw: dict[str, Any]) -> Iterator[Problem]:
    for key, stage in section(raw, "stages").items():
        if stage.get("is_evaluated") is True and "cv_limit" not in stage:
            yield Problem(f"stages.{key}.cv_limit", "缺少此项：参加评估的学段要有差异系数限值")
        if stage.get("is_evaluated") is False and "cv_limit" in stage:
            yield Problem(f"stages.{key}.cv_limit", "不参加评估的学段没有差异系数限值")


def _school_types(raw: dict[str, Any]) -> Iterator[Problem]:
    if raw.get("school_types") == {}:
        yield Problem("school_types", "没有任何办学类型")
    for key, school_type in section(raw, "school_types").items():
        if school_type.get("in_scope") is True and "size_variant" not in school_type:
            yield Problem(f"school_types.{key}.size_variant", "缺少此项：纳入评估的办学类型要有规模限额类别")


def _parameters(raw: dict[str, Any]) -> Iterator[Problem]:
    parameters = section(raw, "parameters")
    values = {key: number(entry.get("value")) for key, entry in parameters.items()}
    for key, entry in parameters.items():
        yield from check_dated(
            f"parameters.{key}.value", entry.get("value"), is_share=entry.get("unit") == SHARE_UNIT
        )
    count, least = values.get("resource_count"), values.get("min_met")
    resources = sum(entry.get("category") == "resource" for entry in section(raw, "indicators").values())
    if count is not None and count != resources:
        yield Problem(
            "parameters.resource_count.value", f"与资源配置指标个数 {resources} 不符（现为 {count}）"
        )
    if count is not None and least is not None and least > count:
        yield Problem("parameters.min_met.value", f"多于资源配置指标项数 {count}（现为 {least}）")


def _codes(raw: dict[str, Any]) -> Iterator[Problem]:
    indicators = raw.get("indicators")
    if not isinstance(indicators, dict):
        return
    for code in set(FORMULAS) - indicators.keys():
        yield Problem(f"indicators.{code}", "缺少此条目，计算要用到它")
    for code in indicators:
        if not CODE.fullmatch(code):
            letters = "、".join(CATEGORY_OF)
            yield Problem(f"indicators.{code}", f"指标代码应为一个字母（{letters}）加序号，如 G16")


def _indicators(raw: dict[str, Any]) -> Iterator[Problem]:
    for code, entry in section(raw, "indicators").items():
        at = f"indicators.{code}"
        expected = CATEGORY_OF.get(code[:1])
        if expected and isinstance(entry.get("category"), str) and entry["category"] != expected:
            yield Problem(f"{at}.category", f"应为 {expected}（现为 {entry['category']}）")
        if entry.get("is_split") is True and entry.get("category") != "resource":
            yield Problem(f"{at}.is_split", "只有资源配置指标按学段分摊")
        if entry.get("category") == "resource" and "per" not in entry:
            yield Problem(f"{at}.per", "缺少此项：资源配置指标要写明按多少名学生计")
        if entry.get("category") == "resource" and not entry.get("inputs"):
            yield Problem(f"{at}.inputs", "缺少此项：资源配置指标要写明分子由哪些填报数值构成")
        if entry.get("level") == "district" and not _is_judged(code, entry):
            yield Problem(at, "没有写明怎样判定：应有 parts（比例）或 evidence_based = true（填报结论）")
        if entry.get("needs_evidence") is True and entry.get("evidence_based") is not True:
            yield Problem(f"{at}.needs_evidence", "只有凭填报结论判定的指标才要求佐证材料")
        yield from _needed_options(raw, at, entry)
        yield from _inputs(raw, at, code, entry)
        yield from check_parts(raw, at, entry)
        yield from check_limits(raw, at, entry)


def _inputs(raw: dict[str, Any], at: str, code: str, entry: dict[str, Any]) -> Iterator[Problem]:
    inputs = entry.get("inputs")
    for position, given in enumerate(inputs if isinstance(inputs, list) else []):
        if not isinstance(given, dict):
            continue
        here = f"{at}.inputs.{position}"
        times, waiver, stages = given.get("times"), given.get("waiver"), given.get("stages")
        if isinstance(times, str) and times not in section(raw, "parameters"):
            yield Problem(f"{here}.times", f"没有这个参数：{times}")
        if isinstance(waiver, str):
            granted = section(raw, "waivers").get(waiver)
            if granted is None:
                yield Problem(f"{here}.waiver", f"没有这项过渡政策：{waiver}")
            elif granted.get("indicator_code") != code:
                yield Problem(f"{here}.waiver", f"这项过渡政策属于另一指标：{waiver}")
        evaluated = variants_of(raw, "stage") or set()
        for stage in stages if isinstance(stages, list) else []:
            if isinstance(stage, str) and stage not in evaluated:
                yield Problem(f"{here}.stages", f"不是参加评估的学段：{stage}")


def _is_judged(code: str, entry: dict[str, Any]) -> bool:
    return bool(entry.get("parts")) or entry.get("evidence_based") is True or code in FORMULAS


def _needed_options(raw: dict[str, Any], at: str, entry: dict[str, Any]) -> Iterator[Problem]:
    needed = entry.get("needs_options")
    for name in needed if isinstance(needed, list) else []:
        if name not in section(raw, "options"):
            yield Problem(f"{at}.needs_options", f"没有这个选项：{name}")


def _options(raw: dict[str, Any]) -> Iterator[Problem]:
    for key, option in section(raw, "options").items():
        at, kind, default = f"options.{key}", option.get("type"), option.get("default")
        allowed = option.get("allowed")
        if kind in ("choice", "list"):
            if not isinstance(allowed, list) or (not allowed and key != "waivers"):
                yield Problem(f"{at}.allowed", "缺少此项：可选的值")
                continue
            chosen = default if isinstance(default, list) else [] if default is None else [default]
            for value in (value for value in chosen if value not in allowed):
                yield Problem(f"{at}.default", f"不在可选值之内：{value}")
        yield from _option_type(raw, at, option)


def _option_type(raw: dict[str, Any], at: str, option: dict[str, Any]) -> Iterator[Problem]:
    kind, default = option.get("type"), option.get("default")
    fits = {
        "flag": isinstance(default, bool),
        "choice": isinstance(default, str),
        "list": isinstance(default, list),
        "number": number(default) is not None,
        "integer": isinstance(default, str) and default.isdecimal(),
    }
    if default is not None and isinstance(kind, str) and not fits.get(kind, True):
        yield Problem(f"{at}.default", f"与类型 {kind} 不符（现为 {default!r}）")
    if (code := option.get("sets_limit")) is not None:
        limits = sub(section(raw, "indicators").get(str(code), {}), "limits")
        if "district" not in limits:
            yield Problem(f"{at}.sets_limit", f"没有这个指标，或它没有全县标准值：{code}")
        if default is not None or "minimum" in option:
            yield Problem(at, "写了 sets_limit 就不再写 default 和 minimum：两者都是该指标的标准值")
