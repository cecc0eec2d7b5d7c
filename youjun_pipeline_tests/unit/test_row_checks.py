"""Repeated keys and rules between cells: what is found, and the messages to the district."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import pytest

from youjun_pipeline.contracts import load_datasets
from youjun_pipeline.contracts.loader import parse_dataset
from youjun_pipeline.ingest.validate import validate
from youjun_pipeline_tests.unit.contract_rows import CLASS, SCHOOL, TEACHERS, check, frame


def test_duplicate_keys_fail_the_file_and_all_are_listed():
    dataset = load_datasets()["schools"]
    first = frame(
        "schools",
        SCHOOL,
        {**SCHOOL, "school_code": "3102"},
        {**SCHOOL, "school_code": "３１０１"},
        {**SCHOOL, "school_code": "3102.0"},
        {**SCHOOL, "school_code": "3103"},
        {**SCHOOL, "school_code": None},
        {**SCHOOL, "school_code": None},
    )
    elsewhere = frame("schools", SCHOOL, content="b")
    result = validate(dataset, pd.concat([first, elsewhere]))
    assert list(result.failures) == ["a"], "the same school in another file is no duplicate"
    assert result.failures["a"].rule == "duplicate_key"
    assert result.failures["a"].message == (
        "学校标识码相同的行只能有一行，请删去或更正多余的行。重复的有 2 个：3101（第 2、4 行）；3102（第 3、5 行）"
    )
    assert result.accepted.num_rows == 6, "the rows stay accounted for"


def test_duplicate_keys_of_several_columns_and_sheets():
    sheets = [
        frame("classes", CLASS, {**CLASS, "class_no": "2"}, sheet="小学"),
        frame("classes", CLASS, sheet="补报"),
    ]
    result = validate(load_datasets()["classes"], pd.concat(sheets))
    assert result.failures["a"].message.endswith(
        "重复的有 1 个：3101、小学、四年级、1（小学 第 2 行，补报 第 2 行）"
    )
    assert result.failures["a"].message.startswith("学校标识码、学段、年级、班号相同的行只能有一行")


def test_one_alias_for_two_schools_is_not_a_duplicate():
    assert not check(
        "school_aliases", {"alias": "静湖小学", "school_code": "1"}, {"alias": "静湖小学", "school_code": "2"}
    ).failures


def test_events_may_repeat_but_not_contradict_each_other():
    report = {"reported_on": "2024-06-30", "measure_no": "M1", "state": "进行中", "percent": "40"}
    assert check("progress", report, report).warnings.empty
    result = check("progress", report, {**report, "reported_on": "2024年6月30日", "percent": "60"}, report)
    assert not result.failures
    assert result.warnings.to_dict("records") == [
        {
            "content_sha256": "a",
            "rule": "conflicting_reports",
            "severity": "warning",
            "failed_rows": 3,
            "message": "填报日期、措施编号、节点编号、填报人相同的几行内容不一致，请只保留正确的一行。"
            "第 2 行 2024-06-30、M1；第 3 行 2024年6月30日、M1；第 4 行 2024-06-30、M1；共 3 行",
        }
    ]


def test_broken_rules_are_told_with_row_key_and_values():
    result = check(
        "teachers",
        {**TEACHERS, "bachelor": "15", "associate": "6"},
        {**TEACHERS, "stage": "初中", "bachelor": "20", "certified": "21"},
    )
    assert result.accepted.num_rows == 2 and result.rejections.empty
    assert result.warnings.drop(columns="content_sha256").values.tolist() == [
        [
            "degrees_within_full_time",
            "warning",
            1,
            "博士、硕士、本科、专科人数之和多于专任教师数，请核对各学历人数。"
            "第 2 行 3101、小学（博士 空，硕士 空，本科 15，专科 6，专任教师数 20）；共 1 行",
        ],
        [
            "certified_within_full_time",
            "warning",
            1,
            "持证教师数多于专任教师数，请核对两项。第 3 行 3101、初中（持证教师数 21，专任教师数 20）；共 1 行",
        ],
    ]


def test_a_bound_that_is_missing_leaves_the_row_untested():
    assert check("teachers", {**TEACHERS, "full_time": "", "bachelor": "15"}).warnings.empty
    assert check("teachers", {**TEACHERS, "full_time": "约20", "bachelor": "25"}).warnings.empty


def test_rejected_rows_break_no_rule():
    assert check("teachers", {**TEACHERS, "school_code": None, "bachelor": "25"}).warnings.empty


def test_offenders_are_twenty_and_counted_in_full():
    rows = [{**TEACHERS, "school_code": str(n), "certified": "21"} for n in range(1, 31)]
    (message,) = check("teachers", *rows).warnings["message"]
    assert "第 21 行 20、小学" in message and "第 22 行" not in message
    assert message.endswith("；等共 30 行")


def test_warnings_are_per_file():
    bad = {**TEACHERS, "certified": "21"}
    files = pd.concat([frame("teachers", bad, content="a"), frame("teachers", bad, TEACHERS, content="b")])
    result = validate(load_datasets()["teachers"], files.drop_duplicates(["content_sha256", "row_number"]))
    assert result.warnings[["content_sha256", "failed_rows"]].values.tolist() == [["a", 1], ["b", 1]]


@pytest.mark.parametrize(
    ("dataset", "row", "broken"),
    [
        (
            "facilities",
            {"school_code": "1", "teaching_area_m2": "100", "indoor_sports_area_m2": "100.000001"},
            True,
        ),
        (
            "facilities",
            {"school_code": "1", "teaching_area_m2": "100", "indoor_sports_area_m2": "100"},
            False,
        ),
        ("recognition", {"year": "2024", "respondent_group": "家长", "valid": "90", "satisfied": "91"}, True),
        (
            "recognition",
            {"year": "2024", "respondent_group": "家长", "issued": "80", "valid": "90", "satisfied": "9"},
            True,
        ),
        ("classes", {**CLASS, "stage": "初中", "grade": "一年级"}, True),
        ("classes", {**CLASS, "stage": "初中", "grade": "初一"}, False),
        ("classes", {**CLASS, "grade": "七年级"}, True),
        ("classes", {**CLASS, "grade": "六年级"}, False),
        ("schools", {**SCHOOL, "primary_students": "10", "migrant_students": "11"}, True),
        (
            "schools",
            {**SCHOOL, "school_type": "初中", "primary_students": "10", "migrant_students": "11"},
            False,
        ),
        ("schools", {**SCHOOL, "primary_students": "10", "catchment_primary_students": "11"}, True),
        (
            "graduation_cohorts",
            {
                "school_code": "1",
                "year": "2023",
                "entrants": "100",
                "transferred_in": "5",
                "graduates": "106",
            },
            True,
        ),
        (
            "graduation_cohorts",
            {"school_code": "1", "year": "2023", "entrants": "100", "graduates": "106"},
            False,
        ),
        ("assurance", {"item": "G7.funds_yuan"}, True),
        ("assurance", {"item": "g7.Funds_yuan", "value": "1"}, False),
        ("assurance", {"item": "G99", "value": "1"}, True),
        ("assurance", {"item": "V1", "conclusion": "达标"}, False),
        ("assurance", {"item": "G1", "conclusion": "达标"}, True),
        ("assurance", {"item": "G1", "conclusion": "达标", "evidence": "规划"}, False),
        ("progress", {"reported_on": "2024-06-30", "state": "进行中"}, True),
        (
            "progress",
            {"reported_on": "2024-06-30", "measure_no": "1", "state": "已完成", "percent": "99"},
            True,
        ),
        ("progress", {"reported_on": "2024-06-30", "measure_no": "1", "state": "已完成"}, False),
        (
            "progress",
            {"reported_on": "2024-06-30", "measure_no": "1", "state": "进行中", "percent": "0.5"},
            True,
        ),
        (
            "progress",
            {"reported_on": "2024-06-30", "measure_no": "1", "state": "进行中", "percent": "0"},
            False,
        ),
        ("school_changes", {"effective_on": "2023-08-01", "kind": "新建", "to_school": "滨河小学"}, False),
        ("school_changes", {"effective_on": "2023-08-01", "kind": "并入", "to_school": "滨河小学"}, True),
    ],
)
def test_rules(dataset: str, row: Mapping[str, str | None], broken: bool):
    result = check(dataset, row)
    assert result.rejections.empty
    assert len(result.warnings) == broken, result.warnings["message"].tolist()


def test_a_blocking_rule_is_given_on_and_not_acted_upon():
    dataset = parse_dataset(
        {
            "name": "rooms",
            "title": "教室",
            "kind": "snapshot",
            "key": ["code"],
            "columns": {
                "code": {"zh": "编号", "type": "code", "required": True},
                "seats": {"zh": "座位", "type": "count"},
            },
            "rules": [
                {
                    "name": "seats_are_given",
                    "severity": "blocking",
                    "message": "没有座位数",
                    "any_given": {"columns": ["seats"]},
                }
            ],
        }
    )
    text = pd.DataFrame(
        {"content_sha256": ["a"], "sheet": ["S"], "row_number": [3], "code": ["1"], "seats": [None]}
    )
    result = validate(dataset, text)
    assert result.warnings[["severity", "message"]].values.tolist() == [
        ["blocking", "没有座位数。S 第 3 行 1（座位 空）；共 1 行"]
    ]
    assert not result.failures and result.accepted.num_rows == 1
