"""The oracle on the district's own items: funding, rotation, catchment, retention, monitoring, conclusions."""

from __future__ import annotations

import pytest

from youjun_pipeline_tests.oracle import Options, evaluate


def school(school_type="小学", **given):
    row = {"school_code": "S1", "school_name": "甲校", "school_type": school_type, "sponsor_code": "1"}
    return {**row, "urban_rural": "城区", "boarding": False, **given}


def teachers(stage="primary", **given):
    zero = dict.fromkeys(("doctorate", "master", "bachelor", "associate", "backbone", "pe", "music"), 0)
    return {"school_code": "S1", "stage": stage, "full_time": 60, **zero, "fine_art": 0, "art": 0, **given}


def item(indicator, options=None, **tables):
    return evaluate({"schools": [], **tables}, options).district_indicator[indicator].status


@pytest.mark.parametrize(
    ("pupils", "kind", "budget", "status"),
    [
        (99, "小学", "7.2", "met"),
        (99, "小学", "7.1999", "below"),
        (99, "小学", None, "no_data"),
        (100, "小学", "0", "met"),
        (12, "教学点", "7.1999", "below"),
        (None, "小学", "7.2", "no_data"),
    ],
)
def test_g6_small_schools_are_funded_as_a_hundred(pupils, kind, budget, status):
    rows = [
        {"school_code": "S1", "year": 2022, "public_funds_budget_wan": "1"},
        {"school_code": "S1", "year": 2023, "public_funds_budget_wan": budget},
    ]
    options = Options(funding_norm_primary_yuan=720)
    given = school(kind, primary_students=pupils)
    assert item("G6", options, schools=[given], school_finance=rows) == status
    assert item("G6", None, schools=[given], school_finance=rows) == "no_data"


def test_g6_weights_the_norm_of_an_all_through_school_by_pupils():
    row = school("九年一贯制学校", primary_students=60, junior_students=30)
    options = Options(funding_norm_primary_yuan=600, funding_norm_junior_yuan=900)
    for budget, status in (("7", "met"), ("6.9999", "below")):
        finance = [{"school_code": "S1", "year": 2023, "public_funds_budget_wan": budget}]
        assert item("G6", options, schools=[row], school_finance=finance) == status


@pytest.mark.parametrize(
    ("figures", "status"),
    [
        ({"G11.eligible": 100, "G11.rotated": 10, "G11.rotated_backbone": 2}, "met"),
        ({"G11.eligible": 101, "G11.rotated": 10, "G11.rotated_backbone": 2}, "below"),
        ({"G11.eligible": 100, "G11.rotated": 10, "G11.rotated_backbone": 1}, "below"),
        ({"G11.eligible": 100, "G11.rotated": 10}, "no_data"),
        ({}, "no_data"),
    ],
)
def test_g11_rotation(figures, status):
    assert item("G11", assurance=[{"item": k, "value": v} for k, v in figures.items()]) == status


@pytest.mark.parametrize(
    ("given", "enrolled", "status"),
    [
        ({}, 95, "met"),
        ({}, 94, "below"),
        ({}, None, "no_data"),
        ({"boarding": True}, 10, "met"),
        ({"urban_rural": "乡村"}, 10, "met"),
        ({"sponsor_code": "10"}, 10, "met"),
    ],
)
def test_g13_catchment_of_junior_schools(given, enrolled, status):
    row = school("初级中学", junior_students=100, catchment_junior_students=enrolled, **given)
    assert item("G13", schools=[row]) == status


def test_q1_retention_takes_the_newest_year_of_all_schools_together():
    def cohort(code, year, graduates):
        row = {"school_code": code, "year": year, "entrants": 101, "deaths": 1, "graduates": graduates}
        return {**row, "transferred_in": 6, "transferred_out": 1}

    two = [school("初级中学", school_code=code, junior_students=300) for code in ("S1", "S2")]
    rows = [cohort("S1", 2023, 98), cohort("S2", 2023, 102), cohort("S2", 2022, 0)]
    assert item("Q1", schools=two, graduation_cohorts=rows) == "met"
    rows[0]["graduates"] = 97
    assert item("Q1", schools=two, graduation_cohorts=rows) == "below"


@pytest.mark.parametrize(
    ("level", "rate", "status"),
    [
        (3, "0.1499", "met"),
        (3, "0.15", "below"),
        (2, "0.10", "below"),
        (2, None, "below"),
        (3, None, "no_data"),
    ],
)
def test_q9_judges_the_newest_cycle_only(level, rate, status):
    old = {"cycle": 2019, "grade": 4, "subject": "语文", "level": 1, "between_school_rate": "0.9"}
    new = {**old, "cycle": 2022, "level": level, "between_school_rate": rate}
    assert item("Q9", quality_monitoring=[new, old]) == status


def test_vetoes_and_conclusions_need_an_explicit_answer():
    said = [{"item": "V1", "conclusion": "met"}, {"item": "V2", "conclusion": "not_met"}, {"item": "V3"}]
    assert [item(code, assurance=said) for code in ("V1", "V2", "V3", "V4")] == [
        "met",
        "below",
        "no_data",
        "no_data",
    ]


def test_s1_takes_all_groups_of_the_newest_survey_together():
    rows = [
        {"year": 2022, "respondent_group": "学生", "valid": 100, "satisfied": 1},
        {"year": 2023, "respondent_group": "学生", "valid": 100, "satisfied": 70},
        {"year": 2023, "respondent_group": "家长", "valid": 100, "satisfied": 100},
    ]
    assert item("S1", recognition=rows) == "met"
    rows[1]["satisfied"] = 69
    assert item("S1", recognition=rows) == "below"


def test_district_resource_prefers_below_to_near_to_no_data():
    def codes(*backbones):
        many = [school(school_code=f"S{n}", primary_students=200) for n in range(len(backbones))]
        staff = [teachers(school_code=f"S{n}", backbone=b) for n, b in enumerate(backbones)]
        return item("R2", schools=many, teachers=staff)

    assert codes(2, 2) == "met"
    assert codes(2, None) == "no_data"
    assert codes("1.8", None, 2) == "near"
    assert codes("1.8", None, 1) == "below"
    # Every school is above the threshold, yet the CV is over its limit.
    assert codes(2, 2, 20) == "below"
