"""Catalogue files: a file that extends another, and every way in which a file can be wrong."""
# Long because every way a catalogue can be wrong has its case here.

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from youjun_pipeline.standard import (
    Catalogue,
    CatalogueError,
    load_catalogue,
    load_catalogue_file,
)
from youjun_pipeline.standard.catalogue import CATALOGUES

NATIONAL = "national-2017"


@pytest.fixture(scope="module")
def national() -> Catalogue:
    return load_catalogue(NATIONAL)


def write(folder: Path, catalogue_id: str, text: str) -> Path:
    """A catalogue file of that id."""
    path = folder / f"{catalogue_id}.toml"
    path.write_text(f'id = "{catalogue_id}"\n{text}\n', encoding="utf-8")
    return path


def test_a_catalogue_that_extends_another_changes_only_what_it_states(
    national: Catalogue, tmp_path: Path
) -> None:
    path = write(
        tmp_path,
        "city-2025",
        'extends = "national-2017"\nname = "某市2025版"\n'
        '[indicators.R1.limits]\njunior = "6"\n[waivers.W-G4]\nends = 2025-12-31\n'
        '[stages.primary]\ncv_limit = "0.45"',
    )
    city = load_catalogue_file(path)
    assert city.id == "city-2025"
    assert city.document == national.document
    assert city.indicators["R1"].limits == {"primary": Decimal("4.2"), "junior": Decimal(6)}
    assert city.waivers["W-G4"].ends == date(2025, 12, 31)
    assert city.waivers["W-G4"].parameters == national.waivers["W-G4"].parameters
    assert list(city.indicators) == list(national.indicators)
    before, after = (national.model_dump(), city.model_dump())
    for dump in (before, after):
        dump["indicators"]["R1"]["dated_limits"].pop("junior")
        dump["waivers"]["W-G4"].pop("ends")
        dump["stages"]["primary"].pop("cv_limit")
        del dump["id"], dump["name"]
    assert before == after


def test_a_limit_may_change_with_the_day(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "dear",
        'extends = "national-2017"\nname = "提高"\n[indicators.G7.limits]\ndistrict = ['
        '{ value = "8000", ends = 2026-12-31 }, { value = "9000", starts = 2027-01-01, source = "某文" }]',
    )
    dear = load_catalogue_file(path)
    on = [dear.on(date(year, 6, 1)).indicators["G7"].limits["district"] for year in (2020, 2026, 2027)]
    assert on == [8000, 8000, 9000]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ('[{ value = "1", ends = 2026-12-31 }, { value = "2", starts = 2027-01-02 }]', "首尾相接"),
        ('[{ value = "1" }, { value = "2", starts = 2027-01-01 }]', "首尾相接：前一个到 None"),
        ('[{ value = "1", unverified = true }]', "至少要有一个已核实的数值"),
        ("[{ value = 1 }]", "数值应写成文本"),
    ],
)
def test_dated_limits_leave_no_hole(tmp_path: Path, given: str, reason: str) -> None:
    path = write(
        tmp_path, "hole", f'extends = "national-2017"\nname = "n"\n[indicators.G7.limits]\ndistrict = {given}'
    )
    with pytest.raises(CatalogueError, match=reason):
        load_catalogue_file(path)


def test_a_chain_of_extensions_is_found_beside_the_file(tmp_path: Path) -> None:
    write(tmp_path, "one", 'extends = "national-2017"\nname = "一"\n[indicators.R2.limits]\nprimary = "2"')
    path = write(tmp_path, "two", 'extends = "one"\nname = "二"\n[indicators.R2.limits]\njunior = "3"')
    limits = load_catalogue_file(path).indicators["R2"].limits
    assert limits == {"primary": Decimal(2), "junior": Decimal(3)}


def test_catalogues_that_extend_each_other_are_refused(tmp_path: Path) -> None:
    write(tmp_path, "one", 'extends = "two"\nname = "一"')
    path = write(tmp_path, "two", 'extends = "one"\nname = "二"')
    with pytest.raises(CatalogueError, match="extends：互相引用：two → one → two"):
        load_catalogue_file(path)


# ---------------------------------------------------------------- wrong catalogues


@dataclass(frozen=True)
class Wrong:
    """One edit of the national file, and the problem it must lead to."""

    edit: Callable[[str], str]
    entry: str
    reason: str


def swap(old: str, new: str, after: str = "") -> Callable[[str], str]:
    """Replace the first `old` that follows the line `after`."""

    def edit(text: str) -> str:
        start = text.index(f"{after}\n") if after else 0
        at = text.index(old, start)
        return text[:at] + new + text[at + len(old) :]

    return edit


def drop(section: str) -> Callable[[str], str]:
    """Remove a table with its lines."""

    def edit(text: str) -> str:
        return re.sub(rf"\[{re.escape(section)}\]\n(?:[^\[\n].*\n)*", "", text, count=1)

    return edit


def edited(folder: Path, *edits: Callable[[str], str]) -> Path:
    """The national file with its text edited, under its own name in `folder`."""
    text = (CATALOGUES / f"{NATIONAL}.toml").read_text(encoding="utf-8")
    for edit in edits:
        changed = edit(text)
        assert changed != text, "the edit must hit something"
        text = changed
    path = folder / f"{NATIONAL}.toml"
    path.write_text(text, encoding="utf-8")
    return path


WRONG = {
    "missing_indicator": Wrong(drop("indicators.G5"), "indicators.G5", "缺少此条目，计算要用到它"),
    "misspelt_indicator": Wrong(
        swap("[indicators.V1]", "[indicators.VI]"),
        "indicators.VI",
        "指标代码应为一个字母（R、G、Q、S、V）加序号",
    ),
    "judged_by_nothing": Wrong(
        swap("evidence_based = true\n", "", "[indicators.V1]"), "indicators.V1", "没有写明怎样判定"
    ),
    "part_of_two_datasets": Wrong(
        swap('"teachers.full_time"', '"schools.primary_students"', "[[indicators.G9.parts]]"),
        "indicators.G9.parts.1",
        "应出自同一数据集，现有：schools、teachers",
    ),
    "part_of_a_dataset_without_figures": Wrong(
        swap('["recognition.valid"]', '["measures.quantity"]', "[[indicators.S1.parts]]"),
        "indicators.S1.parts.1",
        "不能由这个数据集计算比例：measures",
    ),
    "part_of_an_unknown_item": Wrong(
        swap('"assurance.Q2.enrolled"', '"assurance.Q2.here"'), "indicators.Q2.parts.1", "没有这个填报项"
    ),
    "part_without_its_limit": Wrong(
        swap('limit = "backbone"', 'limit = "rare"'), "indicators.G11.limits.rare", "缺少标准值"
    ),
    "part_of_unknown_scope": Wrong(
        swap('"town"', '"village"'), "indicators.G13.parts.1.scope", "不认识的范围 village；可用：in_scope"
    ),
    "needs_an_unknown_option": Wrong(
        swap('needs_options = ["funding_norm_primary_yuan"', 'needs_options = ["norm"'),
        "indicators.G2.needs_options",
        "没有这个选项：norm",
    ),
    "missing_limit_of_a_stage": Wrong(
        swap('{ primary = "4.5", junior = "5.8" }', '{ primary = "4.5" }'),
        "indicators.R4.limits.junior",
        "缺少标准值",
    ),
    "unknown_stage_of_a_limit": Wrong(
        swap('{ primary = "7.5",', '{ senior = "9", primary = "7.5",'),
        "indicators.R5.limits.senior",
        "不认识的标准值类别，应为：junior、primary",
    ),
    "missing_size_limit": Wrong(
        swap(', forbidden = "0"', ""), "indicators.G4.limits.forbidden", "缺少标准值"
    ),
    "limits_of_nothing": Wrong(
        swap('limit_by = "district"\n', "", "[indicators.S1]"), "indicators.S1.limit_by", "缺少此项"
    ),
    "limit_of_evidence": Wrong(
        swap("display_decimals", 'limits = { district = "1" }\ndisplay_decimals', "[indicators.Q3]"),
        "indicators.Q3.limits",
        "evidence 类指标没有标准值",
    ),
    "binary_number": Wrong(
        swap('primary = "0.9"', "primary = 0.9"), "indicators.R3.limits.primary", "数值应写成文本"
    ),
    "no_number": Wrong(swap('"4.2"', '"4,2"'), "indicators.R1.limits.primary", "不是数值（现为 '4,2'）"),
    "too_many_decimals": Wrong(
        swap('"4.2"', '"4.2000001"'), "indicators.R1.limits.primary", "小数最多 6 位（现为 '4.2000001'）"
    ),
    "share_as_percent": Wrong(
        swap('"0.95"', '"95"', "[indicators.Q2]"),
        "indicators.Q2.limits.district",
        "比例应写成不大于1的小数（现为 95）",
    ),
    "share_parameter_as_percent": Wrong(
        swap('"0.85"', '"85"', "[parameters.floor_share]"),
        "parameters.floor_share.value",
        "比例应写成不大于1的小数（现为 85）",
    ),
    "wrong_category": Wrong(
        swap('"quality"', '"government"', "[indicators.Q4]"),
        "indicators.Q4.category",
        "应为 quality（现为 government）",
    ),
    "wrong_direction": Wrong(
        swap('"at_least"', '"more"', "[indicators.R1]"),
        "indicators.R1.direction",
        "（现为 'more'）",
    ),
    "no_per": Wrong(swap('per = "100"\n', "", "[indicators.R2]"), "indicators.R2.per", "缺少此项"),
    "numerator_of_nothing": Wrong(
        swap('inputs = [{ input = "teachers.backbone" }]', "inputs = []"), "indicators.R2.inputs", "缺少此项"
    ),
    "input_is_no_column": Wrong(
        swap('"teachers.backbone"', '"backbone"'),
        "indicators.R2.inputs.0.input",
        "应写作“数据集.字段”（现为 'backbone'）",
    ),
    "input_of_unknown_parameter": Wrong(
        swap('times = "wan_in_yuan"', 'times = "wan"'), "indicators.R6.inputs.0.times", "没有这个参数：wan"
    ),
    "input_of_unknown_stage": Wrong(
        swap('stages = ["primary"]', 'stages = ["senior"]'),
        "indicators.R1.inputs.3.stages",
        "不是参加评估的学段：senior",
    ),
    "input_of_unknown_waiver": Wrong(
        swap('waiver = "W3"', 'waiver = "W4"'), "indicators.R3.inputs.4.waiver", "没有这项过渡政策：W4"
    ),
    "input_of_another_waiver": Wrong(
        swap('waiver = "W3"', 'waiver = "W5"'),
        "indicators.R3.inputs.4.waiver",
        "这项过渡政策属于另一指标：W5",
    ),
    "split_outside_resources": Wrong(
        swap("display_decimals", "is_split = true\ndisplay_decimals", "[indicators.G9]"),
        "indicators.G9.is_split",
        "只有资源配置指标按学段分摊",
    ),
    "empty_name": Wrong(swap('name = "社会认可度"', 'name = ""'), "indicators.S1.name", "不能为空"),
    "missing_text": Wrong(
        swap('clause = "《县域义务教育优质均衡发展督导评估办法》社会认可度"\n', ""),
        "indicators.S1.clause",
        "缺少此项",
    ),
    "unknown_field": Wrong(
        swap("short_name", "shortname", "[indicators.R6]"),
        "indicators.R6.shortname",
        "不认识的项，请核对名称",
    ),
    "missing_stage": Wrong(drop("stages.senior"), "stages.senior", "缺少此条目"),
    "weight_of_zero": Wrong(
        swap('split_weight = "1.1"', 'split_weight = "0"'),
        "stages.junior.split_weight",
        "应大于 0（现为 '0'）",
    ),
    "negative_weight": Wrong(
        swap('split_weight = "1.32"', 'split_weight = "-1.32"'), "stages.senior.split_weight", "应大于 0"
    ),
    "no_cv_limit": Wrong(swap('cv_limit = "0.45"\n', ""), "stages.junior.cv_limit", "缺少此项"),
    "cv_limit_of_senior": Wrong(
        swap("is_evaluated = false", 'cv_limit = "0.4"\nis_evaluated = false'),
        "stages.senior.cv_limit",
        "不参加评估的学段没有差异系数限值",
    ),
    "missing_parameter": Wrong(drop("parameters.min_met"), "parameters.min_met", "缺少此条目"),
    "misspelt_parameter": Wrong(
        swap("[parameters.waiver_years]", "[parameters.waiver_yaers]"),
        "parameters.waiver_yaers",
        "不认识的条目",
    ),
    "parameter_of_zero": Wrong(
        swap('value = "12"', 'value = "0"'), "parameters.classes_per_room.value", "应大于 0"
    ),
    "more_to_meet_than_there_are": Wrong(
        swap('value = "6"', 'value = "8"'), "parameters.min_met.value", "多于资源配置指标项数 7（现为 8）"
    ),
    "resource_count_wrong": Wrong(
        swap('value = "7"', 'value = "9"'),
        "parameters.resource_count.value",
        "与资源配置指标个数 7 不符（现为 9）",
    ),
    "no_size_variant": Wrong(
        swap('size_variant = "single"\n', "", '[school_types."小学"]'),
        "school_types.小学.size_variant",
        "缺少此项",
    ),
    "flag_as_text": Wrong(
        swap("in_scope = true", 'in_scope = "是"', '[school_types."小学"]'),
        "school_types.小学.in_scope",
        "应为 true 或 false（现为 '是'）",
    ),
    "waiver_of_unknown_indicator": Wrong(
        swap('indicator_code = "G4"', 'indicator_code = "G44"'),
        "waivers.W-G4.indicator_code",
        "没有这个指标：G44",
    ),
    "waiver_ends_before_it_starts": Wrong(
        swap("ends = 2022-09-30", "ends = 2019-09-30", "[waivers.W-G3]"),
        "waivers.W-G3.ends",
        "有效期在开始之前结束：2019-10-01 至 2019-09-30",
    ),
    "waiver_date_as_text": Wrong(
        swap("2019-10-01", '"2019-10"', "[waivers.W3]"), "waivers.W3.starts", "应为日期，写作 2019-10-01"
    ),
    "waiver_without_effect": Wrong(
        swap('waiver = "W5"', 'waiver = "W3"', "[indicators.R5]"),
        "indicators.R5.inputs.2.waiver",
        "属于另一指标：W3",
    ),
    "waiver_that_nothing_reads": Wrong(
        lambda text: text.replace(', waiver = "W5"', ""), "waivers.W5", "没有任何作用"
    ),
    "waiver_of_unknown_condition": Wrong(
        swap('any_of = [["dense_urban"]]', 'any_of = [["dense"]]'),
        "waivers.W5.any_of",
        "不认识的条件 dense；可用：",
    ),
    "waiver_without_a_condition": Wrong(
        swap('any_of = [["dense_urban"]]', "any_of = []"), "waivers.W5.any_of", "至少要有一组条件"
    ),
    "waiver_condition_without_its_number": Wrong(
        swap('["built_until"]]', '["built_until"], ["min_students"]]'),
        "waivers.W-G3.parameters.min_students",
        "条件 min_students 要有 value",
    ),
    "waiver_without_its_number": Wrong(
        drop("waivers.W-G4.parameters.limit_single"), "waivers.W-G4.parameters.limit_single", "缺少此条目"
    ),
    "waiver_number_and_word": Wrong(
        swap('text = "乡村"', 'text = "乡村"\nvalue = "1"'),
        "waivers.W3.parameters.urban_rural",
        "应有且只有一个",
    ),
    "option_default_not_allowed": Wrong(
        swap('default = "each"', 'default = "any"'), "options.music_art_rule.default", "不在可选值之内：any"
    ),
    "option_of_wrong_type": Wrong(
        swap("default = true", 'default = "yes"', "[options.include_private]"),
        "options.include_private.default",
        "与类型 flag 不符",
    ),
    "option_without_choices": Wrong(
        swap('allowed = ["each", "combined", "per_stage"]\n', ""),
        "options.music_art_rule.allowed",
        "缺少此项",
    ),
    "option_sets_no_limit": Wrong(
        swap('sets_limit = "G7"', 'sets_limit = "G1"'),
        "options.special_education_funding_yuan.sets_limit",
        "没有这个指标，或它没有全县标准值：G1",
    ),
    "missing_option": Wrong(drop("options.include_private"), "options.include_private", "缺少此条目"),
    "id_is_not_the_file": Wrong(
        swap('id = "national-2017"', 'id = "national-2018"'), "id", "与文件名不一致：文件名为 national-2017"
    ),
    "missing_header": Wrong(swap("issued_on = 2017-04-19\n", ""), "issued_on", "缺少此项"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_catalogue_is_refused_with_entry_and_reason(name: str, tmp_path: Path) -> None:
    wrong = WRONG[name]
    with pytest.raises(CatalogueError) as caught:
        load_catalogue_file(edited(tmp_path, wrong.edit))
    reasons = [p.reason for p in caught.value.problems if p.entry == wrong.entry]
    assert any(wrong.reason in reason for reason in reasons), caught.value
    assert f"{NATIONAL}.toml" in str(caught.value)


def test_all_problems_are_listed_at_once(tmp_path: Path) -> None:
    names = [
        "missing_indicator",
        "missing_limit_of_a_stage",
        "binary_number",
        "weight_of_zero",
        "misspelt_parameter",
        "waiver_of_unknown_indicator",
        "waiver_ends_before_it_starts",
        "option_default_not_allowed",
        "missing_header",
    ]
    with pytest.raises(CatalogueError) as caught:
        load_catalogue_file(edited(tmp_path, *(WRONG[name].edit for name in names)))
    entries = [p.entry for p in caught.value.problems]
    # the misspelt parameter is missing under its right name as well
    assert entries == sorted([*(WRONG[name].entry for name in names), "parameters.waiver_years"])
    message = str(caught.value)
    assert "共 10 处问题" in message
    for name in names:
        assert re.search(f"- {re.escape(WRONG[name].entry)}：.*{re.escape(WRONG[name].reason)}", message), (
            name
        )


def test_an_override_is_checked_like_any_catalogue(tmp_path: Path) -> None:
    path = write(
        tmp_path, "typo", 'extends = "national-2017"\n[indicators.R1.limits]\njunoir = "6"\nprimary = 4.5'
    )
    with pytest.raises(CatalogueError) as caught:
        load_catalogue_file(path)
    assert [p.entry for p in caught.value.problems] == [
        "indicators.R1.limits.junoir",
        "indicators.R1.limits.primary",
        "name",
    ]


def test_files_that_are_no_catalogue_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match=r"gone\.toml.*\n.*文件读不出"):
        load_catalogue_file(tmp_path / "gone.toml")
    with pytest.raises(CatalogueError, match=r"broken\.toml.*\n.*不是有效的 TOML"):
        load_catalogue_file(write(tmp_path, "broken", "= 1"))
    with pytest.raises(CatalogueError) as caught:
        load_catalogue_file(write(tmp_path, "flat", 'indicators = "R1"\nstages = 3'))
    reasons = {p.entry: p.reason for p in caught.value.problems}
    assert reasons["indicators"] == "应为一组条目（现为 'R1'）"
    assert reasons["stages"] == "应为一组条目（现为 3）"
    assert reasons["waivers"] == "缺少此项"


@pytest.mark.parametrize("unknown", ["national-1999", "../standard/national-2017", ""])
def test_an_unknown_id_names_the_catalogues_there_are(unknown: str) -> None:
    with pytest.raises(CatalogueError, match="没有这个标准目录，现有：national-2017"):
        load_catalogue(unknown)
