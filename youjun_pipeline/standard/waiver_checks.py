"""What waivers of a catalogue must agree on: conditions that a school can be asked, effects that a formula reads.

Keep out: whom a waiver holds for (`models/core/school_waiver.sql`).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from youjun_pipeline.standard.entries import Problem, listed, section, sub

# Conditions that core/school_waiver.sql asks of a school, each with what its parameter holds (None: nothing).
CONDITIONS: dict[str, str | None] = {
    "urban_rural": "text",
    "or_urban_rural": "text",
    "all_through_type": "text",
    "or_all_through_type": "text",
    "or_school_type": "text",
    "dense_urban": None,
    "min_students": "value",
    "max_students": "value",
    "max_class_students": "value",
    "built_until": "value",
    "migrant_share_above": "value",
}
# What a waiver may grant instead, where the indicator has a formula of its own; one whole set of them. A resource is
# given more figures instead.
EFFECTS = {
    "G3": (
        ("music_room_area_m2", "art_room_area_m2"),
        ("area_primary_m2", "area_junior_m2", "area_compulsory_m2"),
    ),
    "G4": (("limit_single", "limit_all_through"),),
}
# Kept for the record: no input carries the minutes on foot to a rented venue.
RECORDED = ("max_walk_minutes",)


def check_waivers(raw: dict[str, Any]) -> Iterator[Problem]:
    """Every disagreement of the waivers of a catalogue as read."""
    indicators = raw.get("indicators")
    for key, waiver in section(raw, "waivers").items():
        at, code = f"waivers.{key}", waiver.get("indicator_code")
        if isinstance(code, str) and isinstance(indicators, dict) and code not in indicators:
            yield Problem(f"{at}.indicator_code", f"没有这个指标：{code}")
        starts, ends = waiver.get("starts"), waiver.get("ends")
        if isinstance(starts, date) and isinstance(ends, date) and ends < starts:
            yield Problem(f"{at}.ends", f"有效期在开始之前结束：{starts} 至 {ends}")
        parameters = sub(waiver, "parameters")
        yield from _conditions(at, waiver, parameters)
        yield from _effects(raw, at, key, waiver, parameters)
        for name, entry in parameters.items():
            if isinstance(entry, dict) and ("value" in entry) == ("text" in entry):
                yield Problem(f"{at}.parameters.{name}", "value（数值）与 text（文字）应有且只有一个")


def _conditions(at: str, waiver: dict[str, Any], parameters: dict[str, Any]) -> Iterator[Problem]:
    lists = [listed(conditions) for conditions in listed(waiver.get("any_of"))]
    if "any_of" in waiver and (not lists or not all(lists)):
        yield Problem(f"{at}.any_of", "至少要有一组条件，每组至少一个条件")
    for name in {name for conditions in lists for name in conditions if isinstance(name, str)}:
        if name not in CONDITIONS:
            yield Problem(f"{at}.any_of", f"不认识的条件 {name}；可用：{'、'.join(CONDITIONS)}")
        elif (kind := CONDITIONS[name]) is not None and kind not in sub(parameters, name):
            yield Problem(f"{at}.parameters.{name}", f"缺少此条目：条件 {name} 要有 {kind}")


def _effects(
    raw: dict[str, Any], at: str, key: str, waiver: dict[str, Any], parameters: dict[str, Any]
) -> Iterator[Problem]:
    code = waiver.get("indicator_code")
    if code not in section(raw, "indicators"):
        return
    given = parameters.keys() - CONDITIONS.keys() - set(RECORDED)
    sets = EFFECTS.get(str(code), ())
    for name in given - {name for names in sets for name in names}:
        yield Problem(f"{at}.parameters.{name}", "不认识的条目，没有计算会用到它")
    if sets:
        whole = [names for names in sets if given & set(names)] or [sets[0]]
        for name in set(whole[0]) - given:
            yield Problem(f"{at}.parameters.{name}", "缺少此条目，计算要用到它")
        return
    entry = section(raw, "indicators").get(str(code), {})
    inputs = [given for given in listed(entry.get("inputs")) if isinstance(given, dict)]
    if entry and not waiver.get("adds") and not any(given.get("waiver") == key for given in inputs):
        yield Problem(at, f"没有任何作用：{code} 的 inputs 没有用到它，也没有写 adds")
    if entry and waiver.get("adds") and entry.get("category") != "resource":
        yield Problem(f"{at}.adds", "只有资源配置指标可以加计填报数值")
