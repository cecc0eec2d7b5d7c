"""Contracts: the declarations compared with the published interface, and what a declaration must not say."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import Any

import pytest

from youjun_pipeline.contracts import DUCKDB_TYPES, DeclarationError, find_dataset, fold_word, load_datasets
from youjun_pipeline.contracts.loader import parse_dataset, read_datasets
from youjun_pipeline.contracts.model import AtMost, header_names

# The interface, typed off by hand: dataset, key, columns with * for required, each with its Chinese name where the
# interface gives one.
INTERFACE = """
schools | school_code campus | school_code* 学校标识码, school_name* 学校名称, township 所属镇街,
    school_type* 办学类型, sponsor_code 举办者类型, urban_rural 城乡类型, built_year 建校年份, boarding 是否寄宿制,
    dense_urban 是否人口密度过高的中心城区学校, primary_students 小学在校生数, junior_students 初中在校生数,
    senior_students 高中在校生数, preschool_students 附设幼儿班在园幼儿数, migrant_students 进城务工人员随迁子女数,
    catchment_primary_students 小学就近入学人数, catchment_junior_students 初中就近入学人数,
    campus 校区
classes | school_code campus stage grade class_no | school_code* 学校标识码, stage* 学段, grade* 年级,
    class_no* 班号, students* 学生数,
    campus 校区
teachers | school_code campus stage | school_code* 学校标识码, stage* 学段, full_time* 专任教师数, staff 教职工数,
    doctorate 博士, master 硕士, bachelor 本科, associate 专科, backbone 县级以上骨干教师数, pe 体育教师,
    music 音乐教师, fine_art 美术教师, art 艺术教师, visiting_pe_art 交流轮岗兼职走教体育艺术教师数,
    certified 持证教师数, trained_360h 完成360学时培训教师数,
    campus 校区
facilities | school_code campus | school_code* 学校标识码, teaching_area_m2 教学及辅助用房面积,
    indoor_sports_area_m2 室内体育用房面积, outdoor_sports_area_m2 运动场地面积,
    other_sports_area_m2 校内其他专用运动场地面积, rented_sports_area_m2 校外租赁场馆面积,
    equipment_value_wan 教学仪器设备资产值(万元), multimedia_rooms 网络多媒体教室间数,
    campus 校区
special_rooms | school_code campus kind room_no | school_code* 学校标识码, kind* 类别,
    room_no* 教室编号, area_m2* 使用面积,
    campus 校区
quality_monitoring | cycle grade subject | cycle* 监测年份, grade* 年级, subject* 学科, level* 学业水平等级,
    between_school_rate 校际差异率
school_finance | school_code year | school_code* 学校标识码, year* 年度, public_funds_budget_wan 公用经费预算(万元),
    public_funds_final_wan 公用经费决算(万元), training_budget_wan 教师培训经费预算(万元),
    training_final_wan 教师培训经费决算(万元)
graduation_cohorts | school_code year | school_code* 学校标识码, year* 毕业年份, entrants 初一入学人数,
    transferred_in 三年转入, transferred_out 三年转出, deaths 死亡, graduates 毕业人数
assurance | item | item* 指标项, value 填报值, conclusion 结论, evidence 佐证材料
recognition | year respondent_group method | year* 年度, respondent_group* 调查对象, method 方式, issued 发放数,
    valid* 有效数, satisfied* 满意数
district_figures | item year | item* 项目, year* 年度, value* 数值
superior_findings | source indicator stage school_name claimed_count | source* 来源文号, indicator* 指标, stage 学段,
    school_name 学校名称, claimed_count 通报数量
measures | measure_no | measure_no* 措施编号, indicator* 指标, stage 学段, school_names 涉及学校, measure_type 措施类型,
    receiving_school 接收学校, description 措施内容, quantity 数量, unit 单位, due 完成时间,
    bureau_sections 责任科室, responsible_units 责任单位, responsible_person 责任人, source 出处
milestones | milestone_no | milestone_no* 节点编号, measure_no 措施编号, indicator 指标, due* 应完成时间, task* 任务
budgets | budget_no | budget_no* 预算编号, indicator* 指标, stage 学段, measure_nos 涉及措施, amount_wan* 金额(万元),
    source 出处
progress | reported_on measure_no milestone_no reporter | reported_on* 填报日期, measure_no 措施编号,
    milestone_no 节点编号, state* 状态, percent 完成比例, expected_on 预计完成, spent_wan 已支出(万元),
    evidence 佐证材料, reporter 填报人, note 说明
acceptances | inspected_on indicator stage school_name inspector | inspected_on* 验收日期, indicator*, stage,
    school_name, result* 结论, inspector* 验收人, evidence 佐证材料
targets | target_no period | target_no* 任务编号, programme* 任务, metric* 指标, unit* 单位, kind* 口径, period* 期间,
    planned* 计划值, total 总目标
target_actuals | reported_on target_no period | reported_on*, target_no*, period*, actual* 完成值
school_changes | effective_on kind from_school to_school | effective_on* 日期, kind* 类型, from_school 原学校,
    to_school 新学校
school_aliases | alias school_code | alias* 别名, school_code*
suspicion_answers | answered_on dataset school_code campus rule answered_by | answered_on*, dataset*, school_code,
    rule*,
    answer* 说明, answered_by,
    campus 校区
"""
EVENTS = {"progress", "acceptances", "target_actuals", "school_changes", "suspicion_answers"}


def interface() -> dict[str, tuple[list[str], dict[str, tuple[bool, str | None]]]]:
    """Dataset -> (key, column -> (required, Chinese name or None))."""
    found = {}
    for line in INTERFACE.replace("\n    ", " ").strip().splitlines():
        dataset, key, columns = (part.strip() for part in line.split("|"))
        pairs = [column.strip().partition(" ") for column in columns.split(",")]
        found[dataset] = (
            key.split(),
            {name.rstrip("*"): (name.endswith("*"), zh or None) for name, _, zh in pairs},
        )
    return found


def test_datasets_are_those_of_the_interface():
    # What the official statistics tell of classes has no place in the interface's rosters.
    assert sorted(load_datasets()) == sorted([*interface(), "class_bands", "neighbours", "site_capacity"])
    assert len(interface()) == 22


@pytest.mark.parametrize("name", sorted(interface()))
def test_columns_are_those_of_the_interface(name: str):
    dataset, (key, columns) = load_datasets()[name], interface()[name]
    assert {c.name: c.required for c in dataset.columns.values()} == {n: r for n, (r, _) in columns.items()}
    assert list(dataset.columns) == list(columns), "the order of the interface"
    zh = {n: zh for n, (_, zh) in columns.items() if zh}
    assert {n: dataset.columns[n].zh for n in zh} == zh
    assert list(dataset.key) == key
    assert dataset.kind == ("events" if name in EVENTS else "snapshot")
    for column in dataset.columns.values():
        assert column.zh and not column.zh.isascii(), f"{column.name} has no Chinese name"


def test_columns_that_name_schools_are_words_for_a_later_step():
    datasets = load_datasets()
    for dataset, column, type_ in [
        ("measures", "school_names", "names"),
        ("measures", "receiving_school", "text"),
        ("superior_findings", "school_name", "text"),
        ("acceptances", "school_name", "text"),
        ("school_changes", "from_school", "text"),
        ("school_changes", "to_school", "text"),
    ]:
        assert datasets[dataset].columns[column].type == type_


def test_every_type_has_a_stored_type_and_is_used():
    assert {c.type for d in load_datasets().values() for c in d.columns.values()} == set(DUCKDB_TYPES)
    amount = load_datasets()["facilities"].columns["teaching_area_m2"]
    # the upper bound keeps one absurd cell from overflowing what is computed from it
    assert (amount.duckdb_type, amount.low, amount.high) == ("DECIMAL(18,6)", Decimal(0), Decimal(10**11))


def test_coded_values_are_those_of_the_interface():
    def values(dataset: str, column: str) -> list[str]:
        return list(load_datasets()[dataset].columns[column].values)

    assert values("classes", "stage") == ["primary", "junior", "senior"]
    assert values("special_rooms", "kind") == ["music", "art"]
    assert values("assurance", "conclusion") == ["met", "not_met"]
    assert values("progress", "state") == ["not_started", "in_progress", "done", "cancelled"]
    assert values("acceptances", "result") == ["passed", "failed"]
    assert values("targets", "kind") == ["period", "cumulative", "point"]
    assert values("school_changes", "kind") == ["merge", "split", "open", "close", "rename"]
    assert values("schools", "urban_rural") == ["城区", "镇区", "乡村"]
    assert set(values("schools", "school_type")) == {
        *("小学", "教学点", "初级中学", "九年一贯制学校", "完全中学", "十二年一贯制学校"),
        *("高级中学", "特殊教育学校", "职业学校"),
    }


def test_answers_know_every_dataset_by_its_title():
    values = load_datasets()["suspicion_answers"].columns["dataset"].values
    assert values == {name: (dataset.title,) for name, dataset in load_datasets().items()}


def test_rules_of_the_interface_are_declared():
    names = {rule.name for dataset in load_datasets().values() for rule in dataset.rules}
    assert names >= {
        *("degrees_within_full_time", "subjects_within_full_time", "certified_within_full_time"),
        *("trained_within_full_time", "backbone_within_full_time", "indoor_within_teaching_area"),
        *("satisfied_within_valid", "valid_within_issued", "graduates_within_cohort"),
        *("catchment_primary_within_students", "catchment_junior_within_students", "planned_within_total"),
        *("training_budget_within_public_funds", "item_is_known"),
    }
    for dataset in load_datasets().values():
        for rule in dataset.rules:
            assert not rule.message.isascii(), f"{dataset.name}.{rule.name}: the message is for the district"
            assert not rule.message.endswith("。"), f"{dataset.name}.{rule.name}: the offenders follow"


@pytest.mark.parametrize(
    ("stem", "dataset"),
    [
        ("schools", "schools"),
        ("Schools ", "schools"),
        ("学校名册", "schools"),
        ("　学校 名册", "schools"),
        ("special_rooms", "special_rooms"),
        ("Ｃｌａｓｓｅｓ", "classes"),
        ("上级督办问题", "superior_findings"),
        ("readme", None),
        ("schools-old", None),
        ("", None),
    ],
)
def test_a_file_is_found_by_its_name_in_either_language(stem: str, dataset: str | None):
    assert find_dataset(stem) == dataset


def test_headers_lead_to_columns_with_and_without_their_unit():
    headers = load_datasets()["facilities"].headers
    for header in (
        *(
            "equipment_value_wan",
            "教学仪器设备资产值(万元)",
            "教学仪器设备资产值（万元）",
            "教学仪器\n设备资产值",
        ),
        *("教学仪器设备值", " ＥＱＵＩＰＭＥＮＴ＿value_wan"),
    ):
        assert headers[fold_word(header)] == "equipment_value_wan"
    assert fold_word("教学仪器设备资产值(元)") not in headers


def test_a_unit_is_accepted_in_its_spellings_and_no_other():
    columns = load_datasets()["facilities"].columns
    area, value = columns["teaching_area_m2"], columns["equipment_value_wan"]
    assert [area.accepts_unit(u) for u in ("㎡", "m2", "平方米", "亩", "万元")] == [
        True,
        True,
        True,
        False,
        False,
    ]
    assert [value.accepts_unit(u) for u in ("万元", " 万 元 ", "元")] == [True, True, False]
    assert not columns["school_code"].accepts_unit("人")
    assert header_names(area)[:2] == ("teaching_area_m2", "教学及辅助用房面积")


VALID: dict[str, Any] = {
    "name": "rooms",
    "title": "教室",
    "kind": "snapshot",
    "key": ["code"],
    "columns": {
        "code": {"zh": "编号", "type": "code", "required": True},
        "kind": {"zh": "类别", "type": "choice", "values": {"music": ["音乐"]}, "open": True},
        "seats": {"zh": "座位数", "type": "count", "unit": "个"},
        "used": {"zh": "已用", "type": "count", "unit": "个"},
    },
    "rules": [
        {
            "name": "used_within_seats",
            "message": "已用多于座位",
            "at_most": {"sum": ["used"], "of": ["seats"]},
        }
    ],
}


def changed(path: str, value: Any) -> dict[str, Any]:
    """VALID with one entry replaced; None removes the entry."""
    raw = copy.deepcopy(VALID)
    at: Any = raw
    *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    for step in steps:
        at = at[step]
    if value is None:
        del at[last]
    else:
        at[last] = value
    return raw


def test_a_valid_declaration_is_read():
    dataset = parse_dataset(VALID)
    assert dataset.required == dataset.required_key == ("code",)
    assert dataset.rules[0].test == AtMost(("used",), ("seats",))
    assert dataset.rules[0].severity == "warning"
    assert dataset.columns["seats"].low == 0


@pytest.mark.parametrize(
    ("path", "value", "fault"),
    [
        ("title", None, "dataset: field title is missing"),
        ("owner", "me", "dataset: field owner is unknown"),
        ("kind", "stream", "kind stream is none of snapshot, events"),
        ("key", ["room"], "key: room is no column"),
        ("key", ["kind"], "key: at least one of its columns is required"),
        ("columns.code.zh", None, "column code: field zh is missing"),
        ("columns.code.typ", "code", "column code: field typ is unknown"),
        ("columns.code.type", "number", "column code: type number is none of code, text"),
        ("columns.code.min", 1, "column code: only a number column has a range"),
        ("columns.code.open", True, "column code: only a choice can be open"),
        ("columns.code.words", {"无": "0"}, "column code: only a number column has words for numbers"),
        ("columns.code.month_means_end", True, "column code: only a date can stand for a month's end"),
        ("columns.seats.latin", True, "column seats: only a code is latin or a day"),
        (
            "columns.code.per_student",
            {"min": 1},
            "column code: only a count or an amount is compared with pupils",
        ),
        ("informational", ["编 号"], "informational: 编 号 means the column code"),
        ("columns.seats.max", -1, "column seats: min 0 is above max -1"),
        ("columns.seats.unit", "打", "column seats: unit 打 has no spellings"),
        ("columns.seats.values", {"1": []}, "column seats: a choice, and only a choice, lists its values"),
        ("columns.kind.values", {}, "column kind: a choice, and only a choice, lists its values"),
        (
            "columns.kind.values",
            {"a": ["音"], "b": ["音"]},
            "column kind: the spelling 音 stands for several values",
        ),
        ("columns.seats.zh", "编 号", "the header 编号 means code and seats"),
        ("columns.sheet", {"zh": "表", "type": "text"}, "column sheet: the name is taken"),
        ("rules.0.message", None, "rule used_within_seats: field message is missing"),
        ("rules.0.severity", "fatal", "rule used_within_seats: severity fatal is none of warning, blocking"),
        ("rules.0.known", {"column": "kind"}, "rule used_within_seats: exactly one of at_most"),
        (
            "rules.0",
            {"name": "known", "message": "不明", "known": {"column": "seats"}},
            "rule known: seats is no open choice",
        ),
        ("rules.0.at_most", {"sum": ["used"]}, "rule used_within_seats, at_most: field of is missing"),
        ("rules.0.at_most.of", ["chairs"], "rule used_within_seats: chairs is no column"),
        ("rules.0.at_most.of", ["kind"], "rule used_within_seats: kind is no number"),
        ("rules.0.when", {"kind": ["dance"]}, "rule used_within_seats: when: dance is no value of kind"),
        ("rules.0.when", {"seats": ["3"]}, "rule used_within_seats: when: seats holds no words"),
        ("columns.used.unit", "人", "rule used_within_seats: compares different units: used 人, seats 个"),
    ],
)
def test_a_faulty_declaration_says_what_is_wrong(path: str, value: Any, fault: str):
    with pytest.raises(DeclarationError) as error:
        parse_dataset(changed(path, value))
    assert any(line.startswith(fault) for line in str(error.value).splitlines()), str(error.value)


def test_a_sum_may_not_skip_what_may_be_negative():
    raw = changed("columns.balance", {"zh": "结余", "type": "amount", "unit": "个"})
    raw["rules"][0]["at_most"] = {"sum": ["used", "balance"], "of": ["seats"]}
    with pytest.raises(DeclarationError, match="rule used_within_seats: balance may be negative"):
        parse_dataset(raw)


def test_all_faulty_files_are_told_at_once(tmp_path):
    (tmp_path / "a.toml").write_text('name = "a"\n', encoding="utf-8")
    (tmp_path / "b.toml").write_text("not toml", encoding="utf-8")
    valid = (
        'name = "{}"\ntitle = "{}"\nkind = "snapshot"\nkey = ["no"]\n'
        '[columns.no]\nzh = "编号"\ntype = "code"\nrequired = true\n'
    )
    (tmp_path / "c.toml").write_text(valid.format("c", "同名"), encoding="utf-8")
    (tmp_path / "d.toml").write_text(valid.format("e", "同 名"), encoding="utf-8")
    with pytest.raises(DeclarationError) as error:
        read_datasets(sorted(tmp_path.glob("*.toml")))
    lines = str(error.value).splitlines()
    assert "a.toml: dataset: field columns is missing" in lines
    assert any(line.startswith("b.toml: ") for line in lines)
    assert "d.toml: declares e; the file is named as its dataset" in lines
    assert "d.toml: the file name 同名 already means c" in lines
