"""What ratios and limits of a catalogue must agree on: terms of one dataset, a limit for each, days without a hole.

Keep out: the other entries (`checks`).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from youjun_pipeline.standard.entries import Problem, listed, number, section, sub

# Datasets whose figures a part may be made of, each with what reports there.
PART_DATASETS = {
    "assurance": "district",
    "teachers": "section",
    "schools": "school",
    "school_finance": "school",
    "graduation_cohorts": "school",
    "recognition": "survey row",
}
# Which schools a part counts; several words must all hold (core/ratio_unit.sql).
SCOPE_WORDS = {
    "in_scope": "纳入评估的学校",
    "small": "小规模学校和教学点",
    "established": "建校满一个初中学制的学校",
    "town": "城区和镇区学校",
    "day": "非寄宿制学校",
    "public": "公办学校",
    "public_if_asked": "公办学校；选项 count_private_teachers 打开时包括民办学校",
}
WITH_LIMITS = ("at_least", "at_most", "below")
WITHOUT_LIMITS = ("evidence", "not_occur", "formula")
SHARE_UNIT = "比例"


def check_parts(raw: dict[str, Any], at: str, entry: dict[str, Any]) -> Iterator[Problem]:
    """The ratios of an indicator: terms, dataset, scope and stage of each."""
    parts = listed(entry.get("parts"))
    items = {
        f"assurance.{code}.{key}" for code, e in section(raw, "indicators").items() for key in sub(e, "items")
    }
    for position, part in enumerate((part for part in parts if isinstance(part, dict)), start=1):
        here = f"{at}.parts.{position}"
        terms = [
            term.lstrip("-")
            for side in ("numerator", "denominator")
            for term in listed(part.get(side))
            if isinstance(term, str)
        ]
        datasets = sorted({term.partition(".")[0] for term in terms})
        if len(datasets) > 1:
            yield Problem(here, f"一项比例的数值应出自同一数据集，现有：{'、'.join(datasets)}")
        for name in datasets:
            if name not in PART_DATASETS:
                yield Problem(here, f"不能由这个数据集计算比例：{name}；可用：{'、'.join(PART_DATASETS)}")
        for term in terms:
            if term.startswith("assurance.") and term not in items:
                yield Problem(here, f"没有这个填报项，请在 items 中写明：{term.removeprefix('assurance.')}")
        if (part.get("judged") == "funding") == bool(part.get("denominator")):
            yield Problem(f"{here}.denominator", "比例要有分母；按定额核定（funding）的没有分母")
        for word in listed(part.get("scope")):
            if word not in SCOPE_WORDS:
                yield Problem(f"{here}.scope", f"不认识的范围 {word}；可用：{'、'.join(SCOPE_WORDS)}")
        if (stage := part.get("stage")) is not None and stage not in (variants_of(raw, "stage") or ()):
            yield Problem(f"{here}.stage", f"不是参加评估的学段：{stage}")


def check_limits(raw: dict[str, Any], at: str, entry: dict[str, Any]) -> Iterator[Problem]:
    """The limits of an indicator: one of each kind that it is limited by, and no other."""
    limits = sub(entry, "limits")
    direction = entry.get("direction")
    if direction not in WITH_LIMITS:
        if direction in WITHOUT_LIMITS and ("limit_by" in entry or limits):
            yield Problem(f"{at}.limits", f"{direction} 类指标没有标准值")
        return
    by = entry.get("limit_by")
    if by is None:
        yield Problem(f"{at}.limit_by", "缺少此项：标准值按什么给出（stage、size 或 district）")
        return
    variants = variants_of(raw, by)
    if variants is None:
        return
    if by == "district":
        variants |= _limits_of_parts(entry)
    for variant in variants - limits.keys():
        yield Problem(f"{at}.limits.{variant}", "缺少标准值")
    for variant in limits.keys() - variants:
        yield Problem(f"{at}.limits.{variant}", f"不认识的标准值类别，应为：{'、'.join(sorted(variants))}")
    if by != "district":
        for variant in _limits_of_parts(entry) - variants:
            yield Problem(f"{at}.parts", f"没有这个标准值：{variant}")
    for variant, given in limits.items():
        yield from check_dated(f"{at}.limits.{variant}", given, is_share=entry.get("unit") == SHARE_UNIT)


def _limits_of_parts(entry: dict[str, Any]) -> set[str]:
    parts = entry.get("parts")
    named = (part.get("limit", "district") for part in listed(parts) if isinstance(part, dict))
    return {name for name in named if isinstance(name, str)}


def check_dated(at: str, given: object, *, is_share: bool) -> Iterator[Problem]:
    """A number, or numbers with the days they hold from and to: one at most on any day, without a hole between."""
    entries = (
        [entry for entry in given if isinstance(entry, dict)]
        if isinstance(given, list)
        else [{"value": given}]
    )
    for entry in entries:
        value = number(entry.get("value"))
        if is_share and value is not None and value > 1:
            yield Problem(at, f"比例应写成不大于1的小数（现为 {value}）")
    in_force = [e for e in entries if e.get("unverified") is not True]
    if not in_force:
        yield Problem(at, "至少要有一个已核实的数值")
    for before, after in pairwise(in_force):
        ends, starts = before.get("ends"), after.get("starts")
        if not isinstance(ends, date) or not isinstance(starts, date) or starts != ends + timedelta(days=1):
            yield Problem(at, f"前后两个数值的日期应首尾相接：前一个到 {ends}，后一个从 {starts} 起")


def variants_of(raw: dict[str, Any], by: object) -> set[str] | None:
    """The limits an indicator must have, by what its limits go."""
    if by == "stage":
        return {key for key, stage in section(raw, "stages").items() if stage.get("is_evaluated") is True}
    if by == "size":
        sizes = (school_type.get("size_variant") for school_type in section(raw, "school_types").values())
        return {size for size in sizes if isinstance(size, str)}
    return {"district"} if by == "district" else None
